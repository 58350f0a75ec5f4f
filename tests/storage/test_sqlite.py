"""The storage in a file: shared, private, patient, and safe when the file is damaged."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import stat
import sys
import threading
import time
import warnings

import pytest
from support.storages import count, fail, peek
from support.suspensions import cancelled_at
from support.systems import needs_posix

from metron_async.errors import ClosedError, MetronWarning
from metron_async.storage import SQLiteStorage, files, sqlite, statefile
from metron_async.storage.clock import Instant


@pytest.fixture
def path(tmp_path):
    return tmp_path / "own" / "state.sqlite3"


@pytest.fixture
async def storage(path):
    storage = SQLiteStorage(path.parent)
    yield storage
    await storage.aclose()


@pytest.fixture(autouse=True)
def forgetful(monkeypatch):
    """Give each test memories of its own."""
    monkeypatch.setattr(sqlite, "_memories", {})


def strict():
    context = warnings.catch_warnings()
    context.__enter__()
    warnings.simplefilter("error")
    return context


async def test_storages_on_one_directory_share_the_state(storage, path):
    other = SQLiteStorage(path.parent)
    assert await storage.transact("a", "b", fail("401")) == 1
    assert await other.transact("a", "b", fail("401")) == 2
    assert await storage.transact("a", "b", fail("401")) == 3
    assert repr(other) == f"SQLiteStorage({str(path.parent)!r})"
    with contextlib.closing(sqlite3.connect(path)) as reader:
        saved = dict(reader.execute("SELECT name, saved FROM state"))
    assert saved["a"] == b"3"
    assert saved["b"].endswith(b"401 401 401")
    await other.aclose()


async def test_the_default_is_the_users_cache_directory(tmp_path):
    storage = SQLiteStorage()
    await storage.transact("a", "b", count)
    await storage.aclose()
    if sys.platform == "linux":
        assert (tmp_path / "user-cache" / "metron_async" / "state.sqlite3").exists()


@needs_posix
async def test_the_file_is_private(storage, path):
    await storage.transact("a", "b", count)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_a_refused_transaction_writes_nothing(storage, path):
    await storage.transact("a", "b", count)
    log = path.with_name("state.sqlite3-wal")
    before = log.stat().st_size
    for _ in range(10):
        await storage.transact("a", "b", peek)
    assert log.stat().st_size == before


# Files that change under a running process.


DAMAGE = {
    "overwritten": lambda path: path.write_bytes(b"This is not a database." * 500),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:700]),
    "emptied": lambda path: path.write_bytes(b""),
    "deleted": lambda path: path.unlink(),
    "a directory": lambda path: (path.unlink(), path.mkdir()),
    "a link": lambda path: (path.unlink(), path.symlink_to("/etc/passwd")),
    "of something else": lambda path: (path.unlink(), other_database(path)),
}


def other_database(path):
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE state (something TEXT)")
    other.close()
    path.chmod(0o600)


@needs_posix
@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.filterwarnings("ignore::metron_async.errors.MetronWarning")
async def test_damaged_files_lose_no_failures(kind, running, storage, path, caplog):
    caplog.set_level("CRITICAL")
    await storage.transact("a", "b", fail("401"))
    if not running:
        await storage.aclose()
    for side in ("-wal", "-shm"):
        path.with_name(path.name + side).unlink(missing_ok=True)
    DAMAGE[kind](path)
    assert await storage.transact("a", "b", fail("403")) == 2
    assert (await storage.transact("a", "b", peek)).address == b"401 403"
    other = SQLiteStorage(path.parent)
    assert (await other.transact("a", "b", peek)).address == b"401 403"
    await other.aclose()


@needs_posix
async def test_a_deleted_directory_is_made_again(storage, path):
    await storage.transact("a", "b", fail("401"))
    epoch = (await storage.transact("a", "b", peek)).epoch
    for file in path.parent.iterdir():
        file.unlink()
    path.parent.rmdir()
    context = strict()
    assert await storage.transact("a", "b", fail("403")) == 2
    context.__exit__(None, None, None)
    assert (await storage.transact("a", "b", peek)).epoch != epoch
    assert path.exists()


async def test_a_file_that_another_process_began_again_shows_in_the_epoch(storage, path):
    await storage.transact("a", "b", fail("401"))
    before = await storage.transact("a", "b", peek)
    for file in path.parent.iterdir():
        file.unlink()
    other = SQLiteStorage(path.parent)
    await other.transact("a", "b", fail("403"))
    after = await storage.transact("a", "b", peek)
    assert after.address == b"403"
    assert after.epoch != before.epoch
    await other.aclose()


async def test_a_deleted_row_loses_no_failures(storage, path):
    await storage.transact("a", "b", fail("401"))
    with sqlite3.connect(path) as other:
        other.execute("DELETE FROM state")
    other.close()
    assert await storage.transact("a", "b", fail("401")) == 2


async def test_a_deleted_write_ahead_log_is_noticed(storage, path):
    await storage.transact("a", "b", fail("401"))
    path.with_name(path.name + "-wal").unlink()
    assert await storage.transact("a", "b", fail("401")) == 2
    other = SQLiteStorage(path.parent)
    assert await other.transact("a", "b", fail("401")) == 3
    await other.aclose()


@pytest.mark.parametrize("value", [b"x" * 9000, "text", 7, None, b""])
async def test_values_that_are_no_states(storage, path, value):
    await storage.transact("a", "b", fail("401"))
    with sqlite3.connect(path) as other:
        other.execute("DROP TABLE state")
        other.execute("CREATE TABLE state (name TEXT PRIMARY KEY, saved BLOB, at REAL)")
        other.executemany("INSERT INTO state VALUES (?, ?, ?)", [(n, value, "z") for n in "ab"])
    other.close()
    loaded = await storage.transact("a", "b", peek)
    assert (loaded.account, loaded.address) == (None, b"401")
    assert await storage.transact("a", "b", fail("401")) == 2


async def test_changed_bytes_make_no_other_time(path):
    """Any byte of the file may be wrong: the clock stays within a day of the real one."""
    storage = SQLiteStorage(path.parent)
    await storage.transact("a", "b", fail("401"))
    await storage.aclose()
    whole = path.read_bytes()
    with sqlite3.connect(path) as reader:
        (anchor,) = reader.execute("SELECT anchor FROM clock").fetchone()
    reader.close()
    begin = whole.index(anchor)
    for place in range(begin, begin + len(anchor), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 8]) + whole[place + 1 :])
        storage = SQLiteStorage(path.parent)
        loaded = await storage.transact("a", "b", peek)
        await storage.aclose()
        assert abs(loaded.now - time.time()) < 86_400


# Locks.


def locked(path):
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    return blocker


async def test_a_locked_file_is_waited_for_and_the_loop_runs_on(storage, path):
    await storage.transact("a", "b", count)
    blocker, held = locked(path), []
    task = asyncio.ensure_future(storage.transact("a", "b", count))
    for _ in range(40):
        began = time.perf_counter()
        await asyncio.sleep(0.005)
        held.append(time.perf_counter() - began)
    assert not task.done()
    blocker.execute("ROLLBACK")
    blocker.close()
    assert await task == 2
    assert sorted(held)[len(held) // 2] < 0.05


async def test_a_wait_for_a_lock_ends_at_the_callers_deadline(storage, path):
    await storage.transact("a", "b", count)
    blocker, began = locked(path), time.perf_counter()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await storage.transact("a", "b", count)
    assert time.perf_counter() - began < 1
    blocker.execute("ROLLBACK")
    blocker.close()
    assert await storage.transact("a", "b", count) == 2


async def test_a_file_locked_for_long_is_left_for_half_a_minute(storage, path, monkeypatch):
    monkeypatch.setattr(sqlite, "PATIENCE", 0.1)
    await storage.transact("a", "b", fail("401"))
    blocker = locked(path)
    with pytest.warns(MetronWarning, match="cannot hold the shared state"):
        assert await storage.transact("a", "b", fail("403")) == 2
    context = strict()
    assert await storage.transact("a", "b", fail("404")) == 3
    blocker.execute("ROLLBACK")
    blocker.close()
    away = (await storage.transact("a", "b", peek)).epoch
    for file in storage._files:
        file.retry_at = 0.1  # as after 30 s
    back = await storage.transact("a", "b", peek)
    assert back.address == b"401"
    assert back.epoch != away
    context.__exit__(None, None, None)


async def test_opening_waits_for_a_locked_file(path, monkeypatch):
    monkeypatch.setattr(files, "OPEN_TIMEOUT", 0.05)
    first = SQLiteStorage(path.parent)
    await first.transact("a", "b", count)
    await first.aclose()
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("PRAGMA locking_mode=EXCLUSIVE")
    blocker.execute("BEGIN EXCLUSIVE")
    storage = SQLiteStorage(path.parent)
    monkeypatch.setattr(statefile, "open_connection", quick_open)
    task = asyncio.ensure_future(storage.transact("a", "b", count))
    await asyncio.sleep(0.3)
    assert not task.done()
    blocker.execute("ROLLBACK")
    blocker.close()
    assert await task == 2
    await storage.aclose()


def quick_open(path, prepare):
    return files.open_connection(path, prepare, busy_timeout=0.01)


async def test_a_full_disk_falls_back(storage, path):
    await storage.transact("a", "b", fail("401"))
    connection = storage._files[0]._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={pages}")

    async def fill():
        for account in range(30):
            await storage.transact(f"account {account}" * 100, "b", fail("401"))

    with pytest.warns(MetronWarning, match="full"):
        await fill()
    assert len((await storage.transact("a", "b", peek)).address.split()) == 31


# Places that cannot be used.


async def test_a_private_directory_stands_in(tmp_path, temporary_directory):
    (tmp_path / "file").write_text("in the way")
    storage = SQLiteStorage(tmp_path / "file")
    with pytest.warns(MetronWarning, match="is used instead") as caught:
        assert await storage.transact("a", "b", fail("401")) == 1
    assert len(caught) == 1
    assert str(temporary_directory) in str(caught[0].message)
    context = strict()
    other = SQLiteStorage(tmp_path / "file")
    other._warned = True
    assert await other.transact("a", "b", fail("401")) == 2
    await other.aclose()
    (tmp_path / "file").unlink()
    storage._files[0].retry_at = 0.1  # as after 30 s
    assert await storage.transact("a", "b", fail("401")) == 2  # with the other's failure
    assert (tmp_path / "file" / "state.sqlite3").exists()
    context.__exit__(None, None, None)
    await storage.aclose()


async def test_each_file_keeps_its_own_clock(tmp_path, temporary_directory, monkeypatch):
    """Else a process that comes back from the other file sees other failures as hours old."""
    (tmp_path / "data").write_text("in the way")
    first = SQLiteStorage(tmp_path / "data")
    with pytest.warns(MetronWarning, match="is used instead"):
        await first.transact("a", "b", count)
    await first.aclose()
    (tmp_path / "data").unlink()
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() - 3600)  # the system's clock is set back
    one, other = SQLiteStorage(tmp_path / "data"), SQLiteStorage(tmp_path / "data")
    for storage in (one, other):
        await storage.transact("a", "b", count)
    monkeypatch.setattr(sqlite, "PATIENCE", 0.0)
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "state.sqlite3")) as backup:
        backup.execute("BEGIN IMMEDIATE")
        with pytest.warns(MetronWarning, match="is used instead"):
            away = await one.transact("a", "b", peek)
    one._files[0].retry_at = 0.1  # as after 30 s
    here, there = [await storage.transact("a", "b", peek) for storage in (one, other)]
    assert away.now - there.now > 3500
    assert abs(here.now - there.now) < 60
    for storage in (one, other):
        await storage.aclose()


@needs_posix
async def test_a_directory_of_others_does_not_stand_in(tmp_path, temporary_directory):
    (tmp_path / "file").write_text("in the way")
    storage = SQLiteStorage(tmp_path / "file")
    directory = storage._files[1].path.parent
    directory.mkdir()
    directory.chmod(0o777)
    with pytest.warns(MetronWarning, match="kept in memory.*writable by other users"):
        assert await storage.transact("a", "b", fail("401")) == 1
    assert await storage.transact("a", "b", fail("401")) == 2
    other = SQLiteStorage(tmp_path / "file")
    other._warned = True
    assert await other.transact("a", "b", fail("401")) == 3  # one memory for the process
    await storage.aclose()
    await other.aclose()


async def test_it_is_tried_again_after_half_a_minute(tmp_path, monkeypatch):
    """The loop's time decides, here a clock that the test drives."""
    (tmp_path / "file").write_text("in the way")
    storage = SQLiteStorage(tmp_path / "file")
    loop, offset = asyncio.get_running_loop(), 0.0
    real = loop.time
    monkeypatch.setattr(loop, "time", lambda: real() + offset)
    with pytest.warns(MetronWarning):
        await storage.transact("a", "b", fail("401"))
    (tmp_path / "file").unlink()
    for offset in (29.0, 31.0):
        await storage.transact("a", "b", fail("401"))
        assert (tmp_path / "file").exists() == (offset > 30)
    await storage.aclose()


async def test_no_home_directory(monkeypatch):
    monkeypatch.setattr(files.platformdirs, "user_cache_dir", lambda _: "~/.cache/metron_async")
    storage = SQLiteStorage()
    assert storage.directory is None
    with pytest.warns(MetronWarning, match="no home directory"):
        assert await storage.transact("a", "b", fail("401")) == 1
    await storage.aclose()


async def test_no_place_at_all(monkeypatch, tmp_path):
    def refuse(*_):
        raise FileNotFoundError

    monkeypatch.setattr("tempfile.gettempdir", refuse)
    (tmp_path / "file").write_text("in the way")
    storage = SQLiteStorage(tmp_path / "file")
    with pytest.warns(MetronWarning, match="kept in memory"):
        assert await storage.transact("a", "b", fail("401")) == 1


async def test_no_threads(monkeypatch, tmp_path):
    def refuse(*_):
        raise RuntimeError("can't start new thread")  # noqa: EM101, TRY003

    monkeypatch.setattr(asyncio, "to_thread", refuse)
    storage = SQLiteStorage(tmp_path)
    with pytest.warns(MetronWarning, match="can't start new thread"):
        assert await storage.transact("a", "b", fail("401")) == 1


async def test_the_fallback_is_no_error_where_warnings_are(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    storage = SQLiteStorage(tmp_path / "file")
    context = strict()
    assert await storage.transact("a", "b", fail("401")) == 1
    context.__exit__(None, None, None)
    assert "cannot hold the shared state" in caplog.text
    await storage.aclose()


# Time.


class Clock:
    """A machine's clocks that a test drives."""

    def __init__(self):
        self.boot, self.steady, self.wall = "first", 1000.0, 1_800_000_000.0

    def __call__(self):
        return Instant(self.boot, self.steady, self.wall)


async def open_with(clock, path):
    storage = SQLiteStorage(path.parent)
    storage._clock._read, storage._clock._read_steady = clock, lambda: clock.steady
    return storage


@pytest.mark.parametrize("restart", [True, False])
async def test_setting_the_system_time_changes_nothing(path, restart):
    clock = Clock()
    storage = await open_with(clock, path)
    before = (await storage.transact("a", "b", count), (await storage.transact("a", "b", peek)).now)
    for set_to in (360.0, -86_400.0):
        clock.wall += set_to
        clock.steady += 2
        if restart:
            await storage.aclose()
            storage = await open_with(clock, path)
        now = (await storage.transact("a", "b", peek)).now
        assert now == before[1] + 2
        before = (None, now)
    await storage.aclose()


@pytest.mark.parametrize(("wall", "passed"), [(60.0, 60.0), (-500.0, 0.0)])
async def test_a_restart_of_the_machine(path, wall, passed):
    clock = Clock()
    storage = await open_with(clock, path)
    clock.steady += 7200
    clock.wall += 7200
    await storage.transact("a", "b", count)
    before = (await storage.transact("a", "b", peek)).now
    await storage.aclose()
    clock.boot, clock.steady, clock.wall = "second", 5.0, clock.wall + wall
    storage = await open_with(clock, path)
    assert (await storage.transact("a", "b", peek)).now == before + passed
    await storage.aclose()


async def test_states_unused_for_a_month_are_deleted(path):
    clock = Clock()
    storage = await open_with(clock, path)
    await storage.transact("old", "b", count)
    clock.steady += 29 * 86_400
    await storage.transact("new", "b", count)
    clock.steady += 2 * 86_400
    await storage.aclose()
    storage = await open_with(clock, path)
    assert (await storage.transact("old", "b", peek)).account is None
    assert (await storage.transact("new", "b", peek)).account == b"1"
    await storage.aclose()


# Cancellation, loops, processes.


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("opened", [True, False])
async def test_cancelling_at_every_await(path, opened, late):
    number = 0
    while True:
        number += 1
        storage = SQLiteStorage(path.parent / str(number))
        if opened:
            await storage.transact("a", "b", count)
            for side in path.parent.joinpath(str(number)).glob("state*"):
                side.unlink()  # so that there is something to wait for
        done = await cancelled_at(number, storage.transact("a", "b", count), late=late)
        async with asyncio.timeout(5):
            assert await storage.transact("a", "b", count) <= 2
        await storage.aclose()
        if done:
            break
    assert number > 1


async def test_cancelling_while_the_file_is_locked(storage, path):
    await storage.transact("a", "b", count)
    for number in range(1, 6):
        blocker = locked(path)
        assert not await cancelled_at(number, storage.transact("a", "b", count))
        blocker.execute("ROLLBACK")
        blocker.close()
        assert await storage.transact("a", "b", count) == number + 1


async def test_cancelling_the_close(path):
    for number in range(1, 4):
        storage = SQLiteStorage(path.parent)
        await storage.transact("a", "b", count)
        await cancelled_at(number, storage.aclose())
        assert await storage.transact("a", "b", count) == 2 * number
        await storage.aclose()


def test_one_object_in_several_loops(tmp_path):
    storage = SQLiteStorage(tmp_path)
    assert [asyncio.run(storage.transact("a", "b", count)) for _ in range(3)] == [1, 2, 3]
    asyncio.run(storage.aclose())


def test_a_loop_that_ends_while_the_file_is_being_opened(tmp_path, monkeypatch):
    begun, go = threading.Event(), threading.Event()

    def slow(path, prepare):
        begun.set()
        go.wait(5)
        return files.open_connection(path, prepare)

    async def give_up():
        task = asyncio.ensure_future(storage.transact("a", "b", count))
        await asyncio.to_thread(begun.wait, 5)
        task.cancel()
        threading.Timer(0.1, go.set).start()

    monkeypatch.setattr(statefile, "open_connection", slow)
    storage = SQLiteStorage(tmp_path)
    asyncio.run(give_up())
    assert asyncio.run(storage.transact("a", "b", count)) == 1
    asyncio.run(storage.aclose())


async def test_closed_while_it_is_being_opened(tmp_path):
    storage = SQLiteStorage(tmp_path)
    task = asyncio.ensure_future(storage.transact("a", "b", count))
    await asyncio.sleep(0)
    await storage.aclose()
    assert await task == 1
    await storage.aclose()


def test_another_loop_while_one_is_waiting(path):
    storage = SQLiteStorage(path.parent)
    asyncio.run(storage.transact("a", "b", count))
    blocker = locked(path)
    outcomes = []

    async def wait():
        outcomes.append(await storage.transact("a", "b", count))

    thread = threading.Thread(target=asyncio.run, args=(wait(),))
    thread.start()
    time.sleep(0.1)
    with pytest.raises(ClosedError):
        asyncio.run(storage.transact("a", "b", count))
    blocker.execute("ROLLBACK")
    blocker.close()
    thread.join()
    assert outcomes == [2]
    assert asyncio.run(storage.transact("a", "b", count)) == 3
    asyncio.run(storage.aclose())


# The write-ahead log.


async def test_the_log_stays_short(storage, path):
    long = b"x" * 4000

    def save(loaded):
        return peek(loaded)._replace(account=long, address=long)

    for _ in range(600):
        await storage.transact("a", "b", save)
        await asyncio.sleep(0.001)
    assert path.with_name("state.sqlite3-wal").stat().st_size < 5_000_000  # 10 MB were written
    assert path.stat().st_size < 200_000


async def test_the_log_of_processes_that_never_close_is_copied_at_the_next_start(path, tmp_path):
    first = SQLiteStorage(path.parent)
    for _ in range(10):
        await first.transact("a", "b", count)
    second = SQLiteStorage(path.parent)
    assert await second.transact("a", "b", count) == 11
    assert path.stat().st_size > 4096  # the tables are in the file itself
    await first.aclose()
    await second.aclose()
