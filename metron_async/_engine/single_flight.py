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

Each caller has its own deadline. A request announces when it begins to wait and for how long at
least; a caller whose ``max_wait`` is shorter than that detaches at once, without sleeping first.
"""

from __future__ import annotations

import asyncio
import contextvars
import copy
import logging
import math
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from metron_async._engine.waiting import allowed_wait, wait_error
from metron_async.errors import ClosedError, MetronError, RateLimitError, RequestTimeoutError
from metron_async.telemetry import RequestTrace, joined, waited

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable

    from metron_async._engine.messages import Request
    from metron_async.quota import Claim, Limiter
    from metron_async.types import CallOptions, Priority, Stats, Wait

__all__ = ["InFlight", "SingleFlight"]

T = TypeVar("T")

_logger = logging.getLogger("metron_async")
_LONG_WAIT = 3.0  # seconds; a longer wait is worth a line in the log


class InFlight(Generic[T]):
    """One request that is queued or sent.

    Attributes:
        request: The request.
        priority: The most urgent priority among its callers.
        retries: Attempts that may follow the first: the most that any caller allows.
        sent: Whether it was handed to the network; it is then never cancelled.
        sent_at: Loop time at which it was last handed to the network.
        waiters: Callers that wait for it.
        shared: Whether it has ever had more than one caller.
        failure: What the last attempt ended in, while another one is to come.
        wait: The wait that it is in, or ``None``.
        trace: What telemetry observes of it.
    """

    def __init__(self, request: Request, options: CallOptions) -> None:
        self.request = request
        self.trace = RequestTrace(request)
        self.priority: Priority = options.priority
        self.retries: int = options.retries
        self.sent = False
        self.sent_at: float = 0.0
        self.waiters = 0
        self.shared = False
        self.failure: MetronError | None = None
        self.wait: Wait | None = None
        self.wait_until: float = 0.0
        self.claim: Claim | None = None
        self.task: asyncio.Task[T]
        self._listeners: set[asyncio.Future[None]] = set()

    def announce(self, wait: Wait | None, now: float = 0.0) -> None:
        """Announce to the callers that a wait begins, or (``None``) that it is over."""
        if wait is self.wait:
            return  # both are None
        self.wait = wait
        if wait is not None:
            self.wait_until = now + wait.seconds
        self.notify()

    def notify(self) -> None:
        """Wake all callers, so that they look at what has changed."""
        listeners, self._listeners = self._listeners, set()
        for listener in listeners:
            if not listener.done():
                listener.set_result(None)

    async def change(self) -> None:
        """Wait until a wait begins or ends, or the request is done."""
        listener = asyncio.get_running_loop().create_future()
        self._listeners.add(listener)
        try:
            await listener
        finally:
            self._listeners.discard(listener)

    def error_of_wait(self, wait: Wait, left: float) -> MetronError:
        """Return the error for a caller that does not stay for the seconds *left* of *wait*.

        After a failed attempt that failure is the reason why the call still waits. The
        server's own 429 is one too, but says less than how long the wait for the slot is.
        """
        if self.failure is not None and not isinstance(self.failure, RateLimitError):
            return _copy_of(self.failure)
        error = wait_error(wait, left)
        error.__cause__ = self.failure
        return error


class SingleFlight:
    """All requests of a client that are in flight.

    Args:
        limiter: Where queued requests hold their places.
        stats: Counters to keep.
    """

    def __init__(self, limiter: Limiter, stats: Stats) -> None:
        self.done = 0
        self._limiter = limiter
        self._stats = stats
        self._by_key: dict[Hashable, InFlight[Any]] = {}
        self._running: set[InFlight[Any]] = set()
        self._closing = False

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
        if self._closing:
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
            self._running.discard(flight)
            flight.trace.end(task)
            self._forget(key, flight)
            _report_unheard(flight, task)
            flight.notify()

        flight.task.add_done_callback(done, context=context)
        return flight

    async def join(self, flight: InFlight[T], options: CallOptions, key: Hashable | None) -> T:
        """Wait for *flight* as long as *options* allow, and return its result.

        Raises:
            MetronError: What the last attempt ended in, also if ``max_wait`` ends before the next.
            RateLimitError: If its wait for a slot is longer than ``max_wait``.
            RequestTimeoutError: After ``timeout`` seconds.
        """
        joined(flight.trace)
        self._attach(flight, options)
        deadline = asyncio.timeout(options.timeout)
        try:
            async with deadline:
                await self._until_done(flight, options)
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
        if error is not None and flight.shared and isinstance(error, MetronError):
            raise _copy_of(error)
        return flight.task.result()

    async def close(self, grace: float) -> None:
        """Cancel what is queued, give what was sent *grace* seconds to end, then cancel it."""
        self._closing = True
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
            if flight.claim is not None:
                self._limiter.promote(flight.claim, options.priority)

    def _detach(self, flight: InFlight[T], key: Hashable | None) -> None:
        flight.waiters -= 1
        if flight.waiters == 0 and not flight.sent and not flight.task.done():
            self._forget(key, flight)  # at once: a request that is being cancelled is not joined
            flight.task.cancel()

    def _forget(self, key: Hashable | None, flight: InFlight[T]) -> None:
        if key is not None and self._by_key.get(key) is flight:
            del self._by_key[key]

    async def _until_done(self, flight: InFlight[T], options: CallOptions) -> None:
        loop = asyncio.get_running_loop()
        spent = 0.0
        while not flight.task.done():
            wait = flight.wait
            if wait is None:
                await flight.change()
                continue
            began = loop.time()
            left = max(0.0, flight.wait_until - began)
            allowed = allowed_wait(wait, options, spent)
            if left > allowed:
                raise flight.error_of_wait(wait, left)
            if left > 0:  # how long the guard takes, if it takes any time, is not known
                self._report(wait, left, options)
            overstayed = False
            try:
                async with asyncio.timeout(None if allowed == math.inf else allowed):
                    await flight.change()
            except TimeoutError:
                overstayed = flight.wait is wait
            finally:
                passed = loop.time() - began
                spent += passed
                self._stats.waited += passed
                waited(passed)
            if overstayed:
                raise flight.error_of_wait(wait, max(0.0, flight.wait_until - loop.time()))

    def _report(self, wait: Wait, left: float, options: CallOptions) -> None:
        self._stats.waits += 1
        if left > _LONG_WAIT:
            why = f"the {wait.scope} quota" if wait.scope else f"the next {wait.reason}"
            _logger.info("Waiting at least %.1f s for %s: %s", left, why, wait.path)
        if options.on_wait is not None:
            options.on_wait(wait)


def _copy_of(error: MetronError) -> MetronError:
    """Return an error for one of several callers, which must not share one traceback."""
    copied = copy.copy(error)
    copied.__cause__ = error.__cause__
    return copied.with_traceback(error.__traceback__)


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
