"""What the cache in Redis promises beyond what all caches do: several hosts, and bad days."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import signal
import sys
import time
import zlib

import pytest
import redis
from hypothesis import assume, example, given
from hypothesis import strategies as st
from redis.asyncio import Redis
from support import redis_server
from support.cache_hardship import NOW, entry_of, key_of

from metron_async import AsyncMetron
from metron_async.cache import Kind, RedisCache, redis_connection
from metron_async.cache.keys import PENDING
from metron_async.cache.redis_scripts import open_entry, seal, stamp_of
from metron_async.errors import ClosedError, ConfigurationError
from metron_async.testing import FakeMetron

KEYS = [key_of(number) for number in range(100)]


@pytest.fixture
def server(redis_program, tmp_path):
    """A Redis server of the test's own: its URL and its process."""
    port = redis_server.free_port()
    process = redis_server.start(tmp_path, port)
    yield f"redis://127.0.0.1:{port}", process
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.wait()


@contextlib.asynccontextmanager
async def hosts(url, count=2, **options):
    """Yield the caches of several hosts on one server."""
    caches = [RedisCache(url, **options) for _ in range(count)]
    try:
        yield caches
    finally:
        for cache in caches:
            await cache.aclose()


async def until(check):
    """Wait until *check* holds: a server that was stopped needs a moment."""
    async with asyncio.timeout(10):
        while not await check():  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(0.02)


async def fail_to_drop(cache, process, monkeypatch, **what):
    """Drop something while the server stands still, which is given up soon."""
    with monkeypatch.context() as short:
        short.setattr(redis_connection, "_TIMEOUT", 0.1)
        process.send_signal(signal.SIGSTOP)
        await cache.invalidate("a", now=NOW + 1, **what)
    process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def plain(url):
    with redis.Redis.from_url(url) as client:
        yield client


async def test_all_hosts_name_an_account_alike(server):
    async with hosts(server[0]) as (one, other):
        assert await one.account("ann") == await other.account("ann") != await one.account("ben")


async def test_what_one_host_keeps_another_finds_in_one_round_trip(server):
    async with hosts(server[0]) as (one, other):
        await one.put(entry_of(number) for number in range(100))
        await other.get(KEYS[0])
        with plain(server[0]) as client:
            before = client.info("stats")["total_reads_processed"]
            found = await other.get_many(KEYS)
            assert client.info("stats")["total_reads_processed"] - before == 2  # one is this look
        assert list(found) == KEYS


async def test_a_drop_reaches_every_host_before_it_returns(server):
    async with hosts(server[0]) as (one, other):
        await one.put([entry_of(1), entry_of(2)])
        assert await other.get(key_of(1))
        await one.invalidate("a", resource="issue", object_id=1, now=NOW + 1)
        assert await other.get(key_of(1)) is None
        assert await other.get(key_of(2)) is not None


async def test_a_late_response_is_dropped_on_every_host(server):
    async with hosts(server[0]) as (one, other):
        await one.invalidate("a", resource="issue", kinds=[Kind.DETAIL], now=NOW + 10)
        await other.put([entry_of(1, sent_at=NOW + 9), entry_of(2, sent_at=NOW + 11)])
        assert await other.get(key_of(1)) is None
        assert await other.get(key_of(2)) is not None
        assert other.stats.stored == 1


async def test_an_account_is_dropped_without_another(server):
    async with hosts(server[0]) as (one, other):
        await one.put([entry_of(1), entry_of(1, account="b"), entry_of(2, resource="arc")])
        await other.invalidate("a", now=NOW + 1)
        assert await one.get_many([key_of(1), key_of(2)]) == {}
        assert await one.get(key_of(1, "b")) is not None


async def test_an_object_is_dropped_whatever_its_resource(server):
    async with hosts(server[0]) as (one, other):
        await one.put([entry_of(1), entry_of(2)])
        await other.invalidate("a", object_id=2, now=NOW + 1)
        assert list(await one.get_many([key_of(1), key_of(2)])) == [key_of(1)]


async def test_the_bound_holds_and_the_least_recently_used_goes_first(server):
    async with hosts(server[0], max_bytes=40 * 1512) as (one, other):
        for number in range(60):
            await one.put([entry_of(number, body=b"x" * 1000)])
            await other.get(key_of(0))
        count, size = await one.size()
        assert size == count * 1512 <= 40 * 1512
        assert await one.get(key_of(0)) is not None
        assert await one.get(key_of(1)) is None
        assert one.stats.evicted == 60 - count


async def test_what_redis_expired_does_not_count_for_ever(server):
    async with hosts(server[0], max_bytes=10 * 1512) as (one, _):
        for number in range(8):
            await one.put([entry_of(number, body=b"x" * 1000)])
        with plain(server[0]) as client:
            for name in client.scan_iter("*entry:*"):
                client.delete(name)
        for number in range(20, 28):
            await one.put([entry_of(number, body=b"x" * 1000)])
        found = await one.get_many([key_of(number) for number in range(20, 28)])
        assert len(found) == 8


async def test_entries_expire(server):
    async with hosts(server[0]) as (one, _):
        await one.put([entry_of(1)])
        with plain(server[0]) as client:
            (name,) = client.scan_iter("*entry:*")
            assert 0 < client.ttl(name) <= one.policy.max_stale


@pytest.mark.parametrize(
    "damage",
    [
        lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]),
        lambda sealed: sealed[: len(sealed) // 2],
        lambda _: b"",
        lambda _: seal(entry_of(2)),
        lambda sealed: sealed[4:],
        lambda sealed: sealed[:9] + bytes([sealed[9] ^ 1]) + sealed[10:],
        lambda sealed: sealed[:18] + sealed[22:],
    ],
)
async def test_damaged_entries_are_misses_and_go(server, damage):
    async with hosts(server[0]) as (one, _):
        await one.put([entry_of(1)])
        with plain(server[0]) as client:
            (name,) = client.scan_iter("*entry:*")
            client.set(name, damage(client.get(name)))
            assert await one.get(key_of(1)) is None
            assert one.stats.damaged == 1
            assert not client.exists(name)


@pytest.mark.parametrize("head", [b"", b"?" * 18, b"nan".rjust(18)])
def test_an_entry_without_a_time_is_damaged_or_as_old_as_it_was(head):
    found = open_entry(
        key_of(1), head + zlib.crc32(head).to_bytes(4, "big") + seal(entry_of(1))[22:]
    )
    assert found is None or found == entry_of(1)


@given(st.floats(), st.floats())
@example(-0.0, -1.0)
def test_stamps_sort_by_time(one, other):
    assume(not math.isnan(one + other))
    first, second = sorted([one, other])
    assert stamp_of(first) <= stamp_of(second)
    assert len(stamp_of(first)) == 22


async def test_a_server_that_is_away_is_a_miss_and_one_line(server, caplog):
    url, process = server
    caplog.set_level(logging.INFO, "metron_async.cache")
    async with hosts(url) as (one, _):
        await one.put([entry_of(1)])
        process.kill()
        process.wait()
        for _ in range(3):
            assert await one.get(key_of(1)) is None
            await one.put([entry_of(2)])
            await one.invalidate("a", now=NOW)
        assert len(caplog.records) == 1
        assert one.stats.errors == 1


async def test_a_server_that_hangs_costs_at_most_a_second(server):
    url, process = server
    async with hosts(url) as (one, _):
        await one.put([entry_of(1)])
        process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        assert await one.get(key_of(1)) is None
        assert await one.get(key_of(1), reload=True) is None
        await one.put([entry_of(2)])
        await one.touch([key_of(1)], NOW + 1)
        assert time.monotonic() - began < 1.5  # slack for a loaded machine; the bound is 1 s


async def test_a_drop_that_failed_is_made_up_for_before_anything_is_read(server, monkeypatch):
    url, process = server
    monkeypatch.setattr(redis_connection, "_REST", 0.05)
    async with hosts(url) as (one, other):
        await one.put([entry_of(1), entry_of(2)])
        await fail_to_drop(one, process, monkeypatch, resource="issue", object_id=1)
        await until(lambda: one.get(key_of(2)))
        assert await one.get(key_of(1)) is None
        assert await other.get(key_of(1)) is None


@pytest.mark.parametrize("then", ["idle", "closed"])
async def test_a_drop_that_failed_is_made_up_for_without_another_call(server, monkeypatch, then):
    url, process = server
    monkeypatch.setattr(redis_connection, "_REST", 0.05 if then == "idle" else 60.0)
    monkeypatch.setattr(redis_connection, "_REPEAT", 0.05 if then == "idle" else 60.0)
    async with hosts(url) as (one, other):
        await one.put([entry_of(1)])
        assert await other.get(key_of(1)) is not None
        await fail_to_drop(one, process, monkeypatch)
        if then == "closed":
            await one.aclose()
            assert await other.get(key_of(1)) is None

        async def dropped():
            return await other.get(key_of(1)) is None

        await until(dropped)


async def test_drops_that_cannot_be_made_up_for_are_reported_at_the_end(server, caplog):
    url, process = server
    async with hosts(url) as (one, _):
        await one.put([entry_of(1)])
        process.kill()
        process.wait()
        await one.invalidate("a", now=NOW + 1)
        await one.aclose()
    assert "1 drops could not be written" in caplog.text


async def test_too_many_drops_become_one_that_drops_all(server, monkeypatch):
    url, process = server
    monkeypatch.setattr(redis_connection, "_REST", 0.05)
    monkeypatch.setattr(redis_connection, "_TIMEOUT", 0.4)
    monkeypatch.setattr(redis_connection, "_MAX_OWED", 3)
    async with hosts(url) as (one, other):
        await one.put([entry_of(9)])
        process.send_signal(signal.SIGSTOP)
        for number in range(5):
            await one.invalidate("a", resource="issue", object_id=number, now=NOW + 1)
        process.send_signal(signal.SIGCONT)

        async def gone():
            return await one.get(key_of(9)) is None and await other.get(key_of(9)) is None

        await until(gone)


async def test_a_name_made_while_the_server_was_away_keeps_nothing(server, monkeypatch):
    url, process = server
    monkeypatch.setattr(redis_connection, "_REST", 0.05)
    monkeypatch.setattr(redis_connection, "_TIMEOUT", 0.4)
    async with hosts(url) as (one, other):
        real = await other.account("ann")
        await other.put([entry_of(1, account=real, key=key_of(1))])
        process.send_signal(signal.SIGSTOP)
        alias = await one.account("ann")
        assert alias != real
        assert alias.startswith(PENDING)
        assert await one.account(alias) == alias
        await one.invalidate(alias, resource="issue", now=NOW + 1)  # reaches the real name
        process.send_signal(signal.SIGCONT)

        async def named():
            return await one.account("ann") == real

        await until(named)
        assert await one.account(alias) == real
        await one.put([entry_of(5, account=alias)])
        assert await one.get(key_of(5)) is None
        assert await other.get(key_of(1)) is None


async def test_a_client_that_starts_while_the_server_is_away_keeps_responses_later(
    server, monkeypatch
):
    url, process = server
    monkeypatch.setattr(redis_connection, "_REST", 0.05)
    monkeypatch.setattr(redis_connection, "_TIMEOUT", 0.4)
    fake = FakeMetron(issues=5)
    first = 1
    async with (
        hosts(url) as (one, other),
        AsyncMetron(token=fake.token, transport=fake.transport(), cache=one) as early,
        AsyncMetron(token=fake.token, transport=fake.transport(), cache=other) as late,
    ):
        process.send_signal(signal.SIGSTOP)
        await early.issues.get(first)
        process.send_signal(signal.SIGCONT)

        async def kept():
            await early.issues.get(first)
            return early.stats.hits > 0

        await until(kept)
        await late.issues.get(first)
        assert late.stats.hits == 1


async def test_a_flushed_server_and_a_flushed_script_cache_cost_misses_only(server):
    async with hosts(server[0]) as (one, _):
        await one.put([entry_of(1)])
        with plain(server[0]) as client:
            client.script_flush()
            await one.put([entry_of(2)])
            assert await one.get(key_of(2))
            client.flushall()
        assert await one.get(key_of(1)) is None
        await one.put([entry_of(1)])
        assert await one.get(key_of(1)) == entry_of(1)
        assert one.stats.errors == 0


async def test_a_full_server_keeps_nothing_more(server):
    async with hosts(server[0]) as (one, _):
        await one.put([entry_of(1)])
        with plain(server[0]) as client:
            client.config_set("maxmemory", 1)
        await one.put([entry_of(2)])
        assert one.stats.errors == 1


async def test_what_a_full_server_has_is_still_read(server, caplog):
    """It refuses to note the uses of entries, which must not fail the lookup."""
    url, _ = server
    async with hosts(url) as (one, _), Redis.from_url(url) as client:
        await one.put(entry_of(number) for number in range(5))
        await client.config_set("maxmemory-policy", "noeviction")
        await client.config_set("maxmemory", 1)
        for number in range(60):
            assert await one.get(key_of(number % 5)) is not None
            await one.put([entry_of(9)])
    assert [record.levelname for record in caplog.records].count("WARNING") == 1


async def test_an_entry_of_another_type_is_a_miss_and_nothing_else(server):
    url, _ = server
    async with hosts(url) as (one, _), Redis.from_url(url) as client:
        await one.put([entry_of(1), entry_of(2)])
        (name,) = [
            key async for key in client.scan_iter("*entry:*") if key.endswith(KEYS[1].encode())
        ]
        await client.delete(name)
        await client.lpush(name, "x")
        assert await one.get(KEYS[1]) is None
        assert await one.get(KEYS[2]) is not None, "the server is not left alone for that"
        await one.put([entry_of(1)])
        assert await one.get(KEYS[1]) is not None


async def test_a_user_without_scripts_keeps_nothing(server):
    with plain(server[0]) as client:
        client.acl_setuser(
            "app", enabled=True, passwords=["+pw"], keys="*", categories=["+@all", "-@scripting"]
        )
    url = server[0].replace("redis://", "redis://app:pw@")
    async with hosts(url, 1) as (one,):
        await one.put([entry_of(1)])
        assert await one.get(key_of(1)) is None
        assert one.stats.errors == 1
        assert "pw" not in repr(one)


def test_what_cannot_be_used_is_refused_at_construction(redis_url, monkeypatch):
    with pytest.raises(ConfigurationError, match="decode_responses"):
        RedisCache(Redis.from_url(redis_url, decode_responses=True))
    with pytest.raises(ConfigurationError, match="redis://host") as caught:
        RedisCache("redis://user:secret@host:port")
    assert "secret" not in str(caught.value)
    with pytest.raises(ConfigurationError, match=r"expected redis\.asyncio\.Redis"):
        RedisCache(object())
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ConfigurationError, match=r"metron-async\[redis\]"):
        RedisCache(redis_url)


async def test_a_client_that_was_handed_in_is_left_open(redis_url):
    async with Redis.from_url(redis_url) as client:
        cache = RedisCache(client)
        await cache.put([entry_of(1)])
        await cache.aclose()
        assert await client.ping()


async def test_a_closed_cache_says_so(redis_url):
    cache = RedisCache(redis_url)
    await cache.get(key_of(1))
    await cache.aclose()
    await cache.aclose()
    with pytest.raises(ClosedError):
        await cache.get(key_of(1))
