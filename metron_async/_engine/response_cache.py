"""Cached responses of one client: the cache, seen from its calls.

The cache knows keys, entries and a policy; calls know requests, decoders and options. This module
translates: which response may be served, which may stand in for a failed request, and which is
kept.
"""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any, TypeVar

from metron_async._engine.messages import Answer, Response, decode
from metron_async._engine.protocol import error_of
from metron_async.cache import Entry, Kind, consult, make_key
from metron_async.cache.keys import PENDING
from metron_async.cache.policy import Failure, Fetch, Options, Serve, Unavailable
from metron_async.errors import (
    BlockedError,
    CacheError,
    DecodeError,
    MetronError,
    RateLimitError,
    ServerError,
    StorageError,
    TransportError,
)
from metron_async.types import Origin, Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async._engine.messages import Request
    from metron_async.cache import Cache
    from metron_async.cache.policy import Decision
    from metron_async.types import CallOptions, Stats

__all__ = ["ResponseCache"]

T = TypeVar("T")

_NOT_FOUND = 404


class ResponseCache:
    """The responses that a client keeps, if it keeps any.

    Args:
        cache: The cache that holds them, or ``None``.
        account: Name under which the cache keeps this account's responses.
        proof: Name that only these credentials have; private data is kept under it.
        api_root: Root of the API; part of the cache's keys.
        wall: Returns the wall-clock time in seconds.
        stats: Counters to keep.
    """

    def __init__(
        self,
        cache: Cache | None,
        *,
        account: str,
        proof: str,
        api_root: str,
        wall: Callable[[], float],
        stats: Stats,
    ) -> None:
        self.wall = wall
        self.account: str = account
        self._proof = proof
        self._cache = cache
        self._api_root = api_root
        self.stats = stats
        self._renamed: int = getattr(cache, "renamed", 0)
        self.dropped_at: float = -math.inf  # loop time of the last write that made some stale

    async def ready(self) -> None:
        """Ask for the account's name again, if the cache could not know it or has changed it."""
        renamed = getattr(self._cache, "renamed", 0)
        if self._cache is not None and (renamed != self._renamed or PENDING in self.account):
            self._renamed = renamed
            self.account = await self._cache.account(self.account)
            self._proof = await self._cache.account(self._proof)

    @property
    def enabled(self) -> bool:
        """Whether the client has a cache."""
        return self._cache is not None

    @property
    def cache(self) -> Cache:
        """The cache; asked for only where the client has one."""
        if self._cache is None:
            msg = "This client has no cache"
            raise CacheError(msg)
        return self._cache

    @property
    def written_at_once(self) -> bool:
        """Whether other processes find an entry as soon as it was put into the cache."""
        return not getattr(self._cache, "deferred", False)

    def key_of(self, request: Request) -> str:
        """Return the key under which the response to *request* is cached and joined."""
        if self._cache is None:
            return request.target
        account = self._proof if request.kind is Kind.PRIVATE else self.account
        return make_key(
            account=account, origin=self._api_root, path=request.path, query=request.params
        )

    async def forget_private(self) -> None:
        """Drop the account's private data, after the server has refused the credentials."""
        if self._cache is not None and self._cache.policy.keep_private:
            await self._cache.invalidate(self.account, kinds=[Kind.PRIVATE], now=self.wall())

    def _is_kept(self, request: Request) -> bool:
        """Return whether the cache may hold a response to *request* at all."""
        return self._cache is not None and (
            request.kind is not Kind.PRIVATE or self._cache.policy.keep_private
        )

    def shared_key(self, key: str, request: Request) -> str:
        """Return the key under which other processes can wait for a response with *key*.

        It is empty if they cannot read this cache, or if nothing will be kept. The key contains
        the name that the cache has given the account, with a secret of the cache's own.
        """
        if not self._is_kept(request) or not getattr(self._cache, "shared", False):
            return ""
        if PENDING in self.account + self._proof:
            return ""
        policy = self.cache.policy
        text = f"{key} {policy.version} {policy.keep_empty_lists}"
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def fresh_for(self, request: Request, options: CallOptions, now: float) -> float:
        """Return for how many seconds until loop time *now* a response was fresh to this call."""
        if options.refresh:
            return 0.0
        fresh = options.fresh_for
        if fresh is None:
            fresh = self.cache.policy.fresh_for(request.resource, request.kind)
        return min(fresh, now - self.dropped_at)

    async def kept_since(self, key: str, since: float) -> Entry | None:
        """Return the entry under *key*, if the server has confirmed it *since* that time."""
        entry = await self.cache.get(key, reload=True)
        return entry if entry is not None and entry.checked_at >= since else None

    async def look_up(self, request: Request, key: str, options: CallOptions) -> Decision:
        """Return what to do about *request*, given what is cached under its *key*."""
        if not self._is_kept(request):
            return Unavailable() if options.offline else Fetch()
        return await consult(self.cache, key, self.wall(), _cache_options(options))

    def serve(self, request: Request, decoder: Callable[[bytes], T], decision: Serve) -> Answer[T]:
        """Return the cached response, or raise the cached 404."""
        entry = decision.entry
        if entry.status == _NOT_FOUND:
            self.stats.hits += 1
            raise error_of(request, Response(_NOT_FOUND, {}, entry.body))
        source = Source.STALE if decision.stale else Source.CACHE
        answer = self.answer(request, decoder, entry, source)
        self.stats.hits += 1
        return answer

    def answer(
        self, request: Request, decoder: Callable[[bytes], T], entry: Entry, source: Source
    ) -> Answer[T]:
        """Return the response in *entry*, marked as coming from *source*."""
        now = self.wall()
        origin = Origin(
            source=source,
            age=max(0.0, now - entry.stored_at),
            checked=max(0.0, now - entry.checked_at),
            x_cache=entry.x_cache,
            last_modified=entry.last_modified,
        )
        return Answer(decode(request, decoder, entry.body), origin, entry.checked_at)

    def stand_in(
        self,
        request: Request,
        decoder: Callable[[bytes], T],
        entry: Entry | None,
        error: MetronError,
        options: CallOptions,
    ) -> Answer[T] | None:
        """Return the stale *entry* as a response, if it may stand in for a failed request."""
        if entry is None or not self.cache.policy.may_serve_stale(
            entry, self.wall(), _failure_of(error), _cache_options(options)
        ):
            return None
        try:
            answer = self.answer(request, decoder, entry, Source.STALE)
        except DecodeError:
            return None
        self.stats.stale += 1
        return answer

    async def keep(
        self, request: Request, key: str, response: Response, sent_at: float, value: object
    ) -> bool:
        """Put a response into the cache, if the policy allows it, and return whether it does."""
        if self._cache is None:
            return False
        rows: Any = getattr(value, "results", None)
        keep = self._cache.policy.storable(
            kind=request.kind,
            status=response.status,
            decoded=value is not None,
            empty=rows is not None and not rows,
        )
        if not keep:
            return False
        modified: Any = getattr(value, "modified", None)
        now = self.wall()
        entry = Entry(
            key=key,
            account=self.account,
            resource=request.resource,
            kind=request.kind,
            object_id=request.object_id,
            status=response.status,
            body=response.body,
            last_modified=response.headers.get("last-modified"),
            stored_at=now,
            checked_at=now,
            sent_at=sent_at,
            modified=modified.isoformat() if modified is not None else None,
            x_cache=response.headers.get("x-cache"),
            date=response.headers.get("date"),
            version=self._cache.policy.version,
        )
        await self._cache.put([entry])
        return True


def _cache_options(options: CallOptions) -> Options:
    return Options(
        fresh_for=options.fresh_for,
        refresh=options.refresh,
        offline=options.offline,
        stale_if_error=options.stale_if_error,
    )


def _failure_of(error: MetronError) -> Failure:
    """Return the cache's name for why the request failed."""
    if isinstance(error, ServerError | DecodeError):
        return Failure.SERVER
    if isinstance(error, TransportError):
        return Failure.TRANSPORT
    if isinstance(error, RateLimitError | StorageError):
        return Failure.QUOTA
    if isinstance(error, BlockedError) and not error.denied:
        return Failure.BLOCKED
    return Failure.REFUSED
