"""Requests under way, and the callers who wait for them.

A request belongs to the client, not to the caller who asked first. It runs in a task of its own,
a *flight*; callers *ride* on it. Three promises follow:

- **One request for many callers.** Who asks for what is already under way joins the flight. Its
  lane in the quota's queue is the most urgent one among its riders.
- **Leaving is free.** A caller who is cancelled or out of patience just gets off. When the last
  one leaves while the request is still queued, it leaves the queue and costs nothing.
- **What was sent is not torn down.** Once sent, the request runs to its end with or without
  riders, and its answer goes to the cache: the slot of the quota is spent anyway, and a
  connection closed before its answer counts towards a ban of the address.

Each rider has its own patience. A flight announces when it begins to wait and for how long at
least; a rider whose ``max_wait`` is shorter than that leaves at once, without sleeping first.
"""

from __future__ import annotations

import asyncio
import contextvars
import copy
import logging
import math
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from metron_async._engine.waiting import patience_for, refusal_of
from metron_async.errors import ClosedError, MetronError, RequestTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable

    from metron_async._engine.messages import Request
    from metron_async.quota import Claim, Limiter
    from metron_async.types import CallOptions, Priority, Stats, Wait

__all__ = ["Flight", "Flights"]

T = TypeVar("T")

_logger = logging.getLogger("metron_async")
_LONG_WAIT = 3.0  # seconds; a longer wait is worth a line in the log


class Flight(Generic[T]):
    """One request on its way.

    Attributes:
        request: What is asked for.
        priority: The most urgent lane among its riders.
        retries: Tries that may follow the first: the most that any rider allows.
        airborne: Whether it was handed to the network; it is then never cancelled.
        departed: Loop time at which it was last handed to the network.
        shared: Whether it has ever had more than one rider.
        wait: The wait that it is in, or ``None``.
    """

    def __init__(self, request: Request, options: CallOptions) -> None:
        self.request = request
        self.priority: Priority = options.priority
        self.retries: int = options.retries
        self.airborne = False
        self.departed: float = 0.0
        self.wait: Wait | None = None
        self.wait_until: float = 0.0
        self.claim: Claim | None = None
        self.riders = 0
        self.shared = False
        self.task: asyncio.Task[T]
        self._bells: list[asyncio.Future[None]] = []

    def announce(self, wait: Wait | None, now: float = 0.0) -> None:
        """Tell the riders that a wait begins, or (``None``) that it is over."""
        if wait is self.wait:
            return  # there was none
        self.wait = wait
        if wait is not None:
            self.wait_until = now + wait.seconds
        self.ring()

    def ring(self) -> None:
        """Wake all riders, so that they look at what has changed."""
        bells, self._bells = self._bells, []
        for bell in bells:
            if not bell.done():
                bell.set_result(None)

    async def change(self) -> None:
        """Wait until something has changed: a wait began, or the flight is over."""
        bell = asyncio.get_running_loop().create_future()
        self._bells.append(bell)
        try:
            await bell
        finally:
            if bell in self._bells:
                self._bells.remove(bell)


class Flights:
    """All requests of a client that are under way.

    Args:
        limiter: Where queued flights hold their places.
        stats: Counters to keep.
    """

    def __init__(self, limiter: Limiter, stats: Stats) -> None:
        self._limiter = limiter
        self._stats = stats
        self._by_key: dict[Hashable, Flight[Any]] = {}
        self._under_way: set[Flight[Any]] = set()
        self._closing = False

    def find(self, key: Hashable) -> Flight[Any] | None:
        """Return the flight that answers *key*, if one is under way."""
        return self._by_key.get(key)

    def unlist(self, overtaken: Callable[[Request], bool]) -> None:
        """Let nobody join any more the flights whose answers a write has overtaken.

        Those who ride on them asked before the write ended, and may be told what was before it;
        whoever asks from now on may not. A flight that still waits to be sent will see the write.

        Args:
            overtaken: Tells of a request whether its answer may be stale.
        """
        for key, flight in list(self._by_key.items()):
            if flight.airborne and overtaken(flight.request):
                del self._by_key[key]

    def launch(
        self,
        request: Request,
        options: CallOptions,
        body: Callable[[Flight[T]], Coroutine[object, object, T]],
        key: Hashable | None = None,
    ) -> Flight[T]:
        """Start a flight for *request*.

        Args:
            request: What is asked for.
            options: Those of the first rider.
            body: Makes the request and returns its result; runs in a task and a context of its
                own, so that tracing or database sessions of the first caller are not kept.
            key: Under which others find it; ``None`` for a write, which nobody may join.
        """
        if self._closing:
            msg = "The client is closed"
            raise ClosedError(msg)
        flight: Flight[T] = Flight(request, options)
        task = asyncio.get_running_loop().create_task(
            body(flight), context=contextvars.Context(), name=f"metron_async {request.path}"
        )
        flight.task = task
        if key is not None:
            self._by_key[key] = flight
        self._under_way.add(flight)

        def landed(task: asyncio.Task[T]) -> None:
            self._under_way.discard(flight)
            self._forget(key, flight)
            _report_unheard(flight, task)
            flight.ring()

        task.add_done_callback(landed)
        return flight

    async def ride(self, flight: Flight[T], options: CallOptions, key: Hashable | None) -> T:
        """Wait for *flight* as far as *options* allow, and return its result.

        Raises:
            RateLimitError: If its wait is longer than ``max_wait``.
            RequestTimeoutError: After ``timeout`` seconds.
        """
        self._board(flight, options)
        deadline = asyncio.timeout(options.timeout)
        try:
            async with deadline:
                await self._await_landing(flight, options)
        except TimeoutError:
            if not deadline.expired():
                raise
            unknown = flight.airborne and not flight.request.is_read
            msg = f"No answer within timeout={options.timeout:g} s"
            raise RequestTimeoutError(
                msg, path=flight.request.target, outcome_unknown=unknown
            ) from None
        finally:
            self._leave(flight, key)
        if flight.task.cancelled():
            msg = "The client was closed while the call was under way"
            raise ClosedError(msg, path=flight.request.target)
        error = flight.task.exception()
        if error is not None and flight.shared:
            raise _copy_of(error)
        return flight.task.result()

    async def close(self, grace: float) -> None:
        """Cancel what is queued, give what was sent *grace* seconds to end, then cancel it."""
        self._closing = True
        for flight in list(self._under_way):
            flight.retries = 0  # what fails from now on is not tried again
            if not flight.airborne:
                flight.task.cancel()
        if tasks := self._tasks():
            await asyncio.wait(tasks, timeout=grace)
        for task in self._tasks():
            task.cancel()
        if tasks := self._tasks():
            await asyncio.wait(tasks)

    def _tasks(self) -> set[asyncio.Task[Any]]:
        return {flight.task for flight in self._under_way}

    def _board(self, flight: Flight[T], options: CallOptions) -> None:
        flight.shared = flight.shared or flight.riders > 0
        flight.riders += 1
        flight.retries = max(flight.retries, options.retries)
        if options.priority < flight.priority:
            flight.priority = options.priority
            if flight.claim is not None:
                self._limiter.promote(flight.claim, options.priority)

    def _leave(self, flight: Flight[T], key: Hashable | None) -> None:
        flight.riders -= 1
        if flight.riders == 0 and not flight.airborne and not flight.task.done():
            self._forget(key, flight)  # at once: nobody may join a flight that is being cancelled
            flight.task.cancel()

    def _forget(self, key: Hashable | None, flight: Flight[T]) -> None:
        if key is not None and self._by_key.get(key) is flight:
            del self._by_key[key]

    async def _await_landing(self, flight: Flight[T], options: CallOptions) -> None:
        loop = asyncio.get_running_loop()
        spent = 0.0
        while not flight.task.done():
            wait = flight.wait
            if wait is None:
                await flight.change()
                continue
            began = loop.time()
            left = max(0.0, flight.wait_until - began)
            patience = patience_for(wait, options, spent)
            if left > patience:
                raise refusal_of(wait, left)
            if left > 0:  # how long the guard takes, if it takes any time, is not known
                self._tell(wait, left, options)
            try:
                async with asyncio.timeout(None if patience == math.inf else patience):
                    await flight.change()
            except TimeoutError:
                if flight.wait is wait:
                    raise refusal_of(wait, max(0.0, flight.wait_until - loop.time())) from None
            finally:
                spent += loop.time() - began
                self._stats.waited += loop.time() - began

    def _tell(self, wait: Wait, left: float, options: CallOptions) -> None:
        self._stats.waits += 1
        if left > _LONG_WAIT:
            why = f"the {wait.scope} quota" if wait.scope else f"the next {wait.reason}"
            _logger.info("waiting at least %.1f s for %s: %s", left, why, wait.path)
        if options.on_wait is not None:
            options.on_wait(wait)


def _copy_of(error: BaseException) -> BaseException:
    """Return an error for one of several riders, who must not share one traceback."""
    if not isinstance(error, MetronError):
        return error
    copied = copy.copy(error)
    copied.__cause__ = error.__cause__
    return copied.with_traceback(error.__traceback__)


def _report_unheard(flight: Flight[T], task: asyncio.Task[T]) -> None:
    """Log the failure of a flight whose riders have all left; nobody else would hear of it."""
    if task.cancelled():
        return
    error = task.exception()
    if error is not None and flight.riders == 0:
        level = logging.INFO if isinstance(error, MetronError) else logging.ERROR
        _logger.log(level, "nobody waits any more for %s: %s", flight.request.target, error)
