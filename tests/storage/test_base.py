"""What all storages share: the contract, the address's epoch, bounds, and the binding."""

from __future__ import annotations

import asyncio
import os
import threading
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.storages import count, fail, peek

from metron_async.errors import ClosedError, MetronWarning, StorageError
from metron_async.storage import Decided, MemoryStorage, RedisStorage, SQLiteStorage
from metron_async.storage.base import MAX_STATE, Binding, Loaded, States, announce


@pytest.fixture(params=["memory", "sqlite", "redis"])
async def storage(request, tmp_path):
    if request.param == "redis":
        storage = RedisStorage(request.getfixturevalue("redis_server").url)
    else:
        storage = MemoryStorage() if request.param == "memory" else SQLiteStorage(tmp_path / "s")
    yield storage
    await storage.aclose()


async def test_states_are_saved_each_under_its_name(storage):
    assert [await storage.transact("a", "b", count) for _ in range(3)] == [1, 2, 3]
    assert await storage.transact("c", "b", fail("401")) == 1
    assert await storage.transact("a", "b", fail("403")) == 2
    loaded = await storage.transact("a", "b", peek)
    assert (loaded.account, loaded.address) == (b"4", b"401 403")
    assert (await storage.transact("c", "d", peek))[:2] == (b"1", None)


async def test_time_passes(storage):
    first = (await storage.transact("a", "b", peek)).now
    await asyncio.sleep(0.01)
    second = (await storage.transact("a", "b", peek)).now
    assert 0.009 < second - first < 5


async def test_the_epoch_stays(storage):
    await storage.transact("a", "b", fail("401"))
    loaded = await storage.transact("a", "b", peek)
    await storage.transact("a", "b", fail("401"))
    assert (await storage.transact("c", "b", peek)).epoch == loaded.epoch
    assert (await storage.transact("c", "other", peek)).epoch != loaded.epoch


async def test_a_long_state_is_refused(storage):
    await storage.transact("a", "b", fail("401"))
    before = await storage.transact("a", "b", peek)
    for states in [(b"x" * (MAX_STATE + 1), None), (b"1", b"x" * (MAX_STATE + 1))]:
        with pytest.raises(StorageError, match="4097 bytes"):
            await storage.transact("a", "b", lambda _, states=states: Decided(None, *states))
    assert (await storage.transact("a", "b", peek))[:2] == before[:2]
    full = b"x" * MAX_STATE
    await storage.transact("a", "b", lambda _: Decided(None, full, full))
    assert (await storage.transact("a", "b", peek))[:2] == (full, full)


async def test_what_a_decision_raises_comes_out_and_nothing_is_saved(storage):
    def broken(_loaded):
        raise LookupError

    await storage.transact("a", "b", count)
    with pytest.raises(LookupError):
        await storage.transact("a", "b", broken)
    assert await storage.transact("a", "b", count) == 2


async def test_tasks_do_not_lose_updates(storage):
    async def work():
        for _ in range(20):
            await storage.transact("a", "b", count)

    await asyncio.gather(*(work() for _ in range(10)))
    assert await storage.transact("a", "b", count) == 201


async def test_closed_storages_open_again(storage):
    await storage.aclose()
    await storage.transact("a", "b", count)
    await storage.aclose()
    await storage.aclose()
    assert await storage.transact("a", "b", count) == 2


async def test_closing_while_tasks_use_it(storage):
    async def work():
        for _ in range(10):
            await storage.transact("a", "b", count)

    async def close():
        for _ in range(5):
            await storage.aclose()
            await asyncio.sleep(0.001)

    await asyncio.gather(work(), close(), work(), close())
    assert await storage.transact("a", "b", count) == 21


def loaded(jumps=()):
    return Loaded(None, None, 1000.0, b"", jumps)


def test_ages():
    assert loaded().age(990.0) == 10
    assert loaded().age(1001.0) == 0
    jumped = loaded(((900.0, 360.0), (950.0, 10.0)))
    assert [jumped.age(stamp) for stamp in (500.0, 920.0, 990.0)] == [130, 70, 10]


def test_the_last_seen_failures_replace_lost_ones():
    states = States()
    first = states.load("b", None, None, 1.0)
    assert first.address is None
    states.keep("b", first, Decided(None, address=b"one"))
    stored = states.pack(first, Decided(None, address=b"one"))[1]
    again = states.load("b", None, stored, 1.0)
    assert (again.address, again.epoch) == (b"one", first.epoch)
    lost = states.load("b", None, None, 1.0)
    assert lost.address == b"one"
    assert lost.epoch != first.epoch
    assert states.load("other", None, None, 1.0).address is None


@given(st.data())
def test_any_changed_byte_of_the_failures_is_noticed(data):
    states = States()
    first = states.load("b", None, None, 1.0)
    stored = bytearray(states.pack(first, Decided(None, address=b"one"))[1] or b"")
    states.keep("b", first, Decided(None, address=b"one"))
    place = data.draw(st.integers(8, len(stored) - 1))
    stored[place] ^= data.draw(st.integers(1, 255))
    damaged = states.load("b", None, bytes(stored), 1.0)
    assert damaged.address == b"one"
    assert damaged.epoch != first.epoch


@pytest.mark.parametrize("value", [b"", "text", 7, b"x" * 5000, b"short"])
def test_stored_values_that_cannot_be_states(value):
    found = States().load("b", value if value != b"short" else None, value, 1.0)
    assert (found.account, found.address) == (None, None)


def test_warnings_are_logged_where_they_are_errors(caplog):
    announce("one")
    assert "one" in caplog.text
    with pytest.warns(MetronWarning, match="two"):
        announce("two")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        announce("three")
    assert "two" not in caplog.text
    assert "three" not in caplog.text


class Loop:
    def __init__(self):
        self.closed = False

    def is_closed(self):
        return self.closed


def test_the_binding_moves_when_idle(monkeypatch):
    moves = []
    binding, first, second = Binding(moves.append), Loop(), Loop()
    tokens = binding.enter(first), binding.enter(first)
    for token in tokens:
        binding.leave(token)
    assert moves == []
    token = binding.enter(second)
    with pytest.raises(ClosedError, match="event loop"):
        binding.enter(first)
    assert moves == [False]
    second.closed = True  # its tasks will never end
    other = binding.enter(first)
    binding.leave(token)  # one ends after all: it is not one of the first loop's
    with pytest.raises(ClosedError):
        binding.enter(second)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with pytest.raises(ClosedError):
        binding.enter(first)
    binding.leave(other)
    binding.enter(first)
    assert moves == [False, False, True]


def test_threads_take_turns(tmp_path):
    """One storage in the loops of several threads: each transaction is whole, or refused."""
    storage, refused, done = SQLiteStorage(tmp_path), [], []

    def work():
        async def main():
            for _ in range(50):
                try:
                    done.append(await storage.transact("a", "b", count))
                except ClosedError as error:
                    refused.append(error)
                await asyncio.sleep(0)

        asyncio.run(main())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == list(range(1, len(done) + 1))
    assert len(done) + len(refused) == 200
    asyncio.run(storage.aclose())
