"""The storage in memory, and the one that shares the address with the machine."""

from __future__ import annotations

import asyncio

import pytest
from support.storages import count, fail, peek
from support.virtual import virtual

from metron_async.errors import StorageError
from metron_async.storage import Decided, MemoryStorage, SQLiteStorage
from metron_async.storage.choose import SplitStorage


def test_the_clock_is_the_loops_and_never_goes_back():
    storage = MemoryStorage()

    async def use(seconds):
        before = (await storage.transact("a", "b", peek)).now
        await asyncio.sleep(seconds)
        after = (await storage.transact("a", "b", peek)).now
        assert after - before == pytest.approx(seconds)
        return before, after

    first = virtual(use(1000))
    second = virtual(use(10))
    assert second[0] >= first[1]
    assert repr(storage) == "MemoryStorage()"


async def test_split_storages_share_the_address_and_not_the_account(tmp_path):
    first, second = (
        SplitStorage(MemoryStorage(), SQLiteStorage(tmp_path / "machine")) for _ in range(2)
    )
    assert await first.transact("a", "b", fail("401")) == 1
    assert await second.transact("a", "b", fail("401")) == 2
    assert [(await each.transact("a", "b", peek))[:2] for each in (first, second)] == [
        (b"1", b"401 401")
    ] * 2
    assert await first.transact("a", "b", count) == 2
    assert (await second.transact("a", "b", peek)).account == b"1"
    with pytest.raises(StorageError, match="bytes"):
        await first.transact("a", "b", lambda _: Decided(None, b"x" * 5000, b"402"))
    assert (await first.transact("a", "b", peek))[:2] == (b"2", b"401 401")
    await first.aclose()
    await second.aclose()
    third = SplitStorage(MemoryStorage(), SQLiteStorage(tmp_path / "machine"))
    loaded = await third.transact("a", "b", peek)
    assert loaded[:2] == (None, b"401 401")
    assert "MemoryStorage()" in repr(third)
    await third.aclose()


async def test_tasks_on_a_split_storage_lose_no_updates(tmp_path):
    memory = MemoryStorage()
    storages = [SplitStorage(memory, SQLiteStorage(tmp_path)) for _ in range(3)]

    async def work(storage):
        for _ in range(20):
            await storage.transact("a", "b", fail("403"))

    await asyncio.gather(*(work(storage) for storage in storages for _ in range(2)))
    loaded = await storages[0].transact("a", "b", peek)
    assert loaded.account == b"120"
    assert len(loaded.address.split()) == 120
    for storage in storages:
        await storage.aclose()
