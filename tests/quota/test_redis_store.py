"""The Redis store against a real server: shared, expiring, patient, and discreet."""

from __future__ import annotations

import asyncio
import socket
import time
import uuid

import pytest

from metron_async.errors import QuotaStoreError
from metron_async.quota import Limiter, Observation, RateReading, Rules, WindowReading
from metron_async.quota.state import Acquire, Peek, Settle
from metron_async.types import Priority

redis = pytest.importorskip("redis.asyncio")
redis_store = pytest.importorskip("metron_async.quota.redis_store")
RedisStore = redis_store.RedisStore


@pytest.fixture
def account():
    return f"user-{uuid.uuid4()}"


@pytest.fixture
async def store(redis_url):
    store = RedisStore(redis_url)
    yield store
    await store.aclose()


async def test_stores_share_the_budget(store, redis_url, account):
    client = redis.Redis.from_url(redis_url)
    other = RedisStore(client)
    assert (await store.apply(account, Acquire(1, Priority.NORMAL, 8))).granted
    assert not (await other.apply(account, Acquire(2, Priority.NORMAL, 8))).granted
    await store.apply(account, Settle(1, burst=(60.0, 59.0, 60.0)))
    assert (await other.apply(account, Acquire(2, Priority.NORMAL, 8))).granted
    assert (await store.apply(account, Peek(Priority.NORMAL))).limits == (60, 5000)
    await other.aclose()
    assert await client.ping()  # a client that was passed in is not closed
    await client.aclose()


async def test_keys_expire_and_name_nobody(redis_url, account):
    store = RedisStore(redis_url, prefix="elsewhere:")
    await store.apply(account, Peek(Priority.NORMAL))
    client = redis.Redis.from_url(redis_url)
    keys = await client.keys("elsewhere:*")
    assert len(keys) == 1
    assert account.encode() not in keys[0]
    assert 86_400 < await client.ttl(keys[0]) < 2 * 86_400
    await client.flushdb()
    await client.aclose()
    await store.aclose()


async def test_a_state_that_makes_no_sense_starts_anew(redis_url, store, account):
    client = redis.Redis.from_url(redis_url)
    await store.apply(account, Acquire(1, Priority.NORMAL, 8))
    for garbage in (b"\xc1", b"nonsense", b"\x91\x63"):
        for key in await client.keys("metron_async:*"):
            await client.set(key, garbage)
        reply = await store.apply(account, Peek(Priority.NORMAL))
        assert reply.in_flight == 0
    await client.flushdb()
    await client.aclose()


async def test_a_flushed_script_is_loaded_again(redis_url, store, account):
    await store.apply(account, Peek(Priority.NORMAL))
    client = redis.Redis.from_url(redis_url)
    await client.script_flush()
    await store.apply(account, Peek(Priority.NORMAL))
    await client.aclose()


async def test_nobody_listens(account):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    store = RedisStore(f"redis://user:secret@127.0.0.1:{port}/0")
    began = time.perf_counter()
    with pytest.raises(QuotaStoreError) as caught:
        await store.apply(account, Peek(Priority.NORMAL))
    assert time.perf_counter() - began < 30
    assert "secret" not in str(caught.value)
    await store.aclose()


async def test_a_server_that_never_answers(account, monkeypatch):
    monkeypatch.setattr(redis_store, "_PATIENCE", 0.2)
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()  # the kernel takes the connection, and nobody answers
        store = RedisStore(f"redis://127.0.0.1:{server.getsockname()[1]}/0")
        began = time.perf_counter()
        with pytest.raises(QuotaStoreError):
            await store.apply(account, Peek(Priority.NORMAL))
        assert time.perf_counter() - began < 4  # not the usual 5 s
        await store.aclose()


async def test_limiters_share_slots_and_a_long_request_keeps_its_lease(redis_url, account):
    stores = [RedisStore(redis_url, rules=Rules(lease=0.6)) for _ in range(2)]
    first, second = (Limiter(store, account) for store in stores)
    answer = Observation(RateReading(WindowReading(20, 19, 60.0), None))
    ticket = await first.acquire()
    waiting = asyncio.ensure_future(second.acquire(max_wait=10))
    await asyncio.sleep(1.5)  # more than twice the lease
    assert not waiting.done()
    assert (await second.snapshot()).in_flight == 1
    await first.settle(ticket, answer)
    other = await waiting
    await second.release(other)
    state = await first.snapshot()
    assert (state.in_flight, state.burst.remaining) == (0, 19)
    for limiter, store in zip((first, second), stores, strict=True):
        await limiter.aclose()
        await store.aclose()
