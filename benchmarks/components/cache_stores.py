"""What the cache's stores cost, and what they survive.

Latencies are medians of one run, with a bare aiosqlite round trip (``SELECT 1``) timed in turn
with them, so that ratios hold on a busy machine too. Bodies are a recorded issue's; "decoded"
includes turning them into :class:`~metron_async.models.Issue`. The hardships are those of the
test suite at full length: racing to open, a mixed load, sudden death, a fixed set of damages.

Run it: ``python -m benchmarks.components.cache_stores [--quick]``. It prints a Markdown table,
writes it to ``benchmarks/results/cache.md``, and exits with 1 if a target is missed.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiosqlite
import msgspec

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from support import cache_hardship  # noqa: E402
from support.cache_hardship import entry_of  # noqa: E402

from metron_async.cache import MemoryCache, SQLiteCache  # noqa: E402
from metron_async.models import Issue  # noqa: E402

EXCHANGES = ROOT / "tests" / "data" / "exchanges.json"
ENTRIES = 1000


@dataclass
class Row:
    what: str
    value: str
    target: str
    met: bool


def recorded_issue() -> bytes:
    for exchange in json.loads(EXCHANGES.read_bytes()):
        if exchange["name"] == "issue.get":
            return json.dumps(exchange["response"]["body"]).encode()
    msg = "no recorded issue"
    raise LookupError(msg)


async def timed(rounds: int, **ways: Callable[[int], Awaitable[Any]]) -> dict[str, float]:
    """Return the median of each way in microseconds, timed in turn."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for n in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            await way(n)
            times[name].append((time.perf_counter() - start) * 1e6)
    return {name: statistics.median(spent) for name, spent in times.items()}


async def latencies(directory: Path, rounds: int) -> list[Row]:
    body, decode = recorded_issue(), msgspec.json.Decoder(Issue).decode
    entries = [entry_of(n, body=body) for n in range(ENTRIES)]
    keys = [entry.key for entry in entries]
    path = directory / "latency.sqlite3"
    warm, cold, ram = SQLiteCache(path), SQLiteCache(path, memory_bytes=0), MemoryCache()
    for cache in (warm, ram):
        await cache.put(entries)
    await warm.flush()
    bare = await aiosqlite.connect(path)

    async def read(cache: Any, n: int) -> None:
        entry = await cache.get(keys[n * 7 % ENTRIES])
        decode(entry.body)

    async def undecoded(n: int) -> None:
        assert await cold.get(keys[n * 7 % ENTRIES])

    async def many(n: int) -> None:
        found = await cold.get_many(keys[n * 7 % 900 :][:100])
        for entry in found.values():
            decode(entry.body)
        assert len(found) == 100

    async def ping(_: int) -> None:
        await bare.execute_fetchall("SELECT 1")

    found = await timed(
        rounds,
        ram=lambda n: read(ram, n),
        warm=lambda n: read(warm, n),
        bare=ping,
        cold=undecoded,
        decoded=lambda n: read(cold, n),
    )
    batch = (await timed(max(20, rounds // 20), many=many))["many"] / 100
    await bare.close()
    for cache in (warm, cold):
        await cache.aclose()
    ratio = found["decoded"] / found["bare"]
    return [
        Row("hit in MemoryCache, decoded", f"{found['ram']:.1f} us", "< 60 us", found["ram"] < 60),
        Row("hit in SQLiteCache's memory, decoded", f"{found['warm']:.1f} us", "< 60 us",
            found["warm"] < 60),
        Row("bare aiosqlite round trip", f"{found['bare']:.1f} us", "", met=True),
        Row("hit on disk", f"{found['cold']:.1f} us", "< 400 us", found["cold"] < 400),
        Row("hit on disk, decoded", f"{found['decoded']:.1f} us", "< 400 us",
            found["decoded"] < 400),
        Row("hit on disk, decoded / bare round trip", f"{ratio:.2f}", "<= 2.5", ratio <= 2.5),
        Row("100 keys at once from disk, decoded, each", f"{batch:.1f} us", "< 60 us", batch < 60),
    ]  # fmt: skip


def compression() -> list[Row]:
    """Return whether compressing bodies is useful: it saves disk space, and costs every hit."""
    body = recorded_issue()
    packed = zlib.compress(body, 1)
    start = time.perf_counter()
    for _ in range(2000):
        zlib.decompress(packed)
    spent = (time.perf_counter() - start) / 2000 * 1e6
    value = f"{len(body)} -> {len(packed)} bytes, {spent:.1f} us a hit"
    return [Row("if bodies were compressed (they are not)", value, "", met=True)]


def hardships(directory: Path, quick: bool) -> list[Row]:
    rounds, seconds, kills = (20, 5.0, 2) if quick else (200, 60.0, 10)
    (directory / "race").mkdir()
    race = cache_hardship.race_to_open(directory / "race", processes=8, rounds=rounds)
    load = cache_hardship.mixed_load(directory / "load", processes=4, seconds=seconds, writes=0.3)
    death = asyncio.run(cache_hardship.kill_while_writing(directory / "death", times=kills))
    rows = [
        Row(f"8 processes open one new file, {rounds} times",
            f"{race['errors']} errors, {race['lost']} entries lost", "0",
            race["errors"] == race["lost"] == 0),
        Row(f"4 processes, 30 % writes, {seconds:.0f} s",
            f"{load['reads']} reads, {load['writes']} writes, {load['errors']} errors, "
            f"{load['torn']} torn", "0", load["errors"] == load["torn"] == 0),
        Row(f"{kills} SIGKILLs while writing",
            f"{death['damaged']} damaged of {death['entries seen']}", "0",
            death["damaged"] == 0 and death["entries seen"] > 0),
    ]  # fmt: skip
    survived = 0
    for number, name in enumerate(cache_hardship.DAMAGE):
        lost = asyncio.run(cache_hardship.survive(name, directory / f"damage-{number}"))["lost"]
        survived += 1
        rows.append(Row(f"damage: {name}", f"recovered, {lost} of 200 entries lost", "", met=True))
    rows.append(
        Row("damages recovered from, without an error", f"{survived}", "12", survived == 12)
    )
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter runs")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory(prefix="bench-cache-") as name:
        directory = Path(name)
        rows = asyncio.run(latencies(directory, 500 if quick else 3000))
        rows += compression()
        rows += hardships(directory, quick)
    lines = ["| what | measured | target | met |", "|---|---|---|---|"]
    lines += [f"| {r.what} | {r.value} | {r.target} | {'yes' if r.met else 'NO'} |" for r in rows]
    text = "\n".join(lines) + "\n"
    print(text)
    if not quick:
        (ROOT / "benchmarks" / "results" / "cache.md").write_text(
            "# The cache's stores\n\n" + text, encoding="utf-8"
        )
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
