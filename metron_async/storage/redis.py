"""Storage in Redis, for clients on several hosts (``pip install "metron-async[redis]"``).

A transaction reads the time and both states in one round trip, decides here, and saves with a
script that compares first: where another client was quicker, nothing is saved, and the decision is
made again. A decision that changes nothing costs one round trip. No rule is written in Lua.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import random
from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from metron_async.errors import StorageError
from metron_async.storage.base import Binding, States, announce, logger
from metron_async.storage.clock import steady
from metron_async.storage.redis_client import checked_client, load_redis

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from types import ModuleType

    from redis.asyncio import Redis
    from redis.asyncio.connection import AbstractConnection

    from metron_async.storage.base import Decided, Loaded

__all__ = ["RedisStorage"]

T = TypeVar("T")

_PREFIX = "metron_async:"
_TIMEOUT = 5.0  # seconds for a transaction
_PAUSE, _LONGEST_PAUSE = 0.002, 0.05  # seconds after a conflict
_UNUSED = 30 * 86_400_000  # milliseconds after which a state expires, unless that evicts it
_DAY = 86_400.0

_SAVE = """
local saved = redis.call('MGET', KEYS[1], KEYS[2])
for i = 1, 2 do
  if (saved[i] or '') ~= ARGV[i] then return 0 end
end
for i = 1, 2 do
  if ARGV[i + 2] ~= '' then
    redis.call('SET', KEYS[i], ARGV[i + 2], unpack(ARGV, 5))
  end
end
return 1
"""
_SAVE_SHA = hashlib.sha1(_SAVE.encode(), usedforsecurity=False).hexdigest()


class RedisStorage:
    """Storage in a Redis or Valkey server (no cluster), shared by all hosts that reach it.

    Args:
        server: URL, ``redis://`` or ``rediss://``; or a ``redis.asyncio.Redis`` that does not
            decode responses. Its settings are used; it is not closed here.

    Raises:
        ConfigurationError: If the extra ``redis`` is not installed, or *server* is not valid.

    Example:
        >>> storage = RedisStorage("redis://localhost:6379/0")
        >>> await storage.transact("account", "address", decide)  # doctest: +SKIP
    """

    def __init__(self, server: Redis | str) -> None:
        self.server: Redis | str = server
        """What was passed in. The cache of a client with this storage uses it too."""
        self._connect = _connector(server)
        self._states = States()
        self._binding = Binding(self._rebind)
        self._sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, _Session] = WeakKeyDictionary()
        self._of_parents: list[object] = []  # never closed: that would disturb the parent
        self._clock = _ServerClock()
        self._warned = False

    def __repr__(self) -> str:
        return "RedisStorage(...)"  # the URL may hold a password

    async def transact(
        self, account: str, address: str, decide: Callable[[Loaded], Decided[T]]
    ) -> T:
        """Load two states, decide, and save: see :meth:`Storage.transact`."""
        async with self._session() as session:
            keys, pause = (_PREFIX + account, _PREFIX + address), _PAUSE
            while True:
                try:
                    found, now = await self._look(session, keys)
                except session.connection_error:
                    # An idle connection may have been closed. (A save is not repeated: it may
                    # have been carried out.)
                    found, now = await self._look(session, keys)
                loaded = self._states.load(address, found[0], found[1], now, self._clock.jumps)
                decided = decide(loaded)
                changes = self._states.pack(loaded, decided)
                if changes == (None, None) or await session.save(keys, found, changes):
                    return self._states.keep(address, loaded, decided)
                await asyncio.sleep(random.uniform(0, pause))  # noqa: S311
                pause = min(2 * pause, _LONGEST_PAUSE)

    async def aclose(self) -> None:
        """Close the connection. The next transaction opens it again."""
        if asyncio.get_running_loop() in self._sessions:
            async with self._session() as session:
                await session.connection.disconnect()

    @asynccontextmanager
    async def _session(self) -> AsyncGenerator[_Session]:
        """Take a turn on the connection of this event loop, and translate the errors there."""
        loop = asyncio.get_running_loop()
        token = self._binding.enter(loop)
        try:
            session = self._sessions.get(loop)
            if session is None:
                session = self._sessions[loop] = _Session(self._connect())
                await anext(session.closing)
            async with session.take_turn(loop):
                yield session
        except (_redis().RedisError, OSError) as error:
            reason = str(error) or f"no response within {_TIMEOUT:g} s"
            msg = f"Redis cannot be used: {reason}"
            raise StorageError(msg) from error
        finally:
            self._binding.leave(token)

    async def _look(
        self, session: _Session, keys: tuple[str, str]
    ) -> tuple[list[bytes | None], float]:
        """Return the stored states and the time."""
        if session.expiry is None:
            session.expiry = self._expiry(await session.ask_policy())
        sent = steady()
        (seconds, micros), found = await session.ask(("TIME",), ("MGET", *keys))
        return found, self._clock.read(int(seconds) + int(micros) / 1e6, sent, steady())

    def _expiry(self, policy: str) -> tuple[str | int, ...]:
        """Return the options that let unused states expire, unless they would be evicted then."""
        if policy.startswith("allkeys") and not self._warned:
            self._warned = True
            announce(
                f"Redis may evict the shared state (maxmemory-policy {policy}):"
                " use noeviction or a volatile policy"
            )
        return () if policy.startswith("volatile") or not policy else ("PX", _UNUSED)

    def _rebind(self, forked: bool) -> None:
        if forked:
            self._of_parents.extend(self._sessions.values())
            self._sessions = WeakKeyDictionary()


class _Session:
    """Connection of one event loop."""

    def __init__(self, connection: AbstractConnection) -> None:
        self.connection = connection
        self.turn = asyncio.Lock()
        self._hung_at = -math.inf  # when a transaction last timed out
        self.expiry: tuple[str | int, ...] | None = None
        self.connection_error = _redis().ConnectionError
        # `asyncio.run` finishes its asynchronous generators, and so closes the connection.
        self.closing = _close_at_the_end(connection)

    @asynccontextmanager
    async def take_turn(self, loop: asyncio.AbstractEventLoop) -> AsyncGenerator[None]:
        """Wait for a turn: two transactions of one process would only be each other's conflicts.

        Raises:
            TimeoutError: If the server does not respond in time, to this one or to one before it.
        """
        began = loop.time()
        async with self.turn:
            if self._hung_at >= began:
                raise TimeoutError
            try:
                async with asyncio.timeout(_TIMEOUT):
                    yield
            except TimeoutError:
                self._hung_at = loop.time()
                raise

    async def ask(self, *commands: tuple[bytes | str | int, ...]) -> list[Any]:
        """Return the responses to *commands*, from one round trip."""
        connection = self.connection
        try:
            await connection.send_packed_command(connection.pack_commands(commands))
            return [await connection.read_response() for _ in commands]
        except BaseException:
            await connection.disconnect(nowait=True)  # with the responses that were not read
            self.expiry = None
            raise

    async def save(
        self, keys: tuple[str, str], old: list[bytes | None], new: tuple[bytes | None, bytes | None]
    ) -> bool:
        """Save the *new* states if the *old* ones are still there, and return whether they were."""
        states = [state or b"" for state in (*old, *new)]
        arguments = (2, *keys, *states, *(self.expiry or ()))
        try:
            (saved,) = await self.ask(("EVALSHA", _SAVE_SHA, *arguments))
        except _redis().exceptions.NoScriptError:
            (saved,) = await self.ask(("EVAL", _SAVE, *arguments))
        return bool(saved)

    async def ask_policy(self) -> str:
        """Return the server's eviction policy, ``""`` where the user may not ask for it."""
        try:
            (info,) = await self.ask(("INFO", "memory"))
        except _redis().ResponseError as error:
            logger.debug("The eviction policy of Redis is unknown: %s", error)
            return ""
        text = info.decode() if isinstance(info, bytes) else str(info)
        return text.partition("maxmemory_policy:")[2].partition("\r")[0]


class _ServerClock:
    """Time of the server, compared with the steady clock of this process."""

    def __init__(self) -> None:
        self.jumps: tuple[tuple[float, float], ...] = ()
        self._last: tuple[float, float] | None = None

    def read(self, now: float, sent: float, received: float) -> float:
        """Return *now*, and note in :attr:`jumps` by how much the server's clock was set forward.

        Args:
            now: Time of the server.
            sent: Steady time before the request for it.
            received: Steady time after the response.
        """
        if self._last is not None:
            before, then = self._last
            passed = received - then
            ahead = now - before - passed
            if ahead > 1 + passed / 1000:  # more than two clocks drift apart
                recent = [jump for jump in self.jumps if now - jump[0] < _DAY]
                self.jumps = (*recent[-7:], (now - ahead, ahead))
        self._last = now, sent
        return now


@cache
def _redis() -> ModuleType:
    return load_redis("RedisStorage")


def _connector(server: Redis | str) -> Callable[[], AbstractConnection]:
    """Return a function that makes a connection to *server* for the running event loop."""
    # The pool only makes the connection. It belongs to no event loop then, and not to the pool.
    return checked_client(server, "RedisStorage", _make_client).connection_pool.make_connection


def _make_client(redis: ModuleType, url: str) -> Redis:
    client: Redis = redis.asyncio.Redis.from_url(
        url,
        socket_timeout=None,
        socket_connect_timeout=_TIMEOUT,
        retry=redis.asyncio.retry.Retry(redis.backoff.NoBackoff(), 0),
    )
    return client


async def _close_at_the_end(connection: AbstractConnection) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        await connection.disconnect()
