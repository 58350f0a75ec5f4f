"""What a call costs this side: CPU, cache hits, imports, memory.

The quota is lifted, so that only work is measured. Contenders take turns, round after round, and
medians of the rounds are compared. CPU time is the process's, of all its threads.
"""

import itertools
import resource
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.comparison import start
from benchmarks.comparison.contenders import Contender, Ours
from benchmarks.comparison.harness import alone, home, server
from benchmarks.comparison.peers import FOUR, Bare
from benchmarks.components import overhead
from metron_async import AsyncMetron

ROUNDS, CALLS, ROWS = 7, 150, 2000
TURNS, WARM, MINUTE = 20, 5, 55
ISSUES = 20_000


class Lean(Ours):
    """This package without a cache, and with its quota in memory."""

    name = "metron_async, cache=None, quota in memory"

    async def start(self) -> None:
        self.metron = AsyncMetron("reader-token", base_url=self.url, cache=None, storage=":memory:")


async def in_turn(calls: dict[str, Callable[[int], Awaitable[Any]]], many: int) -> dict[str, float]:
    """Return the median CPU microseconds of one call of each, timed in turn; each with new ids."""
    counters = {name: itertools.count(1) for name in calls}
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(ROUNDS + 1):
        for name, call in calls.items():
            cost = await timed(call, list(itertools.islice(counters[name], many)))
            if turn:  # the first is to warm up
                spent[name].append(cost)
    return {name: statistics.median(each) for name, each in spent.items()}


async def timed(call: Callable[[int], Awaitable[Any]], numbers: list[int]) -> float:
    """Return the CPU microseconds of one of these calls."""
    before = time.process_time()
    for number in numbers:
        await call(number)
    return (time.process_time() - before) / len(numbers) * 1e6


async def new_issues(url: str, home: str) -> dict[str, float]:
    """Return the median CPU microseconds of a call that is sent, by contender.

    Each turn starts with an empty quota and an empty cache: no account has ever been seen to send
    more than 60 requests a minute, and a log of a thousand would be a benchmark's own.
    """
    spent: dict[str, list[float]] = {}
    for turn in range(TURNS):
        numbers = range(1 + turn * (WARM + MINUTE), 1 + (turn + 1) * (WARM + MINUTE))
        for kind in (*FOUR, Lean):
            directory = Path(home, f"{kind.__name__}-{turn}")
            directory.mkdir()  # noqa: ASYNC240 - nothing else runs
            async with kind(url, str(directory), None) as client:
                await timed(client.issue, list(numbers[:WARM]))
                cost = await timed(client.issue, list(numbers[WARM:]))
                spent.setdefault(kind.name, []).append(cost)
    return {name: statistics.median(each) for name, each in spent.items()}


async def costs(url: str, home: str) -> dict[str, dict[str, float]]:
    """Return CPU microseconds: a new issue, an issue that is cached, a row of a list."""
    new = await new_issues(url, home)
    clients: dict[str, Contender] = {}
    for kind in (*FOUR, Lean):
        directory = Path(home, kind.__name__)
        directory.mkdir()  # noqa: ASYNC240 - nothing else runs
        clients[kind.name] = await kind(url, str(directory), None).__aenter__()
        for number in range(1, 51):
            await clients[kind.name].issue(number)

    def walk(client: Contender) -> Callable[[int], Awaitable[Any]]:
        async def call(number: int) -> None:  # never the same question twice
            rows = await client.rows("issue", modified_gt=datetime(2000, 1, number, tzinfo=UTC))
            assert len(rows) == ROWS

        return call

    def again(client: Contender) -> Callable[[int], Awaitable[Any]]:
        return lambda number: client.issue(1 + number % 50)

    cached = [client for client in clients.values() if type(client) not in {Bare, Lean}]
    hits = await in_turn({client.name: again(client) for client in cached}, CALLS)
    rows = await in_turn({name: walk(client) for name, client in clients.items()}, 1)
    for client in clients.values():
        await client.__aexit__()
    rows = {name: spent / ROWS for name, spent in rows.items()}
    return {"call": new, "hit": hits, "row": rows}


# -- memory ----------------------------------------------------------------------------------------


def peak() -> float:
    """Return the megabytes that this process has had at most.

    Linux tells them in /proc. What getrusage tells may be the parent's: it survives an exec.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


async def growth(kind: type[Contender], url: str, home: str) -> float:
    """Return by how many megabytes the process grew while it walked all rows, at most."""
    async with kind(url, home, None) as client:
        await client.issue(1)
        before = peak()
        if isinstance(client, Ours):
            number = 0
            async for _ in client.metron.issues.iter():
                number += 1
        else:
            number = await (client.stream() if isinstance(client, Bare) else count(client))
        assert number == ISSUES
        return peak() - before


async def count(client: Contender) -> int:
    """Return how many issues there are; a client without an iterator holds them all at once."""
    return len(await client.rows("issue"))


def memory(url: str) -> dict[str, float]:
    """Return the growth of each."""
    found = {}
    for kind in FOUR:
        with home() as directory:
            found[kind.name] = alone(growth, kind, url, directory)
    return found


def measure() -> dict[str, dict[str, float]]:
    """Measure everything of this module."""
    with home() as directory, server(issues=ROWS) as fake:
        found: dict[str, dict[str, float]] = alone(costs, fake.url, directory, timeout=400)
    # What is promised is measured with nothing else loaded: the peers' modules on the heap make
    # the garbage collector slow, and with it whatever allocates more.
    with home() as directory, server(issues=ROWS * 2) as fake:
        found["overhead"] = alone(overhead.overhead, fake.url, directory, timeout=400)
    with server(issues=ISSUES) as fake:
        found["memory"] = memory(fake.url)
        with home() as directory:
            found |= start.measure(fake.url, directory)
    return found
