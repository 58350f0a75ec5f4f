"""Memory that a walk through 100,000 rows takes, with duplicates detected all the while.

FakeMetron runs in a process of its own; the client's cache is off and its quota in memory, so
that what grows is the walk's own. Memory is what Python allocates, told by tracemalloc, at its
peak over the level after the first ten pages (connections, decoders and code are then warm).

Run it with ``python -m benchmarks.components.iteration``.
"""

from __future__ import annotations

import asyncio
import gc
import time
import tracemalloc

from benchmarks.components.overhead import server
from metron_async import AsyncMetron

ROWS = 100_000
WARM = 1_000


async def walk(url: str) -> tuple[int, float, float]:
    """Return the rows given, the growth in megabytes, and the seconds without tracing."""
    async with AsyncMetron("reader-token", base_url=url, cache=None, storage=":memory:") as metron:
        started = time.perf_counter()
        assert sum([1 async for _ in metron.issues.iter()]) == ROWS
        seconds = time.perf_counter() - started
        tracemalloc.start()
        given = 0
        level = 0
        async for _ in metron.issues.iter():
            given += 1
            if given == WARM:
                gc.collect()
                level = tracemalloc.get_traced_memory()[0]
                tracemalloc.reset_peak()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return given, (peak - level) / 1e6, seconds


def main() -> None:
    """Print the figures."""
    with server(issues=ROWS) as url:
        given, megabytes, seconds = asyncio.run(walk(url))
    print(f"{given:,} rows: memory grew by {megabytes:.1f} MB (target: under 10 MB)")
    print(f"{given / seconds * 60:,.0f} rows a minute")


if __name__ == "__main__":
    main()
