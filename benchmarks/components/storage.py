"""What a transaction costs on each storage, and whether many processes lose one.

Each cost is the median of ratios that were timed in turn, to hold on a busy machine too:

- SQLite: a pair of transactions (a request is admitted, and settled) against one bare transaction
  of the same bytes, with SQLite's automatic checkpoints, and against a pair with the bytes of a
  fresh account.
- Redis: one transaction that saves, against a bare ``GET``.
- The longest time for which a transaction held the event loop, the best of five runs.
- Processes that do nothing but transactions on one storage: none fails, no update is lost.

Run it: ``python -m benchmarks.components.storage [--quick]``. It prints a Markdown table and
exits with 1 if a target is missed.
"""

import argparse
import asyncio
import itertools
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from redis.asyncio import Redis

from metron_async.storage import Decided, Loaded, RedisStorage, SQLiteStorage
from metron_async.storage.choose import choose_storage
from tests.support import redis_server

FRESH, DAY, ADDRESS = 300, 2000, 200
"""Bytes of an account's state at first, after a day of 5,000 requests, and of an address's."""

GROUP = 400
"""Calls that are timed together, so that SQLite's automatic checkpoints are among them."""

Way = Callable[[], Awaitable[Any]]


class Row(NamedTuple):
    what: str
    value: float
    target: float
    unit: str

    @property
    def met(self) -> bool:
        return self.value <= self.target

    def __str__(self) -> str:
        met = "" if self.met else " (missed)"
        return f"| {self.what} | {self.value:.2f}{self.unit} | {self.target:g}{self.unit}{met} |"


def saving(size: int) -> Callable[[Loaded], Decided[int]]:
    """Return a decision that changes states of *size* and ``ADDRESS`` bytes."""

    def decide(loaded: Loaded) -> Decided[int]:
        number = int.from_bytes((loaded.account or b"\0")[:4], "big") + 1
        begin = number.to_bytes(4, "big")
        return Decided(number, begin + bytes(size - 4), begin + bytes(ADDRESS - 4))

    return decide


async def timed(groups: int, **ways: Way) -> dict[str, list[float]]:
    """Return the seconds that ``GROUP`` calls of each way took, timed in turn, by group."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(groups):
        for name, way in ways.items():
            began = time.perf_counter()
            for _ in range(GROUP):
                await way()
            times[name].append(time.perf_counter() - began)
    return times


def ratio(times: list[float], others: list[float]) -> float:
    """Return the median over the groups of how many times longer *times* are than *others*."""
    return statistics.median(one / other for one, other in zip(times, others, strict=True))


def bare_transactions(path: Path) -> Way:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("CREATE TABLE state (name TEXT PRIMARY KEY, saved BLOB)")
    connection.executemany("INSERT INTO state VALUES (?, x'')", [("account",), ("address",)])
    numbers = itertools.count()

    async def transact() -> None:
        begin = next(numbers).to_bytes(4, "big")  # SQLite writes nothing where nothing changes
        states = begin + bytes(DAY - 4), begin + bytes(ADDRESS - 4)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "SELECT saved FROM state WHERE name IN ('account', 'address')"
        ).fetchall()
        for name, state in zip(("account", "address"), states, strict=True):
            connection.execute("UPDATE state SET saved = ? WHERE name = ?", (state, name))
        connection.execute("COMMIT")

    return transact


async def sqlite_costs(directory: Path, groups: int) -> list[Row]:
    storage = SQLiteStorage(directory / "costs")

    def pair(name: str, size: int) -> Way:
        decide = saving(size)

        async def transact() -> None:
            await storage.transact(name, "address", decide)
            await storage.transact(name, "address", decide)

        return transact

    ways = {
        "bare": bare_transactions(directory / "bare.sqlite3"),
        "day": pair("day", DAY),
        "fresh": pair("fresh", FRESH),
    }
    for way in ways.values():
        await way()
    times = await timed(groups, **ways)
    held = []
    for _ in range(5):
        longest = 0.0
        for _ in range(2 * GROUP):
            began = time.perf_counter()
            await storage.transact("day", "address", saving(DAY))
            longest = max(longest, time.perf_counter() - began)
            await asyncio.sleep(0)
        held.append(longest * 1000)
    await storage.aclose()
    return [
        Row("SQLite: a pair, in bare transactions", ratio(times["day"], times["bare"]), 3, "x"),
        Row(
            "SQLite: a pair after a day, in fresh ones",
            ratio(times["day"], times["fresh"]),
            1.25,
            "x",
        ),
        Row("SQLite: the loop was held", min(held), 10, " ms"),
    ]


async def redis_costs(url: str, groups: int) -> list[Row]:
    storage, client, decide = RedisStorage(url), Redis.from_url(url), saving(DAY)
    await storage.transact("account", "address", decide)
    times = await timed(
        groups,
        get=lambda: client.get("metron_async:account"),
        acquire=lambda: storage.transact("account", "address", decide),
    )
    await storage.aclose()
    await client.aclose()
    return [
        Row("Redis: a transaction, in bare GETs", ratio(times["acquire"], times["get"]), 2.5, "x")
    ]


async def work(spec: str, number: int) -> None:
    """Be one of many processes."""
    storage, decide = choose_storage(spec, remote=False).storage, saving(DAY)
    for _ in range(number):
        await storage.transact("counted", "address", decide)
    await storage.aclose()


async def many(what: str, spec: str, processes: int, number: int) -> list[Row]:
    command = [sys.executable, "-W", "error", __file__, "--work", spec, str(number)]
    workers = [await asyncio.create_subprocess_exec(*command) for _ in range(processes)]
    failed = sum([await worker.wait() != 0 for worker in workers])
    storage = choose_storage(spec, remote=False).storage
    total = await storage.transact("counted", "address", saving(DAY)) - 1
    await storage.aclose()
    return [
        Row(f"{what}: {processes} processes, of which failed", failed, 0, ""),
        Row(f"{what}: updates that were lost", processes * number - total, 0, ""),
    ]


async def main(*, quick: bool) -> bool:
    groups, number = (5, 10) if quick else (15, 50)
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        rows = await sqlite_costs(directory, groups)
        rows += await many("SQLite", str(directory / "many"), 16, number)
        with redis_server.running(directory) as url:
            rows += await redis_costs(url, groups)
            rows += await many("Redis", url, 32, number)
    print("| what | measured | at most |\n|---|---|---|")
    print(*rows, sep="\n")
    return all(row.met for row in rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        asyncio.run(work(options.work[0], int(options.work[1])))
    else:
        sys.exit(not asyncio.run(main(quick=options.quick)))
