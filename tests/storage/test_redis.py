"""The storage in Redis, against a real server: killed, stopped, flushed, restricted."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
import warnings

import pytest
from support.storages import RedisServer, count, fail, peek
from support.suspensions import cancelled_at

from metron_async.errors import ClosedError, ConfigurationError, MetronWarning, StorageError
from metron_async.storage import RedisStorage
from metron_async.storage import redis as redis_storage
from metron_async.storage.redis import _ServerClock

redis = pytest.importorskip("redis.asyncio")
synchronous_redis = pytest.importorskip("redis")


@pytest.fixture
async def storage(redis_server):
    storage = RedisStorage(redis_server.url)
    yield storage
    await storage.aclose()


async def test_hosts_share_the_state(storage, redis_server):
    client = redis.Redis.from_url(redis_server.url)
    other = RedisStorage(client)
    assert await storage.transact("a", "b", fail("401")) == 1
    assert await other.transact("a", "b", fail("401")) == 2
    assert await storage.transact("a", "b", fail("401")) == 3
    await other.aclose()
    assert await client.ping()  # the client itself is not closed
    await client.aclose()


async def test_the_clock_is_the_servers(storage):
    assert abs((await storage.transact("a", "b", peek)).now - time.time()) < 5


async def test_a_refused_transaction_saves_nothing(storage, redis_server):
    await storage.transact("a", "b", count)
    before = redis_server.command("INFO", "commandstats")
    for _ in range(5):
        await storage.transact("a", "b", peek)
    after = redis_server.command("INFO", "commandstats")
    for command in (b"cmdstat_set:", b"cmdstat_evalsha:"):
        calls = [info.partition(command)[2].partition(b",")[0] for info in (before, after)]
        assert calls[0] == calls[1] != b""


async def test_processes_that_decide_at_once_lose_no_update(redis_server):
    storages = [RedisStorage(redis_server.url) for _ in range(8)]

    async def work(storage):
        for _ in range(10):
            await storage.transact("a", "b", fail("401"))

    await asyncio.gather(*(work(storage) for storage in storages))
    assert await storages[0].transact("a", "b", count) == 81
    assert len((await storages[0].transact("a", "b", peek)).address.split()) == 80
    for storage in storages:
        await storage.aclose()


# A server on a bad day.


async def test_a_flushed_script_cache(storage, redis_server):
    await storage.transact("a", "b", count)
    redis_server.command("SCRIPT", "FLUSH")
    assert await storage.transact("a", "b", count) == 2


async def test_a_flushed_server_loses_no_failures(storage, redis_server):
    await storage.transact("a", "b", fail("401"))
    epoch = (await storage.transact("a", "b", peek)).epoch
    redis_server.command("FLUSHALL")
    assert await storage.transact("a", "b", fail("403")) == 2
    after = await storage.transact("a", "b", peek)
    assert after.epoch != epoch
    assert (after.account, after.address) == (b"1", b"401 403")


async def test_a_server_that_another_process_filled_again_shows_in_the_epoch(storage, redis_server):
    await storage.transact("a", "b", fail("401"))
    epoch = (await storage.transact("a", "b", peek)).epoch
    redis_server.command("FLUSHALL")
    other = RedisStorage(redis_server.url)
    await other.transact("a", "b", fail("403"))
    await other.aclose()
    after = await storage.transact("a", "b", peek)
    assert after.address == b"403"
    assert after.epoch != epoch


async def test_a_killed_server_and_one_that_comes_back_empty(storage, redis_server):
    await storage.transact("a", "b", fail("401"))
    redis_server.kill()
    for _ in range(3):
        with pytest.raises(StorageError, match="Redis cannot be used"):
            await storage.transact("a", "b", fail("403"))
    redis_server.start()
    assert await storage.transact("a", "b", fail("404")) == 2
    assert (await storage.transact("a", "b", peek)).address == b"401 404"


async def test_a_restart_between_two_transactions_is_not_noticed(storage, redis_server):
    await storage.transact("a", "b", fail("401"))
    redis_server.kill()
    redis_server.start()
    assert await storage.transact("a", "b", fail("404")) == 2


async def test_a_stopped_server(storage, redis_server, monkeypatch):
    monkeypatch.setattr(redis_storage, "_TIMEOUT", 0.3)
    await storage.transact("a", "b", count)
    redis_server.stop()
    began = time.perf_counter()
    results = await asyncio.gather(
        *(storage.transact("a", "b", count) for _ in range(5)), return_exceptions=True
    )
    assert {type(result) for result in results} == {StorageError}
    assert time.perf_counter() - began < 3
    redis_server.resume()
    assert await storage.transact("a", "b", count) == 2


async def test_a_long_line_of_transactions_is_not_a_server_that_does_not_respond(
    storage, monkeypatch
):
    """Hundreds of accounts on a server that is some milliseconds away were told so."""
    respond = redis_storage._Session.ask

    async def slow(session, *commands):
        await asyncio.sleep(0.02)  # the way there and back
        return await respond(session, *commands)

    await storage.transact("a", "b", count)
    monkeypatch.setattr(redis_storage, "_TIMEOUT", 0.3)
    monkeypatch.setattr(redis_storage._Session, "ask", slow)
    calls = (storage.transact(f"account {number}", "b", count) for number in range(15))
    assert await asyncio.gather(*calls) == [1] * 15


async def test_a_stopped_server_and_the_callers_deadline(storage, redis_server):
    await storage.transact("a", "b", count)
    redis_server.stop()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await storage.transact("a", "b", count)
    redis_server.resume()
    assert await storage.transact("a", "b", count) == 2


async def test_nobody_listens():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    storage = RedisStorage(f"redis://user:secret@127.0.0.1:{port}/0")
    with pytest.raises(StorageError) as caught:
        await storage.transact("a", "b", count)
    assert "secret" not in f"{caught.value!r} {caught.value} {storage!r} {caught.value.__cause__!r}"
    await storage.aclose()


async def test_a_connection_that_breaks_after_the_save(storage, monkeypatch):
    """A save is not repeated: whether it was carried out is unknown."""
    await storage.transact("a", "b", count)
    session = storage._sessions[asyncio.get_running_loop()]

    async def break_off(*arguments):
        await type(session).save(session, *arguments)
        raise redis.ConnectionError

    monkeypatch.setattr(session, "save", break_off)
    with pytest.raises(StorageError):
        await storage.transact("a", "b", count)
    monkeypatch.undo()
    assert await storage.transact("a", "b", count) == 3


@pytest.mark.parametrize(
    "rule", ["-@scripting", "-info", "-time", "-mget", "resetkeys", "-@all", "-set"]
)
async def test_a_user_with_few_rights(redis_server, rule):
    redis_server.command("ACL", "SETUSER", "some", "on", ">pass", "~*", "+@all", rule)
    url = redis_server.url.replace("redis://", "redis://some:pass@")
    storage = RedisStorage(url)
    if rule == "-info":
        assert await storage.transact("a", "b", count) == 1
    else:
        for _ in range(2):
            with pytest.raises(StorageError, match=r"(?i)permission|no access|acl|can't run"):
                await storage.transact("a", "b", count)
        redis_server.command("ACL", "SETUSER", "some", "~*", "+@all")
        assert await storage.transact("a", "b", count) == 1
    await storage.aclose()


async def test_a_wrong_password(redis_server):
    storage = RedisStorage(redis_server.url.replace("redis://", "redis://some:wrong-one@"))
    with pytest.raises(StorageError) as caught:
        await storage.transact("a", "b", count)
    assert "wrong-one" not in str(caught.value)
    await storage.aclose()


async def test_keys_of_another_kind_are_replaced(storage, redis_server):
    for key in ("metron_async:a", "metron_async:b"):
        redis_server.command("RPUSH", key, "x")
    assert await storage.transact("a", "b", fail("401")) == 1
    redis_server.command("SET", "metron_async:a", "7" * 5000)
    redis_server.command("SET", "metron_async:b", '""')
    assert await storage.transact("a", "b", count) == 1
    assert (await storage.transact("a", "b", peek)).address == b"401"


async def test_a_full_server(redis_server, storage):
    await storage.transact("a", "b", count)
    redis_server.command("CONFIG", "SET", "maxmemory", "1")
    with pytest.raises(StorageError, match="maxmemory"):
        await storage.transact("a", "b", count)
    redis_server.command("CONFIG", "SET", "maxmemory", "0")
    assert await storage.transact("a", "b", count) == 2


@pytest.mark.parametrize(
    ("policy", "expires", "warned"),
    [
        ("noeviction", True, False),
        ("volatile-lru", False, False),
        ("volatile-ttl", False, False),
        ("allkeys-lfu", True, True),
        (None, False, False),
    ],
)
async def test_eviction(redis_server, storage, policy, expires, warned):
    if policy is None:
        redis_server.command("ACL", "SETUSER", "default", "-info")
    else:
        redis_server.command("CONFIG", "SET", "maxmemory-policy", policy)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            await storage.transact("a", "b", fail("401"))
    assert [type(each.message) for each in caught] == [MetronWarning] * warned
    for key in ("metron_async:a", "metron_async:b"):
        expiry = int(redis_server.command("TTL", key)[1:])
        assert (29 * 86_400 < expiry <= 30 * 86_400) if expires else expiry == -1


# Time.


def test_a_clock_that_is_set_forward_ages_nothing():
    clock = _ServerClock()
    now, steady = 1e9, 500.0
    clock.read(now, steady, steady + 0.01)
    for elapsed, by in [(10, 0.0), (10, 360.0), (5, -3600.0), (3600, 1.0), (1, 20.0)]:
        now, steady = now + elapsed + by, steady + elapsed
        assert clock.read(now, steady, steady + 0.01) == now
    assert [round(by) for _, by in clock.jumps] == [360, 20]
    at, by = clock.jumps[0]
    assert at == pytest.approx(1e9 + 10 + 10, abs=0.1)
    for _ in range(20):
        now, steady = now + 101, steady + 1
        clock.read(now, steady, steady)
    assert len(clock.jumps) == 8
    now, steady = now + 90_000, steady + 90_000
    clock.read(now, steady, steady)
    clock.read(now + 100, steady, steady)
    assert len(clock.jumps) == 1


# Loops, cancellation, construction.


def test_one_object_in_several_loops(redis_server):
    for server in (redis_server.url, redis.Redis.from_url(redis_server.url)):
        storage = RedisStorage(server)
        numbers = [asyncio.run(storage.transact("a", "b", count)) for _ in range(3)]
        assert [number - numbers[0] for number in numbers] == [0, 1, 2]


async def test_another_loop_while_one_is_waiting(storage, redis_server):
    await storage.transact("a", "b", count)
    redis_server.stop()
    task = asyncio.ensure_future(storage.transact("a", "b", count))
    await asyncio.sleep(0.05)
    with pytest.raises(ClosedError):
        await asyncio.to_thread(asyncio.run, storage.transact("a", "b", count))
    redis_server.resume()
    assert await task == 2


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("opened", [True, False])
async def test_cancelling_at_every_await(redis_server, opened, late):
    number = 0
    while True:
        number += 1
        storage = RedisStorage(redis_server.url)
        name = f"{opened}-{late}-{number}"
        if opened:
            await storage.transact(name, "b", count)
        done = await cancelled_at(number, storage.transact(name, "b", count), late=late)
        async with asyncio.timeout(3):
            assert await storage.transact(name, "b", count) <= 2 + opened
            assert (await storage.transact(name, "b", peek)).account in (b"1", b"2", b"3")
        await storage.aclose()
        if done:
            break
    assert number > 2


@pytest.mark.parametrize(
    "server",
    [
        "http://x",
        "redis://host:secret/0",
        7,
        None,
        "redis://h/0?decode_responses=true",
        "redis://h/0?x=secret",
        "redis://h/0?ssl_cert_reqs=none",
    ],
)
def test_servers_that_are_refused(server):
    with pytest.raises(ConfigurationError) as caught:
        RedisStorage(server)
    assert "secret" not in str(caught.value)


def test_clients_that_are_refused(redis_server):
    with pytest.raises(ConfigurationError, match=r"expected redis\.asyncio"):
        RedisStorage(synchronous_redis.Redis.from_url(redis_server.url))
    with pytest.raises(ConfigurationError, match="decode_responses=False"):
        RedisStorage(redis.Redis.from_url(redis_server.url, decode_responses=True))


WITHOUT = """
import sys
sys.modules["redis"] = None
from metron_async import storage
from metron_async.storage import *
from metron_async.errors import ConfigurationError
assert "RedisStorage" in dir(storage)
try:
    RedisStorage("redis://localhost")
except ConfigurationError as error:
    print(error)
"""


def test_without_the_extra():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, check=True)
    assert b'pip install "metron-async[redis]"' in done.stdout


def test_what_is_not_used_is_not_loaded():
    program = (
        "import sys; from metron_async.storage import MemoryStorage;"
        "assert not {'sqlite3', 'redis', 'aiosqlite', 'platformdirs'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


async def test_passwords_and_databases(tmp_path):
    server = RedisServer(tmp_path, "--requirepass", "hidden")
    try:
        storage = RedisStorage(f"redis://:hidden@127.0.0.1:{server.port}/3")
        assert await storage.transact("a", "b", count) == 1
        await storage.aclose()
    finally:
        server.kill()
