"""What both caches promise."""

import asyncio
import os
import subprocess
import sys
from datetime import timedelta

import msgspec
import pytest
import redis
from support.cache_hardship import NOW, entry_of, key_of
from support.systems import needs_posix

import metron_async.cache
from metron_async.cache import (
    Fetch,
    Kind,
    MemoryCache,
    Options,
    RedisCache,
    Serve,
    SQLiteCache,
    Unavailable,
    consult,
    make_key,
)
from metron_async.errors import ClosedError, ConfigurationError, MetronWarning


@pytest.fixture
def empty_redis(redis_url):
    """The URL of a Redis server that holds nothing."""
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    return redis_url


@pytest.fixture(params=["memory", "file", "file without memory", "redis"])
async def make(request, tmp_path):
    made = []
    if request.param == "redis":
        url = request.getfixturevalue("empty_redis")

    def build(**options):
        if request.param == "memory":
            cache = MemoryCache(**options)
        elif request.param == "redis":
            cache = RedisCache(url, **options)
        else:
            if request.param == "file without memory":
                options["memory_bytes"] = 0
            cache = SQLiteCache(tmp_path / "cache.sqlite3", **options)
        made.append(cache)
        return cache

    yield build
    for cache in made:
        await cache.aclose()


async def settled(cache):
    """Let what was put reach the file, so that reads come from there."""
    if isinstance(cache, SQLiteCache):
        await cache.flush()
    return cache


async def test_what_was_put_is_got(make):
    cache = make()
    full = entry_of(
        1, last_modified="l", modified="m", x_cache="HIT", date="d", body=bytes(range(256)) * 20
    )
    bare = entry_of(2, sent_at=None, object_id=None, body=b"")
    await cache.put([full, bare])
    for _ in range(2):
        assert await cache.get(full.key) == full
        assert await cache.get_many([full.key, key_of(9), bare.key, full.key]) == {
            full.key: full,
            bare.key: bare,
        }
        assert await cache.get(key_of(9)) is None
        await settled(cache)
    assert await cache.get(full.key, reload=True) == full
    assert cache.stats.stored == 2
    assert cache.stats.misses == 4
    assert await cache.get_many([]) == {}


async def test_the_last_put_wins(make):
    cache = make()
    await cache.put([entry_of(1, body=b"old"), entry_of(1, body=b"new")])
    await settled(cache)
    assert (await cache.get(key_of(1))).body == b"new"
    await cache.put([entry_of(1, body=b"newest")])
    assert (await cache.get(key_of(1))).body == b"newest"
    await settled(cache)
    assert (await cache.get(key_of(1), reload=True)).body == b"newest"


async def test_touching_only_moves_forward(make):
    cache = make()
    await cache.put([entry_of(1), entry_of(2)])
    await settled(cache)
    await cache.get(key_of(1))
    await cache.touch([key_of(1), key_of(7)], NOW + 50)
    await cache.touch([key_of(1)], NOW + 20)
    await cache.touch([], NOW)
    await settled(cache)
    assert await cache.get(key_of(1)) == msgspec.structs.replace(entry_of(1), checked_at=NOW + 50)
    assert await cache.get(key_of(2)) == entry_of(2)


async def test_touching_what_is_not_written_yet(make):
    cache = make()
    await cache.put([entry_of(1)])
    await cache.touch([key_of(1)], NOW + 50)
    assert (await cache.get(key_of(1))).checked_at == NOW + 50
    await settled(cache)
    assert (await cache.get(key_of(1))).checked_at == NOW + 50


async def test_deleting(make):
    cache = make()
    await cache.put([entry_of(1), entry_of(2)])
    await cache.delete([key_of(1), key_of(5)])
    assert await cache.get(key_of(1)) is None
    assert await cache.get(key_of(2)) == entry_of(2)
    await cache.put([entry_of(1)])
    assert await cache.get(key_of(1)) == entry_of(1)


ENTRIES = [
    entry_of(1),
    entry_of(2),
    entry_of(3, resource="arc", kind=Kind.ISSUE_LIST),
    entry_of(4, resource="issue", kind=Kind.LIST, object_id=None),
    entry_of(1, account="b"),
]


@pytest.mark.parametrize(
    ("selection", "gone"),
    [
        ({}, {0, 1, 2, 3}),
        ({"resource": "issue"}, {0, 1, 3}),
        ({"resource": "issue", "object_id": 1}, {0}),
        ({"kinds": [Kind.ISSUE_LIST, Kind.LIST]}, {2, 3}),
        ({"resource": "issue", "kinds": [Kind.LIST]}, {3}),
        ({"resource": "team"}, set()),
        ({"kinds": []}, set()),
    ],
)
@pytest.mark.parametrize("written", [True, False])
async def test_invalidating_in_one_account(make, selection, gone, written):
    cache = make()
    await cache.put(ENTRIES)
    if written:
        await settled(cache)
    await cache.invalidate("a", **selection, now=NOW)
    left = {entry.key for n, entry in enumerate(ENTRIES) if n not in gone}
    assert set(await cache.get_many(e.key for e in ENTRIES)) == left
    # An answer that was asked for before the write, and arrives after it, is not kept ...
    await cache.put(ENTRIES)
    assert set(await cache.get_many(e.key for e in ENTRIES)) == left
    # ... but one that was asked for afterwards is.
    later = [msgspec.structs.replace(e, sent_at=NOW + 1, stored_at=NOW + 2) for e in ENTRIES]
    await cache.put(later)
    await settled(cache)
    assert len(await cache.get_many(e.key for e in ENTRIES)) == len(ENTRIES)


async def test_a_clock_that_was_wrong_does_not_block_for_ever(make):
    cache = make()
    await cache.invalidate("a", now=NOW + 1e6)
    await cache.put([entry_of(1)])
    assert await cache.get(key_of(1)) == entry_of(1)
    await cache.invalidate("a", now=NOW)
    await cache.invalidate("a")  # by the system's clock


async def test_purging_by_resource_and_age(make):
    cache = make()
    old = entry_of(9, stored_at=NOW - 100)
    await cache.put([*ENTRIES, old])
    await settled(cache)
    assert await cache.purge(older_than=timedelta(seconds=50), now=NOW) == 1
    assert await cache.get(old.key) is None
    assert await cache.purge("arc") == 1
    assert await cache.purge("arc") == 0
    assert len(await cache.get_many(e.key for e in ENTRIES)) == 4
    assert await cache.purge("issue", older_than=-1e10) == 4


async def test_clearing(make):
    cache = make()
    await cache.put(ENTRIES)
    await cache.clear()
    assert await cache.get_many(e.key for e in ENTRIES) == {}
    await cache.put(ENTRIES)
    assert len(await cache.get_many(e.key for e in ENTRIES)) == 5


async def test_private_data_is_kept_only_if_asked_for(make):
    private = entry_of(1, kind=Kind.PRIVATE)
    cache = make()
    await cache.put([private, entry_of(2, status=500)])
    assert await cache.get_many([key_of(1), key_of(2)]) == {}
    keen = make(keep_private=True)
    await keen.put([private])
    await settled(keen)
    assert await keen.get(key_of(1)) == private
    assert await cache.get(key_of(1)) is None  # not even what somebody else has kept


async def test_the_least_recently_used_go_first(make):
    cache = make(max_bytes=20_000)
    await cache.put(entry_of(n, body=b"x" * 488) for n in range(10))  # 1000 bytes each
    await settled(cache)
    await cache.get_many([key_of(0), key_of(1)])
    if isinstance(cache, SQLiteCache):
        cache._queue.save_uses()
    await cache.put(entry_of(n, body=b"x" * 488) for n in range(10, 21))
    await settled(cache)
    if isinstance(cache, SQLiteCache):
        cache._memory.clear()
        assert (await cache.size())[1] <= 20_000
    found = await cache.get_many(key_of(n) for n in range(21))
    assert {key_of(0), key_of(1), key_of(20)} <= set(found)
    assert key_of(2) not in found
    assert cache.stats.evicted >= 1


async def test_an_entry_larger_than_the_bound_is_not_kept(make):
    cache = make(max_bytes=5000)
    await cache.put([entry_of(1), entry_of(2, body=b"x" * 9000)])
    await settled(cache)
    if isinstance(cache, SQLiteCache):
        cache._memory.clear()
        assert (await cache.size())[1] <= 5000
    assert await cache.get(key_of(2)) is None


async def test_an_account_is_named_alike_each_time_and_apart_from_others(make):
    cache = make()
    assert await cache.account("token") == await cache.account("token")
    assert await cache.account("token") != await cache.account("token2")


async def test_options_reach_the_policy(make):
    cache = make(freshness={"issue": 5}, max_age=9, keep_empty_lists=True)
    assert cache.policy.fresh_for("issue", Kind.DETAIL) == 5
    assert cache.policy.max_age == 9
    assert cache.policy.keep_empty_lists
    with pytest.raises(ConfigurationError):
        make(freshness={"issue": -1})


async def test_consulting(make):
    cache = make()
    await cache.put([entry_of(1)])
    assert await consult(cache, key_of(1), NOW + 5) == Serve(entry_of(1), 5)
    assert await consult(cache, key_of(2), NOW) == Fetch()
    assert await consult(cache, key_of(1), NOW, Options(refresh=True)) == Fetch(entry_of(1))
    assert await consult(cache, key_of(2), NOW, Options(offline=True)) == Unavailable()
    assert await consult(cache, key_of(1), NOW + 90_000) == Fetch(entry_of(1))


# -- the file's own promises ---------------------------------------------------------------------


async def test_entries_outlive_the_process(tmp_path):
    path = tmp_path / "deep" / "er" / "cache.sqlite3"
    first = SQLiteCache(path)
    name = await first.account("x")
    await first.put(entry_of(n) for n in range(50))
    await first.aclose()  # flushes
    await first.aclose()
    second = SQLiteCache(str(path))
    assert await second.account("x") == name
    assert len(await second.get_many(key_of(n) for n in range(50))) == 50
    assert second.stats.disk_hits == 50
    assert (await second.get(key_of(1))) == entry_of(1)
    assert second.stats.memory_hits == 1
    assert second.path == path
    await second.aclose()


async def test_memory_keeps_what_is_asked_for_again(tmp_path):
    """A walk through many pages, each read once, must not fill it: 20,000 rows took 10 MB."""
    cache = SQLiteCache(tmp_path / "cache.sqlite3")
    await cache.put(entry_of(n, body=b"a page" * 1000) for n in range(200))
    await cache.flush()
    for number, (of_disk, of_memory) in enumerate([(1, 0), (1, 1)]):
        assert await cache.get(key_of(7)), number
        assert (cache.stats.disk_hits, cache.stats.memory_hits) == (of_disk, of_memory)

    newer = entry_of(7, stored_at=NOW + 1, checked_at=NOW + 1, body=b"newer")
    await cache.put([newer])  # in place of what memory has
    await cache.flush()
    assert await cache.get(key_of(7)) == newer
    assert (cache.stats.disk_hits, cache.stats.memory_hits) == (1, 2)

    await cache.put([entry_of(900)])
    assert await cache.get(key_of(900))  # not written yet
    await cache.flush()
    assert await cache.get(key_of(900))
    assert (cache.stats.disk_hits, cache.stats.memory_hits) == (1, 4)
    await cache.aclose()


@needs_posix
async def test_nothing_in_the_directory_is_readable_by_others(tmp_path):
    path = tmp_path / "private" / "cache.sqlite3"
    old = os.umask(0)
    try:
        cache = SQLiteCache(path)
        await cache.account("a user's name")
        await cache.put([entry_of(1)])
        await cache.flush()
        assert path.parent.stat().st_mode & 0o777 == 0o700
        files = list(path.parent.iterdir())
        assert len(files) >= 5
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    finally:
        os.umask(old)
        await cache.aclose()


async def test_entries_of_another_version_are_a_miss(tmp_path):
    cache = SQLiteCache(tmp_path / "c")
    await cache.put([entry_of(1, version="0.0.1")])
    await cache.aclose()
    cache = SQLiteCache(tmp_path / "c")
    assert await cache.get(key_of(1)) is None
    await cache.put([entry_of(1)])
    await cache.flush()
    assert await cache.get(key_of(1)) == entry_of(1)
    await cache.aclose()


async def test_another_loop_and_a_closed_cache_are_refused(tmp_path):
    cache = SQLiteCache(tmp_path / "c")
    await cache.get("x")
    with pytest.raises(ClosedError, match="another event loop"):
        await asyncio.to_thread(lambda: asyncio.run(cache.get("x")))
    cache._loop._pid = 1
    with pytest.raises(ClosedError, match="fork"):
        await cache.get("x")
    cache._loop._pid = os.getpid()
    await cache.aclose()
    for call in (cache.get("x"), cache.put([]), cache.clear(), cache.account("x")):
        with pytest.raises(ClosedError, match="closed"):
            await call
    unused = SQLiteCache(tmp_path / "unused")
    await unused.aclose()
    assert not (tmp_path / "unused").exists()


def test_memory_is_another_cache():
    with pytest.raises(ConfigurationError, match="MemoryCache"):
        SQLiteCache(":memory:")
    assert SQLiteCache().path.name.startswith("cache-")


async def test_memory_forgets_what_another_process_has_dropped(tmp_path):
    mine, theirs = SQLiteCache(tmp_path / "c"), SQLiteCache(tmp_path / "c")
    await mine.put([entry_of(1), entry_of(2)])
    await mine.flush()
    assert await mine.get(key_of(1)) is not None
    await theirs.invalidate("a", object_id=1, now=NOW)
    assert await mine.get(key_of(1)) is None
    assert await mine.get(key_of(2)) is not None
    # An answer asked for before the other's write is not kept in the file either.
    await mine.put([entry_of(1)])
    await mine.flush()
    assert await mine.get(key_of(1)) is None
    await theirs.clear()
    assert await mine.get(key_of(2)) is None
    await mine.aclose()
    await theirs.aclose()


async def test_what_is_not_written_yet_is_not_served_past_another_process_s_drop(tmp_path):
    mine, theirs = (SQLiteCache(tmp_path / "cache.sqlite3") for _ in range(2))
    entry = entry_of(1)
    await theirs.get(entry.key)
    await mine.get(entry.key)
    await mine.put([entry])
    assert await mine.get(entry.key) is not None  # served before it is in the file
    await theirs.invalidate(entry.account, resource=entry.resource, now=entry.stored_at + 1)
    assert await mine.get(entry.key) is None
    await mine.flush()
    assert await mine.get(entry.key) is None  # nor did it get into the file behind the drop
    assert await theirs.get(entry.key) is None
    await mine.aclose()
    await theirs.aclose()


async def test_a_second_look_finds_what_another_process_has_renewed(tmp_path):
    mine, theirs = SQLiteCache(tmp_path / "c"), SQLiteCache(tmp_path / "c")
    await mine.put([entry_of(1)])
    await mine.flush()
    await theirs.touch([key_of(1)], NOW + 80_000)
    await theirs.flush()
    decision = await consult(mine, key_of(1), NOW + 90_000)
    assert isinstance(decision, Serve)
    assert decision.age == 10_000
    await mine.aclose()
    await theirs.aclose()


async def test_two_accounts_never_meet_on_one_file(tmp_path):
    cache = SQLiteCache(tmp_path / "c")
    keys = {}
    for who in ("ann", "ben"):
        account = await cache.account(who)
        keys[who] = make_key(account=account, origin="https://m", path="/api/issue/1/")
        await cache.put([entry_of(1, account=account, key=keys[who], body=who.encode())])
    await cache.aclose()
    cache = SQLiteCache(tmp_path / "c")
    for who in ("ben", "ann"):
        assert (await cache.get(keys[who])).body == who.encode()
    await cache.aclose()


async def test_no_credential_is_in_any_file(tmp_path):
    cache = SQLiteCache(tmp_path / "c")
    account = await cache.account("kyle:s3cret-t0ken")
    await cache.put([entry_of(1, account=account)])
    await cache.flush()
    for file in tmp_path.iterdir():
        text = file.read_bytes()
        assert b"s3cret" not in text
        assert b"kyle" not in text
    await cache.aclose()


async def test_a_total_that_has_drifted_is_put_right(tmp_path):
    cache = SQLiteCache(tmp_path / "c", memory_bytes=0, max_bytes=5000)
    await cache.put([entry_of(1)])
    await cache.flush()

    async def drift(db):
        await db.execute_fetchall("UPDATE total SET bytes = 1000000")

    await cache._files.database.write(drift)
    await cache.put([entry_of(2)])
    await cache.put([entry_of(3)])
    await cache.flush()
    assert await cache.size() == (0, 0)
    await cache.put([entry_of(4)])
    await cache.flush()
    assert await cache.get(key_of(4)) == entry_of(4)
    await cache.aclose()


async def test_an_absurd_id_is_not_kept_and_spoils_nothing(make):
    cache = make()
    await cache.put([entry_of(1), entry_of(2, object_id=10**30)])
    await settled(cache)
    assert set(await cache.get_many([key_of(1), key_of(2)])) == {key_of(1)}
    assert cache.stats.errors == 0


async def test_a_write_that_cannot_be_carried_out_is_not_the_callers_problem(tmp_path):
    cache = SQLiteCache(tmp_path / "c", memory_bytes=0)
    with pytest.warns(MetronWarning):  # noqa: PT031
        await cache.put([entry_of(1, last_modified=object())])
        await cache.flush()
    await cache.put([entry_of(2)])
    await cache.flush()
    assert await cache.get(key_of(2)) == entry_of(2)
    await cache.aclose()


def test_the_file_is_only_loaded_when_asked_for():
    code = (
        "import sys, metron_async.cache as c; assert 'aiosqlite' not in sys.modules; c.SQLiteCache"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    with pytest.raises(AttributeError, match="Nonsense"):
        metron_async.cache.Nonsense  # noqa: B018
