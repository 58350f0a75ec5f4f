"""A model server with the real throttle, and clients that send to it over slow lines."""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from metron_async.admission import (
    SUSTAINED,
    Controller,
    Priority,
    RequestEnd,
    Waiter,
    wait_error,
)
from metron_async.admission.state import FORMAT
from metron_async.storage import MemoryStorage
from metron_async.testing.throttle import UserQuota, rate_headers, retry_after

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async.storage import Loaded

EPOCH = 1_795_219_200.0  # midnight, UTC
DAY = 86_400.0


class CountingStorage(MemoryStorage):
    """States in memory, which counts looks; each takes *latency* seconds there and back."""

    def __init__(self, latency: float = 0.0) -> None:
        super().__init__()
        self.latency = latency
        self.looks = 0

    async def transact(self, account: str, address: str, decide: Callable[[Loaded], Any]) -> Any:
        self.looks += 1
        if not self.latency:
            return await super().transact(account, address, decide)
        await asyncio.sleep(self.latency)
        reply = await super().transact(account, address, decide)
        await asyncio.sleep(self.latency)
        return reply

    def state(self, name: str) -> bytes | None:
        """Return the stored state of an account, or of an address with epoch and checksum."""
        return self._saved.get(f"account-{FORMAT}:{name}", self._saved.get(name))


class Server:
    """The throttle of one user, with its headers."""

    def __init__(
        self, limit: int = 20, day: int = 5000, period: float = 60.0, skew: float = 0.0
    ) -> None:
        self.limit, self.day, self.period, self.skew = limit, day, period, skew
        self.quota = UserQuota()
        self.rejected: list[float] = []
        self.log: list[tuple[object, float]] = []  # who was rejected, and when
        self.served: list[float] = []
        self.by: Counter[object] = Counter()

    def handle(self, now: float, who: object = None) -> tuple[int, dict[str, str]]:
        moment = EPOCH + now
        burst = self.quota.burst.ask(moment, self.limit, self.period)
        sustained = self.quota.sustained.ask(moment, self.day, DAY)
        shown = datetime.fromtimestamp(math.floor(moment + self.skew), UTC)
        headers = {"date": format_datetime(shown, usegmt=True)}
        headers |= rate_headers("burst", burst, self.period, self.skew)
        headers |= rate_headers("sustained", sustained, DAY, self.skew)
        if burst.accepted and sustained.accepted:
            self.served.append(now)
            self.by[who] += 1
            return 200, headers
        self.rejected.append(now)
        self.log.append((who, now))
        wait = retry_after((burst, sustained))
        return 429, headers | ({} if wait is None else {"retry-after": str(wait)})


async def admit(
    controller: Controller, waiter: Waiter | None = None, *, max_wait: float | None = None
) -> Any:
    """Wait for a permit with the deadline of one caller, which the engine keeps elsewhere."""
    waiter, loop = waiter or Waiter(), asyncio.get_running_loop()
    began, heard, leave = loop.time(), waiter._on_wait, loop.create_future()
    left = math.inf if max_wait is None else max(0.4, max_wait)

    def on_wait(wait: Any) -> None:
        if heard is not None:
            heard(wait)
        of_day = 0.0 if wait.scope == SUSTAINED else math.inf
        most = of_day if max_wait is None else began + max_wait - loop.time()
        if wait.wait > most and not leave.done():
            leave.set_result(wait_error(wait))

    waiter._on_wait = on_wait
    task = asyncio.ensure_future(controller.admit(waiter))
    try:
        await asyncio.wait(
            {task, leave},
            timeout=None if left == math.inf else left,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if task.done():
            return task.result()
        raise leave.result() if leave.done() else controller.overdue(waiter)  # noqa: TRY301
    except BaseException:
        task.cancel()
        await asyncio.wait({task})
        raise


class Client:
    """One process: a controller on a slow line to a server."""

    def __init__(
        self,
        server: Any,
        storage: CountingStorage | None = None,
        *,
        seed: int = 1,
        rtt: tuple[float, float] = (0.01, 0.5),
        name: str = "me",
        address: str = "here",
        **options: Any,
    ) -> None:
        self.server = server
        self.storage = storage or CountingStorage()
        self.rng = random.Random(seed)
        self.rtt = rtt
        self.name = name
        self.controller = Controller(
            self.storage, account=name, address=address, credentials=name, **options
        )

    async def send(self) -> tuple[int, dict[str, str]]:
        rtt = self.rng.uniform(*self.rtt)
        up = rtt * self.rng.random()
        await asyncio.sleep(up)
        answer = self.server.handle(asyncio.get_running_loop().time(), self.name)
        await asyncio.sleep(rtt - up)
        return answer

    async def call(
        self, lane: Priority = Priority.NORMAL, max_wait: float | None = math.inf
    ) -> None:
        while True:
            permit = await admit(self.controller, Waiter(lane), max_wait=max_wait)
            status, headers = await self.send()
            self.controller.settle(permit, RequestEnd.answered(status, headers))
            if status == 200:
                return


async def saturate(
    client: Client, tasks: int, end: float, lane: Priority = Priority.NORMAL
) -> None:
    """Have *tasks* workers call until the time *end*."""
    loop = asyncio.get_running_loop()

    async def work() -> None:
        try:
            async with asyncio.timeout_at(end):
                while loop.time() < end:
                    await client.call(lane)
        except TimeoutError:
            return

    await asyncio.gather(*(work() for _ in range(tasks)))


async def fetch_many(client: Client, number: int, lane: Priority, concurrency: int = 8) -> float:
    """Make *number* calls, as many at a time as *concurrency*; return the seconds it took."""
    loop = asyncio.get_running_loop()
    began, left = loop.time(), iter(range(number))

    async def work() -> None:
        for _ in left:
            await client.call(lane)

    await asyncio.gather(*(work() for _ in range(min(concurrency, number))))
    return loop.time() - began


async def visit(
    client: Client,
    end: float,
    *,
    every: float = 40.0,
    poisson: bool = True,
    calls: int = 1,
    patience: float = 3000.0,
) -> list[float]:
    """Make INTERACTIVE calls now and then, and return how long each took."""
    loop = asyncio.get_running_loop()
    took: list[float] = []
    rng = random.Random(client.rng.random())

    async def command() -> None:
        for _ in range(calls):
            began = loop.time()
            try:
                async with asyncio.timeout(patience):
                    await client.call(Priority.INTERACTIVE)
            except TimeoutError:
                pass
            took.append(loop.time() - began)

    tasks = []
    while loop.time() < end:
        await asyncio.sleep(rng.expovariate(1 / every) if poisson else every)
        tasks.append(asyncio.ensure_future(command()))
    await asyncio.gather(*tasks)
    return took


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
