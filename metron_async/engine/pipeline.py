"""The way of one call, from a resource's request to a decoded answer.

::

    call -> fresh in the cache? ----------------------------------> answer
         -> the same GET already under way? -> join it -----------> answer
         -> launch a flight: tries (sender) -> decode -> store ---> answer
         -> it failed, but a stale entry may stand in ------------> answer

Writes go another way, see :mod:`~metron_async.engine.writes`.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from metron_async.cache import Entry, Kind, Source, consult, make_key
from metron_async.cache.policy import Failure, Fetch, Options, Revalidate, Serve, Unavailable
from metron_async.cache.vouch import page_as_of
from metron_async.engine.decoding import decode
from metron_async.engine.messages import Answer, Origin, Response
from metron_async.engine.protocol import error_of
from metron_async.engine.writes import Writer
from metron_async.errors import (
    BlockedError,
    CacheError,
    DecodeError,
    MetronError,
    NotFoundError,
    QuotaStoreError,
    RateLimitError,
    ServerError,
    TransportError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from metron_async.cache import Cache
    from metron_async.cache.policy import Decision
    from metron_async.engine.flight import Flight, Flights
    from metron_async.engine.messages import CallOptions, Request, Stale, Written
    from metron_async.engine.sender import Sender
    from metron_async.engine.stats import Stats

__all__ = ["Pipeline"]

T = TypeVar("T")

_NOT_MODIFIED = 304


class Pipeline:
    """Answers calls from the cache, from flights under way, or by new ones.

    Args:
        sender: Makes requests.
        flights: The requests under way.
        cache: Where answers are kept, or ``None``.
        account: Name under which the cache keeps this account's answers.
        api_root: Root of the API; part of the cache's keys.
        wall: Returns the wall-clock time in seconds.
        stats: Counters to keep.
    """

    def __init__(
        self,
        *,
        sender: Sender,
        flights: Flights,
        cache: Cache | None,
        account: str,
        api_root: str,
        wall: Callable[[], float],
        stats: Stats,
    ) -> None:
        self._sender = sender
        self._flights = flights
        self._cache = cache
        self._account = account
        self._api_root = api_root
        self.wall = wall
        self.stats = stats
        self._landed = 0
        self._writer = Writer(
            sender=sender, flights=flights, cache=cache, account=account, wall=wall
        )

    async def read(
        self, request: Request, decoder: Callable[[bytes], T], options: CallOptions
    ) -> Answer[T]:
        """Answer a GET from wherever that is cheapest.

        Raises:
            CacheError: If the call is ``offline`` and nothing is there.
            MetronError: If the request failed and nothing may stand in for its answer.
        """
        self.stats.calls += 1
        key = self.key_of(request)
        decision = await self._consult(request, key, options)
        if isinstance(decision, Serve):
            try:
                return self._serve(request, decoder, decision)
            except DecodeError:  # kept by a build whose models were different
                await self.cache.delete([key])
                decision = Unavailable() if options.offline else Fetch()
        if isinstance(decision, Unavailable):
            raise _unavailable(request)
        return await self._fly(request, decoder, options, key, decision)

    async def read_if_modified(
        self, request: Request, decoder: Callable[[bytes], T], options: CallOptions
    ) -> Answer[T] | None:
        """Send a GET with its own condition; ``None`` if nothing has changed.

        Raises:
            CacheError: If the call is ``offline``: what has changed only the server knows.
            MetronError: If the request failed.
        """
        self.stats.calls += 1
        if options.offline:
            raise _unavailable(request)
        key = self.key_of(request)
        # Never shared with a revalidation of the cache, which turns a 304 into what it confirms.
        place = (key, f"caller's {request.since}")
        flight: Flight[Any] | None = self._flights.find(place)
        if flight is None:
            flight = self._launch(request, decoder, options, Fetch(), place)
        else:
            self.stats.coalesced += 1
        return await self._flights.ride(flight, options, place)

    @property
    def has_cache(self) -> bool:
        """Whether answers are kept at all."""
        return self._cache is not None

    async def write(
        self,
        request: Request,
        decoder: Callable[[bytes], T],
        options: CallOptions,
        stale: Callable[[T | None], Iterable[Stale]],
    ) -> Written[T]:
        """Send a write; see :meth:`metron_async.engine.writes.Writer.write`."""
        self.stats.calls += 1
        return await self._writer.write(request, decoder, options, stale)

    @property
    def cache(self) -> Cache:
        """The cache; asked for only where one is known to be there."""
        if self._cache is None:
            msg = "This client has no cache"
            raise CacheError(msg)
        return self._cache

    def key_of(self, request: Request) -> str:
        """Return the key under which the answer to *request* is kept and joined."""
        if self._cache is None:
            return request.target
        return make_key(
            account=self._account, origin=self._api_root, path=request.path, query=request.params
        )

    def _is_kept(self, request: Request) -> bool:
        """Tell whether the cache may hold an answer to *request* at all."""
        return self._cache is not None and (
            request.kind is not Kind.PRIVATE or self._cache.policy.keep_private
        )

    async def _consult(self, request: Request, key: str, options: CallOptions) -> Decision:
        wanted = _cache_options(options)
        if not self._is_kept(request):
            return Unavailable() if options.offline else Fetch()
        while True:
            landed = self._landed
            decision = await consult(self.cache, key, self.wall(), wanted)
            # Where a flight landed while the file was being read, what was not there may be now.
            if not isinstance(decision, Fetch) or landed == self._landed or options.refresh:
                return decision

    def _serve(self, request: Request, decoder: Callable[[bytes], T], decision: Serve) -> Answer[T]:
        entry = decision.entry
        if entry.status == 404:  # noqa: PLR2004
            self.stats.hits += 1
            raise error_of(request, Response(404, {}, entry.body))
        source = Source.STALE if decision.stale else Source.CACHE
        answer = self.answer(request, decoder, entry, source)
        self.stats.hits += 1
        return answer

    def answer(
        self, request: Request, decoder: Callable[[bytes], T], entry: Entry, source: Source
    ) -> Answer[T]:
        """Return the answer that *entry* holds, marked as coming from *source*."""
        now = self.wall()
        origin = Origin(
            source=source,
            age=max(0.0, now - entry.stored_at),
            checked=max(0.0, now - entry.checked_at),
            x_cache=entry.x_cache,
            last_modified=entry.last_modified,
        )
        return Answer(decode(request, decoder, entry.body), origin, entry.checked_at)

    async def _fly(
        self,
        request: Request,
        decoder: Callable[[bytes], T],
        options: CallOptions,
        key: str,
        decision: Fetch | Revalidate,
    ) -> Answer[T]:
        place: tuple[str, str | None] = (key, None)
        flight: Flight[Any] | None = self._flights.find(place)
        if flight is None and isinstance(decision, Revalidate):
            place = (key, decision.if_modified_since)
            flight = self._flights.find(place)
        if flight is None:
            flight = self._launch(request, decoder, options, decision, place)
        else:
            self.stats.coalesced += 1
        try:
            answer: Answer[T] = await self._flights.ride(flight, options, place)
        except MetronError as error:
            entry = decision.fallback if isinstance(decision, Fetch) else decision.entry
            stale = self._stand_in(request, decoder, entry, error, options)
            if stale is None:
                raise
            return stale
        return answer

    def _stand_in(
        self,
        request: Request,
        decoder: Callable[[bytes], T],
        entry: Entry | None,
        error: MetronError,
        options: CallOptions,
    ) -> Answer[T] | None:
        """Return the outdated *entry* as an answer, if it may stand in for one that failed."""
        wanted = _cache_options(options)
        if entry is None or not self.cache.policy.may_serve_stale(
            entry, self.wall(), _failure_of(error), wanted
        ):
            return None
        try:
            answer = self.answer(request, decoder, entry, Source.STALE)
        except DecodeError:
            return None
        self.stats.stale += 1
        return answer

    def _launch(
        self,
        request: Request,
        decoder: Callable[[bytes], T],
        options: CallOptions,
        decision: Fetch | Revalidate,
        place: tuple[str, str | None],
    ) -> Flight[Any]:
        if isinstance(decision, Revalidate):
            request = request.conditional_on(decision.if_modified_since)

        async def fly(flight: Flight[Answer[T] | None]) -> Answer[T] | None:
            try:
                return await self._fetch(flight, decoder, place[0], decision)
            finally:
                self._landed += 1

        return self._flights.launch(request, options, fly, place)

    async def _fetch(
        self,
        flight: Flight[Any],
        decoder: Callable[[bytes], T],
        key: str,
        decision: Fetch | Revalidate,
    ) -> Answer[T] | None:
        """Make the request of *flight*, decode what comes, and keep it."""
        request, sent_at = flight.request, self.wall()
        try:
            response = await self._sender.send(flight)
        except NotFoundError as error:
            if request.kind is Kind.DETAIL:
                body = msgspec.json.encode({"detail": error.detail})
                await self._keep(request, key, Response(404, {}, body), sent_at, None)
            raise
        if response.status == _NOT_MODIFIED:
            return await self._confirmed(flight, decoder, decision, sent_at)
        value = decode(request, decoder, response.body)
        await self._keep(request, key, response, sent_at, value)
        headers = response.headers
        origin = Origin(
            source=Source.NETWORK,
            x_cache=headers.get("x-cache"),
            last_modified=headers.get("last-modified"),
        )
        as_of = page_as_of(
            date=headers.get("date"), x_cache=headers.get("x-cache"), sent_at=sent_at
        )
        return Answer(value, origin, as_of)

    async def _confirmed(
        self,
        flight: Flight[Any],
        decoder: Callable[[bytes], T],
        decision: Fetch | Revalidate,
        sent_at: float,
    ) -> Answer[T] | None:
        """Answer a 304: with the entry that it confirms, or with ``None`` to who asked for it."""
        request = flight.request
        if isinstance(decision, Fetch):
            if request.since is not None:
                return None
            msg = "The server says 'not modified' to a request without a condition"
            raise DecodeError(msg, path=request.target, status=_NOT_MODIFIED)
        entry = dataclasses.replace(decision.entry, checked_at=sent_at)
        try:
            answer = self.answer(request, decoder, entry, Source.NOT_MODIFIED)
        except DecodeError:  # kept by a build whose models were different
            await self.cache.delete([entry.key])
            flight.request = dataclasses.replace(request, since=None)
            return await self._fetch(flight, decoder, entry.key, Fetch())
        await self.cache.touch([entry.key], sent_at)
        return answer

    async def _keep(
        self, request: Request, key: str, response: Response, sent_at: float, value: object
    ) -> None:
        """Put an answer into the cache, if it is one to keep."""
        if self._cache is None:
            return
        rows: Any = getattr(value, "results", None)
        keep = self._cache.policy.storable(
            kind=request.kind,
            status=response.status,
            decoded=value is not None,
            empty=rows is not None and not rows,
        )
        if not keep:
            return
        modified: Any = getattr(value, "modified", None)
        now = self.wall()
        entry = Entry(
            key=key,
            account=self._account,
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


def _unavailable(request: Request) -> CacheError:
    return CacheError("Not in the cache, and the call is offline", path=request.target)


def _cache_options(options: CallOptions) -> Options:
    return Options(
        fresh_for=options.fresh_for,
        refresh=options.refresh,
        offline=options.offline,
        stale_if_error=options.stale_if_error,
    )


def _failure_of(error: MetronError) -> Failure:
    """Say in the cache's words why no answer could be had."""
    if isinstance(error, ServerError | DecodeError):
        return Failure.SERVER
    if isinstance(error, TransportError):
        return Failure.TRANSPORT
    if isinstance(error, RateLimitError | QuotaStoreError):
        return Failure.QUOTA
    return Failure.BLOCKED if isinstance(error, BlockedError) else Failure.REFUSED
