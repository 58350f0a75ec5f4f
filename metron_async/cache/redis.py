"""Cache in Redis, shared by all hosts that use it.

There is no copy in a process's memory, so a drop reaches every host with the reply to the drop. A
lookup costs one round trip, also for a hundred keys. The server bounds the size: a script evicts
what was not used for longest, and every entry expires.

The cache never makes a call fail, nor slow: an operation is given up after a second, counts as a
miss, and the server is left alone for some seconds. Only a drop cannot be given up, because an
entry that should be gone would be *wrong*. A drop that failed is owed: nothing is read before it
was carried out.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import secrets
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from metron_async.cache import redis_scripts as scripts
from metron_async.cache.base import Age, CacheStats, LoopGuard, born_before, make_policy, wall_clock
from metron_async.cache.entry import LATE_ARRIVAL, Entry, Kind, Selector
from metron_async.cache.keys import account_name
from metron_async.cache.memory import MEGABYTE
from metron_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping

    from redis.asyncio import Redis

    from metron_async.cache.policy import FreshnessKey, Policy

    Drop: TypeAlias = Callable[[], Awaitable[object]]

__all__ = ["RedisCache"]

T = TypeVar("T")

_logger = logging.getLogger("metron_async.cache")

_PREFIX = f"metron_async:cache-{scripts.LAYOUT}:"
_SECRET = f"{_PREFIX}secret"
_TIMEOUT = 0.9  # seconds after which an operation is given up
_REST = 5.0  # seconds for which a server that failed is left alone
_EVICT_TO = 0.9  # of the bound, so that not every put evicts
_MAX_OWED = 1000
_CONNECTIONS = 8
_SECRET_BYTES = 32


class RedisCache:
    """Cache in a Redis or Valkey server (no cluster), shared by all hosts that reach it.

    Response bodies are stored in plain text. Use a server that only your programs can read.

    Args:
        server: URL, ``redis://`` or ``rediss://``; or a ``redis.asyncio.Redis`` that does not
            decode responses. A client that is handed in is not closed here.
        max_bytes: Bound on its entries, in bytes; the least recently used entries go first.
        freshness: Seconds by kind, resource, or both, over the defaults.
        max_age: Seconds after which an entry is fetched again, without a condition.
        keep_private: Also keep collection, pull list, wish list and reading lists.
        keep_empty_lists: Also keep lists without rows.

    Raises:
        ConfigurationError: If the extra ``redis`` is not installed, or an option is invalid.

    Example:
        >>> cache = RedisCache("redis://localhost:6379/0", max_bytes=64 << 20)
    """

    def __init__(
        self,
        server: Redis | str,
        *,
        max_bytes: int = 256 * MEGABYTE,
        freshness: Mapping[FreshnessKey, float] | None = None,
        max_age: float | None = None,
        keep_private: bool = False,
        keep_empty_lists: bool = False,
    ) -> None:
        # The library leaves the results of commands partly untyped.
        self._client: Any
        self._client, self._owned, self._failures = _client_of(server)
        self._policy = make_policy(freshness, max_age, keep_private, keep_empty_lists)
        self._max_bytes = max_bytes
        self._stats = CacheStats()
        self._secret: bytes | None = None
        self._identities: dict[str, str] = {}
        self._owed: list[Drop] = []
        self._loop = LoopGuard("cache")
        self._failing = False
        self._rests_until = -math.inf
        self._put = self._client.register_script(scripts.PUT)
        self._remove = self._client.register_script(scripts.REMOVE)
        self._drop = self._client.register_script(scripts.DROP)
        self._touch = self._client.register_script(scripts.TOUCH)

    def __repr__(self) -> str:
        return "RedisCache(...)"  # the URL may hold a password

    @property
    def policy(self) -> Policy:
        """What may be kept, and for how long it is fresh."""
        return self._policy

    @property
    def stats(self) -> CacheStats:
        """Counts since the cache was made."""
        return self._stats

    async def account(self, identity: str) -> str:
        """Return the name under which the entries of *identity* are kept: a keyed hash.

        While the server cannot be reached its secret is not known. The name is then one under
        which nothing is kept.
        """
        known = await self._attempt(self._load_secret, default=False)
        if known and self._secret is not None:
            return account_name(self._secret, identity)
        alias = account_name(secrets.token_bytes(_SECRET_BYTES), identity)
        self._identities[alias] = identity
        return alias

    async def get(self, key: str, *, reload: bool = False) -> Entry | None:
        """Return the entry under *key*."""
        return (await self.get_many([key], reload=reload)).get(key)

    async def get_many(self, keys: Iterable[str], *, reload: bool = False) -> dict[str, Entry]:  # noqa: ARG002
        """Return the entries that exist under *keys*, in one round trip."""
        wanted = list(dict.fromkeys(keys))
        if not wanted:
            return {}

        async def read() -> Any:
            pipe = self._client.pipeline(transaction=False)
            for key in wanted:
                pipe.hmget(f"{_PREFIX}entry:{key}", "b", "c")
            pipe.zadd(f"{_PREFIX}used", dict.fromkeys(wanted, wall_clock(None)), xx=True)
            return await pipe.execute()

        rows: list[Any] = await self._attempt(read, default=[])
        found: dict[str, Entry] = {}
        damaged: list[str] = []
        for key, row in zip(wanted, rows, strict=False):
            sealed, checked_at = row
            if sealed is None:
                continue
            entry = scripts.open_entry(key, sealed, checked_at or b"")
            if entry is None:
                damaged.append(key)
            elif entry.version == self._policy.version and self._policy.keeps(entry):
                found[key] = entry
        self._stats.disk_hits += len(found)
        self._stats.misses += len(wanted) - len(found)
        if damaged:
            self._stats.damaged += len(damaged)
            await self.delete(damaged)
        return found

    async def put(self, entries: Iterable[Entry]) -> None:
        """Keep *entries*, in place of those under their keys."""
        kept = [
            entry
            for entry in entries
            if self._policy.keeps(entry) and entry.account not in self._identities
        ]
        if not kept:
            return
        expiry = int(min(self._policy.max_stale, 10 * 365 * 86_400.0) * 1000)
        arguments: list[Any] = [self._max_bytes, int(self._max_bytes * _EVICT_TO), max(1, expiry)]
        arguments.append(LATE_ARRIVAL)
        for entry in kept:
            arguments += [entry.key, scripts.seal(entry), repr(entry.checked_at)]
            arguments += [repr(entry.asked_at), entry.account, entry.size]
            arguments += [scripts.member_of(entry), repr(wall_clock(None))]
            arguments += [repr(entry.stored_at), scripts.times_of(entry)]
        stored, evicted = await self._attempt(
            lambda: self._put(keys=[_PREFIX], args=arguments), default=(0, 0)
        )
        self._stats.stored += stored
        self._stats.evicted += evicted

    async def touch(self, keys: Iterable[str], checked_at: float) -> None:
        """Record that the entries under *keys* were current at *checked_at*."""
        arguments = [repr(checked_at), *keys]
        if len(arguments) > 1:
            await self._attempt(lambda: self._touch(keys=[_PREFIX], args=arguments), default=None)

    async def delete(self, keys: Iterable[str]) -> None:
        """Drop the entries under *keys*."""
        arguments = list(keys)
        if arguments:
            await self._insist(lambda: self._remove(keys=[_PREFIX], args=arguments))

    async def invalidate(
        self,
        account: str,
        *,
        resource: str | None = None,
        object_id: int | None = None,
        kinds: Iterable[Kind] | None = None,
        now: float | None = None,
    ) -> None:
        """Drop what a write may have made stale, late responses included, on every host.

        Args:
            account: Whose entries.
            resource: Only those of this resource.
            object_id: Only those of this object.
            kinds: Only those of these kinds.
            now: Wall-clock seconds; the system's clock if not given.
        """
        at = wall_clock(now)
        named = None if kinds is None else frozenset(kinds)

        async def drop() -> None:
            selector = Selector(
                account=await self._real_name(account),
                resource=resource,
                object_id=object_id,
                kinds=named,
            )
            only = "" if named is None else f" {' '.join(kind.value for kind in named)} "
            head: list[Any] = [
                selector.account,
                repr(at),
                int(LATE_ARRIVAL),
                *scripts.range_of(selector),
            ]
            filters = ["" if object_id is None else object_id, only]
            fields = scripts.drop_fields(selector)
            await self._drop(keys=[_PREFIX], args=[*head, *filters, *fields])

        await self._insist(drop)

    async def purge(
        self,
        resource: str | None = None,
        older_than: Age | None = None,
        *,
        now: float | None = None,
    ) -> int:
        """Drop entries of every account, and return how many.

        Args:
            resource: Only those of this resource.
            older_than: Only those whose body is older than this.
            now: Wall-clock seconds; the system's clock if not given.
        """
        limit = born_before(older_than, now)
        removed = 0
        async with self._reported():
            batch: list[str] = []
            async for key, about in self._client.hscan_iter(f"{_PREFIX}about", count=500):
                _, stored_at, _, member = about.decode().split(" ", 3)
                if resource in (None, member.partition(":")[0]) and float(stored_at) < limit:
                    batch.append(key)
            for start in range(0, len(batch), 500):
                removed += await self._remove(keys=[_PREFIX], args=batch[start : start + 500])
        return removed

    async def clear(self) -> None:
        """Drop everything of every account."""
        await self._insist(self._forget_all)

    async def size(self) -> tuple[int, int]:
        """Return how many entries the cache holds, and their bytes."""

        async def read() -> tuple[int, int]:
            pipe = self._client.pipeline(transaction=False)
            pipe.hlen(f"{_PREFIX}about")
            pipe.get(f"{_PREFIX}bytes")
            count, total = await pipe.execute()
            return int(count), int(total or 0)

        return await self._attempt(read, default=(0, 0))

    async def aclose(self) -> None:
        """Close the connections, unless the client was handed in. Safe to call twice."""
        if self._owned and not self._loop.closed:
            self._loop.check(asyncio.get_running_loop())
            self._loop.closed = True
            with contextlib.suppress(*self._failures):
                await self._client.aclose()

    # -- One operation ----------------------------------------------------------------------------

    async def _attempt(self, operation: Callable[[], Awaitable[T]], default: T) -> T:
        """Run *operation* after the drops that are owed; return *default* if either fails."""
        self._loop.check(asyncio.get_running_loop())
        if asyncio.get_running_loop().time() < self._rests_until:
            return default
        async with self._reported(), asyncio.timeout(_TIMEOUT):
            await self._carry_out_drops()
            return await operation()
        return default

    async def _insist(self, drop: Drop) -> None:
        """Carry *drop* out now, or before anything else is read."""
        self._owed.append(drop)
        if len(self._owed) > _MAX_OWED:
            self._owed = [self._forget_all]
        await self._attempt(self._carry_out_drops, default=None)

    async def _carry_out_drops(self) -> None:
        while self._owed:
            drop = self._owed[0]
            await drop()
            if drop in self._owed:  # another task may have carried it out meanwhile
                self._owed.remove(drop)

    async def _forget_all(self) -> None:
        async for name in self._client.scan_iter(f"{_PREFIX}*", count=500):
            if name != _SECRET.encode():
                await self._client.unlink(name)

    @contextlib.asynccontextmanager
    async def _reported(self) -> AsyncGenerator[None, None]:
        """Turn a failure of the server into one log line, and leave it alone for a while."""
        try:
            yield
        except self._failures as error:
            self._stats.errors += 1
            self._rests_until = asyncio.get_running_loop().time() + _REST
            level = logging.DEBUG if self._failing else logging.WARNING
            self._failing = True
            reason = str(error) or type(error).__name__
            _logger.log(level, "The Redis cache cannot be used, and is skipped: %s", reason)
        else:
            self._failing = False

    async def _load_secret(self) -> bool:
        if self._secret is None:
            await self._client.set(_SECRET, secrets.token_bytes(_SECRET_BYTES), nx=True)
            found: Any = await self._client.get(_SECRET)
            self._secret = found
        return True

    async def _real_name(self, account: str) -> str:
        """Return the name of an account that was named while the secret was not known."""
        identity = self._identities.get(account)
        if identity is None:
            return account
        await self._load_secret()
        return account_name(self._secret or b"", identity)


def _client_of(server: Redis | str) -> tuple[Redis, bool, tuple[type[Exception], ...]]:
    """Return a client, whether it was made here, and what it raises when the server fails."""
    try:
        from redis import asyncio as redis  # noqa: PLC0415 - an extra
        from redis.exceptions import RedisError  # noqa: PLC0415
    except ImportError as error:
        msg = 'RedisCache needs the extra "redis": pip install "metron-async[redis]"'
        raise ConfigurationError(msg) from error
    owned = isinstance(server, str)
    if isinstance(server, str):
        try:
            pool = redis.BlockingConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType]
                server, max_connections=_CONNECTIONS, timeout=_TIMEOUT
            )
        except ValueError:
            msg = "Invalid URL of a Redis server: expected redis://host:port/database"
            raise ConfigurationError(msg) from None  # the original quotes parts of the URL
        server = redis.Redis.from_pool(pool)  # closes its pool
    elif not isinstance(server, redis.Redis):
        msg = f"Invalid Redis client of type {type(server).__name__}: expected redis.asyncio.Redis"
        raise ConfigurationError(msg)
    if server.connection_pool.connection_kwargs.get("decode_responses"):
        msg = "Invalid Redis client: it decodes responses, expected decode_responses=False"
        raise ConfigurationError(msg)
    return server, owned, (RedisError, OSError, TimeoutError)
