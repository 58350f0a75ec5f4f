"""What a fleet costs: requests of several processes, hits in Redis, waits beside a nightly job.

Run it: ``python -m benchmarks.components.fleet``. It takes two minutes, needs a Redis server on
PATH, and writes ``benchmarks/results/fleet.md``.
"""

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis.asyncio as redis

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from support import redis_server
from support.fleet import fleet

from metron_async import AsyncMetron, Priority
from metron_async.storage import MemoryStorage
from metron_async.testing import FakeMetron, run_virtual

RESULTS = Path(__file__).parents[1] / "results" / "fleet.md"
POPULAR = range(1, 11)


@contextmanager
def fresh(kind: str) -> Iterator[str]:
    """Yield a storage that nobody has used."""
    with tempfile.TemporaryDirectory() as folder:
        if kind == "directory":
            yield folder
            return
        with redis_server.running(Path(folder)) as url:
            yield url


async def requests(kind: str, count: int) -> dict[str, int]:
    """Return the requests of *count* processes for three kinds of work."""
    fake = FakeMetron(issues=300, throttle=False)
    fake.latency = 0.1
    found: dict[str, int] = {}
    with fresh(kind) as storage:
        async with fake.serve() as url, fleet(count, url, storage, fake.token) as workers:
            for number, worker in enumerate(workers):
                await worker.ask(200 + number)
            found["warm up"] = len(fake.requests)
            work = (("ten issues", POPULAR, {}), ("again, refreshed", POPULAR, {"refresh": True}),
                    ("a missing one", [9999], {}))  # fmt: skip
            for name, ids, options in work:
                before = len(fake.requests)
                await asyncio.gather(*(worker.ask(*ids, **options) for worker in workers))
                found[name] = len(fake.requests) - before
    return found


async def hits() -> tuple[float, float]:
    """Return the median microseconds of a bare GET, and of a decoded hit."""
    fake = FakeMetron(issues=60, throttle=False)
    with fresh("redis") as url:
        client = redis.Redis.from_url(url)
        async with AsyncMetron(fake.token, transport=fake.transport(), storage=url) as metron:
            issue = await metron.issues.get(7)
            await client.set("body", b"x" * 2000)
            bare, whole = [], []
            for _ in range(3000):
                began = time.perf_counter()
                await client.get("body")
                bare.append(time.perf_counter() - began)
                began = time.perf_counter()
                assert (await metron.issues.get(7)).id == issue.id
                whole.append(time.perf_counter() - began)
        await client.aclose()
    return statistics.median(bare) * 1e6, statistics.median(whole) * 1e6


async def beside(hours: float) -> tuple[float, float, int]:
    """Return median and 95th percentile of interactive calls beside a nightly job, and the 429s.

    Two clients share a storage, on virtual time.
    """
    fake, storage = FakeMetron(issues=600), MemoryStorage()
    fake.latency = (0.05, 0.3)
    took: list[float] = []
    clock = asyncio.get_running_loop().time
    chance = random.Random(1)
    options: dict[str, Any] = {"transport": fake.transport(), "storage": storage, "cache": None}
    async with (
        AsyncMetron(fake.token, **options) as metron,
        AsyncMetron(fake.token, priority=Priority.BULK, **options) as nightly,
    ):
        job = asyncio.create_task(_saturate(nightly))
        quick = metron.with_options(priority=Priority.INTERACTIVE)
        while clock() < hours * 3600:
            await asyncio.sleep(chance.expovariate(1 / 40))
            began = clock()
            await quick.issues.get(chance.randrange(1, 600))
            took.append(clock() - began)
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
    took.sort()
    return statistics.median(took), took[int(len(took) * 0.95)], fake.throttled


async def _saturate(nightly: AsyncMetron) -> None:
    while True:
        async for _ in nightly.issues.fetch_many(range(1, 600)):
            pass


def main() -> None:
    lines = ["# A fleet", "", "Made by `python -m benchmarks.components.fleet`.", ""]
    table: list[list[str]] = []
    names: list[str] = []
    for kind in ("directory", "redis"):
        for count in (1, 4, 8):
            found = asyncio.run(requests(kind, count))
            names = list(found)
            table.append([kind, str(count), *map(str, found.values())])
            print(table[-1], flush=True)
    lines.append(f"| storage | processes | {' | '.join(names)} |")
    lines.append("|---|---:" + "|---:" * len(names) + "|")
    lines += [f"| {' | '.join(row)} |" for row in table]
    bare, whole = asyncio.run(hits())
    ratio = whole / bare
    lines += ["", f"A hit in Redis, decoded: {whole:.0f} us, {ratio:.2f} times a bare `GET`."]
    middle, late, throttled = run_virtual(beside(3.0))
    lines.append(
        "Interactive calls every 40 s beside a nightly job of another client, on virtual time:"
        f" median {middle:.2f} s, 95th percentile {late:.2f} s, {throttled} 429s."
    )
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines[-3:]))


if __name__ == "__main__":
    main()
