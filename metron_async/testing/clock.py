"""An event loop on virtual time, where a sleep of an hour takes no time.

Whenever nothing is ready to run, the loop's clock jumps to the next timer. A client with an
in-process transport runs on it unchanged, since everything here takes its time from
``loop.time()``. Threads are waited for, and virtual time stands still meanwhile: those of
``asyncio.to_thread``, of executors, and of aiosqlite, which the cache and the mirror use. Real
sockets do not belong on this loop.
"""

from __future__ import annotations

import asyncio
import selectors
import sys
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

__all__ = ["VirtualTimeLoop", "run_virtual"]


class _JumpingSelector(selectors.DefaultSelector):
    """Selector that moves the loop's clock forward instead of waiting."""

    loop: VirtualTimeLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return the events that are ready; if there are none, jump ahead by *timeout* seconds."""
        threads_run = timeout != 0 and self.loop.threads_run
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(None if threads_run else 0)
        if ready:
            return ready
        if timeout is None:
            msg = "Virtual time stands still: all tasks wait and no timer is set"
            raise RuntimeError(msg)
        self.loop.advance(timeout)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Event loop on virtual time, in seconds from zero.

    Example:
        >>> async def nap() -> float:
        ...     await asyncio.sleep(3600)
        ...     return asyncio.get_running_loop().time()
        >>> run_virtual(nap())
        3600.0
    """

    def __init__(self) -> None:
        selector = _JumpingSelector()
        selector.loop = self
        self._now = 0.0
        self._from_threads: set[asyncio.Future[Any]] = set()
        super().__init__(selector)

    @property
    def threads_run(self) -> bool:
        """Whether a thread is at work whose result a task waits for."""
        return bool(self._from_threads)

    def create_future(self) -> asyncio.Future[Any]:
        """Create a future, and remember those that a thread of aiosqlite will set."""
        future = super().create_future()
        # aiosqlite gives no other sign that one of its threads is at work
        caller = sys._getframe(1).f_globals  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        if str(caller.get("__name__")).startswith("aiosqlite."):
            self._expect(future)
        return future

    def run_in_executor(  # type: ignore[override]  # one signature for all releases of Python
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Run *func* in a thread, during which virtual time stands still."""
        return self._expect(super().run_in_executor(executor, func, *args))

    async def shutdown_default_executor(self, *args: Any) -> None:
        """Wait for the threads of the default executor to end."""
        ended = self._expect(super().create_future())
        try:
            await super().shutdown_default_executor(*args)
        finally:
            ended.cancel()

    def _expect(self, future: asyncio.Future[T]) -> asyncio.Future[T]:
        self._from_threads.add(future)
        future.add_done_callback(self._from_threads.discard)
        return future

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move the clock forward by *seconds*."""
        self._now += max(0.0, seconds)


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run *main* on a new loop with virtual time, and return its result."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
