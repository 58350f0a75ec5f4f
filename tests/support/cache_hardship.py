"""What a cache file has to live through: used by the tests, and at full length by the benchmark."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import multiprocessing
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metron_async.cache import Entry, Kind, Policy, SQLiteCache, make_key

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = 1_800_000_000.0
VERSION = Policy().version


def key_of(number: int, account: str = "a") -> str:
    return make_key(account=account, origin="https://m.test", path=f"/api/issue/{number}/")


def sealed(number: int, *, size: int = 3000, seed: object = None) -> bytes:
    """Return a body that can be checked by itself."""
    rest = random.Random(f"{number}{seed}").randbytes(size)
    return hashlib.sha256(rest).hexdigest().encode() + rest


def is_whole(body: bytes) -> bool:
    return hashlib.sha256(body[64:]).hexdigest().encode() == body[:64]


def entry_of(number: int, **fields: Any) -> Entry:
    account = fields.get("account", "a")
    known: dict[str, Any] = {
        "key": key_of(number, account),
        "account": account,
        "resource": "issue",
        "kind": Kind.DETAIL,
        "object_id": number,
        "status": 200,
        "body": b"%d" % number,
        "stored_at": NOW,
        "checked_at": NOW,
        "sent_at": NOW - 0.1,
        "version": VERSION,
    }
    return Entry(**(known | fields))


# -- damage ------------------------------------------------------------------------------------


def _overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def _sql(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def _foreign(path: Path) -> None:
    path.unlink()
    _sql(path, "CREATE TABLE recipes (name TEXT)", "INSERT INTO recipes VALUES ('soup')")


def _middle(path: Path) -> None:
    size = path.stat().st_size
    _overwrite(path, 3 * 4096, random.Random(1).randbytes(size - 4 * 4096))


BEFORE_OPENING: dict[str, Callable[[Path], object]] = {
    "emptied": lambda path: os.truncate(path, 0),
    "cut in half": lambda path: os.truncate(path, path.stat().st_size // 2),
    "cut within a page": lambda path: os.truncate(path, path.stat().st_size - 100),
    "random bytes": lambda path: path.write_bytes(random.Random(1).randbytes(100_000)),
    "a text file": lambda path: path.write_text("not a database\n" * 500),
    "header overwritten": lambda path: _overwrite(path, 0, b"\0" * 100),
    "pages overwritten": _middle,
    "another database": _foreign,
    "a table dropped": lambda path: _sql(path, "DROP TABLE bodies"),
    "bodies changed": lambda path: _sql(path, "UPDATE bodies SET body = zeroblob(length(body))"),
}
WHILE_IN_USE: dict[str, Callable[[Path], object]] = {
    "zeros, while in use": lambda path: _overwrite(path, 0, b"\0" * path.stat().st_size),
    "cut to one page, while in use": lambda path: os.truncate(path, 4096),
}
DAMAGE = BEFORE_OPENING | WHILE_IN_USE


async def survive(name: str, path: Path, entries: int = 200) -> dict[str, int]:
    """Fill a cache, damage its file, and go on as a caller would; raises if that is noticed."""
    wanted = {key_of(n): entry_of(n, body=sealed(n)) for n in range(entries)}
    cache = SQLiteCache(path, memory_bytes=0)
    await cache.put(wanted.values())
    await cache.flush()
    if name in WHILE_IN_USE:
        assert await cache.get(key_of(1)) == wanted[key_of(1)]
    else:
        await cache.aclose()
    _checkpoint(path)
    DAMAGE[name](path)
    if name not in WHILE_IN_USE:
        cache = SQLiteCache(path, memory_bytes=0)
    lost = 0
    for _ in range(2):
        for key, entry in wanted.items():
            found = await cache.get(key)
            assert found is None or found == entry
            if found is None:
                lost += 1
                await cache.put([entry])
        await cache.aclose()
        cache = SQLiteCache(path, memory_bytes=0)
    assert await cache.get_many(wanted) == wanted
    assert cache.stats.disk_hits == entries
    await cache.aclose()
    return {"lost": lost}


def _checkpoint(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


# -- many processes ----------------------------------------------------------------------------

_context = multiprocessing.get_context("spawn")


def race_to_open(directory: Path, *, processes: int, rounds: int) -> dict[str, int]:
    """Have *processes* open one new file at the same moment, *rounds* times."""
    barrier, results = _context.Barrier(processes), _context.Queue()
    workers = [
        _context.Process(target=_racer, args=(directory, n, rounds, barrier, results))
        for n in range(processes)
    ]
    errors = _run(workers, results)
    found = [asyncio.run(_count(directory / f"{n}.sqlite3", processes)) for n in range(rounds)]
    lost = rounds * processes - sum(found)
    return {"files": rounds, "openings": rounds * processes, "errors": errors, "lost": lost}


def _racer(directory: Path, number: int, rounds: int, barrier: Any, results: Any) -> None:
    errors = 0
    for turn in range(rounds):
        barrier.wait(60)
        errors += asyncio.run(_open_one(directory / f"{turn}.sqlite3", number))
    results.put(errors)


async def _open_one(path: Path, number: int) -> int:
    cache = SQLiteCache(path, memory_bytes=0)
    try:
        await cache.get(key_of(number))
        await cache.put([entry_of(number)])
        await cache.flush()
        missed = await cache.get(key_of(number)) != entry_of(number)
        await cache.account("somebody")
    except Exception:  # noqa: BLE001
        return 1
    finally:
        await cache.aclose()
    return cache.stats.errors + cache.stats.recovered + missed


async def _count(path: Path, entries: int) -> int:
    cache = SQLiteCache(path, memory_bytes=0)
    found = await cache.get_many(key_of(n) for n in range(entries))
    await cache.aclose()
    return len(found)


def mixed_load(path: Path, *, processes: int, seconds: float, writes: float) -> dict[str, int]:
    """Have *processes* read and write the same keys for *seconds*."""
    barrier, results = _context.Barrier(processes), _context.Queue()
    workers = [
        _context.Process(target=_mixer, args=(path, n, seconds, writes, barrier, results))
        for n in range(processes)
    ]
    total = {"reads": 0, "writes": 0, "errors": 0, "torn": 0}
    for worker in workers:
        worker.start()
    for _ in workers:
        for name, value in results.get(timeout=seconds + 60).items():
            total[name] += value
    for worker in workers:
        worker.join()
        total["errors"] += worker.exitcode != 0
    return total


def _mixer(  # noqa: PLR0917
    path: Path, number: int, seconds: float, writes: float, barrier: Any, results: Any
) -> None:
    results.put(asyncio.run(_mix(path, number, seconds, writes, barrier)))


async def _mix(
    path: Path, number: int, seconds: float, writes: float, barrier: Any
) -> dict[str, int]:
    chance = random.Random(number)
    done = {"reads": 0, "writes": 0, "errors": 0, "torn": 0}
    cache = SQLiteCache(path, memory_bytes=0, max_bytes=600_000)  # small: eviction takes part
    barrier.wait(60)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        which = chance.randrange(300)
        if chance.random() < writes:
            body = sealed(which, size=chance.randrange(100, 6000), seed=chance.random())
            await cache.put([entry_of(which, body=body)])
            if done["writes"] % 10 == 0:
                await cache.flush()
            done["writes"] += 1
        else:
            found = await cache.get(key_of(which))
            done["reads"] += 1
            done["torn"] += found is not None and not is_whole(found.body)
    await cache.aclose()
    done["errors"] += cache.stats.errors + cache.stats.recovered
    done["torn"] += cache.stats.damaged
    return done


def _run(workers: list[Any], results: Any) -> int:
    for worker in workers:
        worker.start()
    errors = sum(results.get(timeout=300) for _ in workers)
    for worker in workers:
        worker.join()
        errors += worker.exitcode != 0
    return errors


# -- sudden death ------------------------------------------------------------------------------


async def kill_while_writing(path: Path, *, times: int) -> dict[str, int]:
    """Kill a writing process *times* times, and look at what it left each time."""
    seen = damaged = 0
    for turn in range(times):
        process = subprocess.Popen([sys.executable, __file__, str(path), str(turn)])  # noqa: ASYNC220
        marker = path.with_name(f"{path.name}.started-{turn}")
        while not marker.exists():  # noqa: ASYNC110 - another process's deed, no event tells of it
            await asyncio.sleep(0.01)
        await asyncio.sleep(random.Random(turn).uniform(0.02, 0.2))
        process.send_signal(signal.SIGKILL)
        process.wait()
        cache = SQLiteCache(path, memory_bytes=0)
        found = await cache.get_many(key_of(n) for n in range(500))
        await cache.aclose()
        seen += len(found)
        damaged += sum(not is_whole(entry.body) for entry in found.values())
        damaged += cache.stats.damaged + cache.stats.recovered + cache.stats.errors
    return {"kills": times, "entries seen": seen, "damaged": damaged}


async def _write_forever(path: Path, turn: int) -> None:
    cache = SQLiteCache(path, memory_bytes=0)
    chance = random.Random(turn)
    while True:
        numbers = [chance.randrange(500) for _ in range(20)]
        await cache.put([entry_of(n, body=sealed(n, seed=chance.random())) for n in numbers])
        await cache.flush()
        path.with_name(f"{path.name}.started-{turn}").touch()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_write_forever(Path(sys.argv[1]), int(sys.argv[2])))
