"""The limiter of one account in one process: claims, deadlines and tickets.

What may be sent is decided by :func:`metron_async.quota.apply`, behind a store; who is next by the
lanes; when to ask by the dispatcher. Here is what a caller sees of it. A caller may be cancelled
at any moment: it never talks to a store that takes time itself, so that no command is left half
done or unheard, and a slot that was granted to somebody who has just left goes back.
"""

from __future__ import annotations

import asyncio
import math
import random
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from metron_async.errors import ClosedError
from metron_async.quota.desk import Desk, loop_time
from metron_async.quota.dispatcher import Dispatcher
from metron_async.quota.lanes import Claim, Lanes, Ticket
from metron_async.quota.outlook import Estimate, QuotaState, WindowState, check_wait
from metron_async.quota.state import Acquire, Peek, Release, Settle
from metron_async.types import Priority

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async.quota.headers import Observation, WindowReading
    from metron_async.quota.store import QuotaStore

__all__ = ["Limiter"]

_TICK = 1e-6  # seconds
_GRACE = 0.1  # seconds that asking a store may take, also for a caller that does not want to wait


class Limiter:
    """Grant the requests of one account, none too early and none later than needed.

    Args:
        store: Where the account's state lives; it is not closed with the limiter.
        account: Name of the account, as a hash. Limiters of the same account and store share
            one budget.
        max_in_flight: Requests of the account in flight at a time, of all processes.

    Example:
        >>> limiter = Limiter(MemoryStore(), "me")
        >>> ticket = await limiter.acquire(Priority.INTERACTIVE, max_wait=5)
        >>> ...  # send one request
        >>> await limiter.settle(ticket, Observation(parse_rate_headers(response.headers)))
    """

    def __init__(self, store: QuotaStore, account: str, *, max_in_flight: int = 8) -> None:
        self._max_in_flight = max(1, max_in_flight)
        # Longer than a used-up window takes to open again: that is not starving yet.
        self._lanes = Lanes(1.5 * store.rules.burst.period)
        self._desk = Desk(store, account, self._ring)
        self._dispatcher = Dispatcher(self._desk, self._lanes, self._max_in_flight)
        self._closed = False

    def _ring(self) -> None:
        self._dispatcher.ring()

    def claim(self, priority: Priority) -> Claim:
        """Take a place in the queue.

        Whoever takes one calls :meth:`granted` or :meth:`withdraw`.

        Args:
            priority: The lane.

        Raises:
            ClosedError: If the limiter is closed.
        """
        if self._closed:
            msg = "the limiter is closed"
            raise ClosedError(msg)
        loop = asyncio.get_running_loop()
        claim = Claim(priority, loop.create_future())
        if not len(self._lanes) and priority is not Priority.BULK:
            # If nobody waits and the store takes no time, there is no need for a dispatcher.
            lease = secrets.randbits(48)
            reply = self._desk.apply_now(Acquire(lease, priority, self._max_in_flight))
            if reply is not None and reply.granted:
                claim.future.set_result(self._desk.issue(lease, priority, loop.time()))
                return claim
        self._lanes.add(claim, loop.time())
        self._ring()
        return claim

    def promote(self, claim: Claim, priority: Priority) -> None:
        """Move *claim* to the end of a higher lane; a lower one changes nothing.

        Args:
            claim: A claim, which may have been granted already.
            priority: The lane of somebody else who now waits for the same request.
        """
        if priority < claim.priority and claim in self._lanes:
            self._lanes.remove(claim, loop_time())
            claim.priority = priority
            self._lanes.add(claim, loop_time())
            self._ring()

    def withdraw(self, claim: Claim) -> None:
        """Leave the queue; a slot that was granted meanwhile is given back."""
        future = claim.future
        if claim in self._lanes:
            self._lanes.remove(claim, loop_time())
            future.cancel()
            self._ring()
        elif future.done() and not future.cancelled() and future.exception() is None:
            self._desk.give_back(future.result())

    async def granted(self, claim: Claim) -> Ticket:
        """Wait for the slot. When cancelled, the place in the queue is given up.

        Raises:
            QuotaStoreError: If the store fails.
            ClosedError: If the limiter is closed meanwhile.
        """
        try:
            return await asyncio.shield(claim.future)
        except asyncio.CancelledError:
            self.withdraw(claim)
            raise

    async def estimate(self, claim: Claim) -> Estimate:
        """Tell how long *claim* will wait at least.

        The wait can only be shorter if somebody ahead leaves, a request in flight is released or
        rejected by the server, or the limits rise.

        Raises:
            QuotaStoreError: If the store fails.
        """
        if self._desk.memory is None and not claim.future.done():
            await self._dispatcher.granted_or_at_rest(claim)
        async with self._desk.exclusively():
            if claim not in self._lanes:
                return Estimate(0.0, None, 0)
            own, higher = self._lanes.ahead(claim)
            estimate = Estimate.of(await self._desk.apply(Peek(claim.priority, own + higher)))
            # However many go first, the head of a lane waits no longer than its patience.
            due = self._lanes.due(claim, own, loop_time())
            if higher and due < estimate.seconds:
                estimate = Estimate.of(await self._desk.apply(Peek(claim.priority, own)))
                estimate = replace(estimate, seconds=max(due, estimate.seconds))
        return estimate

    async def acquire(
        self,
        priority: Priority = Priority.NORMAL,
        *,
        max_wait: float | None = None,
        on_wait: Callable[[Estimate], object] | None = None,
    ) -> Ticket:
        """Wait for a slot, or refuse at once if that would take too long.

        Args:
            priority: The lane.
            max_wait: Seconds to wait at most; ``None`` to wait out the minute's window but never
                the day's, ``math.inf`` to wait for anything.
            on_wait: Called once, with the estimate, when a wait lies ahead.

        Raises:
            RateLimitError: If no slot can be had in time. Nothing was waited for, unless the
                estimate, a lower bound, turned out to be too short.
            QuotaStoreError: If the store fails.
            ClosedError: If the limiter is closed.
        """
        claim = self.claim(priority)
        try:
            if not claim.future.done():
                await self.wait(claim, max_wait, on_wait)
            return await self.granted(claim)
        except BaseException:
            self.withdraw(claim)
            raise

    async def wait(
        self,
        claim: Claim,
        max_wait: float | None,
        on_wait: Callable[[Estimate], object] | None = None,
    ) -> None:
        """Wait until *claim* is granted or failed, without giving up its place in any case.

        For callers that share a claim: each may wait as long as it wants to.

        Args:
            claim: The claim.
            max_wait: As in :meth:`acquire`.
            on_wait: As in :meth:`acquire`.

        Raises:
            RateLimitError: If no slot can be had in time.
            QuotaStoreError: If the store fails.
        """
        deadline = loop_time() + (math.inf if max_wait is None else max(max_wait, _GRACE))
        overdue = False
        while not claim.future.done():
            estimate = await self.estimate(claim)
            if claim.future.done():
                return
            if estimate.seconds <= 0:
                estimate = self._dispatcher.bad_news(claim) or estimate
            left = deadline - loop_time()
            check_wait(estimate, None if max_wait is None else left, overdue=overdue)
            if on_wait is not None and estimate.seconds > 0:
                on_wait(estimate)
                on_wait = None
            await self._dispatcher.granted_or_news(claim, left)
            # Timers fire up to a clock tick early; to ask again for that would be to spin.
            overdue = loop_time() >= deadline - _TICK

    async def settle(self, ticket: Ticket, observation: Observation) -> None:
        """Tell what became of the request of *ticket*. Survives the caller's cancellation.

        A store that fails is logged, not raised, since the answer itself is good: the lease then
        expires, and counts.

        Args:
            ticket: The ticket; settling it twice changes nothing.
            observation: What the response told; the default one if the answer was lost.
        """
        reading = observation.reading
        command = Settle(
            ticket.lease,
            counted=observation.counted,
            throttled=observation.throttled,
            retry_after=_or_negative(observation.retry_after),
            jitter=random.uniform(0.05, 1.0) if observation.throttled else 0.0,  # noqa: S311
            burst=_plain(reading.burst if reading else None),
            sustained=_plain(reading.sustained if reading else None),
        )
        await self._desk.conclude(ticket, command)

    async def release(self, ticket: Ticket) -> None:
        """Give back the slot of *ticket*, whose request was never sent.

        Survives the caller's cancellation, and a failing store, as :meth:`settle` does.
        """
        await self._desk.conclude(ticket, Release(ticket.lease))

    async def snapshot(self) -> QuotaState:
        """Return how the account stands.

        Raises:
            QuotaStoreError: If the store fails.
        """
        reply = await self._desk.apply(Peek(Priority.INTERACTIVE))
        burst, sustained = (WindowState.of(window) for window in reply.windows)
        return QuotaState(burst, sustained, reply.in_flight, self._lanes.waiting(), reply.wait)

    async def aclose(self) -> None:
        """Turn away whoever waits, and end every task. Tickets may still be settled."""
        self._closed = True
        self._dispatcher.fail(ClosedError("the limiter is closed"))
        self._ring()
        await self._desk.aclose()


def _plain(reading: WindowReading | None) -> tuple[float, ...]:
    if reading is None:
        return ()
    return (reading.limit, reading.remaining, _or_negative(reading.reset_in))


def _or_negative(seconds: float | None) -> float:
    return -1.0 if seconds is None else max(0.0, seconds)
