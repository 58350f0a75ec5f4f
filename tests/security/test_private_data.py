"""Private data that is cached is only for the credentials that fetched it."""

from __future__ import annotations

import contextlib

import pytest
import redis
from support.virtual import virtual

from metron_async import (
    AsyncMetron,
    AuthenticationError,
    BlockedError,
    CacheError,
    MetronError,
    PermissionDeniedError,
    Source,
)
from metron_async._engine import credentials as module
from metron_async.cache import MemoryCache, RedisCache, SQLiteCache
from metron_async.testing import FakeMetron, Fault

USER = "reader"
ITEMS = 60


@pytest.fixture(params=["memory", "file", "redis"])
def caches(request, tmp_path):
    """Makes caches that share their entries, as processes would."""
    shared = MemoryCache(keep_private=True)
    url = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    if url:
        with redis.Redis.from_url(url) as client:
            client.flushall()

    def make():
        if request.param == "memory":
            return shared
        if request.param == "redis":
            return RedisCache(url, keep_private=True)
        return SQLiteCache(tmp_path / "cache.sqlite3", keep_private=True)

    # With a storage that they share, requests are coalesced too.
    make.storage = {"memory": ":memory:", "file": tmp_path, "redis": url}[request.param]
    return make


@contextlib.asynccontextmanager
async def client(fake, caches, *, address="127.0.0.1", **credentials):
    cache = caches()
    transport = fake.transport(address)
    try:
        places = {"storage": caches.storage, "cache": cache}
        async with AsyncMetron(**credentials, transport=transport, **places) as metron:
            yield metron
    finally:
        await cache.aclose()


async def collection(metron, **options):
    """Return what a call gets: a number of items, or the class of an error."""
    try:
        return len(await metron.with_options(**options).collection.iter().collect())
    except MetronError as error:
        return type(error)


async def owner(fake, caches):
    async with client(fake, caches, username=USER, password=fake.accounts[USER].password) as metron:
        assert await collection(metron) == ITEMS
        assert await collection(metron, offline=True) == ITEMS  # it is kept


async def test_a_wrong_password_gets_none_of_it(caches):
    fake = FakeMetron(ITEMS)
    await owner(fake, caches)
    async with client(fake, caches, username=USER, password="wrong") as metron:
        assert await collection(metron, offline=True) is CacheError
        for expected in (AuthenticationError, BlockedError, BlockedError):
            assert await collection(metron) is expected
        assert await collection(metron, fresh_for=3600) is BlockedError
        assert await collection(metron, offline=True) is CacheError


async def test_a_revoked_token_gets_none_of_it_once_the_server_has_said_so(caches):
    fake = FakeMetron(ITEMS)
    async with client(fake, caches, token=fake.token) as metron:
        assert await collection(metron) == ITEMS
        fake.accounts[USER].tokens = ()
        for expected in (AuthenticationError, BlockedError, BlockedError):
            assert await collection(metron) is expected
        assert await collection(metron, fresh_for=3600) is BlockedError
        assert await collection(metron, offline=True) is CacheError
    async with client(fake, caches, token="another") as metron:
        assert await collection(metron, offline=True) is CacheError


async def test_a_user_name_that_is_used_again_gets_none_of_it(caches):
    fake = FakeMetron(ITEMS)
    await owner(fake, caches)
    again = FakeMetron(5)
    again.accounts[USER].password = "that of another user"
    async with client(again, caches, username=USER, password="that of another user") as metron:
        assert await collection(metron, offline=True) is CacheError
        assert await collection(metron, fresh_for=3600) == 5


async def test_a_server_that_fails_still_lets_the_owner_read_it(caches):
    fake = FakeMetron(ITEMS)
    await owner(fake, caches)
    password = fake.accounts[USER].password
    async with client(fake, caches, username=USER, password=password) as metron:
        page = await metron.with_options(offline=True).collection.iter().page(1)
        assert page.origin.source in {Source.CACHE, Source.STALE}
        assert len(page) == ITEMS


async def test_a_write_of_the_owner_drops_it(caches):
    fake = FakeMetron(ITEMS)
    await owner(fake, caches)
    password = fake.accounts[USER].password
    async with client(fake, caches, username=USER, password=password) as metron:
        await metron.collection.remove((await metron.collection.iter().first()).id)
        assert await collection(metron, fresh_for=3600) == ITEMS - 1


def test_a_password_is_hashed_slowly_and_once_a_client(monkeypatch):
    hashed = []
    monkeypatch.setattr(module, "_slow_digest", lambda *given: hashed.append(given) or "digest")
    fake = FakeMetron(5)

    async def main(**options):
        cache = MemoryCache(**options)
        password = fake.accounts[USER].password
        async with AsyncMetron(
            username=USER, password=password, transport=fake.transport(), cache=cache
        ) as metron:
            for _ in range(3):
                await collection(metron)

    virtual(main())
    assert hashed == []
    virtual(main(keep_private=True))
    assert len(hashed) == 1


async def test_after_a_403_nothing_of_it_is_served(caches):
    fake = FakeMetron(ITEMS)
    await owner(fake, caches)
    password = fake.accounts[USER].password
    async with client(fake, caches, username=USER, password=password) as metron:
        fake.faults.add(Fault.status(403))
        assert await collection(metron) is PermissionDeniedError
        assert await collection(metron, offline=True) is CacheError


async def test_a_write_that_is_refused_drops_it_and_one_without_the_right_does_not(caches):
    fake = FakeMetron(ITEMS)
    await owner(fake, caches)
    password = fake.accounts[USER].password
    async with client(fake, caches, username=USER, password=password) as metron:
        fake.faults.add(Fault.status(403))
        with pytest.raises(PermissionDeniedError):
            await metron.collection.remove(1)
        assert await collection(metron, offline=True) == ITEMS
        fake.faults.add(Fault.status(401))
        with pytest.raises(AuthenticationError):
            await metron.collection.remove(1)
        assert await collection(metron, offline=True) is CacheError
