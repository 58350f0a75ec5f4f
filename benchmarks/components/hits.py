"""Cost of a cached response through the public API, decoded, beside a bare SQLite round trip.

The issue is fetched once from FakeMetron, in process; all that is measured are answers without a
request. From disk means with the memory layer switched off.

Run it with ``python -m benchmarks.components.hits``.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import aiosqlite

from metron_async import AsyncMetron, Source
from metron_async.cache import SQLiteCache
from metron_async.testing import FakeMetron

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ROUNDS = 2_000


async def median(call: Callable[[], Awaitable[object]]) -> float:
    """Return the median seconds of one call."""
    times: list[float] = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        await call()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


async def hits(folder: Path, *, memory_bytes: int) -> float:
    """Return the median seconds of a hit, with that much memory in front of the file."""
    fake = FakeMetron(issues=60)
    cache = SQLiteCache(folder / f"{memory_bytes}.sqlite3", memory_bytes=memory_bytes)
    async with AsyncMetron(fake.token, transport=fake.transport(), cache=cache) as metron:
        await metron.issues.get(7)
        await cache.flush()
        seconds = await median(lambda: metron.issues.get(7))
        again = await metron.issues.get(7)
        origin = metron.origin_of(again)
        assert origin is not None
        assert origin.source is Source.CACHE
        assert metron.stats.requests == 1
    await cache.aclose()
    return seconds


async def bare(folder: Path) -> float:
    """Return the median seconds of one round trip to aiosqlite that fetches a row by its key."""
    async with aiosqlite.connect(folder / "bare.sqlite3") as connection:
        await connection.execute("CREATE TABLE entries (key TEXT PRIMARY KEY, body BLOB)")
        await connection.execute("INSERT INTO entries VALUES ('key', ?)", (b"x" * 3_000,))
        await connection.commit()
        query = "SELECT body FROM entries WHERE key = ?"
        return await median(lambda: connection.execute_fetchall(query, ("key",)))


async def measure() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        memory = await hits(folder, memory_bytes=16 << 20)
        disk = await hits(folder, memory_bytes=0)
        trip = await bare(folder)
    print(f"hit from memory, through the API, decoded: {memory * 1e6:.0f} us (target: under 60)")
    print(f"hit from disk, through the API, decoded: {disk * 1e6:.0f} us (target: under 400)")
    print(f"  {disk / trip:.2f}x one bare round trip of {trip * 1e6:.0f} us (target: at most 2.5x)")


if __name__ == "__main__":
    asyncio.run(measure())
