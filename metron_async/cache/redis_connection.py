"""Connection to the Redis server of a cache, which may fail at any time.

An operation is given up after a second, and a server that does not reply is not used for some
seconds. A drop is never given up: it is repeated, also while nothing else happens and when the
cache is closed, and nothing is read before it has been applied.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from contextvars import Context
from typing import TYPE_CHECKING, Any, TypeVar

from metron_async.cache.base import LoopGuard
from metron_async.storage.redis_client import checked_client, load_redis

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from types import ModuleType

    from redis.asyncio import Redis

    from metron_async.cache.base import CacheStats

__all__ = ["RedisConnection"]

T = TypeVar("T")

_logger = logging.getLogger("metron_async.cache")

_TIMEOUT = 0.9  # seconds after which an operation is given up
_REST = 5.0  # seconds for which a server that failed is left alone
_REPEAT = 1.0  # seconds until a drop that was refused is repeated
_QUIET = 60.0  # seconds for which the same failure is not reported again
_MAX_OWED = 1000
_CONNECTIONS = 8  # operations at a time


class RedisConnection:
    """Connection that never raises what the server does wrong.

    Args:
        server: URL, or a client; a client that is passed in is not closed.
        stats: Counters to keep.
        drop_all: Drops all entries; owed in place of too many single drops.

    Attributes:
        client: The client to run commands with.
    """

    def __init__(
        self, server: Redis | str, stats: CacheStats, drop_all: Callable[[], Awaitable[object]]
    ) -> None:
        # The library leaves the results of commands partly untyped.
        self.client: Any = checked_client(server, "RedisCache", _make_client)
        self._owned = isinstance(server, str)
        self._failures = (load_redis("RedisCache").RedisError, OSError, TimeoutError)
        self._stats = stats
        self._drop_all = drop_all
        self._loop = LoopGuard("cache")
        self._owed: list[Callable[[], Awaitable[object]]] = []
        self._refusal = load_redis("RedisCache").ResponseError
        self._reported: dict[str, float] = {}
        self._rests_until = -math.inf
        self._free = asyncio.Semaphore(_CONNECTIONS)
        self._turn = asyncio.Lock()
        self._repeating: asyncio.Task[None] | None = None

    async def attempt(self, operation: Callable[[], Awaitable[T]], default: T) -> T:
        """Run *operation* after the drops that are owed; return *default* if either fails."""
        self._loop.check(asyncio.get_running_loop())
        if asyncio.get_running_loop().time() < self._rests_until:
            return default
        try:
            async with asyncio.timeout(_TIMEOUT), self._free:
                if self._owed:
                    await self._carry_out_drops()
                return await operation()
        except self._failures as error:
            self._report(error)
            if self._owed and self._repeating is None and not self._loop.closed:
                loop = asyncio.get_running_loop()
                self._repeating = loop.create_task(self._repeat_drops(), context=Context())
            return default

    async def insist(self, drop: Callable[[], Awaitable[object]]) -> None:
        """Carry *drop* out now, or before anything else is read."""
        self._owed.append(drop)
        if len(self._owed) > _MAX_OWED:
            self._owed = [self._drop_all]
        await self.attempt(self._carry_out_drops, default=None)

    async def _carry_out_drops(self) -> None:
        async with self._turn:
            while self._owed:
                drop = self._owed[0]
                await drop()
                if drop in self._owed:  # not where too many were replaced by one
                    self._owed.remove(drop)

    async def _repeat_drops(self) -> None:
        """Repeat the drops that are owed until they are carried out."""
        loop = asyncio.get_running_loop()
        try:
            while self._owed:
                await asyncio.sleep(max(_REPEAT, self._rests_until - loop.time()))
                await self.attempt(self._carry_out_drops, default=None)
        finally:
            self._repeating = None

    def _report(self, error: BaseException) -> None:
        """Log a failure of the server, and leave a server that does not reply alone for a while."""
        now, kind = asyncio.get_running_loop().time(), type(error).__name__
        self._stats.errors += 1
        if not isinstance(error, self._refusal):  # which is a reply, as of a server that is full
            self._rests_until = now + _REST
        quiet = now - self._reported.get(kind, -math.inf) < _QUIET
        if not quiet:
            self._reported[kind] = now
        level = logging.DEBUG if quiet else logging.WARNING
        reason = str(error) or kind
        _logger.log(level, "The Redis cache cannot be used, and is skipped: %s", reason)

    @contextlib.asynccontextmanager
    async def reported(self) -> AsyncGenerator[None, None]:
        """Turn a failure of the server during a long operation into one log line."""
        try:
            yield
        except self._failures as error:
            self._report(error)

    async def aclose(self) -> None:
        """Close the connections, unless the client was passed in. Safe to call twice."""
        if self._loop.closed:
            return
        self._loop.check(asyncio.get_running_loop())
        if self._owed:
            self._rests_until = -math.inf
            await self.attempt(self._carry_out_drops, default=None)
        if self._repeating is not None:
            self._repeating.cancel()
            await asyncio.wait({self._repeating})
        if self._owed:
            _logger.warning("%d drops could not be written to the Redis cache", len(self._owed))
        if self._owned:
            self._loop.closed = True
            with contextlib.suppress(*self._failures):
                await self.client.aclose()


def _make_client(redis: ModuleType, url: str) -> Redis:
    client: Redis = redis.asyncio.Redis.from_url(url)
    return client
