"""Who is next, and when to ask for them: one task, and only while somebody waits.

The dispatcher asks the store for a slot on behalf of whoever is next, hands it over, or naps until
it makes sense to ask again or somebody rings: a claim came or left, an answer arrived. A ring
while it is busy is remembered, so none is lost.

The pacer (an :class:`aiolimiter.AsyncLimiter`, a leaky bucket) smooths BULK in front of the log:
half a window at once, then evenly. It is never the gate, since a leaky bucket lets up to twice its
size into a sliding window; the log behind it decides.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import secrets
from typing import TYPE_CHECKING, Any

import aiolimiter
import anyio

from metron_async.errors import QuotaStoreError
from metron_async.quota.desk import loop_time
from metron_async.quota.outlook import Estimate
from metron_async.quota.state import SUSTAINED, Acquire, Window
from metron_async.quota.window import capacity
from metron_async.types import Priority

if TYPE_CHECKING:
    from metron_async.quota.desk import Desk
    from metron_async.quota.lanes import Claim, Lanes
    from metron_async.quota.state import Reply, WindowRules

__all__ = ["Dispatcher"]

_logger = logging.getLogger("metron_async.quota")

_POLL = (0.02, 0.25)  # seconds between looks at requests of other processes, growing
_LONGEST_NAP = 2.0  # seconds; other processes may change what a shared store says
_MOMENT = 0.001  # seconds; timers may fire a little early


class Dispatcher:
    """Serve the claims in *lanes* from the store behind *desk*.

    Args:
        desk: The account in its store.
        lanes: The claims.
        max_in_flight: Requests of the account in flight at a time.
    """

    def __init__(self, desk: Desk, lanes: Lanes, max_in_flight: int) -> None:
        self._bad_news: tuple[int, Estimate] | None = None
        self._desk = desk
        self._lanes = lanes
        self._max_in_flight = max_in_flight
        self._running = False
        self._rung = False
        self._nap: anyio.CancelScope | None = None
        self._polls = 0
        self._limit = desk.rules.burst.limit
        self._paced_limit = 0
        self._passed = -math.inf
        self._pacer = _new_pacer(desk.rules.burst, self._limit)
        self._listeners: set[asyncio.Future[None]] = set()
        self._until_rest: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Have the dispatcher look again, and start it if there is none."""
        self._rung = True
        if self._nap is not None:
            self._nap.cancel()
        if not self._running and len(self._lanes):
            self._running = True
            self._desk.spawn(self._run())

    def fail(self, error: Exception) -> None:
        """Turn away everybody who waits."""
        for claim in self._lanes.drain():
            claim.future.set_exception(error)
            claim.future.exception()  # whoever has left need not be told

    async def granted_or_news(self, claim: Claim, timeout: float) -> None:  # noqa: ASYNC109
        """Wait until *claim* is granted, or the day's quota is found spent, or time is up."""
        news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._listeners.add(news)
        try:
            waited_for: set[asyncio.Future[Any]] = {claim.future, news}
            await asyncio.wait(
                waited_for,
                timeout=None if timeout == math.inf else max(0.0, timeout),
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            self._listeners.discard(news)

    async def granted_or_at_rest(self, claim: Claim) -> None:
        """Wait until *claim* is granted, or nothing more can be granted right now.

        Whoever wants to know how long a wait will be asks after this: most often there is none,
        and no need to ask the store.
        """
        if self._nap is not None and not self._rung:
            return
        rest: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._until_rest.add(rest)
        try:
            waited_for: set[asyncio.Future[Any]] = {claim.future, rest}
            await asyncio.wait(waited_for, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._until_rest.discard(rest)

    async def _run(self) -> None:
        try:
            while len(self._lanes):
                await self._serve_next()
        except Exception as error:
            if not isinstance(error, QuotaStoreError):
                _logger.exception("the dispatcher of the quota failed")
            self.fail(error)
        finally:
            self._running = False

    async def _serve_next(self) -> None:
        self._rung = False
        following = self._lanes.next(loop_time())
        if following is None:
            return
        claim, hurried = following
        if claim.priority is Priority.BULK and not (claim.paced or hurried):
            await self._pace(claim)
            return
        lease = secrets.randbits(48)
        command = Acquire(lease, claim.priority, self._max_in_flight, hurried=hurried)
        async with self._desk.exclusively():
            reply = await self._desk.apply(command)
            if reply.granted:
                self._hand_over(claim, command)
        self._limit = reply.limits[0]
        if reply.granted:
            self._polls = 0
            self._bad_news = None
            return
        if reply.scope == SUSTAINED:
            self._tell_bad_news(claim.priority, Estimate.of(reply))
            if hurried:
                claim.head_since = loop_time()  # BULK's share of the day is spent: let others pass
        await self._rest(reply)

    def _hand_over(self, claim: Claim, command: Acquire) -> None:
        """Give a slot to *claim*, or to whoever should have it now."""
        now = loop_time()
        following = self._lanes.next(now)
        # While the store was busy somebody more urgent may have come, or the claim have left. A
        # slot granted under the rules of a lane is good for a higher one, never for a lower one.
        if following is not None and following.claim.priority <= command.lane:
            claim = following.claim
        ticket = self._desk.issue(command.lease, claim.priority, now)
        if claim not in self._lanes:
            self._desk.give_back(ticket)
            return
        self._lanes.remove(claim, now)
        claim.future.set_result(ticket)

    async def _rest(self, reply: Reply) -> None:
        """Nap until it makes sense to ask again."""
        others = self._desk.others_in_flight(reply)
        jitter = random.random()  # noqa: S311 - so that processes do not all ask at once
        if reply.wait > 0:
            delay = reply.wait + _MOMENT
            if others:
                delay = min(delay, _LONGEST_NAP) + jitter * _MOMENT
        elif others:
            # Requests of others are in the way, and nobody rings when they are answered.
            delay = min(_POLL[0] * 1.5**self._polls, _POLL[1]) * (0.5 + jitter / 2)
            self._polls += self._polls < 10  # noqa: PLR2004 - far beyond the longest poll
        else:
            delay = self._desk.rules.lease
        await self._sleep(delay)

    async def _pace(self, claim: Claim) -> None:
        """Let *claim* through the pacer, or nap until it may pass."""
        if self._paced_limit != self._limit:
            self._paced_limit = self._limit
            self._pacer = _new_pacer(self._desk.rules.burst, self._limit)
        if self._pacer.has_capacity():
            await self._pacer.acquire()
            claim.paced = True
            self._passed = loop_time()
        else:
            # One at a time passes, so there is room a step after the last one at the latest. Its
            # own queue could not be left when a ring comes.
            step = self._pacer.time_period / self._pacer.max_rate
            await self._sleep(self._passed + step + _MOMENT - loop_time())

    async def _sleep(self, delay: float) -> None:
        """Nap for *delay* seconds, until a ring, or until somebody's patience ends."""
        delay = min(delay, self._lanes.next_change(loop_time()) + _MOMENT)
        if not self._rung:
            for rest in self._until_rest:
                if not rest.done():
                    rest.set_result(None)
            with anyio.move_on_after(delay) as self._nap:
                await anyio.sleep_forever()
            self._nap = None

    def bad_news(self, claim: Claim) -> Estimate | None:
        """Return what the store said if it just found the day's quota spent for that lane."""
        if self._bad_news is None or claim.priority < self._bad_news[0]:
            return None
        return self._bad_news[1]

    def _tell_bad_news(self, lane: Priority, estimate: Estimate) -> None:
        self._bad_news = (lane, estimate)
        for news in self._listeners:
            if not news.done():
                news.set_result(None)


def _new_pacer(rules: WindowRules, limit: int) -> aiolimiter.AsyncLimiter:
    """Return a pacer that lets half a window pass at once, and then one after the other."""
    room = capacity(Window(limit), rules, reserved=True)
    depth = max(1.0, room / 2)
    return aiolimiter.AsyncLimiter(depth, depth * rules.period / room)
