"""Thirty days of an application in the life of which everything happens, on virtual time.

A web backend (interactive calls), a nightly job (lists, bulk), a user who scrobbles, and a poller
of conditional requests share one account. The server's limit floats, the server fails, hangs,
drops and is redeployed; the clocks of both sides jump; the application restarts, in order and by
being killed; and its user spends quota elsewhere.

The day's quota is scaled down so that thirty days are some thousand calls; the nightly session
makes five times as many.
"""

from __future__ import annotations

import asyncio
import math
import types
from collections import Counter
from random import Random

import pytest
from support.scale import scaled
from support.stores import Slow
from support.virtual import virtual
from support.world import idle

from metron_async import AsyncMetron, Priority
from metron_async._engine import opening
from metron_async.cache import MemoryCache
from metron_async.errors import (
    BlockedError,
    MetronError,
    RateLimitError,
    StorageError,
)
from metron_async.storage import MemoryStorage
from metron_async.testing import FakeMetron, Fault

DAYS = 30
DAY = 86_400.0
SUSTAINED = scaled(200, 4000)
SLOWNESS = 2.0  # seconds that the network adds at most
OUTAGES = (
    lambda: Fault.status(502),
    lambda: Fault.status(503),
    Fault.html_page,
    Fault.connect_error,
    Fault.drop_before,
    Fault.drop_after,
    lambda: Fault.latency(70),
)
EPOCH = 1_800_000_000.0


class Life:
    """The world of the soak, and what is counted in it."""

    def __init__(self, monkeypatch, seed):
        self.random = Random(seed)
        self.fake = FakeMetron(
            300, seed=seed, sustained=SUSTAINED, unstable=True, keep_requests=1000
        )
        self.fake.latency = (0.02, 0.6)
        self.fake.burst_limit = self.limit
        self.storage, self.cache = MemoryStorage(), MemoryCache()
        self.wall_skew = 0.0
        monkeypatch.setattr(
            opening, "time", types.SimpleNamespace(monotonic=self.steady, time=self.wall)
        )
        self.low = 20
        self.ends = Counter()
        self.calls = 0
        self.excuses = 0  # outages and drops, each of which may bring one 429
        self.late = []
        self.wrong = []
        self.metron = None
        self.process = None
        self.over = False

    # -- clocks and limits --------------------------------------------------------------------

    def steady(self):
        return asyncio.get_running_loop().time()

    def wall(self):
        return EPOCH + self.steady() + self.wall_skew

    def limit(self, now):
        """The server's limit floats with the hours of the day, and sometimes drops."""
        return self.low + int(10 * (1 + math.sin(now / 7000)))

    # -- the application ----------------------------------------------------------------------

    def start(self):
        self.process = Slow(self.storage, pause=0.0, error=lambda: StorageError("killed"))
        self.metron = AsyncMetron(
            "reader-token",
            transport=self.fake.transport(),
            storage=self.process,
            cache=self.cache,
            retries=1,
        )

    async def restart(self, *, killed):
        """Begin a new process; one that is killed cannot tell the store that it is gone."""
        old, process = self.metron, self.process
        self.start()
        if killed:
            process.dead = True
            self.excuses += 1
        await old.aclose()

    async def call(self, make, *, deadline=None):
        """Make one call, and see that it ends within its *deadline*, in seconds."""
        self.calls += 1
        began = self.steady()
        try:
            await make(self.metron)
        except MetronError as error:
            kind = type(error).__name__
            self.ends[kind] += 1
            if isinstance(error, RateLimitError | BlockedError) and error.retry_after < 0:
                self.wrong.append(error)
        else:
            self.ends["value"] += 1
        took = self.steady() - began
        if deadline is not None and took > deadline:
            self.late.append((took, deadline))

    async def sleep(self, mean):
        await asyncio.sleep(min(self.random.expovariate(1 / mean), 2.5 * mean))

    async def interactive(self):
        while not self.over:
            await self.sleep(DAY / (SUSTAINED * 0.25))
            number = self.random.randint(1, 310)  # some do not exist
            quick = {"priority": Priority.INTERACTIVE, "max_wait": 20, "timeout": 30}
            await self.call(
                lambda metron, n=number, q=quick: metron.with_options(**q).issues.get(n),
                deadline=30.0,
            )

    async def impatient(self):
        while not self.over:
            await self.sleep(DAY / (SUSTAINED * 0.05))
            number = self.random.randint(1, 300)
            # Retries are no part of max_wait once they were sent; an answer may take 65 s.
            await self.call(
                lambda metron, n=number: metron.with_options(max_wait=0, retries=0).issues.get(n),
                deadline=65.0 + SLOWNESS,
            )

    async def bulk(self):
        while not self.over:
            await self.sleep(160 * DAY / SUSTAINED)
            wanted = self.random.sample(range(1, 301), min(280, SUSTAINED // 2))

            async def job(metron, wanted=wanted):
                view = metron.with_options(fresh_for=self.random.choice((0, None)), timeout=3000)
                async for got in view.issues.fetch_many(wanted, concurrency=6):
                    if got.error is not None:
                        self.ends[f"bulk {type(got.error).__name__}"] += 1
                    elif got.value.id != got.id:
                        self.wrong.append(got)

            await self.call(job)
            await self.call(lambda metron: metron.publishers.iter().details().collect())

    async def lists(self):
        while not self.over:
            await self.sleep(DAY / 8)
            series = self.random.randint(1, 20)
            await self.call(lambda metron, s=series: metron.issues.iter(series_id=s).collect())
            await self.call(lambda metron: metron.issues.iter().collect(150))

    async def writer(self):
        while not self.over:
            await self.sleep(DAY / 6)
            number = self.random.randint(1, 300)
            await self.call(lambda metron, n=number: metron.collection.scrobble(n))

    async def poller(self):
        while not self.over:
            await self.sleep(DAY / 12)
            number = self.random.randint(1, 300)
            since = self.fake.clock.moment()
            await self.call(lambda metron, n=number, s=since: metron.issues.get_if_modified(n, s))

    # -- what befalls it ----------------------------------------------------------------------

    async def outages(self):
        while not self.over:
            await self.sleep(DAY / 3)
            self.excuses += 1
            fault = self.random.choice(OUTAGES)()
            planned = self.fake.faults.add(fault, times=None)
            await self.sleep(600)
            planned.left = 0
            self.fake.faults.clear()

    async def drops(self):
        while not self.over:
            await self.sleep(DAY / 2)
            self.excuses += 1
            self.low = self.random.choice((5, 10, 40))
            await self.sleep(3600)
            self.low = 20

    async def others(self):
        while not self.over:
            await self.sleep(DAY)
            self.excuses += 1
            self.fake.spend("reader", self.random.randint(1, 15))

    async def clocks(self):
        while not self.over:
            await self.sleep(DAY)
            self.wall_skew += self.random.choice((-7200, -60, 30, 86_400))
            self.fake.clock.skew += self.random.choice((-3600, -2, 1, 600))

    async def edits(self):
        while not self.over:
            await self.sleep(DAY / 10)
            self.fake.touch("issue", self.random.randint(1, 300), desc=f"at {self.steady()}")

    async def restarts(self):
        while not self.over:
            await self.sleep(DAY)
            await self.restart(killed=self.random.random() < 0.5)


async def live(life):
    life.start()
    parts = (
        life.interactive,
        life.impatient,
        life.bulk,
        life.lists,
        life.writer,
        life.poller,
        life.outages,
        life.drops,
        life.others,
        life.clocks,
        life.edits,
        life.restarts,
    )
    tasks = [asyncio.create_task(part()) for part in parts]
    await asyncio.sleep(DAYS * DAY)
    life.over = True
    life.fake.faults.clear()
    _, waiting = await asyncio.wait(tasks, timeout=3 * DAY)
    assert not waiting, f"these never ended: {waiting}"
    for task in tasks:
        task.result()
    await asyncio.sleep(400)
    await idle(life.metron)
    number = await life.metron.with_options(refresh=True, max_wait=math.inf).issues.get(3)
    assert number.id == 3
    await life.metron.aclose()


@pytest.mark.timeout(scaled(120, 1800))
@pytest.mark.filterwarnings("ignore::metron_async.errors.IncompleteListWarning")
@pytest.mark.parametrize("seed", range(scaled(1, 5)))
def test_thirty_days(seed, monkeypatch, caplog):
    caplog.set_level("CRITICAL", logger="metron_async")
    life = Life(monkeypatch, seed)
    virtual(live(life))
    fake = life.fake
    summary = (
        f"{life.calls} calls: {dict(life.ends)}; {fake.throttled} 429s, {life.excuses} troubles"
    )
    assert not fake.bans, summary
    assert not life.late, summary
    assert not life.wrong, summary
    assert fake.throttled <= life.excuses, summary
    assert life.ends["value"] > 0.5 * life.calls, summary
    assert life.ends["RateLimitError"] + life.ends["bulk RateLimitError"], "the day was never spent"
    assert fake.throttled, "no drop was ever met"
