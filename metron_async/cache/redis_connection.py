"""Connection to the Redis server of a cache, which may fail at any time.

An operation is given up after a second, and the server is not used for some seconds. A drop is
never given up: it is repeated, and nothing is read before it has been applied.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
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
        self._failing = False
        self._rests_until = -math.inf
        self._free = asyncio.Semaphore(_CONNECTIONS)

    async def attempt(self, operation: Callable[[], Awaitable[T]], default: T) -> T:
        """Run *operation* after the drops that are owed; return *default* if either fails."""
        self._loop.check(asyncio.get_running_loop())
        if asyncio.get_running_loop().time() < self._rests_until:
            return default
        try:
            async with asyncio.timeout(_TIMEOUT), self._free:
                if self._owed:
                    await self._carry_out_drops()
                done = await operation()
        except self._failures as error:
            self._report(error)
            return default
        self._failing = False
        return done

    async def insist(self, drop: Callable[[], Awaitable[object]]) -> None:
        """Carry *drop* out now, or before anything else is read."""
        self._owed.append(drop)
        if len(self._owed) > _MAX_OWED:
            self._owed = [self._drop_all]
        await self.attempt(self._carry_out_drops, default=None)

    async def _carry_out_drops(self) -> None:
        while self._owed:
            drop = self._owed[0]
            await drop()
            if drop in self._owed:  # another task may have carried it out meanwhile
                self._owed.remove(drop)

    def _report(self, error: BaseException) -> None:
        """Log a failure of the server once, and leave it alone for a while."""
        self._stats.errors += 1
        self._rests_until = asyncio.get_running_loop().time() + _REST
        level = logging.DEBUG if self._failing else logging.WARNING
        self._failing = True
        reason = str(error) or type(error).__name__
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
        if self._owned and not self._loop.closed:
            self._loop.check(asyncio.get_running_loop())
            self._loop.closed = True
            with contextlib.suppress(*self._failures):
                await self.client.aclose()


def _make_client(redis: ModuleType, url: str) -> Redis:
    client: Redis = redis.asyncio.Redis.from_url(url)
    return client
