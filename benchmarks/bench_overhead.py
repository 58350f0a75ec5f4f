"""CPU time of one GET through the client, beside a bare httpx call; and what an import costs.

Everything runs against FakeMetron in a process of its own, over a real socket, with its quota
lifted, so that only work is measured and no waiting. CPU time is this process's, of all threads.
The rounds of the three ways alternate, and medians of the rounds are compared.

Run it with ``python benchmarks/bench_overhead.py``.
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
from collections.abc import Awaitable, Callable, Iterator

import httpx
import msgspec

from metron_async import AsyncMetron
from metron_async.quota import MemoryStore

ISSUES = 20_000
CALLS = 300
ROUNDS = 9


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


async def cpu_per_call(call: Callable[[int], Awaitable[object]], ids: Iterator[int]) -> float:
    """Return the CPU seconds that one of many calls took."""
    before = time.process_time()
    for number in itertools.islice(ids, CALLS):
        await call(number)
    return (time.process_time() - before) / CALLS


async def overhead(url: str) -> dict[str, float]:
    """Return the median CPU seconds of a call, by way."""
    counters = [itertools.count(1), itertools.count(1), itertools.count(1)]
    headers = {"Authorization": "Bearer reader-token", "User-Agent": "bare-httpx/1.0"}
    async with (
        httpx.AsyncClient(base_url=url, headers=headers) as bare,
        AsyncMetron("reader-token", base_url=url, cache=None, quota=MemoryStore()) as lean,
        AsyncMetron("reader-token", base_url=url) as default,
    ):

        async def get_bare(number: int) -> object:
            response = await bare.get(f"/api/issue/{number}/")
            return msgspec.json.decode(response.content)

        ways = {"bare": get_bare, "lean": lean.issues.get, "default": default.issues.get}
        times: dict[str, list[float]] = {name: [] for name in ways}
        for call, ids in zip(ways.values(), counters, strict=True):
            await cpu_per_call(call, ids)  # warm up
        for _ in range(ROUNDS):
            for (name, call), ids in zip(ways.items(), counters, strict=True):
                times[name].append(await cpu_per_call(call, ids))
    return {name: statistics.median(values) for name, values in times.items()}


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
        os.environ["XDG_CACHE_HOME"] = home
        found = asyncio.run(overhead(url))
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
