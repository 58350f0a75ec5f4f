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

import redis.asyncio as redis

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from support import redis_server
from support.fleet import Worker, fleet

from metron_async import AsyncMetron, Priority
from metron_async.testing import FakeMetron

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


async def beside(seconds: float) -> tuple[float, float, int]:
    """Return median and 95th percentile of interactive calls beside a nightly job, and the 429s."""
    fake = FakeMetron(issues=600)
    fake.latency = (0.05, 0.3)
    took: list[float] = []
    with fresh("redis") as url:
        async with (
            fake.serve() as server,
            fleet(1, server, url, fake.token, priority=int(Priority.BULK)) as (nightly,),
            AsyncMetron(fake.token, base_url=server, storage=url) as metron,
        ):
            quick = metron.with_options(priority=Priority.INTERACTIVE)
            await quick.issues.get(599)
            _begin(nightly)
            ends = time.monotonic() + seconds
            number = 500
            while time.monotonic() < ends:
                await asyncio.sleep(random.expovariate(1 / 10))
                began = time.perf_counter()
                await quick.issues.get(number)
                took.append(time.perf_counter() - began)
                number += 1
    took.sort()
    return statistics.median(took), took[int(len(took) * 0.95)], fake.throttled


def _begin(nightly: Worker) -> None:
    nightly.begin(*range(1, 400))


async def main() -> None:
    lines = ["# A fleet", "", "Made by `python -m benchmarks.components.fleet`.", ""]
    table: list[list[str]] = []
    names: list[str] = []
    for kind in ("directory", "redis"):
        for count in (1, 4, 8):
            found = await requests(kind, count)
            names = list(found)
            table.append([kind, str(count), *map(str, found.values())])
            print(table[-1], flush=True)
    lines.append(f"| storage | processes | {' | '.join(names)} |")
    lines.append("|---|---:" + "|---:" * len(names) + "|")
    lines += [f"| {' | '.join(row)} |" for row in table]
    bare, whole = await hits()
    ratio = whole / bare
    lines += ["", f"A hit in Redis, decoded: {whole:.0f} us, {ratio:.2f} times a bare `GET`."]
    middle, late, throttled = await beside(60)
    lines.append(
        "Interactive calls beside a nightly job in another process, on one Redis:"
        f" median {middle:.2f} s, 95th percentile {late:.2f} s, {throttled} 429s."
    )
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines[-3:]))


if __name__ == "__main__":
    asyncio.run(main())
