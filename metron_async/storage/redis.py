"""Storage in Redis, for clients on several hosts (``pip install "metron-async[redis]"``).

A transaction reads the time and both states in one round trip, decides here, and saves with a
script that compares first: where another client was quicker, nothing is saved, and the decision is
made again. A decision that changes nothing costs one round trip. No rule is written in Lua.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from metron_async.errors import ConfigurationError, StorageError
from metron_async.storage.base import PATIENCE, Binding, States, announce, logger
from metron_async.storage.clock import steady

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from redis.asyncio import Redis

    from metron_async.storage.base import Decided, Loaded

__all__ = ["RedisStorage"]

T = TypeVar("T")

_PREFIX = "metron_async:"
_TIMEOUT = 5.0  # seconds for a connection, and for one response
_PAUSE, _LONGEST_PAUSE = 0.002, 0.2  # seconds after a conflict
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
        >>> async with AsyncMetron("token", storage=storage) as metron: ...
    """

    def __init__(self, server: Redis | str) -> None:
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
        loop = asyncio.get_running_loop()
        with self._binding.use(loop):
            async with _translated(), asyncio.timeout(PATIENCE):
                session = await self._session(loop)
                # One at a time: two of one process would only be each other's conflicts.
                async with session.turn:
                    return await self._transact(session, account, address, decide)

    async def aclose(self) -> None:
        """Close the connections. The next transaction opens them again."""
        loop = asyncio.get_running_loop()
        with self._binding.use(loop):
            session = self._sessions.pop(loop, None)
            if session is not None:
                async with _translated():
                    await session.closing.aclose()

    async def _transact(
        self, session: _Session, account: str, address: str, decide: Callable[[Loaded], Decided[T]]
    ) -> T:
        keys = _PREFIX + account, _PREFIX + address
        pause, lost, attempted = _PAUSE, False, None
        while True:
            try:
                found, now = await self._look(session, keys)
                if attempted is not None and attempted[0] == found:
                    return self._states.keep(address, *attempted[1:])  # saved, the reply was lost
                loaded = self._states.load(address, *found, now, self._clock.jumps)
                decided = decide(loaded)
                packed = self._states.pack(loaded, decided)
                if packed == (None, None):
                    return self._states.keep(address, loaded, decided)
                new = tuple(state or old for state, old in zip(packed, found, strict=True))
                attempted = new, loaded, decided
                if await session.save(keys, found, packed):
                    return self._states.keep(address, loaded, decided)
            except session.connection_error:
                if lost:
                    raise
                lost = True  # an idle connection may have been closed: look again, once
            await asyncio.sleep(random.uniform(0, pause))  # noqa: S311
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _look(
        self, session: _Session, keys: tuple[str, str]
    ) -> tuple[tuple[bytes | None, bytes | None], float]:
        sent = steady()
        pipeline = session.client.pipeline(transaction=False)
        pipeline.time()
        pipeline.mget(keys)
        (seconds, micros), (account, address) = await pipeline.execute()
        now = self._clock.read(seconds + micros / 1e6, sent, steady())
        return (account or None, address or None), now

    async def _session(self, loop: asyncio.AbstractEventLoop) -> _Session:
        session = self._sessions.get(loop)
        if session is None:
            session = self._sessions[loop] = _Session(self._connect())
            await anext(session.closing)
        async with session.turn:
            if session.policy is None:
                session.policy = await _eviction_policy(session.client)
                if session.policy.startswith("allkeys") and not self._warned:
                    self._warned = True
                    announce(
                        f"Redis may evict the shared state (maxmemory-policy {session.policy}):"
                        " use noeviction, or a volatile policy"
                    )
        return session

    def _rebind(self, forked: bool) -> None:
        if forked:
            self._of_parents.extend(self._sessions.values())
            self._sessions = WeakKeyDictionary()


class _Session:
    """Connections of one event loop."""

    def __init__(self, client: Redis) -> None:
        from redis.exceptions import ConnectionError as RedisConnectionError  # noqa: PLC0415

        self.client = client
        self.turn = asyncio.Lock()
        self.policy: str | None = None
        self.connection_error = RedisConnectionError
        # `asyncio.run` finishes its asynchronous generators, and so closes the connections.
        self.closing = _close_at_the_end(client)

    async def save(
        self,
        keys: tuple[str, str],
        old: tuple[bytes | None, bytes | None],
        new: tuple[bytes | None, bytes | None],
    ) -> bool:
        """Save the *new* states if the *old* ones are still there, and return whether they were."""
        from redis.exceptions import NoScriptError  # noqa: PLC0415

        # A volatile policy evicts keys that expire. Where the policy is unknown, none does.
        expiry = () if self.policy is None or self.policy[:8] in {"", "volatile"} else ("PX", _UNUSED)
        arguments = [*keys, *(state or b"" for state in (*old, *new)), *expiry]
        try:
            return bool(await self.client.evalsha(_SAVE_SHA, 2, *arguments))
        except NoScriptError:
            return bool(await self.client.eval(_SAVE, 2, *arguments))


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


def _connector(server: Redis | str) -> Callable[[], Redis]:
    """Return a function that makes a client for *server* in the running event loop."""
    try:
        from redis import asyncio as redis  # noqa: PLC0415
        from redis.asyncio.retry import Retry  # noqa: PLC0415
        from redis.backoff import NoBackoff  # noqa: PLC0415
    except ImportError as error:
        msg = 'RedisStorage needs the extra "redis": pip install "metron-async[redis]"'
        raise ConfigurationError(msg) from error

    def from_url(url: str) -> Redis:
        return redis.Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
            url,
            socket_timeout=_TIMEOUT,
            socket_connect_timeout=_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )

    if isinstance(server, str):
        url = server
        try:
            model = from_url(url)
        except ValueError:
            msg = "Invalid URL of a Redis server: expected redis://host:port/database"
            raise ConfigurationError(msg) from None  # the original quotes parts of the URL
        connect = lambda: from_url(url)  # noqa: E731
    elif isinstance(server, redis.Redis):
        model = server
        pool = model.connection_pool
        connect = lambda: model  # noqa: E731
        if type(pool) in {redis.ConnectionPool, redis.BlockingConnectionPool}:
            # Connections belong to an event loop, so each loop gets its own.
            connect = lambda: redis.Redis.from_pool(  # noqa: E731
                redis.ConnectionPool(pool.connection_class, **pool.connection_kwargs)
            )
    else:
        msg = f"Invalid Redis client of type {type(server).__name__}: expected redis.asyncio.Redis"
        raise ConfigurationError(msg)
    if model.connection_pool.connection_kwargs.get("decode_responses"):
        msg = "Invalid Redis client: it decodes responses, expected decode_responses=False"
        raise ConfigurationError(msg)
    return connect


async def _close_at_the_end(client: Redis) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        await client.aclose()


async def _eviction_policy(client: Redis) -> str:
    """Return the server's eviction policy, ``""`` where the user may not ask for it."""
    from redis.exceptions import ResponseError  # noqa: PLC0415

    try:
        return str((await client.info("memory")).get("maxmemory_policy", ""))
    except ResponseError as error:
        logger.debug("The eviction policy of Redis is unknown: %s", error)
        return ""


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    """Turn the errors of the Redis client into those of this package."""
    from redis.exceptions import RedisError  # noqa: PLC0415

    try:
        yield
    except (RedisError, OSError) as error:
        msg = f"Redis cannot be used: {error or type(error).__name__}"
        raise StorageError(msg) from error
