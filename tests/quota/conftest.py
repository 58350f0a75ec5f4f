"""An exact model of the server's throttle, and a client that sends to it over a slow line."""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from metron_async.quota import Limiter, MemoryStore, Observation, RateReading, WindowReading
from metron_async.quota.state import Acquire
from metron_async.types import Priority


class Log:
    """The server's sliding log of one window."""

    def __init__(self, limit: int, period: float) -> None:
        self.limit, self.period = limit, period
        self.times: deque[float] = deque()

    def ask(self, now: float) -> tuple[bool, float | None]:
        while self.times and self.times[0] <= now - self.period:
            self.times.popleft()
        accepted = len(self.times) < self.limit
        # As the real one, it cannot tell when the limit has just dropped below what it holds.
        known = not accepted and len(self.times) == self.limit
        wait = self.times[0] + self.period - now if known else None
        if accepted:
            self.times.append(now)
        return accepted, wait

    def reading(self, clock: float, now: float) -> WindowReading:
        remaining = max(0, self.limit - len(self.times))
        if not self.times:
            return WindowReading(self.limit, remaining, None)
        reset = math.ceil(self.times[0] + self.period + clock - now)
        return WindowReading(self.limit, remaining, reset - math.floor(clock))


class Server:
    """The throttle of one user."""

    def __init__(
        self, limit: int = 20, day: int = 5000, period: float = 60.0, skew: float = 0.0
    ) -> None:
        self.burst = Log(limit, period)
        self.sustained = Log(day, 86_400.0)
        self.skew = skew
        self.rejected: list[float] = []
        self.served: list[float] = []

    def serve(self, now: float) -> Observation:
        answers = [log.ask(now) for log in (self.burst, self.sustained)]
        clock = now + self.skew + 1_795_206_317.25
        reading = RateReading(self.burst.reading(clock, now), self.sustained.reading(clock, now))
        if all(accepted for accepted, _ in answers):
            self.served.append(now)
            return Observation(reading)
        self.rejected.append(now)
        waits = [wait for accepted, wait in answers if not accepted and wait is not None]
        return Observation(
            reading, throttled=True, retry_after=math.ceil(max(waits)) if waits else None
        )


class CheckedStore(MemoryStore):
    """A store that checks at every grant that no window holds more than its limit."""

    def apply_now(self, account, command):
        reply = super().apply_now(account, command)
        if isinstance(command, Acquire) and reply.granted:
            state = self._states[account]
            for window in (state.burst, state.sustained):
                total = window.used + len(state.leases) + window.ghosts
                assert total <= window.limit, (total, window.limit)
                assert window.used == sum(entry.count for entry in window.log)
                assert window.sure == sum(entry.sure for entry in window.log)
                assert window.ghosts >= 0
            assert len(state.leases) <= command.max_in_flight
        return reply


@dataclass
class Line:
    """A client on a slow line to *server*."""

    server: Server
    limiter: Limiter
    rng: random.Random = field(default_factory=lambda: random.Random(1))
    rtt: tuple[float, float] = (0.01, 0.5)
    done: list[float] = field(default_factory=list)
    rejected: int = 0

    async def request(self, lane: Priority = Priority.NORMAL, max_wait: float | None = None):
        """Send one request; return how long it took from the claim to the answer."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            ticket = await self.limiter.acquire(lane, max_wait=max_wait)
            rtt = self.rng.uniform(*self.rtt)
            up = rtt * self.rng.random()
            await asyncio.sleep(up)
            seen = self.server.serve(loop.time())
            await asyncio.sleep(rtt - up)
            await self.limiter.settle(ticket, seen)
            if not seen.throttled:
                self.done.append(loop.time())
                return loop.time() - began
            self.rejected += 1

    async def work_until(self, end: float, lane: Priority = Priority.NORMAL) -> None:
        """Send requests one after the other until the time *end*."""
        loop = asyncio.get_running_loop()
        while loop.time() < end:
            try:
                async with asyncio.timeout_at(end):
                    await self.request(lane, max_wait=math.inf)
            except TimeoutError:
                return

    async def saturate(self, tasks: int, end: float, lane: Priority = Priority.NORMAL) -> None:
        """Have *tasks* workers send until the time *end*."""
        await asyncio.gather(*(self.work_until(end, lane) for _ in range(tasks)))


@pytest.fixture(scope="session")
def sim():
    """The model server and its helpers."""
    return SimpleNamespace(
        Server=Server,
        Line=Line,
        CheckedStore=CheckedStore,
        line=lambda server=None, **kw: Line(
            server or Server(), Limiter(kw.pop("store", None) or CheckedStore(), "me"), **kw
        ),
    )
