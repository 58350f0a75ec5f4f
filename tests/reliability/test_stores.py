"""Storages that fail, in the middle of every kind of call.

The storage may fail a call before it is sent, which says so. The cache may not: a cache that fails
has nothing. A storage in a directory that fails goes on elsewhere.
"""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import warnings

import aiosqlite
import pytest
from support.calls import READS, SIZE, WRITES, furnish, plain
from support.scale import scaled
from support.stores import slow_storage
from support.systems import needs_posix
from support.virtual import virtual
from support.world import idle

from metron_async import AsyncMetron, StorageError
from metron_async.cache.file import _BUSY_TIMEOUTS
from metron_async.errors import MetronError, MetronWarning, RateLimitError
from metron_async.storage.files import default_directory
from metron_async.testing import FakeMetron

CALLS = [*READS, *WRITES]


async def truth(fake, run, url="https://metron.cloud"):
    transport = fake.transport("10.0.0.9")
    async with AsyncMetron(
        "editor-token", base_url=url, transport=transport, cache=None
    ) as untroubled:
        return plain(await run(untroubled))


@pytest.mark.parametrize("after", [False, True], ids=["before its work", "after its work"])
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_a_storage_that_fails_once(call, after):
    async def main():
        number = 1
        while await _with_failure(call, number, after=after):
            number += 1
        assert number > 2, "the store was hardly asked"

    virtual(main())


async def _with_failure(call, number, *, after):
    """Let the store fail at its call *number*; return whether there was one."""
    fake = FakeMetron(SIZE)
    store = slow_storage(after=after)
    options = {"transport": fake.transport(), "storage": store, "cache": ":memory:"}
    async with AsyncMetron("editor-token", **options) as metron:
        await furnish(metron)
        shown = call in READS
        if not shown or call.warm:
            await (call.run if shown else call.then)(metron)
        asked, count = store.calls, None if shown else call.count(fake)
        store.fail_at = asked + number
        value, error = None, None
        try:
            value = plain(await call.run(metron))
        except StorageError as refusal:
            error = refusal
        await asyncio.sleep(1)  # settling goes on in the background
        failed = store.calls >= store.fail_at
        store.fail_at = 0
        if shown:
            assert error is not None or value == await truth(fake, call.run)
        else:
            assert call.count(fake) - count == (0 if error else 1)
        assert failed or error is None
        await asyncio.sleep(400)  # a slot that the storage took unheard comes back by itself
        right = await truth(fake, call.run if shown else call.then)
        assert plain(await (call.run if shown else call.then)(metron)) == right
        await idle(metron)
        assert not fake.bans
        assert not fake.throttled
        return failed


def test_a_storage_that_is_gone_sends_nothing_until_it_is_back():
    async def main():
        fake, store = FakeMetron(SIZE), slow_storage()
        async with AsyncMetron("editor-token", transport=fake.transport(), storage=store) as metron:
            await metron.issues.get(1)
            store.dead = True
            for call in CALLS:
                sent = len(fake.requests)
                with pytest.raises(StorageError):
                    await call.run(metron.with_options(refresh=True, stale_if_error=False))
                assert len(fake.requests) == sent
            store.dead = False
            await asyncio.sleep(400)
            assert (await metron.issues.get(2)).id == 2
            await idle(metron)

    virtual(main())


ERRORS = {
    "full": lambda: sqlite3.OperationalError("database or disk is full"),
    "input/output": lambda: _coded(sqlite3.OperationalError("disk I/O error"), 10),
    "malformed": lambda: sqlite3.DatabaseError("database disk image is malformed"),
    "not a database": lambda: sqlite3.DatabaseError("file is not a database"),
    "locked": lambda: sqlite3.OperationalError("database is locked"),
    "no table": lambda: sqlite3.OperationalError("no such table: entry"),
    "no right": lambda: PermissionError(13, "Permission denied"),
}


BRIEF = [("full", True), ("input/output", False), ("malformed", False), ("locked", True)]
BRIEF_CALLS = [READS[1]]


def _coded(error, code):
    error.sqlite_errorcode = code
    return error


class Saboteur:
    """Lets statement number *number* fail, of all connections of this process."""

    def __init__(self, monkeypatch):
        self.fail_at = 0
        self.count = 0
        self.lasting = False
        self.make = None
        honest = aiosqlite.Connection._execute

        async def execute(connection, function, *args, **kwargs):
            if function == connection._conn.close:
                return await honest(connection, function, *args, **kwargs)
            self.count += 1
            if self.fail_at and (
                self.count == self.fail_at or (self.lasting and self.count > self.fail_at)
            ):
                raise self.make()
            return await honest(connection, function, *args, **kwargs)

        monkeypatch.setattr(aiosqlite.Connection, "_execute", execute)

    def plan(self, number, make, *, lasting):
        self.count, self.fail_at, self.make, self.lasting = 0, number, make, lasting


@pytest.mark.timeout(scaled(120, 900))
@pytest.mark.parametrize(
    ("kind", "lasting"), scaled(BRIEF, list(itertools.product(ERRORS, [False, True])))
)
async def test_files_that_fail_at_any_statement(kind, lasting, monkeypatch, caplog, tmp_path):
    """Each call is made with the failure at the first statement, at the second, and so on."""
    caplog.set_level("CRITICAL")
    saboteur = Saboteur(monkeypatch)
    fake = FakeMetron(SIZE, throttle=False)
    for turn, call in enumerate(scaled(BRIEF_CALLS, [READS[1], READS[5], WRITES[1]])):
        for number in itertools.count(1):
            folder = tmp_path / f"{turn}-{number}"
            ended = await _with_sabotage(
                fake, call, folder, lambda n=number: saboteur.plan(n, ERRORS[kind], lasting=lasting)
            )
            reached = saboteur.count >= number
            saboteur.fail_at = 0
            if not reached:
                break
            assert ended
    assert not fake.bans


async def _with_sabotage(fake, call, folder, sabotage):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MetronWarning)
        transport = fake.transport()
        async with AsyncMetron("editor-token", transport=transport, storage=folder) as metron:
            if call in READS and call.warm:
                await call.run(metron)
            count = None if call in READS else call.count(fake)
            sabotage()
            value, error = None, None
            try:
                value = plain(await call.run(metron))
            except MetronError as problem:
                error = problem
            assert error is None or isinstance(error, StorageError | RateLimitError), error
            if call in READS:
                assert error or value == await truth(fake, call.run)
            else:
                assert call.count(fake) - count == (0 if error else 1)
    return True


DAMAGE = {
    "overwritten": lambda path: path.write_bytes(b"no database at all" * 500),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:700]),
    "emptied": lambda path: path.write_bytes(b""),
    "deleted": lambda path: path.unlink(),
    "a directory": lambda path: (path.unlink(), path.mkdir()),
    "a link": lambda path: (path.unlink(), path.symlink_to("/etc/passwd")),
}


@needs_posix
@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.timeout(300)
@pytest.mark.parametrize("running", [False, True], ids=["between two runs", "while in use"])
async def test_files_that_are_damaged(kind, running, caplog, monkeypatch):
    """Both default files; at night first one after the other."""
    # A file that is emptied under its readers looks locked to the writer of the cache.
    monkeypatch.setitem(_BUSY_TIMEOUTS, "writer", 0.2)
    monkeypatch.setattr("metron_async.storage.files.OPEN_TIMEOUT", 0.2)
    caplog.set_level("CRITICAL")
    fake = FakeMetron(SIZE, throttle=False)
    names = ("cache-*.sqlite3", "state.sqlite3")
    async with fake.serve() as url:
        for doomed in [*scaled([], [(name,) for name in names]), names]:
            await _use_damaged(fake, url, doomed, DAMAGE[kind], running=running)
    assert not fake.bans


async def _use_damaged(fake, url, doomed, damage, *, running):
    def strike():
        for pattern in doomed:
            for path in default_directory().glob(pattern):
                for side in ("-wal", "-shm"):
                    path.with_name(path.name + side).unlink(missing_ok=True)
                if path.is_dir():
                    continue
                damage(path)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MetronWarning)
        async with AsyncMetron("editor-token", base_url=url) as metron:
            await metron.issues.get(5)
            if running:
                strike()
                await _works(fake, metron, url)
        if not running:
            strike()
        async with AsyncMetron("editor-token", base_url=url) as metron:
            await _works(fake, metron, url)
    for path in default_directory().iterdir():
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


async def _works(fake, metron, url):
    for call in (READS[0], READS[3], READS[5]):
        assert plain(await call.run(metron)) == await truth(fake, call.run, url)
    assert (await metron.quota()).in_flight == 0
