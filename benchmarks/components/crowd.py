"""Whether many processes that share a storage use the quota, without a 429 and without polling it.

All processes ask without a pause, in real time: 32 on one Redis server, 16 on one SQLite file.
What is counted begins 80 seconds after the start, when the first burst is over.

Run it: ``python -m benchmarks.components.crowd [MINUTES]``. It needs a Redis server on
PATH, and writes ``benchmarks/results/crowd.md``.
"""

import asyncio
import contextlib
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.components.fleet import fresh
from metron_async import AsyncMetron
from metron_async.storage import Decided, Loaded, RedisStorage, SQLiteStorage
from metron_async.testing import FakeMetron

RESULTS = Path(__file__).parents[1] / "results" / "crowd.md"
MINUTES = 8.0
WARM = 80.0  # seconds
CROWDS = (("redis", 32), ("directory", 16))


class Seen(NamedTuple):
    """What became of one crowd."""

    share: float
    throttled: int
    looks: float


def counted(kind: type[Any]) -> Counter[str]:
    """Count the transactions of a class of storages from now on, under ``"looks"``."""
    counts: Counter[str] = Counter()
    real = kind.transact

    async def transact(
        self: Any, account: str, address: str, decide: Callable[[Loaded], Decided[Any]]
    ) -> Any:
        counts["looks"] += 1
        return await real(self, account, address, decide)

    kind.transact = transact
    return counts


async def work(url: str, place: str, number: int, until: float) -> None:
    """Ask for one issue after another; print responses, transactions and seconds."""
    counts = counted(RedisStorage if place.startswith("redis") else SQLiteStorage)
    began, done = time.time(), 0
    async with AsyncMetron("reader-token", base_url=url, storage=place, cache=None) as metron:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(until - time.time()):
                while True:
                    await metron.issues.get(1 + number * 500 + done)
                    done += 1
    print(json.dumps([done, counts["looks"], time.time() - began]))


async def crowd(kind: str, count: int, minutes: float) -> Seen:
    """Let *count* processes ask for *minutes*."""
    fake = FakeMetron(issues=count * 500)
    fake.latency = (0.05, 0.3)
    with fresh(kind) as place:
        async with fake.serve() as url:
            until = str(time.time() + minutes * 60)
            command = [sys.executable, "-m", "benchmarks.components.crowd", "--work", url, place]
            workers = [
                await asyncio.create_subprocess_exec(
                    *command, str(number), until, stdout=asyncio.subprocess.PIPE
                )
                for number in range(count)
            ]
            await asyncio.sleep(WARM)
            before, began = len(fake.requests), time.time()
            await asyncio.sleep((minutes - 2) * 60)  # whole minutes: slots come in bursts
            sent, seconds = len(fake.requests) - before, time.time() - began
            told = [json.loads((await worker.communicate())[0]) for worker in workers]
    # Two transactions belong to each request; the others are looks while waiting.
    looks = max((all_of_them - 2 * done) / alive for done, all_of_them, alive in told)
    return Seen(sent / (20 * seconds / 60), fake.throttled, looks)


async def main(minutes: float) -> int:
    """Measure both crowds, and write."""
    lines = [
        "# Many processes on one storage\n",
        f"Made by `python -m benchmarks.components.crowd`, {minutes:g} minutes.\n",
        "| storage | processes | share of the quota | 429s | looks a second, most of a process |",
        "|---|---:|---:|---:|---:|",
    ]
    met = True
    crowds = await asyncio.gather(*(crowd(kind, count, minutes) for kind, count in CROWDS))
    for (kind, count), seen in zip(CROWDS, crowds, strict=True):
        lines.append(
            f"| {kind} | {count} | {seen.share:.1%} | {seen.throttled} | {seen.looks:.2f} |"
        )
        met &= seen.share >= 0.93 and not seen.throttled and seen.looks <= 1
    print("\n".join(lines))
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0 if met else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        asyncio.run(work(sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5])))
    else:
        sys.exit(asyncio.run(main(float(sys.argv[1]) if sys.argv[1:] else MINUTES)))
