"""Files that are removed, and servers that are emptied, under programs that use them.

Whoever comes later makes new ones. From then on all must use the same, or what one of them writes
does not reach what another one keeps.
"""

from __future__ import annotations

import contextlib
import math
import shutil

import pytest
import redis
from support.cache_hardship import NOW, entry_of, key_of

from metron_async import AsyncMetron, Source
from metron_async.cache import RedisCache, SQLiteCache, sqlite
from metron_async.models import PublisherInput
from metron_async.testing import FakeMetron


def remove(what, storage):
    if what == "server":
        with redis.Redis.from_url(storage) as client:
            client.flushall()
    elif what == "directory":
        shutil.rmtree(storage)
    else:
        for path in storage.glob("cache-*"):
            if path.suffix not in {".secret", ".epoch"}:
                path.unlink()


@contextlib.asynccontextmanager
async def programs(storage, monkeypatch):
    """Yield a server, and two programs that share a cache and make each other no requests."""
    monkeypatch.setattr(sqlite, "_LOOK", 0.0)  # so that each operation looks
    fake = FakeMetron(throttle=False)
    fake.add_account("ed", "pw", "tok-ed", editor=True)
    async with contextlib.AsyncExitStack() as stack:

        async def program():
            where = storage if isinstance(storage, str) else storage / "cache-1.sqlite3"
            cache = (RedisCache if isinstance(storage, str) else SQLiteCache)(where)
            options = {"transport": fake.transport(), "storage": ":memory:", "cache": cache}
            metron = AsyncMetron("tok-ed", **options)
            stack.push_async_callback(cache.aclose)
            stack.push_async_callback(metron.aclose)
            return metron

        yield fake, program


@pytest.mark.parametrize("writer", ["older", "newer"])
@pytest.mark.parametrize("what", ["server", "directory", "database"])
async def test_a_write_reaches_every_program_afterwards(
    what, writer, tmp_path, request, monkeypatch
):
    storage = request.getfixturevalue("redis_url") if what == "server" else tmp_path / "own"
    if what != "server":
        storage.mkdir()
    else:
        remove(what, storage)
    async with programs(storage, monkeypatch) as (fake, program):
        older = await program()
        for _ in range(3):
            await older.publishers.get(1)
        if what != "server":
            await older.cache.flush()
        remove(what, storage)
        newer = await program()
        await newer.publishers.get(1)
        await older.publishers.get(1)
        for metron in (older, newer) if what != "server" else ():
            await metron.cache.flush()
        one, other = (older, newer) if writer == "older" else (newer, older)
        await one.publishers.update(1, PublisherInput(name="Renamed"))
        found = await other.publishers.get(1)
        assert (found.name, other.origin_of(found).source) == ("Renamed", Source.NETWORK)
        again = await one.publishers.get(1)
        if what != "server":
            await other.cache.flush()
        sent = len(fake.requests)
        await other.publishers.get(1)
        await one.publishers.get(1)
        assert len(fake.requests) == sent, "both find it in one cache"
        assert again.name == "Renamed"


async def test_a_write_that_finds_the_file_replaced_clears_the_memory_too(tmp_path):
    """The batch looks as well, and what it has found is not to be found again."""
    cache = SQLiteCache(tmp_path / "cache-1.sqlite3")
    await cache.put([entry_of(1)])
    await cache.flush()
    for _ in range(2):
        assert await cache.get(key_of(1)) is not None
    remove("database", tmp_path)
    cache._looks_at = math.inf
    await cache.touch([key_of(2)], NOW)
    await cache.flush()
    assert await cache.get(key_of(1)) is None
    await cache.aclose()


async def test_who_runs_gives_an_emptied_server_its_secret_again(redis_url, monkeypatch):
    async with programs(redis_url, monkeypatch) as (fake, program):
        older = await program()
        await older.publishers.get(1)
        remove("server", redis_url)
        await older.publishers.get(2)
        newer, sent = await program(), len(fake.requests)
        await newer.publishers.get(2)
        assert len(fake.requests) == sent
        assert older.cache.renamed == newer.cache.renamed == 0
