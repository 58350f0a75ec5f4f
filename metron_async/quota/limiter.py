"""The limiter of one account in one process: who waits, for how long, and who is next.

What may be sent is decided by :func:`metron_async.quota.apply`, behind a store. Here the callers
queue for it. Claims wait in lanes; while there are any, one task (the dispatcher) asks the store
on behalf of whoever is next, hands over the slot, or naps until it makes sense to ask again or
somebody rings: a claim came or left, an answer arrived. When nobody waits there is no task.

Only the dispatcher and tasks of our own talk to a store that takes time, never the caller's task:
so a caller that is cancelled, at whatever moment, leaves a command neither half done nor unheard.
A slot that was granted to somebody who has just left goes to the next, or back.

The pacer (an :class:`aiolimiter.AsyncLimiter`, a leaky bucket) smooths BULK in front of the log:
half a window at once, then evenly. It is never the gate, since a leaky bucket lets up to twice
its rate into a sliding window; the log behind it decides.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import math
import random
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import aiolimiter
import anyio

from metron_async.errors import ClosedError, QuotaStoreError

from .lanes import Claim, Lanes, Ticket
from .outlook import Estimate, QuotaState, WindowState, check_wait
from .state import SUSTAINED, Acquire, Peek, Priority, Release, Renew, Settle, Window
from .store import MemoryStore
from .window import LONGEST_FLIGHT, capacity

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from .headers import Observation, WindowReading
    from .state import Command, Reply, WindowRules
    from .store import QuotaStore

__all__ = ["Limiter"]

T = TypeVar("T")

logger = logging.getLogger(__name__)

_POLL = (0.02, 0.25)  # seconds between looks at requests of other processes, growing
_LONGEST_NAP = 2.0  # seconds; other processes may change what a shared store says
_MOMENT = 0.001  # seconds; timers may fire a little early
_GRACE = 0.1  # seconds that asking a store may take, also for a caller that does not want to wait
_NO_NEWS = Estimate(0.0, None, 0)


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
        self._store = store
        self._account = account
        self._max_in_flight = max(1, max_in_flight)
        self._memory = store if isinstance(store, MemoryStore) else None
        self._lanes = Lanes(store.rules.burst.period)
        self._tickets: dict[int, Ticket] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._dispatching = False
        self._asking = asyncio.Lock()  # a peek must not see a slot taken whose claim still waits
        self._nap: anyio.CancelScope | None = None
        self._rung = False
        self._polls = 0
        self._renewal: asyncio.TimerHandle | None = None
        self._burst_limit = store.rules.burst.limit
        self._pacer = (self._burst_limit, new_pacer(store.rules.burst, self._burst_limit))
        self._bad_news = _NO_NEWS
        self._news: asyncio.Future[None] | None = None
        self._closed = False

    # -- queueing ---------------------------------------------------------------------------

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
        if self._memory and not len(self._lanes) and priority is not Priority.BULK:
            # Nobody waits and nothing takes time: no need to wake a dispatcher for this one.
            lease = secrets.randbits(48)
            command = Acquire(lease, priority, self._max_in_flight)
            if self._memory.apply_now(self._account, command).granted:
                claim.future.set_result(self._ticket(lease, priority, loop.time()))
                return claim
        self._lanes.add(claim, loop.time())
        self._ring()
        return claim

    def promote(self, claim: Claim, priority: Priority) -> None:
        """Move *claim* to a higher lane, to its end; a lower one changes nothing.

        Args:
            claim: A claim that may have been granted already.
            priority: The lane of somebody else who now waits for the same request.
        """
        if priority < claim.priority and claim in self._lanes:
            now = claim.future.get_loop().time()
            self._lanes.remove(claim, now)
            claim.priority = priority
            self._lanes.add(claim, now)
            self._ring()

    def withdraw(self, claim: Claim) -> None:
        """Leave the queue; a slot that was granted meanwhile is given back."""
        if claim in self._lanes:
            self._lanes.remove(claim, claim.future.get_loop().time())
            claim.future.cancel()
            self._ring()
        elif claim.future.done() and not claim.future.cancelled():
            if claim.future.exception() is None:
                self._give_back(claim.future.result())

    async def granted(self, claim: Claim) -> Ticket:
        """Wait for the slot. When cancelled, the place in the queue is given up.

        Raises:
            QuotaStoreError: If the store fails.
            ClosedError: If the limiter is closed meanwhile.
        """
        try:
            return await claim.future
        except asyncio.CancelledError:
            self.withdraw(claim)
            raise

    async def estimate(self, claim: Claim) -> Estimate:
        """Tell how long *claim* will wait at least.

        The wait can only be shorter if somebody ahead leaves or the limits rise.

        Raises:
            QuotaStoreError: If the store fails.
        """
        async with self._exclusively():
            if claim not in self._lanes:
                return Estimate(0.0, None, self._burst_limit)
            own, higher = self._lanes.ahead(claim)
            estimate = Estimate.of(await self._apply(Peek(claim.priority, own + higher)))
            # However many go first, the head of a lane waits no longer than its patience.
            due = self._lanes.due(claim, own, self._loop_time())
            if higher and due < estimate.seconds:
                estimate = Estimate.of(await self._apply(Peek(claim.priority, own)))
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
                await self._wait(claim, max_wait, on_wait)
            return await self.granted(claim)
        except BaseException:
            self.withdraw(claim)
            raise

    async def _wait(
        self,
        claim: Claim,
        max_wait: float | None,
        on_wait: Callable[[Estimate], object] | None,
    ) -> None:
        patience = math.inf if max_wait is None else max(max_wait, _GRACE)
        deadline = self._loop_time() + patience
        overdue = False
        while True:
            estimate = max(await self.estimate(claim), self._bad_news, key=lambda it: it.seconds)
            if claim.future.done():
                return
            left = deadline - self._loop_time()
            check_wait(estimate, None if max_wait is None else left, overdue=overdue)
            if on_wait is not None and estimate.seconds > 0:
                on_wait, call = None, on_wait
                call(estimate)
            await self._turn(claim, left)
            overdue = self._loop_time() >= deadline

    # -- tickets ----------------------------------------------------------------------------

    async def settle(self, ticket: Ticket, observation: Observation) -> None:
        """Tell what became of the request of *ticket*. Survives the caller's cancellation.

        A store that fails is logged, not raised, since the answer itself is good: the lease then
        expires, and counts.

        Args:
            ticket: The ticket; settling it twice changes nothing.
            observation: What the response told; the default one if the answer was lost.
        """
        if self._tickets.pop(ticket.lease, None) is not None:
            await self._conclude(
                Settle(
                    ticket.lease,
                    counted=observation.counted,
                    throttled=observation.throttled,
                    retry_after=_or_negative(observation.retry_after),
                    jitter=random.uniform(0.05, 1.0) if observation.throttled else 0.0,  # noqa: S311
                    burst=_plain(observation.reading and observation.reading.burst),
                    sustained=_plain(observation.reading and observation.reading.sustained),
                )
            )

    async def release(self, ticket: Ticket) -> None:
        """Give back the slot of *ticket*, whose request was never sent.

        Survives the caller's cancellation, and a failing store, as :meth:`settle` does.
        """
        if self._tickets.pop(ticket.lease, None) is not None:
            await self._conclude(Release(ticket.lease))

    async def snapshot(self) -> QuotaState:
        """Return how the account stands.

        Raises:
            QuotaStoreError: If the store fails.
        """
        reply = await self._apply(Peek(Priority.INTERACTIVE))
        burst, sustained = reply.windows or ()
        return QuotaState(
            WindowState.of(burst),
            WindowState.of(sustained),
            reply.in_flight,
            self._lanes.waiting(),
            reply.wait,
        )

    async def aclose(self) -> None:
        """Turn away whoever waits, and end every task. Tickets may still be settled."""
        self._closed = True
        self._fail(ClosedError("the limiter is closed"))
        if self._renewal is not None:
            self._renewal.cancel()
            self._renewal = None
        self._ring()
        while self._tasks:
            await asyncio.wait(self._tasks)

    # -- the dispatcher ---------------------------------------------------------------------

    def _ring(self) -> None:
        """Have the dispatcher look again, and start it if there is none."""
        self._rung = True
        if self._nap is not None:
            self._nap.cancel()
        if not self._dispatching and len(self._lanes):
            self._dispatching = True
            self._spawn(self._dispatch())

    async def _dispatch(self) -> None:
        try:
            while len(self._lanes):
                await self._serve_next()
        except Exception as error:
            if not isinstance(error, QuotaStoreError):
                logger.exception("the dispatcher of the quota failed")
            self._fail(error)
        finally:
            self._dispatching = False

    async def _serve_next(self) -> None:
        self._rung = False
        now = self._loop_time()
        following = self._lanes.next(now)
        assert following is not None  # noqa: S101 - the caller has looked
        claim, hurried = following
        if claim.priority is Priority.BULK and not (claim.paced or hurried):
            await self._pace(claim)
            return
        command = Acquire(
            secrets.randbits(48), claim.priority, self._max_in_flight, hurried=hurried
        )
        async with self._exclusively():
            reply = await self._apply(command)
            if reply.granted:
                self._hand_over(claim, command)
        self._burst_limit = reply.limits[0]
        if reply.granted:
            self._polls = 0
            self._bad_news = _NO_NEWS
            return
        if reply.scope == SUSTAINED:
            self._tell_bad_news(Estimate.of(reply))
            if hurried:
                claim.head_since = now  # BULK's share of the day is spent: let the others pass
        await self._rest(reply)

    def _hand_over(self, claim: Claim, command: Acquire) -> None:
        """Give a slot to *claim*, or to whoever should have it now."""
        now = self._loop_time()
        following = self._lanes.next(now)
        ticket = self._ticket(command.lease, claim.priority, now)
        # While the store was busy somebody more urgent may have come, or the claim have left. A
        # slot granted under the rules of a lane is good for a higher one, never for a lower one.
        if following is not None and following.claim.priority <= command.lane:
            claim = following.claim
        if claim not in self._lanes:
            self._give_back(ticket)
            return
        self._lanes.remove(claim, now)
        claim.future.set_result(ticket)

    async def _rest(self, reply: Reply) -> None:
        """Nap until it makes sense to ask again."""
        others = self._memory is None or reply.in_flight > len(self._tickets)
        if reply.wait > 0:
            delay = reply.wait + _MOMENT
            if others:
                delay = min(delay, _LONGEST_NAP) + random.uniform(0, _MOMENT)  # noqa: S311
        elif others:
            # Requests of others are in the way, and nobody rings when they are answered.
            delay = min(_POLL[0] * 1.5**self._polls, _POLL[1]) * random.uniform(0.5, 1)  # noqa: S311
            self._polls = min(self._polls + 1, 10)
        else:
            delay = self._store.rules.lease
        delay = min(delay, self._lanes.next_change(self._loop_time()) + _MOMENT)
        if not self._rung:
            with anyio.move_on_after(delay) as self._nap:
                await anyio.sleep_forever()
            self._nap = None

    async def _pace(self, claim: Claim) -> None:
        """Let *claim* through the pacer, unless something else happens first."""
        limit, pacer = self._pacer
        if limit != self._burst_limit:
            limit = self._burst_limit
            pacer = new_pacer(self._store.rules.burst, limit)
            self._pacer = (limit, pacer)
        with anyio.move_on_after(self._lanes.next_change(self._loop_time()) + _MOMENT) as self._nap:
            await pacer.acquire()
            claim.paced = True
        self._nap = None

    def _fail(self, error: Exception) -> None:
        for claim in self._lanes.drain():
            claim.future.set_exception(error)
            claim.future.exception()  # whoever does not care any more need not be told again

    def _tell_bad_news(self, estimate: Estimate) -> None:
        self._bad_news = estimate
        if self._news is not None and not self._news.done():
            self._news.set_result(None)
        self._news = None

    async def _turn(self, claim: Claim, seconds: float) -> None:
        """Wait until *claim* is granted, or the day's quota turns out to be spent."""
        if self._news is None:
            self._news = asyncio.get_running_loop().create_future()
        await asyncio.wait(
            [claim.future, self._news],
            timeout=None if seconds == math.inf else max(0.0, seconds),
            return_when=asyncio.FIRST_COMPLETED,
        )

    # -- the store --------------------------------------------------------------------------

    async def _apply(self, command: Command) -> Reply:
        if self._memory is not None:
            return self._memory.apply_now(self._account, command)
        return await asyncio.shield(self._spawn(self._store.apply(self._account, command)))

    async def _conclude(self, command: Command) -> None:
        if self._memory is not None:
            self._memory.apply_now(self._account, command)
            self._ring()
        else:
            await asyncio.shield(self._spawn(self._conclude_in_store(command)))

    async def _conclude_in_store(self, command: Command) -> None:
        try:
            await self._store.apply(self._account, command)
        except QuotaStoreError as error:
            logger.warning("a request could not be settled, its lease will expire: %s", error)
        self._ring()

    def _exclusively(self) -> contextlib.AbstractAsyncContextManager[None]:
        """Keep peeks from seeing a slot as taken whose claim is still in the queue."""
        return contextlib.nullcontext() if self._memory is not None else self._asking

    def _give_back(self, ticket: Ticket) -> None:
        if self._tickets.pop(ticket.lease, None) is None:
            return
        if self._memory is not None:
            self._memory.apply_now(self._account, Release(ticket.lease))
            self._ring()
        else:
            self._spawn(self._conclude_in_store(Release(ticket.lease)))

    def _ticket(self, lease: int, priority: Priority, now: float) -> Ticket:
        ticket = self._tickets[lease] = Ticket(lease, priority, now)
        if self._renewal is None and not self._closed:
            self._renew_later()
        return ticket

    def _renew_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._renewal = loop.call_later(self._store.rules.lease / 3, self._renew)

    def _renew(self) -> None:
        """Keep the leases of requests that take long, and of none that was forgotten."""
        self._renewal = None
        oldest = self._loop_time() - LONGEST_FLIGHT
        live = tuple(it.lease for it in self._tickets.values() if it.granted_at > oldest)
        if live:
            self._spawn(self._renew_in_store(Renew(live)))
            self._renew_later()

    async def _renew_in_store(self, command: Renew) -> None:
        # A store that fails now may work again before the leases expire.
        with contextlib.suppress(QuotaStoreError):
            await self._store.apply(self._account, command)

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        # Not in the context of the caller, which may be long gone while this still runs.
        task = asyncio.get_running_loop().create_task(work, context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    @staticmethod
    def _loop_time() -> float:
        return asyncio.get_running_loop().time()


def new_pacer(rules: WindowRules, limit: int) -> aiolimiter.AsyncLimiter:
    """Return a pacer that lets half a window pass at once, and then one after the other."""
    room = capacity(Window(limit), rules, reserved=True)
    depth = max(1.0, room / 2)
    return aiolimiter.AsyncLimiter(depth, depth * rules.period / room)


def _plain(reading: WindowReading | None) -> tuple[float, ...]:
    if reading is None:
        return ()
    return (reading.limit, reading.remaining, _or_negative(reading.reset_in))


def _or_negative(seconds: float | None) -> float:
    return -1.0 if seconds is None else max(0.0, seconds)
