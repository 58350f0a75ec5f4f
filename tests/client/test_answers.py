"""Where answers come from: freshness, conditions, stale ones, and what tells of it."""

import asyncio
import datetime as dt
from email.utils import parsedate_to_datetime

import msgspec
import pytest
from support.virtual import virtual
from support.world import client, idle

from metron_async import (
    NOT_MODIFIED,
    AuthenticationError,
    CacheError,
    DecodeError,
    NotFoundError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    Source,
    TransportError,
    UsageError,
)
from metron_async.cache import MemoryCache
from metron_async.testing import FakeMetron, Fault

DAY, WEEK = 86_400, 7 * 86_400
RETRIEVABLE = [
    "arcs",
    "characters",
    "creators",
    "imprints",
    "issues",
    "publishers",
    "series",
    "teams",
    "universes",
    "reading_lists",
    "collection",
    "pull_list",
    "wish_list",
]


def scenario(run, *, cache=":memory:", **options):
    async def main():
        fake = FakeMetron(issues=150)
        async with client(fake, cache=cache, **options) as metron:
            await run(fake, metron)
            await idle(metron)

    virtual(main())


async def source(metron, number=7):
    return metron.origin_of(await metron.issues.get(number)).source


def test_fresh_then_confirmed_then_fetched_anew():
    async def run(fake, metron):
        assert await source(metron) is Source.NETWORK
        await asyncio.sleep(DAY - 10)
        assert await source(metron) is Source.CACHE
        assert len(fake.requests) == 1
        await asyncio.sleep(20)
        issue = await metron.issues.get(7)
        origin = metron.origin_of(issue)
        assert origin.source is Source.NOT_MODIFIED
        assert origin.age == pytest.approx(DAY + 10, abs=5)
        assert origin.checked == pytest.approx(0, abs=5)
        assert "if-modified-since" in fake.requests[-1].headers
        assert await source(metron) is Source.CACHE
        await asyncio.sleep(WEEK)
        assert await source(metron) is Source.NETWORK  # a 304 could hide a renamed creator
        assert "if-modified-since" not in fake.requests[-1].headers
        assert metron.stats.not_modified == 1
        assert metron.stats.hits == 2

    scenario(run)


def test_what_has_changed_is_seen_after_a_day():
    async def run(fake, metron):
        await metron.issues.get(7)
        await asyncio.sleep(DAY + 1)
        fake.touch("issue", 7, desc="changed")
        issue = await metron.issues.get(7)
        assert issue.desc == "changed"
        assert metron.origin_of(issue).source is Source.NETWORK

    scenario(run)


def test_origins_are_told_by_identity_and_forgotten_with_their_objects():
    async def run(fake, metron):
        issue = await metron.issues.get(7)
        same = await metron.issues.get(7)
        assert same == issue
        assert metron.origin_of(issue).source is Source.NETWORK
        assert metron.origin_of(same).source is Source.CACHE
        assert metron.origin_of(object()) is None
        assert metron.with_options(retries=0).origin_of(issue) is metron.origin_of(issue)
        origins = metron._caller.core.origins
        assert len(origins) == 2
        del issue, same
        assert len(origins) == 0

    scenario(run)


def test_calls_may_ask_for_more_or_less_freshness():
    async def run(fake, metron):
        await metron.issues.get(7)
        await asyncio.sleep(100)
        assert await source(metron.with_options(fresh_for=50)) is Source.NOT_MODIFIED
        assert await source(metron.with_options(fresh_for=0)) is Source.NOT_MODIFIED
        assert await source(metron.with_options(refresh=True)) is Source.NETWORK
        assert "if-modified-since" not in fake.requests[-1].headers
        await asyncio.sleep(3 * DAY)
        assert await source(metron.with_options(fresh_for=WEEK)) is Source.CACHE
        assert await source(metron.with_options(offline=True)) is Source.STALE
        assert len(fake.requests) == 4

    scenario(run)


@pytest.mark.parametrize("cache", [None, ":memory:"])
def test_offline_sends_nothing(cache):
    async def run(fake, metron):
        offline = metron.with_options(offline=True)
        since = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
        for call in (
            offline.issues.get(7),
            offline.issues.iter().first(),
            offline.collection.stats(),
            offline.pull_list.get(),
            offline.issues.get_if_modified(7, since),
        ):
            with pytest.raises(CacheError, match="offline"):
                await call
        assert not fake.requests

    scenario(run, cache=cache)


FAILURES = {
    "server": (Fault.status(503), ServerError),
    "connection": (Fault.drop_after(), TransportError),
    "page": (Fault.html_page(), None),
    "slow": (Fault.latency(70), RequestTimeoutError),
}


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("refreshed", [False, True])
def test_an_outdated_answer_stands_in_for_a_failing_server(name, refreshed):
    fault, error = FAILURES[name]

    async def run(fake, metron):
        await metron.issues.get(7)
        await asyncio.sleep((WEEK if refreshed else DAY) + 1)
        fake.faults.add(fault, times=None)
        issue = await metron.issues.get(7)
        origin = metron.origin_of(issue)
        assert origin.source is Source.STALE
        assert origin.age > DAY
        assert metron.stats.stale == 1
        if error is not None:
            await asyncio.sleep(600)
            with pytest.raises(error):
                await metron.with_options(stale_if_error=False).issues.get(7)
            await asyncio.sleep(600)
            with pytest.raises(error):
                await metron.with_options(refresh=True).issues.get(7)

    scenario(run, retries=0)


def test_an_outdated_answer_stands_in_where_the_quota_is_spent():
    async def run(fake, metron):
        await metron.issues.get(7)
        await asyncio.sleep(DAY + 1)
        for number in range(20, 40):
            await metron.issues.get(number)
        sent = len(fake.requests)
        assert await source(metron.with_options(max_wait=0)) is Source.STALE
        with pytest.raises(RateLimitError):
            await metron.with_options(max_wait=0).issues.get(8)
        assert len(fake.requests) == sent

    scenario(run)


def test_an_outdated_answer_stands_in_for_a_slow_server():
    async def run(fake, metron):
        await metron.issues.get(7)
        await asyncio.sleep(DAY + 1)
        fake.latency = 10
        assert await source(metron.with_options(timeout=1)) is Source.STALE
        await asyncio.sleep(15)
        assert await source(metron) is Source.CACHE  # the request came to its end

    scenario(run)


@pytest.mark.parametrize(("status", "error"), [(404, NotFoundError), (401, AuthenticationError)])
def test_an_answer_that_is_no_failure_is_not_hidden(status, error):
    async def run(fake, metron):
        await metron.issues.get(7)
        await asyncio.sleep(DAY + 1)
        fake.faults.add(Fault.status(status))
        with pytest.raises(error):
            await metron.issues.get(7)

    scenario(run)


def test_a_stored_body_that_cannot_be_read_any_more_is_fetched_anew():
    """Such as one that a build with other models has kept."""

    async def damage(metron):
        cache = metron.cache
        for entry in list(cache._entries):
            await cache.put([msgspec.structs.replace(entry, body=b'{"id": "odd"}')])

    async def run(fake, metron):
        await metron.issues.get(7)
        await damage(metron)
        assert await source(metron) is Source.NETWORK
        await damage(metron)
        with pytest.raises(CacheError, match="offline"):
            await metron.with_options(offline=True).issues.get(7)
        assert len(fake.requests) == 2
        await metron.issues.get(7)
        await damage(metron)
        await asyncio.sleep(DAY + 1)
        sent = len(fake.requests)
        assert await source(metron) is Source.NETWORK
        assert len(fake.requests) == sent + 2  # the 304, and the fetch
        await damage(metron)
        await asyncio.sleep(DAY + 1)
        fake.faults.add(Fault.status(503), times=None)
        with pytest.raises(ServerError):
            await metron.with_options(retries=0).issues.get(7)

    scenario(run)


def test_private_data_are_not_kept_unless_asked_for():
    async def run(fake, metron):
        for _ in range(2):
            await metron.collection.stats()
            await metron.collection.iter().page(1)
        assert len(fake.requests) == 4

    scenario(run)

    async def kept(fake, metron):
        for _ in range(2):
            mine = await metron.with_options(fresh_for=60).pull_list.get()
        assert metron.origin_of(mine).source is Source.CACHE
        assert len(fake.requests) == 1

    scenario(kept, cache=MemoryCache(keep_private=True))


def test_the_servers_own_cache_is_told():
    async def main():
        fake = FakeMetron(issues=60, detail_cache=3600)
        async with client(fake, cache=None) as metron:
            for x_cache in ("MISS", "HIT"):
                origin = metron.origin_of(await metron.issues.get(7))
                assert (origin.x_cache, origin.source) == (x_cache, Source.NETWORK)

    virtual(main())


# -- get_if_modified ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", RETRIEVABLE)
@pytest.mark.parametrize("cache", [None, ":memory:"])
def test_every_resource_can_be_asked_with_a_condition(name, cache):
    async def run(fake, metron):
        namespace = getattr(metron, name)
        if name in ("pull_list", "wish_list"):
            number = (await namespace.get()).id
        elif name == "reading_lists":
            number = (await namespace.iter().first()).id
        else:
            first = await namespace.iter().first()
            number = first.id
        long_ago = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)
        found = await namespace.get_if_modified(number, long_ago)
        assert found.id == number
        origin = metron.origin_of(found)
        assert origin.source is Source.NETWORK
        modified = parsedate_to_datetime(origin.last_modified)
        sent = len(fake.requests)
        for since in (modified, modified.astimezone(dt.timezone(dt.timedelta(hours=-7)))):
            told = await namespace.get_if_modified(number, since)
            assert told is NOT_MODIFIED
            assert not told
        assert len(fake.requests) == sent + 2  # past the cache
        assert await namespace.get_if_modified(number, modified - dt.timedelta(seconds=1))
        assert metron.stats.not_modified == 2

    scenario(run, cache=cache)


def test_another_object_is_refused_and_not_kept():
    async def run(fake, metron):
        fake.faults.add(Fault.json(lambda body: body | {"id": 8}))
        with pytest.raises(DecodeError, match="requested id 7, got id 8"):
            await metron.issues.get(7)
        assert (await metron.issues.get(7)).id == 7
        assert len(fake.requests) == 2

    scenario(run, cache=":memory:")


def test_a_condition_needs_a_moment_that_exists_in_utc():
    async def run(fake, metron):
        east = dt.timezone(dt.timedelta(hours=5))
        with pytest.raises(UsageError, match="exists in UTC"):
            await metron.issues.get_if_modified(7, dt.datetime.min.replace(tzinfo=east))
        assert not fake.requests

    scenario(run)


def test_a_condition_needs_an_aware_moment():
    async def run(fake, metron):
        for since in (dt.datetime(2026, 1, 1), "yesterday", None):  # noqa: DTZ001
            with pytest.raises(UsageError, match="aware datetime"):
                await metron.issues.get_if_modified(7, since)
        now = dt.datetime.now(dt.UTC)
        with pytest.raises(UsageError, match="whole number"):
            await metron.issues.get_if_modified("7", now)
        with pytest.raises(NotFoundError):
            await metron.issues.get_if_modified(99_999, now)
        assert len(fake.requests) == 1

    scenario(run)


def test_same_conditions_share_a_request_and_errors_come_through():
    async def run(fake, metron):
        fake.latency = 1
        since = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
        told = await asyncio.gather(*(metron.issues.get_if_modified(7, since) for _ in range(5)))
        assert told == [NOT_MODIFIED] * 5
        assert len(fake.requests) == 1
        fake.faults.add(Fault.status(503), times=None)
        with pytest.raises(ServerError):
            await metron.with_options(retries=0).issues.get_if_modified(7, since)

    scenario(run)


@pytest.mark.parametrize("number", [0, -1, True, 1.0, "1", None, 2**63])
def test_ids_that_are_none_cost_nothing(number):
    async def run(fake, metron):
        for call in (metron.issues.get, metron.series.get, metron.collection.get):
            with pytest.raises(UsageError, match="whole number"):
                await call(number)
        for listed in (metron.series.issues, metron.publishers.series, metron.reading_lists.items):
            with pytest.raises(UsageError, match="whole number"):
                listed(number)
        assert not fake.requests

    scenario(run)
