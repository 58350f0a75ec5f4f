"""Real processes on one storage: many, killed, stopped, forked, and of two versions."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.storages import count, fail, peek
from support.systems import needs_posix

from metron_async.errors import MetronWarning
from metron_async.storage import RedisStorage, SQLiteStorage, sqlite
from metron_async.storage.choose import choose_storage

WORKER = Path(__file__).with_name("worker.py")


def start(spec, number, *how):
    command = [sys.executable, "-W", "error", str(WORKER), str(spec), str(number), *how]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.fixture(params=["sqlite", "redis"])
def spec(request, tmp_path):
    if request.param == "redis":
        return request.getfixturevalue("redis_server").url
    return str(tmp_path / "shared")


async def state(spec):
    storage = choose_storage(spec, remote=False).storage
    loaded = await storage.transact("a", "b", peek)
    await storage.aclose()
    return loaded.account, loaded.address


async def test_many_processes_lose_no_update(spec):
    workers = [start(spec, 40) for _ in range(6)]
    seen = []
    for worker in workers:
        seen += [int(line) for line in worker.communicate()[0].split()]
        assert worker.returncode == 0
    total = 40 * len(workers)
    assert sorted(seen) == list(range(1, total + 1))
    assert await state(spec) == (b"%d" % total, b"%d" % total)


async def test_killed_processes_leave_whole_states_and_no_lock(spec):
    rng, seen = random.Random(1), []
    for _ in range(4):
        worker = start(spec, 100_000)
        seen.append(worker.stdout.readline())  # it has begun
        await asyncio.sleep(rng.uniform(0, 0.1))
        worker.kill()
        seen += worker.communicate()[0].splitlines(keepends=True)
    reported = max(int(line) for line in seen if line.endswith("\n"))
    account, address = await state(spec)
    assert account == address
    assert reported <= int(account) <= reported + 1


@needs_posix
async def test_a_process_stopped_in_a_transaction(tmp_path, monkeypatch):
    """It holds the lock. The others go on elsewhere, and come back."""
    monkeypatch.setattr(sqlite, "PATIENCE", 0.2)
    storage = SQLiteStorage(tmp_path)
    await storage.transact("c", "b", fail("1"))
    worker = start(tmp_path, 1, "hold")
    assert await asyncio.to_thread(worker.stdout.readline) == "in\n"
    os.kill(worker.pid, signal.SIGSTOP)
    with pytest.warns(MetronWarning, match="locked"):
        assert (await storage.transact("c", "b", peek)).address == b"1"
    os.kill(worker.pid, signal.SIGCONT)
    assert (await asyncio.to_thread(worker.communicate))[0] == "1\n"
    storage._files[0].retry_at = 0.1  # as after 30 s
    assert (await storage.transact("c", "b", peek)).address == b"2"
    await storage.aclose()


@needs_posix
async def test_a_process_that_waits_for_a_stopped_one(tmp_path):
    """A file locked for a while is waited for, and not left."""
    storage = SQLiteStorage(tmp_path)
    await storage.transact("a", "b", peek)
    worker = start(tmp_path, 1, "hold")
    assert await asyncio.to_thread(worker.stdout.readline) == "in\n"
    assert (await storage.transact("a", "b", peek))[:2] == (b"1", b"1")
    await asyncio.to_thread(worker.communicate)
    await storage.aclose()


FORK = """
import asyncio, os, sys
from metron_async.errors import ClosedError
from metron_async.storage import Decided
from metron_async.storage.choose import choose_storage

def count(loaded):
    number = int(loaded.account or b"0") + 1
    return Decided(number, b"%d" % number, b"%d" % number)

storage = choose_storage(sys.argv[1], remote=False).storage

async def use(times):
    for _ in range(times):
        await storage.transact("a", "b", count)

asyncio.run(use(3))
children = []
for _ in range(3):
    child = os.fork()
    if not child:
        asyncio.run(use(20))
        os._exit(0)
    children.append(child)
asyncio.run(use(20))
assert [os.waitpid(child, 0)[1] for child in children] == [0] * 3

async def fork_in_flight():
    blocked = asyncio.ensure_future(use(1))
    while not storage._binding._active:
        await asyncio.sleep(0)
    child = os.fork()
    if not child:
        try:
            asyncio.run(storage.transact("a", "b", count))
        except ClosedError:
            os._exit(7)
        finally:
            os._exit(1)
    await blocked
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7

if not sys.argv[1].startswith("/"):
    asyncio.run(fork_in_flight())
else:
    asyncio.run(use(1))

async def last():
    await use(1)
    await storage.aclose()
asyncio.run(last())
"""


@needs_posix
async def test_forked_processes(spec):
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", FORK, spec], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert (await state(spec))[0] == b"85"


async def test_a_later_version_may_add_to_the_file(tmp_path):
    storage = SQLiteStorage(tmp_path)
    await storage.transact("account-1:me", "address", fail("401"))
    with contextlib.closing(sqlite3.connect(tmp_path / "state.sqlite3")) as later:
        later.execute("ALTER TABLE state ADD COLUMN more TEXT")
        later.execute("ALTER TABLE clock ADD COLUMN more TEXT")
        later.execute("CREATE TABLE other (x)")
        later.execute("UPDATE clock SET anchor = x''")  # as after a restart of the machine
        later.commit()
    assert await storage.transact("account-1:me", "address", fail("403")) == 2
    await storage.aclose()
    storage = SQLiteStorage(tmp_path)
    later = await storage.transact("account-2:me", "address", peek)
    assert (later.account, later.address) == (None, b"401 403")
    assert (await storage.transact("account-1:me", "address", peek)).account == b"2"
    assert [path.name for path in tmp_path.iterdir() if "damaged" in path.name] == []
    await storage.aclose()


async def test_files_of_versions_unused_for_a_month_are_removed(tmp_path):
    tmp_path, month = tmp_path / "own", time.time() - 31 * 86_400
    tmp_path.mkdir()
    of_others = {"quota.sqlite", "cache-of-covers.sqlite3", "library.sqlite3.damaged-1"}
    ours = {"cache-0.sqlite3", "cache-12.sqlite3", "state.sqlite3.damaged-17"}
    for name in of_others | ours:
        for suffix in ("", "-wal"):
            (tmp_path / (name + suffix)).write_bytes(b"x")
            os.utime(tmp_path / (name + suffix), (month, month))
    (tmp_path / "cache-12.sqlite3-wal").touch()  # in use
    storage = SQLiteStorage(tmp_path)
    await storage.transact("a", "b", count)
    names = {path.name.removesuffix("-wal") for path in tmp_path.iterdir()}
    assert names - {"state.sqlite3", "state.sqlite3-shm", "state.sqlite3.lock"} == {
        *of_others, "cache-12.sqlite3"
    }  # fmt: skip
    await storage.aclose()


async def test_redis_clients_of_many_tasks_and_an_unclosed_one(redis_server):
    """What a process leaves open is closed when its loop ends, without a warning."""
    program = (
        "import asyncio, sys\n"
        "from metron_async.storage import RedisStorage, Decided\n"
        "storage = RedisStorage(sys.argv[1])\n"
        "async def main():\n"
        "    await storage.transact('a', 'b', lambda loaded: Decided(None, b'1'))\n"
        "asyncio.run(main())\n"
        "asyncio.run(main())\n"
    )
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-X", "dev", "-W", "error", "-c", program, redis_server.url],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    storage = RedisStorage(redis_server.url)
    assert (await storage.transact("a", "b", peek)).account == b"1"
    await storage.aclose()
