"""CPU time of one GET through the client, beside a bare httpx call; and what an import costs.

Everything runs against FakeMetron in a process of its own, over a real socket, with its quota
lifted, so that only work is measured and no waiting. CPU time is this process's, of all threads.
The rounds of the three ways alternate, and medians of the rounds are compared.

Run it with ``python -m benchmarks.components.overhead``.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

import httpx
import msgspec

from metron_async import AsyncMetron

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

ISSUES = 20_000
CALLS = 55
WARM = 5
ROUNDS = 40


@contextlib.contextmanager
def server(issues: int = ISSUES) -> Iterator[str]:
    """Run FakeMetron without a quota in another process, and yield its URL."""
    command = [sys.executable, "-m", "metron_async.testing", "--port", "0"]
    command += ["--issues", str(issues), "--no-throttle", "--no-bans"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                for word in line.split():
                    if word.startswith("http://"):
                        yield word.rstrip("/")
                        return
        finally:
            process.terminate()


async def cpu_per_call(call: Callable[[int], Awaitable[object]], ids: list[int]) -> float:
    """Return the CPU seconds that one of many calls took."""
    before = time.process_time()
    for number in ids:
        await call(number)
    return (time.process_time() - before) / len(ids)


async def one_round(url: str, number: int) -> dict[str, float]:
    """Return the CPU seconds of a call, by way, in one round.

    Each round has a budget of its own, so that the quota's log is as long as a real one can get
    (60 requests a minute is the most that has been seen), and not as long as a benchmark's.
    """
    headers = {"Authorization": "Bearer reader-token", "User-Agent": "bare-httpx/1.0"}
    ids = itertools.count(1 + number * (CALLS + WARM))
    async with (
        httpx.AsyncClient(base_url=url, headers=headers) as bare,
        AsyncMetron("reader-token", base_url=url, cache=None, storage=":memory:") as lean,
        AsyncMetron("reader-token", base_url=url, account=f"round {number}") as default,
    ):

        async def get_bare(issue: int) -> object:
            response = await bare.get(f"/api/issue/{issue}/")
            return msgspec.json.decode(response.content)

        ways = {"bare": get_bare, "lean": lean.issues.get, "default": default.issues.get}
        numbers = list(itertools.islice(ids, CALLS + WARM))
        for call in ways.values():
            await cpu_per_call(call, numbers[:WARM])
        return {name: await cpu_per_call(call, numbers[WARM:]) for name, call in ways.items()}


async def overhead(url: str, home: str) -> dict[str, float]:
    """Return the median CPU seconds of a call, by way, with the default files below *home*."""
    os.environ["XDG_CACHE_HOME"] = home
    rounds = [await one_round(url, number) for number in range(ROUNDS)]
    return {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}


def import_ratio() -> float:
    """Return the time of importing the package over that of importing httpx and msgspec."""

    def once(statement: str) -> float:
        code = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, env=environment
        )
        return float(done.stdout)

    ours, base = "import metron_async", "import httpx, msgspec"
    once(ours), once(base)
    pairs = [(once(ours), once(base)) for _ in range(11)]
    return statistics.median(a for a, _ in pairs) / statistics.median(b for _, b in pairs)


def main() -> None:
    """Print the ratios."""
    with tempfile.TemporaryDirectory() as home, server() as url:
        found = asyncio.run(overhead(url, home))
    bare = found["bare"]
    print(f"bare httpx + msgspec.json.decode: {bare * 1e6:.0f} us of CPU a call")
    for name, label, target in (
        ("lean", "cache=None, quota in memory", 1.25),
        ("default", "the defaults (SQLite quota, guard and cache)", 2.0),
    ):
        print(f"{label}: {found[name] / bare:.2f}x (target: at most {target}x)")
    print(f"import: {import_ratio():.2f}x of httpx and msgspec (target: at most 1.3x)")


if __name__ == "__main__":
    main()
