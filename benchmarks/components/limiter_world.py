"""What the limiter is measured against: the server's exact throttle, and other policies.

The throttle is the one of ``metron_async.testing``. A request reaches it after part of a round
trip of 10 to 500 ms, and its answer takes the rest; both are drawn at random.
"""

import asyncio
import math
import random
import threading
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, TypeVar

import aiolimiter

from metron_async.quota import (
    Limiter,
    MemoryStore,
    Observation,
    QuotaStore,
    parse_rate_headers,
    parse_retry_after,
)
from metron_async.testing.clock import VirtualTimeLoop
from metron_async.testing.throttle import UserQuota, rate_headers, retry_after
from metron_async.types import Priority

T = TypeVar("T")
EPOCH = 1_795_206_317.25
DAY = 86_400.0


class Server:
    """The throttle of one user, with its headers."""

    def __init__(
        self, limit: int = 20, day: int = 5000, period: float = 60.0, skew: float = 0.0
    ) -> None:
        self.limit, self.day, self.period, self.skew = limit, day, period, skew
        self.quota = UserQuota()
        self.rejected: list[float] = []
        self.served: list[float] = []
        self._lock = threading.Lock()

    def handle(self, now: float) -> tuple[int, dict[str, str]]:
        """Return status and headers of a request that arrives at *now*."""
        with self._lock:
            moment = EPOCH + now
            burst = self.quota.burst.ask(moment, self.limit, self.period)
            sustained = self.quota.sustained.ask(moment, self.day, DAY)
            shown = datetime.fromtimestamp(math.floor(moment + self.skew), UTC)
            headers = {"date": format_datetime(shown, usegmt=True)}
            headers |= rate_headers("burst", burst, self.period, self.skew)
            headers |= rate_headers("sustained", sustained, DAY, self.skew)
            if burst.accepted and sustained.accepted:
                self.served.append(now)
                return 200, headers
            self.rejected.append(now)
            wait = retry_after((burst, sustained))
            return 429, headers | ({} if wait is None else {"retry-after": str(wait)})


def observe(status: int, headers: dict[str, str]) -> Observation:
    """Return what the limiter observes of a response."""
    return Observation(
        parse_rate_headers(headers),
        throttled=status == 429,
        retry_after=parse_retry_after(headers),
    )


class Line:
    """A round trip of 10 to 500 ms, split at random."""

    def __init__(
        self, server: Server, seed: int = 1, rtt: tuple[float, float] = (0.01, 0.5)
    ) -> None:
        self.server, self.rtt = server, rtt
        self.rng = random.Random(seed)

    async def send(self) -> tuple[int, dict[str, str]]:
        rtt = self.rng.uniform(*self.rtt)
        up = rtt * self.rng.random()
        await asyncio.sleep(up)
        answer = self.server.handle(asyncio.get_running_loop().time())
        await asyncio.sleep(rtt - up)
        return answer


class Ours:
    """This package's limiter."""

    def __init__(self, line: Line, store: QuotaStore | None = None) -> None:
        self.line = line
        self.limiter = Limiter(store or MemoryStore(), "me")

    async def call(
        self, lane: Priority = Priority.NORMAL, max_wait: float | None = math.inf
    ) -> None:
        while True:
            ticket = await self.limiter.acquire(lane, max_wait=max_wait)
            status, headers = await self.line.send()
            await self.limiter.settle(ticket, observe(status, headers))
            if status == 200:
                return


class Bucket:
    """``aiolimiter.AsyncLimiter(20, 60)`` alone; a 429 waits what the server says."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.bucket = aiolimiter.AsyncLimiter(20, 60)

    async def call(self, lane: Priority = Priority.NORMAL) -> None:
        del lane
        while True:
            await self.bucket.acquire()
            status, headers = await self.line.send()
            if status == 200:
                return
            await asyncio.sleep(parse_retry_after(headers) or 60)


class SleepUntilReset:
    """Wait for ``Reset`` once ``Remaining`` is 0, as the best practices of the API suggest."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.blocked_until = 0.0

    async def call(self, lane: Priority = Priority.NORMAL) -> None:
        del lane
        loop = asyncio.get_running_loop()
        while True:
            while loop.time() < self.blocked_until:  # noqa: ASYNC110 - others may move it
                await asyncio.sleep(self.blocked_until - loop.time() + 0.001)
            status, headers = await self.line.send()
            reading = parse_rate_headers(headers)
            burst = reading.burst if reading else None
            if burst and burst.remaining == 0 and burst.reset_in is not None:
                self.blocked_until = loop.time() + burst.reset_in
            if status == 200:
                return


class Mokkari:
    """mokkari 5.0.0's HeaderPacedRateLimiter, in threads and real time, *scale* times faster."""

    def __init__(self, scale: float, seed: int = 1) -> None:
        from mokkari.rate_limit import (  # noqa: PLC0415 - only where it is measured
            HeaderPacedRateLimiter,
            RateLimitStatus,
            RateLimitWindow,
        )

        self.scale = scale
        self.server = Server(period=60 / scale)
        self.limiter = HeaderPacedRateLimiter(burst_period=60 / scale)
        self._status, self._window = RateLimitStatus, RateLimitWindow
        self._last = RateLimitStatus()
        self._began = time.monotonic()
        self._rng = random.Random(seed)

    def now(self) -> float:
        """Seconds of the scaled world since the beginning."""
        return (time.monotonic() - self._began) * self.scale

    def call(self) -> None:
        """Send one request, again until it is served."""
        while True:
            self.limiter.acquire(self._last)
            rtt = self._rng.uniform(0.01, 0.5) / self.scale
            up = rtt * self._rng.random()
            time.sleep(up)
            status, headers = self.server.handle(time.monotonic() - self._began)
            time.sleep(rtt - up)
            self._last = self._read(headers)
            self.limiter.release(self._last)
            if status == 200:
                return
            # The scaled server's minute is short already, and so is what it asks to wait.
            self.limiter.on_rate_limited(parse_retry_after(headers) or 60 / self.scale)

    def _read(self, headers: dict[str, str]) -> Any:
        def window(name: str) -> Any:
            return self._window(
                int(headers[f"x-ratelimit-{name}-limit"]),
                int(headers[f"x-ratelimit-{name}-remaining"]),
                datetime.fromtimestamp(int(headers[f"x-ratelimit-{name}-reset"]), UTC),
            )

        return self._status(window("burst"), window("sustained"))


class TickingLoop(VirtualTimeLoop):
    """A virtual clock that ticks: a timer that is due at once is due a microsecond later.

    AsyncLimiter sets its timers for the exact moment at which a slot is free. Rounding may have it
    set one for this very moment, again and again, on a clock that stands still meanwhile.
    """

    def call_at(self, when: float, *args: Any, **kwargs: Any) -> asyncio.TimerHandle:
        return super().call_at(max(when, self.time() + 1e-6), *args, **kwargs)


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run *main* on virtual time."""
    with asyncio.Runner(loop_factory=TickingLoop) as runner:
        return runner.run(main)


async def saturate(
    call: Callable[[Priority], Any], tasks: int, end: float, lane: Priority = Priority.NORMAL
) -> None:
    """Have *tasks* workers call until the time *end*."""
    loop = asyncio.get_running_loop()

    async def work() -> None:
        try:
            async with asyncio.timeout_at(end):
                while loop.time() < end:
                    await call(lane)
        except TimeoutError:
            return

    await asyncio.gather(*(work() for _ in range(tasks)))


async def visit(
    call: Callable[[Priority], Any], end: float, every: float = 40.0, by: float = 30.0
) -> list[float]:
    """Make one INTERACTIVE call every *every* seconds, and return how long each took."""
    loop = asyncio.get_running_loop()
    took: list[float] = []

    async def one() -> None:
        began = loop.time()
        await call(Priority.INTERACTIVE)
        took.append(loop.time() - began)

    calls = []
    while loop.time() < end - by:
        await asyncio.sleep(every)
        calls.append(asyncio.ensure_future(one()))
    for each in calls:
        try:
            async with asyncio.timeout(2000):
                await each
        except TimeoutError:
            took.append(2000.0)
    return took
