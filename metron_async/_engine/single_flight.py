"""Requests in flight, and the callers that wait for them.

A request belongs to the client, not to the call that asked first. It runs in a task of its own;
callers *attach* to it. Three promises follow:

- **One request for many callers.** A call for what is in flight already joins it. Its priority in
  the queue is the most urgent one among its callers.
- **Leaving is free.** A caller that is cancelled, or does not want to wait longer, detaches. When
  the last one detaches while the request is still queued, the request leaves the queue.
- **What was sent is not cancelled.** Once sent, the request runs to its end with or without
  callers, and its response goes to the cache: its slot is spent anyway, and a connection closed
  before the response counts towards a ban of the address.

Each caller has its own deadline, a moment that is fixed when its call begins. A request announces
when it begins to wait and for how long at least. A caller detaches at once if its deadline lies
before the announced end, and at its deadline in any case, unless the request was sent by then.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import math
from typing import TYPE_CHECKING, Any, TypeVar

from metron_async._engine.in_flight import InFlight
from metron_async.admission import SUSTAINED
from metron_async.admission.waits import copy_of
from metron_async.errors import ClosedError, MetronError, RequestTimeoutError
from metron_async.telemetry import joined, waited

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable

    from metron_async._engine.messages import Request
    from metron_async.admission import Controller
    from metron_async.types import CallOptions, Stats, Wait

__all__ = ["SingleFlight"]

T = TypeVar("T")

_logger = logging.getLogger("metron_async")
_LONG_WAIT = 3.0  # seconds; a longer wait is worth a line in the log
_LOOK = 0.4  # seconds that a look at the storage may take, also for a call that does not wait


class SingleFlight:
    """All requests of a client that are in flight.

    Args:
        controller: Where queued requests hold their places.
        stats: Counters to keep.
    """

    def __init__(self, controller: Controller, stats: Stats) -> None:
        self.done: int = 0
        self._controller = controller
        self._stats = stats
        self._by_key: dict[Hashable, InFlight[Any]] = {}
        self._running: set[InFlight[Any]] = set()
        self._closing = asyncio.Event()

    def find(self, key: Hashable) -> InFlight[Any] | None:
        """Return the request in flight for *key*, if there is one."""
        return self._by_key.get(key)

    def unlist(self, overtaken: Callable[[Request], bool]) -> None:
        """Stop further calls from joining requests whose responses a write has overtaken.

        Callers that are attached already asked before the write ended, and may see the state
        before it. A request that is still queued will see the write.

        Args:
            overtaken: Returns whether the response to a request may be stale.
        """
        for key, flight in list(self._by_key.items()):
            if flight.sent and overtaken(flight.request):
                del self._by_key[key]

    def launch(
        self,
        request: Request,
        options: CallOptions,
        body: Callable[[InFlight[T]], Coroutine[object, object, T]],
        key: Hashable | None = None,
    ) -> InFlight[T]:
        """Start the task of a request.

        Args:
            request: The request.
            options: Those of the first caller.
            body: Makes the request and returns its result. It runs in a task and a context of its
                own, so that tracing or database sessions of the first caller are not kept.
            key: Key under which other calls find it; ``None`` for a write, which is not shared.
        """
        if self._closing.is_set():
            msg = "The client is closed"
            raise ClosedError(msg, path=request.target)
        flight: InFlight[T] = InFlight(request, options)
        context = contextvars.Context()
        flight.task = asyncio.get_running_loop().create_task(
            body(flight), context=context, name=f"metron_async {request.path}"
        )
        if key is not None:
            self._by_key[key] = flight
        self._running.add(flight)

        def done(task: asyncio.Task[T]) -> None:
            self.done += 1
            flight.ended = True
            self._running.discard(flight)
            flight.trace.end(task)
            self._forget(key, flight)
            _report_unheard(flight, task)
            flight.notify()

        flight.task.add_done_callback(done, context=context)
        return flight

    async def join(
        self,
        flight: InFlight[T],
        options: CallOptions,
        key: Hashable | None,
        began: float | None = None,
    ) -> T:
        """Wait for *flight* as long as *options* allow, and return its result.

        Args:
            flight: The request.
            options: Options of the caller.
            key: Where the request was launched.
            began: Loop time at which the call began, by default now. Its deadlines count from it.

        Raises:
            MetronError: What the last attempt ended in, also if ``max_wait`` ends before the next.
            RateLimitError: If its wait for a slot is longer than ``max_wait``.
            RequestTimeoutError: After ``timeout`` seconds.
        """
        joined(flight.trace)
        self._attach(flight, options)
        began = asyncio.get_running_loop().time() if began is None else began
        deadline = asyncio.timeout_at(None if options.timeout is None else began + options.timeout)
        try:
            async with deadline:
                await self._until_done(flight, options, began)
        except TimeoutError:
            if not deadline.expired():
                raise
            unknown = flight.sent and not flight.request.is_read
            msg = f"No response within timeout={options.timeout:g} s"
            raise RequestTimeoutError(
                msg, path=flight.request.target, outcome_unknown=unknown
            ) from flight.failure
        finally:
            self._detach(flight, key)
        if flight.task.cancelled():
            msg = "The client was closed while the call was in flight"
            raise ClosedError(msg, path=flight.request.target)
        error = flight.task.exception()
        if flight.hold and options.max_wait is None and options.timeout is None:
            await self._hold_back(flight.hold)
        if error is not None and flight.shared and isinstance(error, MetronError):
            raise copy_of(error)
        return flight.task.result()

    async def _hold_back(self, seconds: float) -> None:
        """Wait before an error is raised, or until the client is closed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closing.wait()

    async def close(self, grace: float) -> None:
        """Cancel what is queued, give what was sent *grace* seconds to end, then cancel it."""
        self._closing.set()
        for flight in list(self._running):
            flight.retries = 0
            if not flight.sent:
                flight.task.cancel()
        if tasks := self._tasks():
            await asyncio.wait(tasks, timeout=grace)
        for task in self._tasks():
            task.cancel()
        if tasks := self._tasks():
            await asyncio.wait(tasks)

    def _tasks(self) -> set[asyncio.Task[Any]]:
        return {flight.task for flight in self._running}

    def _attach(self, flight: InFlight[T], options: CallOptions) -> None:
        flight.shared = flight.shared or flight.waiters > 0
        flight.waiters += 1
        flight.retries = max(flight.retries, options.retries)
        if options.priority < flight.priority:
            flight.priority = options.priority
            if flight.waiter is not None:
                self._controller.promote(flight.waiter, options.priority)

    def _detach(self, flight: InFlight[T], key: Hashable | None) -> None:
        flight.waiters -= 1
        if flight.waiters == 0 and not flight.sent and not flight.task.done():
            self._forget(key, flight)  # at once: a request that is being cancelled is not joined
            flight.task.cancel()

    def _forget(self, key: Hashable | None, flight: InFlight[T]) -> None:
        if key is not None and self._by_key.get(key) is flight:
            del self._by_key[key]

    async def _until_done(self, flight: InFlight[T], options: CallOptions, began: float) -> None:
        loop = asyncio.get_running_loop()
        end = math.inf if options.max_wait is None else began + options.max_wait
        reported = None
        while not flight.ended:  # a task is done shortly before others cannot join it
            wait, now = flight.wait, loop.time()
            if wait is not None:
                left = max(0.0, flight.wait_until - now)
                # The day's window is waited out only by those that say so.
                too_long = wait.scope == SUSTAINED and options.max_wait is None
                if left > (0.0 if too_long else max(0.0, end - now)):
                    raise flight.error_of_wait(self._controller, left)
                if left > 0 and wait is not reported:
                    self._report(wait, left, options)
                    reported = wait
            deadline = max(end, began + _LOOK)
            if not await self._change(flight, math.inf if flight.sent else deadline):
                raise flight.error_of_wait(self._controller)

    async def _change(self, flight: InFlight[T], deadline: float) -> bool:
        """Wait until something changes, and return whether it did before *deadline*."""
        loop = asyncio.get_running_loop()
        began, waits = loop.time(), flight.is_waiting
        try:
            async with asyncio.timeout_at(None if deadline == math.inf else deadline):
                await flight.change()
        except TimeoutError:
            return flight.sent or flight.ended
        finally:
            if waits or flight.is_waiting:
                passed = loop.time() - began
                self._stats.waited += passed
                waited(passed)
        return True

    def _report(self, wait: Wait, left: float, options: CallOptions) -> None:
        self._stats.waits += 1
        if left > _LONG_WAIT:
            why = f"the {wait.scope} quota" if wait.scope else f"the next {wait.reason}"
            _logger.info("Waiting at least %.1f s for %s: %s", left, why, wait.path)
        if options.on_wait is not None:
            options.on_wait(wait)


def _report_unheard(flight: InFlight[T], task: asyncio.Task[T]) -> None:
    """Log the failure of a request whose callers have all left."""
    if task.cancelled():
        return
    error = task.exception()
    if error is not None and flight.waiters == 0:
        level = logging.INFO if isinstance(error, MetronError) else logging.ERROR
        _logger.log(
            level, "Request failed with no caller waiting: %s: %s", flight.request.target, error
        )
