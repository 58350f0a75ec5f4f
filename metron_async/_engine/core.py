"""What all views of one client share: its parts, opened when first used, and their end.

Nothing is opened when a client is built: no socket, no file, no task. The first call opens what
it needs and binds the client to its event loop and process; using it from another one is an
error that says so, rather than a hang or a shared socket.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import time
from typing import TYPE_CHECKING

from metron_async._engine.guard import Guard
from metron_async._engine.origins import Origins
from metron_async._engine.pipeline import Pipeline
from metron_async._engine.response_cache import Shelf
from metron_async._engine.sender import Sender
from metron_async._engine.single_flight import Flights
from metron_async._engine.transport import quieten_loggers
from metron_async.errors import ClosedError
from metron_async.quota import Limiter
from metron_async.types import Stats

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from metron_async._engine.guard import GuardStore
    from metron_async._engine.transport import Transport
    from metron_async.cache import Cache
    from metron_async.quota import QuotaStore

__all__ = ["Core", "Settings"]

_GRACE = 5.0  # seconds that requests in flight are given to end when the client is closed
_SAME_CLOCK = 1.0  # seconds by which two readings of one clock can lie apart


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a client is made of; parts that it was handed are not its to close.

    Attributes:
        connect: Makes the transport, when it is first needed.
        api_root: Root of the API, ending with a slash.
        origin: Scheme, host and port of the server.
        quota_key: Name of the account's budget in the quota store.
        latch_key: Name of these credentials in the ban guard's store.
        cache_name: Whose answers in the cache these credentials may see.
        cache: Where answers are kept, or ``None``.
        quota: Where the quota's log is kept.
        guards: Where the ban guard's counts are kept.
        owned: Parts to be closed with the client.
        max_in_flight: Requests under way at once.
    """

    connect: Callable[[], Transport]
    api_root: str
    origin: str
    quota_key: str
    latch_key: str
    cache_name: str
    cache: Cache | None
    quota: QuotaStore
    guards: GuardStore
    owned: tuple[Callable[[], Awaitable[None]], ...]
    max_in_flight: int


class Core:
    """The parts of one client, and their lifecycle."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.stats: Stats = Stats()
        self.origins: Origins = Origins()
        self._closed = False
        self._home: asyncio.AbstractEventLoop | None = None
        self._process = os.getpid()
        self._opening: asyncio.Lock | None = None
        self._closing: asyncio.Task[None] | None = None
        self._pipeline: Pipeline | None = None
        self._transport: Transport | None = None
        self._flights: Flights | None = None
        self._limiter: Limiter | None = None
        self._guard: Guard | None = None

    def __repr__(self) -> str:
        return f"{self.settings.origin} ({'closed' if self._closed else 'open'})"

    async def ready(self) -> Pipeline:
        """Return the pipeline, opened if this is the first call.

        Raises:
            ClosedError: After closing, from another event loop, or in a forked process.
        """
        self._check_home()
        if self._pipeline is None:
            self._opening = self._opening or asyncio.Lock()
            async with self._opening:
                self._check_home()
                if self._pipeline is None:
                    self._pipeline = await self._open()
        return self._pipeline

    async def limiter(self) -> Limiter:
        """Return the limiter, opened if need be."""
        await self.ready()
        assert self._limiter is not None  # noqa: S101 - opened with the pipeline
        return self._limiter

    async def guard(self) -> Guard:
        """Return the ban guard, opened if need be."""
        await self.ready()
        assert self._guard is not None  # noqa: S101 - opened with the pipeline
        return self._guard

    async def close(self) -> None:
        """Close everything that this client has opened; requests in flight get some grace.

        Who closes may be cancelled, and several may close: it is done once, and to the end.
        """
        if self._closing is None:
            if self._home is not None:
                self._check_home()
            self._closed = True
            self._closing = asyncio.create_task(self._close(), name="metron_async closing")
        elif self._closing.done():
            return
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        if self._opening is not None:
            async with self._opening:  # let an opening under way come to its end
                pass
        if self._flights is not None:
            await self._flights.close(_GRACE)
        parts = (self._guard, self._limiter, self._transport)
        closers = [part.aclose for part in parts if part is not None]
        await _close_all([*closers, *self.settings.owned])

    def _check_home(self) -> None:
        if self._closed:
            msg = "The client is closed; make a new one"
            raise ClosedError(msg)
        if self._process != os.getpid():
            msg = "The client was made in another process; make a new one after a fork"
            raise ClosedError(msg)
        loop = asyncio.get_running_loop()
        if self._home is None:
            self._home = loop
        elif self._home is not loop:
            msg = "The client was first used in another event loop; make one for each loop"
            raise ClosedError(msg)

    async def _open(self) -> Pipeline:
        settings = self.settings
        quieten_loggers()
        account = ""  # first what takes time: if it is cancelled, nothing has been opened
        if settings.cache is not None:
            account = await settings.cache.account(settings.cache_name)
        self._transport = settings.connect()
        limiter = Limiter(settings.quota, settings.quota_key, max_in_flight=settings.max_in_flight)
        guard = Guard(settings.guards, credentials_key=settings.latch_key, host_key=settings.origin)
        self._limiter, self._guard = limiter, guard
        self._flights = Flights(limiter, self.stats)
        sender = Sender(self._transport, limiter, guard, self.stats, settings.api_root)
        shelf = Shelf(
            settings.cache,
            account=account,
            api_root=settings.api_root,
            wall=_wall_clock(),
            stats=self.stats,
        )
        return Pipeline(sender, self._flights, shelf, self.stats)


def _wall_clock() -> Callable[[], float]:
    """Return the wall clock, or on a loop with virtual time one that moves with it."""
    loop = asyncio.get_running_loop()
    if abs(loop.time() - time.monotonic()) < _SAME_CLOCK:
        return time.time  # it also counts the hours that the machine was asleep
    offset = time.time() - loop.time()
    return lambda: loop.time() + offset


async def _close_all(closers: list[Callable[[], Awaitable[None]]]) -> None:
    """Run all *closers*, also when one fails; then raise the first failure."""
    failures: list[Exception] = []
    for close in closers:
        try:
            await close()
        except Exception as error:  # noqa: BLE001 - raised below, when all the rest is closed
            failures.append(error)
    if failures:
        raise failures[0]
