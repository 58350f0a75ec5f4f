"""The SQLite store: shared, private, patient, and safe when its file is not what it should be."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import sys
import threading
import time
import warnings

import pytest

from metron_async.errors import MetronWarning, QuotaStoreError
from metron_async.quota import (
    FallbackStore,
    Limiter,
    Observation,
    RateReading,
    Rules,
    SQLiteStore,
    WindowReading,
    default_store,
)
from metron_async.quota import clock as clock_module
from metron_async.quota.clock import Instant, elapsed, read_clock
from metron_async.quota.state import Acquire, Peek, Settle
from metron_async.types import Priority


class Clock:
    """A machine's clock that a test drives."""

    def __init__(self):
        self.boot, self.steady, self.wall = "first", 1000.0, 1_800_000_000.0

    def __call__(self):
        return Instant(self.boot, self.steady, self.wall)

    def pass_(self, seconds):
        self.steady += seconds
        self.wall += seconds

    def reboot(self, seconds, *, wall=None):
        self.boot += "+"
        self.steady = 5.0
        self.wall += seconds if wall is None else wall


@pytest.fixture(autouse=True)
async def threads_end_with_the_loop():
    """A connection that could not be opened still has its thread tell the loop that it ends."""
    yield
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and any(  # noqa: ASYNC110 - threads set no event
        "_connection_worker_thread" in thread.name for thread in threading.enumerate()
    ):
        await asyncio.sleep(0.001)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def store(tmp_path, clock):
    store = SQLiteStore(tmp_path / "dir" / "quota.sqlite", clock=clock, busy_timeout=0.3)
    yield store
    await store.aclose()


async def spend(store, number, clock, account="me"):
    """Have *number* requests sent and answered."""
    for _ in range(number):
        clock.pass_(0.01)
        lease = time.perf_counter_ns() % 2**48
        assert (await store.apply(account, Acquire(lease, Priority.NORMAL, 8))).granted
        await store.apply(account, Settle(lease))


async def used(store, account="me"):
    reply = await store.apply(account, Peek(Priority.NORMAL))
    return reply.windows[0].used


async def test_stores_on_one_file_share_the_budget(store, tmp_path, clock):
    other = SQLiteStore(tmp_path / "dir" / "quota.sqlite", clock=clock)
    await spend(store, 3, clock)
    await spend(other, 4, clock)
    assert await used(store) == await used(other) == 7
    assert await used(store, "somebody else") == 0
    await other.aclose()


async def test_the_file_is_private_and_names_nobody(store, tmp_path, clock):
    await spend(store, 1, clock, account="stan.lee")
    path = tmp_path / "dir" / "quota.sqlite"
    for file in path.parent.iterdir():
        assert b"stan.lee" not in file.read_bytes()
        if sys.platform != "win32":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "stan" not in repr(store)


async def test_a_restart_in_mid_window_forgets_nothing(store, tmp_path, clock):
    await spend(store, 5, clock)
    await store.aclose()
    clock.pass_(30)
    again = SQLiteStore(tmp_path / "dir" / "quota.sqlite", clock=clock)
    assert await used(again) == 5
    clock.pass_(31)
    assert await used(again) == 0
    await again.aclose()


async def test_a_dead_process_costs_its_lease(store, clock):
    assert (await store.apply("me", Acquire(7, Priority.NORMAL, 8))).granted
    clock.pass_(21)  # nobody renewed it
    reply = await store.apply("me", Peek(Priority.NORMAL))
    assert (reply.in_flight, reply.windows[0].used, reply.windows[1].used) == (0, 1, 1)
    clock.pass_(60)
    assert await used(store) == 0


@pytest.mark.parametrize(
    ("pause", "wall", "left"),
    [
        (30, None, 5),  # a quick reboot: half a minute has passed
        (61, None, 0),
        (30, -500, 5),  # the wall clock went back: nothing has passed, as far as is known
    ],
)
async def test_a_reboot_is_bridged_by_the_wall_clock(store, clock, pause, wall, left):
    await spend(store, 5, clock)
    clock.reboot(pause, wall=wall)
    assert await used(store) == left
    clock.pass_(61)
    assert await used(store) == 0


async def test_stamps_from_the_future_do_not_stay_there(store, clock):
    clock.steady += 1e6
    await spend(store, 5, clock)
    clock.steady -= 1e6
    assert await used(store) == 5
    clock.pass_(61)
    assert await used(store) == 0


async def test_a_locked_file_is_an_error_in_bounded_time(store, tmp_path, clock):
    await spend(store, 1, clock)
    with sqlite3.connect(tmp_path / "dir" / "quota.sqlite", isolation_level=None) as blocker:
        blocker.execute("BEGIN IMMEDIATE")
        began = time.perf_counter()
        with pytest.raises(QuotaStoreError, match="locked"):
            await store.apply("me", Peek(Priority.NORMAL))
        assert time.perf_counter() - began < 3
        blocker.execute("ROLLBACK")
    blocker.close()
    assert await used(store) > 0


async def test_a_full_disk_is_an_error(store, clock):
    await spend(store, 1, clock)
    pages = (await store._connection.execute_fetchall("PRAGMA page_count"))[0][0]
    await store._connection.execute_fetchall(f"PRAGMA max_page_count={pages}")

    async def fill():
        for account in range(300):
            await spend(store, 1, clock, account=str(account))

    with pytest.raises(QuotaStoreError, match="full"):
        await fill()
    assert await used(store) > 0  # who is in already can go on


async def test_no_file_can_be_made(tmp_path):
    (tmp_path / "file").write_text("in the way")
    store = SQLiteStore(tmp_path / "file" / "quota.sqlite")
    with pytest.raises(QuotaStoreError):
        await store.apply("me", Peek(Priority.NORMAL))
    await store.aclose()


async def test_a_damaged_file_is_set_aside(store, tmp_path, clock, caplog):
    await spend(store, 5, clock)
    await store.aclose()
    path = tmp_path / "dir" / "quota.sqlite"
    path.write_bytes(b"This is not a database." * 400)
    assert await used(store) == 0
    assert [file for file in path.parent.iterdir() if "damaged" in file.name]


async def test_damage_while_it_is_open(store, tmp_path, clock):
    await spend(store, 5, clock)
    path = tmp_path / "dir" / "quota.sqlite"
    with path.open("r+b") as file:  # in place: the same file, with garbage in it
        file.write(b"garbage!" * 2048)
    for side in ("-wal", "-shm"):
        with path.with_name(path.name + side).open("r+b") as file:
            file.write(b"\xff" * 32768)
    assert await used(store) in (0, 5)
    await spend(store, 2, clock)


async def test_a_state_that_makes_no_sense_starts_anew(store, tmp_path, clock, caplog):
    await spend(store, 5, clock)
    for garbage in (b"\xc1", b"\x93\xa1a\x00\x9a\x02", b"\x90"):
        with sqlite3.connect(tmp_path / "dir" / "quota.sqlite") as other:
            other.execute("UPDATE quota SET saved = ?", (garbage,))
        other.close()
        assert await used(store) == 0
        assert "starting anew" in caplog.text
        caplog.clear()


async def test_a_deleted_file_is_noticed(store, tmp_path, clock):
    await spend(store, 5, clock)
    for file in (tmp_path / "dir").iterdir():
        file.unlink()
    assert await used(store) == 0
    other = SQLiteStore(tmp_path / "dir" / "quota.sqlite", clock=clock)
    await spend(other, 2, clock)
    assert await used(store) == await used(other)
    await other.aclose()


async def test_a_deleted_row_is_made_anew(store, tmp_path, clock):
    await spend(store, 1, clock)
    with sqlite3.connect(tmp_path / "dir" / "quota.sqlite") as other:
        other.execute("DELETE FROM quota")
    other.close()
    assert await used(store) == 0


async def test_many_openers_at_once(tmp_path, clock):
    stores = [SQLiteStore(tmp_path / "quota.sqlite", clock=clock) for _ in range(10)]
    assert await asyncio.gather(*(used(store) for store in stores)) == [0] * 10
    await spend(stores[0], 3, clock)
    assert await asyncio.gather(*(used(store) for store in stores)) == [3] * 10
    await asyncio.gather(*(store.aclose() for store in stores))


async def test_a_closed_store_opens_again(store, clock):
    await spend(store, 1, clock)
    await store.aclose()
    await store.aclose()
    await spend(store, 1, clock)


async def test_the_default_falls_back_to_memory_with_one_warning(tmp_path):
    (tmp_path / "file").write_text("in the way")
    store = FallbackStore(SQLiteStore(tmp_path / "file" / "quota.sqlite"))
    with pytest.warns(MetronWarning, match="not shared"):
        first = await store.apply("me", Acquire(1, Priority.NORMAL, 8))
    assert first.granted
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not (await store.apply("me", Acquire(2, Priority.NORMAL, 8))).granted  # a probe
    await store.aclose()


async def test_the_default_is_a_file_in_the_cache_directory(tmp_path, monkeypatch):
    monkeypatch.setattr("metron_async.quota.sqlite.default_directory", lambda: tmp_path / "cache")
    store = default_store()
    await store.apply("me", Peek(Priority.NORMAL))
    assert (tmp_path / "cache" / "quota.sqlite").exists()
    await store.aclose()


async def test_limiters_on_one_file_share_slots(tmp_path):
    path = tmp_path / "quota.sqlite"
    stores = [SQLiteStore(path) for _ in range(3)]
    limiters = [Limiter(store, "me") for store in stores]
    answer = Observation(RateReading(WindowReading(20, 10, 59.0), None))

    async def call(limiter):
        ticket = await limiter.acquire(max_wait=5)
        await asyncio.sleep(0.01)
        await limiter.settle(ticket, answer)

    await asyncio.gather(*(call(limiter) for limiter in limiters for _ in range(3)))
    state = await limiters[0].snapshot()
    assert state.burst.remaining <= 11
    assert state.in_flight == 0
    for limiter, store in zip(limiters, stores, strict=True):
        await limiter.aclose()
        await store.aclose()


async def test_a_cancelled_caller_leaves_nothing_behind(tmp_path):
    store = SQLiteStore(tmp_path / "quota.sqlite")
    limiter = Limiter(store, "me")
    for turn in range(30):
        task = asyncio.ensure_future(limiter.acquire())
        await asyncio.sleep(turn * 0.0002)
        task.cancel()
        try:
            ticket = await task
        except asyncio.CancelledError:
            continue
        await limiter.release(ticket)
    async with asyncio.timeout(10):  # what nobody took is given back in the background
        while (state := await limiter.snapshot()).in_flight:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    assert (state.in_flight, state.burst.remaining) == (0, 20)
    await limiter.aclose()
    await store.aclose()


async def test_a_failing_store_fails_the_callers_and_not_the_answers(tmp_path, caplog):
    store = SQLiteStore(tmp_path / "quota.sqlite", busy_timeout=0.1, rules=Rules(lease=0.5))
    limiter = Limiter(store, "me")
    ticket = await limiter.acquire()
    with sqlite3.connect(tmp_path / "quota.sqlite", isolation_level=None) as blocker:
        blocker.execute("BEGIN IMMEDIATE")
        results = await asyncio.gather(
            *(limiter.acquire() for _ in range(5)), return_exceptions=True
        )
        assert {type(result) for result in results} == {QuotaStoreError}
        await limiter.settle(ticket, Observation())
        assert "lease will expire" in caplog.text
        blocker.execute("ROLLBACK")
    blocker.close()
    await limiter.release(await limiter.acquire(max_wait=30))
    await limiter.aclose()
    await store.aclose()


def test_the_machines_clock_runs_forward():
    before, after = read_clock(), read_clock()
    assert before.boot == after.boot
    assert 0 <= elapsed(before, after) < 10


def test_the_clock_without_a_boot_id_and_without_suspend(monkeypatch):
    monkeypatch.setattr("metron_async.quota.clock._boot_id", lambda: None)
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    first, second = read_clock(), read_clock()
    assert first.boot.startswith("since ")
    assert elapsed(first, second) >= 0


def test_a_platform_without_proc(monkeypatch):
    def refuse(*_args):
        raise OSError

    monkeypatch.setattr("pathlib.Path.read_text", refuse)
    assert clock_module._boot_id.__wrapped__() is None
