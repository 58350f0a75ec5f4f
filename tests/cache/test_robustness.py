"""What may happen to a file, and is never an error to the caller."""

import asyncio
import contextlib
import logging
import math
import os
import sqlite3
import stat
import sys
import threading
import warnings
from pathlib import Path

import pytest
from support import cache_hardship
from support.cache_hardship import DAMAGE, NOW, entry_of, key_of, sealed
from support.systems import needs_posix

from metron_async.cache import Selector, SQLiteCache, file, schema, sqlite, write_queue, writes
from metron_async.cache.entry import Invalidations
from metron_async.cache.invalidation_token import InvalidationToken
from metron_async.cache.secret import load_secret
from metron_async.errors import MetronWarning
from metron_async.storage import files as storage


@pytest.mark.parametrize("name", DAMAGE)
async def test_a_damaged_file_costs_entries_and_nothing_else(name, tmp_path):
    await cache_hardship.survive(name, tmp_path / "cache.sqlite3")


async def test_a_damaged_file_is_set_aside_and_not_deleted(tmp_path):
    path = tmp_path / "cache.sqlite3"
    path.write_text("my novel")
    cache = SQLiteCache(path)
    assert await cache.get("x") is None
    await cache.aclose()
    (aside,) = tmp_path.glob("*.damaged-*")
    assert aside.read_text() == "my novel"


async def test_an_entry_with_a_changed_body_is_a_miss_and_goes(tmp_path):
    path = tmp_path / "c"
    cache = SQLiteCache(path, memory_bytes=0)
    await cache.put([entry_of(1), entry_of(2)])
    await cache.flush()
    other = sqlite3.connect(path)
    other.execute("UPDATE bodies SET body = 'x' WHERE id = 1")
    other.execute("UPDATE entries SET kind = 'nonsense', stored_at = 'x' WHERE id = 2")
    other.commit()
    other.close()
    assert await cache.get_many([key_of(1), key_of(2)]) == {}
    await cache.flush()
    assert cache.stats.damaged == 2
    assert cache.stats.recovered == 0
    assert await cache.size() == (0, 0)
    await cache.aclose()


async def test_another_layout_is_set_aside(tmp_path):
    path = tmp_path / "c"
    cache = SQLiteCache(path)
    await cache.put([entry_of(1)])
    await cache.aclose()
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 99")
    other.close()
    cache = SQLiteCache(path)
    assert await cache.get(key_of(1)) is None
    await cache.aclose()
    assert list(tmp_path.glob("*.damaged-*"))


async def test_a_file_that_was_removed_is_made_anew(tmp_path):
    path = tmp_path / "cache" / "c"
    cache = SQLiteCache(path)
    await cache.put([entry_of(1)])
    await cache.flush()
    for left in path.parent.iterdir():
        left.unlink()
    await cache.put([entry_of(2)])
    await cache.flush()
    await cache.aclose()
    cache = SQLiteCache(path)
    assert await cache.get(key_of(2)) == entry_of(2)
    await cache.aclose()


async def test_only_the_file_one_had_open_is_set_aside(tmp_path):
    path = tmp_path / "c"
    path.write_text("new and healthy")
    assert not storage.set_aside_unless_replaced(path, path.stat().st_ino + 1)
    assert path.exists()
    assert storage.set_aside_unless_replaced(path, path.stat().st_ino)
    assert not storage.set_aside_unless_replaced(path, 1)


async def test_many_callers_who_meet_damage_recover_once(tmp_path):
    path = tmp_path / "c"
    cache = SQLiteCache(path, memory_bytes=0)
    await cache.put(entry_of(n, body=sealed(n)) for n in range(200))
    await cache.flush()
    cache_hardship._checkpoint(path)
    DAMAGE["zeros, while in use"](path)
    calls = [cache.get(key_of(n)) for n in range(50)]
    calls += [cache.put([entry_of(n + 500)]) for n in range(50)]
    await asyncio.gather(*calls)
    await cache.flush()
    assert cache.stats.recovered == 1
    assert len(list(tmp_path.glob("*.damaged-*-wal"))) <= 1
    assert await cache.get(key_of(501)) == entry_of(501)
    await cache.aclose()


async def test_a_disk_that_damages_everything_is_left_alone(tmp_path):
    path = tmp_path / "c"
    cache = SQLiteCache(path, memory_bytes=0)
    with pytest.warns(MetronWarning, match="was damaged 6 times"):  # noqa: PT031
        for turn in range(9):
            await cache.put([entry_of(turn, body=sealed(turn, size=30_000))])
            await cache.flush()
            cache_hardship._checkpoint(path)
            DAMAGE["zeros, while in use"](path)
            assert await cache.get(key_of(turn)) is None
    assert cache.stats.recovered <= 7
    await cache.aclose()


@pytest.mark.parametrize(
    "obstacle",
    [
        "directory",
        "unwritable",
        *(pytest.param(name, marks=needs_posix) for name in ("link", "fifo", "foreign")),
    ],
)
async def test_where_no_file_can_be_it_is_memory_with_one_warning(obstacle, tmp_path, monkeypatch):
    path = tmp_path / "c"
    target = tmp_path / "target"
    match obstacle:
        case "directory":
            path.mkdir()
        case "link":
            target.write_bytes(b"")
            path.symlink_to(target)
        case "fifo":
            os.mkfifo(path)
        case "unwritable":
            (tmp_path / "file").write_text("")
            path = tmp_path / "file" / "c"
        case "foreign":
            path.write_bytes(b"")
            monkeypatch.setattr(os, "geteuid", lambda: 12345)
    cache = SQLiteCache(path)
    with pytest.warns(MetronWarning, match="memory is used instead") as caught:  # noqa: PT031
        name = await cache.account("x")
        assert await cache.get(key_of(1)) is None
        await cache.put([entry_of(1)])
        await cache.flush()
        assert await cache.get(key_of(1)) == entry_of(1)
        assert await cache.get(key_of(1), reload=True) == entry_of(1)
        await cache.touch([key_of(1)], NOW + 5)
        assert (await cache.get_many([key_of(1)]))[key_of(1)].checked_at == NOW + 5
        assert (await cache.size())[0] == 1
        await cache.invalidate("a", now=NOW)
        assert await cache.get(key_of(1)) is None
        assert await cache.purge() == 0
        assert await cache.account("x") == name
        await cache.clear()
        await cache.aclose()
    assert len(caught) == 1
    assert not target.exists() or target.read_bytes() == b""


async def test_where_warnings_are_errors_the_call_goes_on_all_the_same(tmp_path, caplog):
    (tmp_path / "c").mkdir()
    cache = SQLiteCache(tmp_path / "c")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert await cache.get("x") is None
    assert "memory is used instead" in caplog.text
    await cache.aclose()


async def test_a_full_disk_loses_entries_but_no_drop(tmp_path):
    path = tmp_path / "c"
    cache = SQLiteCache(path, memory_bytes=0)
    await cache.put([entry_of(n, body=sealed(n)) for n in range(50)])
    await cache.flush()
    pages = 0

    async def limit(db):
        nonlocal pages
        ((pages,),) = await db.execute_fetchall("PRAGMA page_count")
        await db.execute_fetchall(f"PRAGMA max_page_count = {pages}")

    await cache._files.database.write(limit)
    with pytest.warns(MetronWarning, match="full"):  # noqa: PT031
        await cache.put([entry_of(n, body=sealed(n)) for n in range(50, 100)])
        await cache.flush()
    assert await cache.get(key_of(60)) is None
    assert (await cache.get(key_of(1))).body == sealed(1)  # reading goes on
    assert cache.stats.errors >= 1
    await cache.invalidate("a", object_id=1, now=NOW)
    assert await cache.get(key_of(1)) is None
    await cache.aclose()


async def test_a_drop_that_the_file_refuses_is_believed_and_made_up_for(tmp_path, monkeypatch):
    cache = SQLiteCache(tmp_path / "c", memory_bytes=0)
    await cache.put([entry_of(n) for n in range(3)])
    await cache.flush()
    real = writes.apply

    async def refuse(*args, **kwargs):
        raise sqlite3.OperationalError("database or disk is full")  # noqa: EM101, TRY003

    monkeypatch.setattr("metron_async.cache.write_queue.apply", refuse)
    with pytest.warns(MetronWarning):  # noqa: PT031
        await cache.invalidate("a", object_id=0, now=NOW)
        await cache.delete([key_of(1)])
    assert set(await cache.get_many(key_of(n) for n in range(3))) == {key_of(2)}
    monkeypatch.setattr("metron_async.cache.write_queue.apply", real)
    await cache.touch([key_of(2)], NOW)
    await cache.aclose()
    cache = SQLiteCache(tmp_path / "c")
    assert set(await cache.get_many(key_of(n) for n in range(3))) == {key_of(2)}
    await cache.purge(older_than=1, now=NOW)
    await cache.aclose()


async def test_a_busy_file_is_tried_again_and_no_reason_to_warn(tmp_path, monkeypatch):
    cache = SQLiteCache(tmp_path / "c", memory_bytes=0)
    await cache.put([entry_of(1)])
    await cache.flush()
    real, failures = writes.apply, [1, 1]

    async def busy(*args, **kwargs):
        if failures:
            failures.pop()
            raise sqlite3.OperationalError("database is locked")  # noqa: EM101, TRY003
        return await real(*args, **kwargs)

    monkeypatch.setattr("metron_async.cache.write_queue.apply", busy)
    await cache.put([entry_of(2)])
    await cache.flush()
    assert await cache.get(key_of(2)) == entry_of(2)
    failures += [1] * 3
    await cache.put([entry_of(3)])
    await cache.flush()
    assert await cache.get(key_of(3)) is None
    assert cache.stats.errors == 1
    await cache.aclose()


async def test_a_reader_does_not_wait_for_another_processes_write(tmp_path):
    cache = SQLiteCache(tmp_path / "c", memory_bytes=0)
    await cache.put([entry_of(1)])
    await cache.flush()
    other = sqlite3.connect(tmp_path / "c", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    await cache.put([entry_of(2)])  # its write waits for the other's lock
    async with asyncio.timeout(2):
        assert await cache.get(key_of(1)) == entry_of(1)
        assert await cache.get(key_of(2)) == entry_of(2)
    other.execute("COMMIT")
    other.close()
    await cache.flush()
    assert await cache.get(key_of(2)) == entry_of(2)
    await cache.aclose()


async def test_cancelled_calls_leave_nothing_open(tmp_path):
    cache = SQLiteCache(tmp_path / "c", memory_bytes=0)
    await cache.put([entry_of(0)])
    await cache.flush()
    await cache.get(key_of(1))
    for turn in range(60):
        calls = [
            asyncio.ensure_future(call)
            for call in (
                cache.put([entry_of(turn, body=sealed(turn, size=20_000))]),
                cache.get(key_of(turn)),
                cache.get_many(key_of(n) for n in range(turn)),
                cache.invalidate("b", now=NOW),
                cache.flush(),
            )
        ]
        for _ in range(turn % 12):
            await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
    await cache.flush()
    assert not cache._files.database._ready["writer"].in_transaction
    assert not cache._files.database._ready["reader"].in_transaction
    other = SQLiteCache(tmp_path / "c", memory_bytes=0)
    await other.put([entry_of(1)])
    await other.flush()
    assert other.stats.errors == cache.stats.errors == 0
    await other.aclose()
    await cache.aclose()


async def test_a_first_caller_who_leaves_does_not_stop_the_opening(tmp_path):
    cache = SQLiteCache(tmp_path / "c")
    first = asyncio.ensure_future(cache.get(key_of(1)))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(cache.get(key_of(1)))
    first.cancel()
    assert await second is None
    await cache.aclose()


LEAVING = """
import asyncio, sys
sys.path.insert(0, sys.argv[2])
from support.cache_hardship import entry_of
from metron_async.cache import SQLiteCache

async def leave():
    cache = SQLiteCache(sys.argv[1])
    await cache.put([entry_of(0)])
    await cache.flush()
    await cache.put(entry_of(n) for n in range(1, 200))
    for _ in range(int(sys.argv[3])):
        await asyncio.sleep(0.0005)

asyncio.run(leave())
"""


@pytest.mark.parametrize("pauses", [0, 1, 5])
async def test_a_program_that_ends_without_closing_leaves_the_file_whole(tmp_path, pauses):
    beside = str(Path(cache_hardship.__file__).parents[1])
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LEAVING, str(tmp_path / "c"), beside, str(pauses),
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await process.wait() == 0  # and it does end: no thread keeps it alive
    cache = SQLiteCache(tmp_path / "c")
    assert await cache.get(key_of(0)) == entry_of(0)
    assert len(await cache.get_many(key_of(n) for n in range(1, 200))) in {0, 199}
    assert cache.stats.damaged == cache.stats.recovered == cache.stats.errors == 0
    await cache.aclose()


async def test_a_large_put_waits_for_the_file(tmp_path):
    cache = SQLiteCache(tmp_path / "c", memory_bytes=0)
    await cache.put([entry_of(n, body=bytes(1 << 20)) for n in range(10)])
    assert cache._queue.get(key_of(1)) is None
    assert len((await cache.get(key_of(9))).body) == 1 << 20
    await cache.aclose()


async def test_uses_are_noted_in_batches_and_at_close(tmp_path):
    cache = SQLiteCache(tmp_path / "c")
    await cache.put(entry_of(n) for n in range(600))
    await cache.flush()
    for n in range(511):
        await cache.get(key_of(n))
    assert cache._queue._task is None  # no write for a hit
    await cache.get(key_of(511))
    assert cache._queue._task is not None
    await cache.get(key_of(599))
    await cache.aclose()
    other = sqlite3.connect(tmp_path / "c")
    uses = dict(other.execute("SELECT object_id, used FROM entries"))
    other.close()
    assert uses[598] < uses[0] < uses[599]


# -- several processes ---------------------------------------------------------------------------


def test_racing_to_open_a_new_file(tmp_path):
    outcome = cache_hardship.race_to_open(tmp_path, processes=4, rounds=10)
    assert outcome["errors"] == outcome["lost"] == 0


def test_reading_and_writing_from_several_processes(tmp_path):
    outcome = cache_hardship.mixed_load(tmp_path / "c", processes=3, seconds=2, writes=0.3)
    assert outcome["errors"] == outcome["torn"] == 0
    assert outcome["reads"] > 100


@needs_posix
async def test_sudden_death_while_writing(tmp_path):
    outcome = await cache_hardship.kill_while_writing(tmp_path / "c", times=2)
    assert outcome["damaged"] == 0
    assert outcome["entries seen"] > 0


# -- the small files -----------------------------------------------------------------------------


def test_racers_agree_on_one_secret(tmp_path):
    path = tmp_path / "c.secret"
    barrier, found = threading.Barrier(8), []

    def race():
        barrier.wait()
        found.append(load_secret(path))

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@needs_posix
@pytest.mark.parametrize("spoil", ["short", "readable by others", "no hard links"])
def test_a_spoilt_secret_is_replaced(spoil, tmp_path, monkeypatch):
    path = tmp_path / "c.secret"
    old = load_secret(path)
    match spoil:
        case "short":
            path.write_bytes(b"x")
        case "readable by others":
            path.chmod(0o644)
        case "no hard links":

            def refuse(*_args):
                raise OSError

            monkeypatch.setattr(os, "link", refuse)
            path.unlink()
    new = load_secret(path)
    assert new != old
    assert load_secret(path) == new
    assert list(tmp_path.iterdir()) == [path]


@needs_posix
def test_a_secret_that_cannot_be_trusted_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "c.secret"
    load_secret(path)
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(OSError):  # noqa: PT011
        load_secret(link)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(PermissionError):
        load_secret(path)
    monkeypatch.undo()
    monkeypatch.setattr("metron_async.cache.secret._read", lambda _path: None)
    with pytest.raises(OSError, match="cannot be created"):
        load_secret(path)


def test_an_epoch_that_cannot_be_used_never_changes(tmp_path):
    (tmp_path / "dir").mkdir()
    token = InvalidationToken(tmp_path / "dir")
    token.open()
    token.renew()
    assert token.read() == b""
    token = InvalidationToken(tmp_path / "e")
    token.open()
    one = token.read()
    token.open()
    assert token.read() == one
    token.renew()
    assert token.read() != one
    os.close(token._handle)
    assert token.read() != token.read()  # unknown: forget each time
    with pytest.raises(OSError):  # noqa: PT011
        token.renew()


@needs_posix
async def test_what_others_could_write_is_set_aside_unread(tmp_path):
    path = tmp_path / "c"
    cache = SQLiteCache(path)
    await cache.put([entry_of(1)])
    await cache.aclose()
    path.chmod(0o666)
    cache = SQLiteCache(path)
    assert await cache.get(key_of(1)) is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await cache.aclose()
    path.chmod(0o644)
    cache = SQLiteCache(path)
    await cache.get(key_of(1))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await cache.aclose()


@needs_posix
@pytest.mark.parametrize(("before", "after"), [(0o777, 0o755), (0o1777, 0o1777), (0o775, 0o775)])
async def test_a_directory_that_all_can_write_to_is_tightened(tmp_path, before, after):
    directory = tmp_path / "shared"
    directory.mkdir()
    directory.chmod(before)
    cache = SQLiteCache(directory / "c")
    await cache.put([entry_of(1)])
    await cache.aclose()
    assert stat.S_IMODE(directory.stat().st_mode) == after


@needs_posix
async def test_a_directory_that_all_can_write_to_is_refused_if_it_is_not_ours(
    tmp_path, monkeypatch
):
    directory = tmp_path / "shared"
    directory.mkdir()
    directory.chmod(0o777)
    monkeypatch.setattr("os.geteuid", lambda: directory.stat().st_uid + 1)
    cache = SQLiteCache(directory / "c")
    with pytest.warns(MetronWarning, match="writable by other users"):
        await cache.put([entry_of(1)])
    await cache.flush()
    assert not (directory / "c").exists()
    await cache.aclose()


async def test_bodies_do_not_reach_debug_logs(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    cache = SQLiteCache(tmp_path / "c")
    await cache.put([entry_of(1, body=b"very private")])
    await cache.flush()
    await cache.get(key_of(1), reload=True)
    await cache.aclose()
    assert "private" not in caplog.text


async def test_an_entry_that_was_overtaken_long_ago_is_forgotten(tmp_path):
    invalidations = Invalidations()
    selector = Selector(account="a")
    invalidations.add(selector, NOW)
    invalidations.add(selector, NOW + 10)
    assert invalidations.drops(entry_of(1))
    invalidations.add(selector, NOW + 5000)
    assert len(invalidations) == 1


async def test_tables_are_made_by_one_of_those_who_race(tmp_path, monkeypatch):
    """All or none: a process that dies half way leaves no half-made file."""
    connection = sqlite3.connect(tmp_path / "c", isolation_level=None)
    monkeypatch.setattr(schema, "_TABLES", schema._TABLES + "CREATE TABLE entries (x);\n")
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        schema.prepare(connection)
    assert not connection.in_transaction
    assert connection.execute("SELECT * FROM sqlite_master").fetchall() == []
    monkeypatch.undo()
    ready = iter([False, True])
    monkeypatch.setattr(schema, "_is_ready", lambda _connection: next(ready))
    schema.prepare(connection)
    connection.close()


async def test_a_failure_to_read_leads_to_opening_anew(tmp_path):
    cache = SQLiteCache(tmp_path / "c", memory_bytes=0)
    await cache.put([entry_of(1)])
    await cache.flush()
    await cache.get(key_of(1))
    before, failures = cache._files.database._ready["reader"], [1]

    async def work(db):
        if failures:
            failures.pop()
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR | (2 << 8)
            raise error
        return db

    assert await cache._files.database._use("reader", work) is not before
    assert await cache.get(key_of(1)) == entry_of(1)
    assert cache.stats.recovered == 0
    await cache.aclose()


async def test_closing_waits_for_what_is_being_opened(tmp_path):
    cache = SQLiteCache(tmp_path / "c")
    await cache.account("x")
    leaving = asyncio.ensure_future(cache.get(key_of(1)))
    await asyncio.sleep(0)
    leaving.cancel()
    await cache.aclose()
    assert cache._files.database._ready == {}


async def test_damage_met_while_the_other_connection_opens(tmp_path):
    path = tmp_path / "c"
    cache = SQLiteCache(path, memory_bytes=0)
    await cache.put(entry_of(n, body=sealed(n)) for n in range(100))
    await cache.aclose()
    cache = SQLiteCache(path, memory_bytes=0)
    await cache.get(key_of(1))
    cache_hardship._checkpoint(path)
    DAMAGE["zeros, while in use"](path)
    await asyncio.gather(*(cache.get(key_of(n)) for n in range(100)), cache.delete([key_of(2)]))
    await cache.put([entry_of(1)])
    await cache.aclose()
    cache = SQLiteCache(path)
    assert await cache.get(key_of(1)) == entry_of(1)
    await cache.aclose()


async def test_an_opening_that_fails_while_damage_is_dealt_with_is_repeated(tmp_path, monkeypatch):
    path = tmp_path / "c"
    cache = SQLiteCache(path, memory_bytes=0)
    await cache.put(entry_of(n, body=sealed(n)) for n in range(100))
    await cache.aclose()
    cache = SQLiteCache(path, memory_bytes=0)
    await cache.get(key_of(1))
    cache_hardship._checkpoint(path)
    DAMAGE["zeros, while in use"](path)
    open_once, failures, found = storage._open_once, [], threading.Event()

    def fails_once(*args):
        if not failures:
            failures.append(sqlite3.OperationalError("unable to open database file"))
            assert found.wait(10)
            raise failures[0]
        return open_once(*args)

    monkeypatch.setattr(storage, "_open_once", fails_once)
    start_over = cache._files.database._start_over

    async def noted(generation, *, damaged):
        found.set()
        await start_over(generation, damaged=damaged)

    monkeypatch.setattr(cache._files.database, "_start_over", noted)
    await asyncio.gather(*(cache.get(key_of(n)) for n in range(100)), cache.delete([key_of(2)]))
    await cache.put([entry_of(1)])
    await cache.flush()
    assert (failures, cache.stats.errors) == (failures[:1], 0)
    assert (await cache.get(key_of(1)), cache.stats.disk_hits) == (entry_of(1), 2)
    await cache.aclose()


async def test_other_programs_may_hold_the_lock_file(tmp_path, monkeypatch):
    """Nobody is waited for for ever: the lock only makes a rare mishap impossible."""
    monkeypatch.setattr(storage, "OPEN_TIMEOUT", 0.05)
    with storage.opening(tmp_path / "c"):
        cache = SQLiteCache(tmp_path / "c")
        await cache.put([entry_of(1)])
        await cache.flush()
        assert cache.stats.errors == 0
    await cache.aclose()


async def test_file_systems_without_locks_will_do(tmp_path, monkeypatch):
    def refuse(*_args):
        raise OSError

    monkeypatch.setattr(storage, "try_lock", refuse)
    cache = SQLiteCache(tmp_path / "c")
    await cache.put([entry_of(1)])
    await cache.aclose()
    assert cache.stats.errors == 0


async def test_what_is_kept_in_memory_instead_of_a_file_stays_there(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite, "_LOOK", 0.0)
    (tmp_path / "file").write_text("in the way")
    cache = SQLiteCache(tmp_path / "file" / "c")
    with pytest.warns(MetronWarning, match="memory is used instead"):
        await cache.put([entry_of(0)])
    for number in (1, 2):
        await cache.flush()
        await cache.put([entry_of(number)])
    assert [await cache.get(key_of(number)) for number in range(3)] == [*map(entry_of, range(3))]
    await cache.aclose()


async def test_a_file_that_stays_locked_is_no_error(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "OPEN_TIMEOUT", 0.05)
    monkeypatch.setitem(file._BUSY_TIMEOUTS, "reader", 0.01)
    monkeypatch.setitem(file._BUSY_TIMEOUTS, "writer", 0.01)
    other = sqlite3.connect(tmp_path / "c", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    (tmp_path / "c").chmod(0o600)
    cache = SQLiteCache(tmp_path / "c")
    assert await cache.get(key_of(1)) is None
    await cache.put([entry_of(1)])
    assert await cache.get(key_of(1)) == entry_of(1)
    other.execute("COMMIT")
    other.close()
    await cache.flush()
    cache._files.database._retry_at = 0.0
    await cache.put([entry_of(2)])
    await cache.flush()
    assert (await cache.size())[0] >= 1
    await cache.aclose()


@pytest.mark.parametrize("then", ["idle", "closed", "locked"])
async def test_a_drop_that_a_locked_file_refuses_is_not_lost(then, tmp_path, monkeypatch, caplog):
    """Nor does the write that needs it wait for as long as the file is locked."""
    monkeypatch.setitem(file._BUSY_TIMEOUTS, "writer", 0.05)
    monkeypatch.setattr(sqlite, "_PATIENCE", 0.01)
    monkeypatch.setattr(write_queue, "_REPEAT", 0.01)
    monkeypatch.setattr(write_queue, "_FINISH", 0.3)
    one, other = SQLiteCache(tmp_path / "c"), SQLiteCache(tmp_path / "c")
    await one.put([entry_of(1)])
    await one.flush()
    assert await other.get(key_of(1)) is not None
    with contextlib.closing(sqlite3.connect(tmp_path / "c", isolation_level=None)) as backup:
        backup.execute("BEGIN IMMEDIATE")
        await one.invalidate("a", now=NOW + 1)
        assert await one.get(key_of(1)) is None
        await one.flush()
        assert await one.get(key_of(1), reload=True) is None, "it is still owed"
        if then == "locked":
            await one.aclose()
            assert "1 drops could not be written" in caplog.text
    if then == "closed":
        await one.aclose()
    while then == "idle" and one._queue._owed:  # noqa: ASYNC110 - a thread repeats it
        await asyncio.sleep(0.005)
    assert (await other.get(key_of(1)) is None) is (then != "locked")
    for cache in (one, other):
        await cache.aclose()


async def test_who_meets_damage_late_does_not_set_the_new_file_aside(tmp_path):
    path = tmp_path / "c"
    one, other = SQLiteCache(path, memory_bytes=0), SQLiteCache(path, memory_bytes=0)
    await one.put(entry_of(n, body=sealed(n)) for n in range(100))
    await one.flush()
    for cache in (one, other):
        await cache.get(key_of(1))
    other._looks_at = math.inf
    cache_hardship._checkpoint(path)
    DAMAGE["zeros, while in use"](path)
    await one.get_many(key_of(n) for n in range(100))
    await one.put([entry_of(1)])
    await one.flush()
    assert await other.get_many(key_of(n) for n in range(100)) == {key_of(1): entry_of(1)}
    assert one.stats.recovered == other.stats.recovered == 1
    asides = [p for p in tmp_path.glob("*.damaged-*") if not p.name.endswith(("-wal", "-shm"))]
    assert len(asides) == 1
    await one.aclose()
    await other.aclose()


async def test_what_is_being_dropped_is_not_served_from_what_is_being_written(tmp_path):
    cache = SQLiteCache(tmp_path / "c", memory_bytes=0)
    await cache.put([entry_of(1), entry_of(2)])
    dropping = asyncio.ensure_future(cache.invalidate("a", object_id=1, now=NOW))
    await asyncio.sleep(0)
    assert not dropping.done()
    assert await cache.get(key_of(1)) is None
    assert await cache.get(key_of(2)) is not None
    await dropping
    await cache.aclose()
