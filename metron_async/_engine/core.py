"""What all views of one client share: its parts, opened on first use, and their lifecycle.

Building a client opens no socket, file or task. ``async with``, or the first call, opens what is
needed and binds the client to its event loop and process; using it from another one raises an
error.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import weakref
from typing import TYPE_CHECKING, NoReturn

from metron_async._engine.start import open_client
from metron_async.errors import ClosedError, UsageError
from metron_async.types import Stats

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from metron_async._engine.build import Blueprint
    from metron_async._engine.parts import Parts
    from metron_async.types import Origin

__all__ = ["Core", "Origins"]

_GRACE = 5.0  # seconds that requests in flight are given to end when the client is closed


class Core:
    """The parts of one client, and their lifecycle.

    Args:
        blueprint: The checked arguments of the client, which open its parts.
        parent: Core of the client whose connections, storage and cache are shared.
    """

    def __init__(self, blueprint: Blueprint, parent: Core | None = None) -> None:
        self.blueprint = blueprint
        self._parent = parent
        self.children: weakref.WeakSet[Core] = weakref.WeakSet()
        if parent is not None:
            parent.children.add(self)
        self.stats: Stats = Stats()
        self.origins: Origins = Origins()
        self.parts: Parts | None = None
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = os.getpid()
        self._opening: asyncio.Lock | None = None
        self._closing: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"{self.blueprint.origin} ({'closed' if self._closed else 'open'})"

    def __reduce__(self) -> NoReturn:
        msg = "A client cannot be pickled or copied deeply. Make one in each process"
        raise TypeError(msg)

    async def ready(self) -> Parts:
        """Return the parts, opened if this is the first call.

        Raises:
            ClosedError: After closing, from another event loop, or in a forked process.
            ConfigurationError: If the connection cannot be set up.
            UsageError: Outside of asyncio.
        """
        self._check_loop()
        if self.parts is None:
            self._opening = self._opening or asyncio.Lock()
            async with self._opening:
                self._check_loop()
                if self.parts is None:
                    shared = None if self._parent is None else await self._parent.ready()
                    self.parts = await open_client(self.blueprint, self.stats, shared)
        return self.parts

    async def close(self) -> None:
        """Close everything that this client has opened; requests in flight get some grace.

        Safe to call concurrently. Closing runs once, even if a caller is cancelled.
        """
        if self._closing is None:
            if _running_loop() is None and self._loop is None:
                self._closed = True  # under trio, say, where nothing could be opened
                return
            if self._loop is not None:
                self._check_loop()
            self._closed = True
            self._closing = asyncio.create_task(self._close(), name="metron_async closing")
        elif self._closing.done():
            return
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        if self._opening is not None:
            async with self._opening:  # let it finish
                pass
        children = [child.close for child in self.children]
        closers = list(self.blueprint.places.owned)
        if self.parts is not None:
            await self.parts.in_flight.close(_GRACE)
            opened = (self.parts.controller, self.parts.transport)
            closers = [*children, *(part.aclose for part in opened), *closers]
        await _close_all(closers)

    def _check_loop(self) -> None:
        if self._closed:
            msg = "The client is closed. Make a new one"
            raise ClosedError(msg)
        if self._process != os.getpid() and self._loop is None:
            self._process = os.getpid()  # not used yet, as after `gunicorn --preload`
        if self._process != os.getpid():
            msg = "The client was made in another process. Make a new one after a fork"
            raise ClosedError(msg)
        loop = _running_loop()
        if loop is None:
            msg = "AsyncMetron needs a running asyncio event loop. Start it with asyncio.run()"
            raise UsageError(msg)
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            msg = "The client was first used in another event loop. Make one for each loop"
            raise ClosedError(msg)


class Origins:
    """Origins of the objects that a client has returned, for as long as they live.

    Objects are known by identity: equal Structs are equal wherever they came from.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[object], Origin]] = {}

    def remember(self, value: object, origin: Origin) -> None:
        """Record that *value* came from *origin*."""
        known, key = self._known, id(value)

        def gone(reference: weakref.ref[object]) -> None:
            entry = known.get(key)
            if entry is not None and entry[0] is reference:
                del known[key]

        with contextlib.suppress(TypeError):  # JSON that is not decoded has no identity
            known[key] = (weakref.ref(value, gone), origin)

    def of(self, value: object) -> Origin | None:
        """Return the origin of *value*, or ``None`` if this client did not return it."""
        entry = self._known.get(id(value))
        return entry[1] if entry is not None and entry[0]() is value else None

    def __len__(self) -> int:
        return len(self._known)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


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
