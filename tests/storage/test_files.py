"""The package's own files: private, shared by processes, and replaced when damaged."""

import asyncio
import contextlib
import logging
import os
import pathlib
import sqlite3
import stat
import subprocess
import sys
import threading
import time

import pytest
from support.systems import needs_posix

from metron_async.storage import files as storage
from metron_async.storage.database import open_database
from metron_async.storage.files import (
    OPEN_ERRORS,
    default_directory,
    is_busy,
    is_damage,
    make_private,
    set_aside,
    set_aside_unless_replaced,
)


def prepare(connection):
    connection.execute("CREATE TABLE IF NOT EXISTS notes (text TEXT)")


async def notes(path):
    connection = await open_database(path, prepare)
    try:
        return [row[0] for row in await connection.execute_fetchall("SELECT text FROM notes")]
    finally:
        await connection.close()


async def write(path, text):
    connection = await open_database(path, prepare)
    try:
        await connection.execute("INSERT INTO notes VALUES (?)", (text,))
    finally:
        await connection.close()


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def damaged(path):
    return sorted(each for each in path.parent.iterdir() if ".damaged-" in each.name)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "own" / "file.sqlite3"


def test_files_live_in_the_users_cache_directory(tmp_path):
    if sys.platform == "linux":
        assert default_directory() == tmp_path / "user-cache" / "metron_async"
    assert isinstance(default_directory(), pathlib.Path)


async def test_what_was_written_is_there_again(path):
    await write(path, "one")
    await write(path, "two")
    assert await notes(path) == ["one", "two"]


async def test_it_is_in_wal_mode_and_autocommits(path):
    connection = await open_database(path, prepare)
    (journal,) = await (await connection.execute("PRAGMA journal_mode")).fetchone()
    assert journal == "wal"
    await connection.execute("INSERT INTO notes VALUES ('seen')")
    assert await notes(path) == ["seen"]  # by another connection, without a commit
    await connection.close()


async def test_an_unclosed_database_does_not_keep_the_program_alive(path):
    connection = await open_database(path, prepare)
    thread = getattr(connection, "_thread", connection)
    assert thread.daemon
    await connection.close()


# -- Privacy ------------------------------------------------------------------------------------


@needs_posix
async def test_only_the_owner_can_read(path):
    umask = os.umask(0)
    try:
        await write(path, "mine")
    finally:
        os.umask(umask)
    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700
    assert all(mode(each) == 0o600 for each in path.parent.iterdir())


@needs_posix
async def test_what_others_could_read_is_tightened(path):
    await write(path, "mine")
    path.chmod(0o644)
    assert await notes(path) == ["mine"]
    assert mode(path) == 0o600


@needs_posix
async def test_what_others_could_write_is_set_aside(path):
    await write(path, "whose?")
    path.chmod(0o666)
    assert await notes(path) == []
    assert len(damaged(path)) >= 1


@needs_posix
async def test_links_and_directories_are_refused(path, tmp_path):
    path.parent.mkdir()
    target = tmp_path / "elsewhere"
    target.write_bytes(b"precious")
    path.symlink_to(target)
    with pytest.raises(OPEN_ERRORS):
        await notes(path)
    assert target.read_bytes() == b"precious"
    path.unlink()
    path.mkdir()
    with pytest.raises(OSError, match="not a plain file"):
        await notes(path)


@needs_posix
async def test_other_peoples_files_are_refused(path, monkeypatch):
    await write(path, "theirs")
    monkeypatch.setattr(os, "geteuid", lambda: 12_345)
    with pytest.raises(PermissionError, match="another user"):
        make_private(path)


async def test_a_directory_that_cannot_be_made(tmp_path):
    blocker = tmp_path / "blocker"
    blocker.write_text("a file")
    with pytest.raises(OPEN_ERRORS):
        await notes(blocker / "file.sqlite3")


# -- Damage -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content", [b"no database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 5000]
)
async def test_a_damaged_file_is_set_aside_and_begun_anew(path, content):
    await write(path, "lost")
    path.write_bytes(content)
    assert await notes(path) == []
    assert any(each.read_bytes() == content for each in damaged(path))
    await write(path, "new")
    assert await notes(path) == ["new"]


async def test_what_the_user_of_the_file_does_not_recognise_is_set_aside(path):
    def refuse_once(connection):
        if not calls:
            calls.append(connection)
            raise sqlite3.DatabaseError
        prepare(connection)

    calls = []
    await write(path, "foreign")
    connection = await open_database(path, refuse_once)
    await connection.close()
    assert await notes(path) == []
    assert damaged(path)


async def test_what_is_still_damaged_after_that_is_an_error(path):
    def refuse(_):
        raise sqlite3.DatabaseError

    with pytest.raises(sqlite3.DatabaseError):
        await open_database(path, refuse)


async def test_other_errors_set_nothing_aside(path):
    def broken(_):
        msg = "no such function: X"
        raise sqlite3.OperationalError(msg)

    await write(path, "kept")
    with pytest.raises(sqlite3.OperationalError):
        await open_database(path, broken)
    assert await notes(path) == ["kept"]
    assert not damaged(path)


def test_side_files_go_along(tmp_path):
    path = tmp_path / "f"
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).write_text(suffix or "main")
    aside = set_aside(path)
    assert not path.exists()
    assert aside.read_text() == "main"
    assert aside.with_name(aside.name + "-wal").read_text() == "-wal"
    assert set_aside(path) != aside  # nothing there: nothing to do


def test_a_file_that_was_replaced_meanwhile_is_left_alone(tmp_path):
    path = tmp_path / "f"
    path.write_text("old")
    inode = path.stat().st_ino
    path.rename(tmp_path / "moved")
    assert not set_aside_unless_replaced(path, inode)
    path.write_text("new")
    assert not set_aside_unless_replaced(path, inode)
    assert path.read_text() == "new"
    assert set_aside_unless_replaced(path, path.stat().st_ino)
    assert not path.exists()


def test_errors_are_told_apart():
    assert is_damage(sqlite3.DatabaseError("malformed"))
    assert not is_damage(sqlite3.OperationalError("malformed"))
    assert not is_damage(OSError())
    assert is_busy(sqlite3.OperationalError("database is locked"))
    assert is_busy(sqlite3.OperationalError("database table is busy"))
    assert not is_busy(sqlite3.OperationalError("disk is full"))
    assert not is_busy(OSError("locked"))


@pytest.mark.parametrize("patience", [0, 0.001, 0.02])
def test_who_leaves_while_it_is_opened_leaves_nothing(path, patience):
    opened = []

    def slow(connection):
        time.sleep(0.01)
        opened.append(connection)

    async def leave():
        connection = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                connection = await open_database(path, slow)
        if connection is not None:
            await connection.close()

    before = set(threading.enumerate())
    asyncio.run(leave())
    for thread in set(threading.enumerate()) - before:
        thread.join(10)  # it has done everything, but may not have ended in this very moment
        assert not thread.is_alive()
    for connection in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")


# -- Races --------------------------------------------------------------------------------------


async def test_a_locked_file_is_opened_as_soon_as_it_is_free(path, monkeypatch):
    attempts = []

    def busy(connection):
        attempts.append(1)
        if len(attempts) < 4:
            msg = "database is locked"
            raise sqlite3.OperationalError(msg)
        prepare(connection)

    connection = await open_database(path, busy)
    await connection.close()
    assert len(attempts) == 4
    attempts.clear()
    monkeypatch.setattr(storage, "OPEN_TIMEOUT", 0.0)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        await open_database(path, busy)


async def test_who_holds_the_lock_for_ever_is_not_waited_for(path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(storage, "OPEN_TIMEOUT", 0.05)
    path.parent.mkdir()
    with path.with_name(path.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        began = time.monotonic()
        assert await notes(path) == []
        assert time.monotonic() - began < 5


async def test_a_file_system_without_locks_will_do(path, monkeypatch):
    def refuse(_handle):
        raise OSError

    monkeypatch.setattr(storage, "try_lock", refuse)
    assert await notes(path) == []


def test_many_threads_open_one_new_file(path):
    failures = []

    def use():
        try:
            asyncio.run(write(path, "x"))
        except Exception as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert asyncio.run(notes(path)) == ["x"] * 8
    assert not damaged(path)


PROGRAM = """
import asyncio, pathlib, sys
from metron_async.storage.database import open_database
async def main():
    for n in range(5):
        c = await open_database(pathlib.Path(sys.argv[1] + str(n)), lambda c: c.execute(
            "CREATE TABLE IF NOT EXISTS notes (text TEXT)"))
        await c.execute("INSERT INTO notes VALUES ('x')")
        await c.close()
asyncio.run(main())
"""


def test_many_processes_open_new_files(tmp_path):
    base = str(tmp_path / "file")
    processes = [
        subprocess.Popen([sys.executable, "-c", PROGRAM, base], stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    for process in processes:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said.decode()
    for number in range(5):
        assert asyncio.run(notes(tmp_path / f"file{number}")) == ["x"] * 4


async def test_statements_and_bodies_are_not_logged(path, caplog):
    caplog.set_level(logging.DEBUG)
    await write(path, "s3cret")
    assert "s3cret" not in caplog.text
