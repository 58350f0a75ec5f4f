"""Several processes that ask for the same make one request."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import date

import pytest
import redis
from support.fleet import fleet
from support.stores import Slow
from support.virtual import virtual

from metron_async import (
    AsyncMetron,
    DecodeError,
    MetronError,
    NotFoundError,
    Priority,
    ServerError,
    Source,
    models,
)
from metron_async.cache import MemoryCache, SQLiteCache
from metron_async.errors import StorageError
from metron_async.storage import MemoryStorage
from metron_async.testing import FakeMetron, Fault

IDS = range(1, 11)
LEASE = 20.0  # seconds


@pytest.fixture(params=["directory", "redis"])
def storage(request, tmp_path):
    """Return what the processes share."""
    if request.param == "directory":
        return tmp_path / "state"
    url = request.getfixturevalue("redis_url")
    with redis.Redis.from_url(url) as client:
        client.flushall()
    return url


async def test_eight_processes_that_ask_for_the_same_ten_issues_make_ten_requests(storage):
    fake = FakeMetron(issues=200)
    fake.latency = 0.1
    async with fake.serve() as url, fleet(8, url, storage, fake.token) as workers:
        for number, worker in enumerate(workers):  # so that quota and credentials are known
            await worker.ask(100 + number)
        sent = len(fake.requests)
        answers = await asyncio.gather(*(worker.ask(*IDS) for worker in workers))
    assert all(answer == answers[0] for answer in answers)
    assert not any(str(found).endswith("Error") for found in answers[0])
    assert len(fake.requests) - sent <= 10
    assert fake.throttled == 0


# -- in one process, each client with a storage and a cache of its own on the same state ---------


class World:
    """A fake server, and what clients that act as processes share."""

    def __init__(self, folder):
        self.fake = FakeMetron(issues=200)
        self.token = self.fake.token
        self.fake.latency = 0.3
        self.shared = MemoryStorage()
        self.folder = folder
        self.stack = contextlib.AsyncExitStack()

    async def process(self, **options):
        """Return a client, and its storage, which can be made to fail."""
        storage = Slow(self.shared, pause=0.0, error=lambda: StorageError("killed"))
        cache = options.pop("cache", SQLiteCache(self.folder / "cache.sqlite3"))
        transport = self.fake.transport()
        metron = AsyncMetron(
            self.token, transport=transport, storage=storage, cache=cache, **options
        )
        await self.stack.enter_async_context(metron)
        self.stack.push_async_callback(cache.aclose)
        await metron.publishers.get(1)  # quota and credentials are known
        return metron, storage

    async def processes(self, count, **options):
        return [(await self.process(**options))[0] for _ in range(count)]

    @property
    def sent(self):
        return sum(asked.path.startswith("/api/issue/") for asked in self.fake.requests)


def scenario(tmp_path, run):
    async def main():
        world = World(tmp_path)
        async with world.stack:
            await run(world)
        assert not world.fake.bans

    virtual(main())


async def outcomes(metrons, number=7, **options):
    """Return what each of the clients gets, all at once: an issue or an error."""
    asked = (metron.with_options(**options).issues.get(number) for metron in metrons)
    return await asyncio.gather(*asked, return_exceptions=True)


@pytest.mark.parametrize("options", [{}, {"refresh": True}, {"fresh_for": 0}, {"max_wait": 5}])
def test_a_value_is_shared_whatever_the_options(options, tmp_path):
    async def run(world):
        metrons = await world.processes(5)
        before = sum(metron.stats.coalesced for metron in metrons)
        began = asyncio.get_running_loop().time()
        found = await outcomes(metrons, **options)
        assert [issue.id for issue in found] == [7] * 5
        assert asyncio.get_running_loop().time() - began < 0.3 + 0.2
        assert world.sent == 1
        sources = [metron.origin_of(it).source for metron, it in zip(metrons, found, strict=True)]
        assert sorted(source.value for source in sources) == ["cache"] * 4 + ["network"]
        assert sum(metron.stats.coalesced for metron in metrons) == before + 4
        await outcomes(metrons, refresh=True)
        assert world.sent == 2  # a call that begins later asks again

    scenario(tmp_path, run)


def test_a_revalidation_is_shared(tmp_path):
    async def run(world):
        metrons = await world.processes(4)
        await outcomes(metrons)
        await asyncio.sleep(100)
        found = await outcomes(metrons, fresh_for=0)
        assert [issue.id for issue in found] == [7] * 4
        assert [asked.status for asked in world.fake.requests][-1] == 304
        assert world.sent == 2

    scenario(tmp_path, run)


@pytest.mark.parametrize("options", [{"refresh": True}, {"fresh_for": 0}])
def test_a_shared_response_is_never_the_one_that_it_replaces(options, tmp_path):
    async def run(world):
        metrons = await world.processes(4)
        await outcomes(metrons)
        await asyncio.sleep(100)
        world.fake.touch("issue", 7, desc="new")
        found = await outcomes(metrons, **options)
        assert [issue.desc for issue in found] == ["new"] * 4
        assert world.sent == 2

    scenario(tmp_path, run)


@pytest.mark.parametrize("lag", [0.01, 0.05, 0.31, 0.35, 0.4, 0.5])
def test_a_process_that_lags_behind_another_does_not_ask_again(lag, tmp_path):
    async def run(world):
        first, second = await world.processes(2)

        async def follow():
            await asyncio.sleep(lag)
            for number in IDS:
                await second.issues.get(number)

        behind = asyncio.create_task(follow())
        for number in IDS:
            await first.issues.get(number)
        await behind
        assert world.sent == len(IDS)

    scenario(tmp_path, run)


def test_what_a_write_makes_stale_is_not_waited_for(tmp_path):
    async def run(world):
        world.token = "editor-token"
        metron, _ = await world.process(priority=Priority.INTERACTIVE)
        arc = await metron.arcs.get(1)
        await metron.arcs.update(arc.id, models.ArcInput(desc="new"))
        began = asyncio.get_running_loop().time()
        assert (await metron.arcs.get(1)).desc == "new"
        assert asyncio.get_running_loop().time() - began < 0.3 + 0.1

    scenario(tmp_path, run)


@pytest.mark.parametrize("pause", [0.1, 100])
def test_details_of_changed_rows_are_shared(pause, tmp_path):
    async def run(world):
        metrons = await world.processes(4)
        rows = await metrons[0].issues.iter(series_id=1).collect()
        await asyncio.gather(
            *(metron.issues.fetch_many(row.id for row in rows).collect() for metron in metrons)
        )
        await asyncio.sleep(pause)
        for row in rows[:5]:
            world.fake.touch("issue", row.id, desc="new")
        before = world.sent
        lists = [metron.issues.iter(series_id=1).details().collect() for metron in metrons]
        for found in await asyncio.gather(*lists):
            assert [issue.desc == "new" for issue in found[:6]] == [True] * 5 + [False]
        assert world.sent - before == 1 + 5

    scenario(tmp_path, run)


def test_a_404_is_shared(tmp_path):
    async def run(world):
        found = await outcomes(await world.processes(4), 9999)
        assert {type(error) for error in found} == {NotFoundError}
        assert {error.path for error in found} == {"issue/9999/"}
        assert world.sent == 1

    scenario(tmp_path, run)


@pytest.mark.parametrize(("retries", "sent"), [(0, 1), (2, 3)])
def test_a_server_that_fails_is_asked_as_often_as_by_one_process(retries, sent, tmp_path):
    async def run(world):
        metrons = await world.processes(6, retries=retries)
        world.fake.faults.add(Fault.status(503), times=None)
        found = await outcomes(metrons)
        assert {type(error) for error in found} == {ServerError}
        assert {error.status for error in found} == {503}
        assert world.sent <= sent + 1

    scenario(tmp_path, run)


def test_a_failure_that_passes_costs_one_request_more(tmp_path):
    async def run(world):
        metrons = await world.processes(6)
        world.fake.faults.add(Fault.status(503), times=1)
        found = await outcomes(metrons)
        assert [issue.id for issue in found] == [7] * 6
        assert world.sent == 2

    scenario(tmp_path, run)


@pytest.mark.parametrize("fault", [Fault.html_page(), Fault.garbled()], ids=repr)
def test_a_response_that_cannot_be_used_is_asked_for_once(fault, tmp_path):
    async def run(world):
        metrons = await world.processes(4, retries=0)
        world.fake.faults.add(fault, times=1)
        found = await outcomes(metrons)
        assert all(isinstance(error, DecodeError) for error in found)
        assert world.sent == 1
        assert (await metrons[0].issues.get(7)).id == 7

    scenario(tmp_path, run)


def test_a_429_stops_one_of_them_only(tmp_path):
    async def run(world):
        metrons = await world.processes(4)
        world.fake.faults.add(Fault.status(429), times=1)
        found = await outcomes(metrons, max_wait=300)
        assert [issue.id for issue in found] == [7] * 4
        assert world.sent == 2

    scenario(tmp_path, run)


@pytest.mark.parametrize("when", [0.0, 0.1, 0.31])
def test_a_process_that_is_killed_holds_the_others_up_for_a_lease_at_most(when, tmp_path):
    async def run(world):
        doomed, storage = await world.process()
        others = await world.processes(3)
        call = asyncio.create_task(doomed.issues.get(7))
        await asyncio.sleep(when)
        storage.dead = True
        call.cancel()
        began = asyncio.get_running_loop().time()
        found = await outcomes(others)
        assert [issue.id for issue in found] == [7] * 3
        assert asyncio.get_running_loop().time() - began <= LEASE + 4
        assert world.sent <= 2
        await asyncio.sleep(60)  # its own settlement is given up

    scenario(tmp_path, run)


def test_a_caller_does_not_wait_for_another_process_beyond_max_wait(tmp_path):
    async def run(world):
        world.fake.latency = 10.0
        slow, quick = await world.processes(2)
        call = asyncio.create_task(slow.issues.get(7))
        await asyncio.sleep(1)
        began = asyncio.get_running_loop().time()
        (error,) = await outcomes([quick], max_wait=2)
        assert isinstance(error, MetronError)
        assert "another process" in str(error)
        assert asyncio.get_running_loop().time() - began <= 2.5
        assert (await call).id == 7

    scenario(tmp_path, run)


def test_processes_with_caches_of_their_own_do_not_wait_for_each_other(tmp_path):
    async def run(world):
        one, _ = await world.process()
        two, _ = await world.process(cache=SQLiteCache(tmp_path / "other.sqlite3"))
        three, _ = await world.process(cache=MemoryCache())
        began = asyncio.get_running_loop().time()
        found = await outcomes([one, two, three])
        assert [issue.id for issue in found] == [7] * 3
        assert asyncio.get_running_loop().time() - began < 0.35
        assert world.sent == 3

    scenario(tmp_path, run)


@pytest.mark.parametrize(("keep_private", "sent"), [(True, 1), (False, 4)])
def test_private_lists_are_shared_where_the_cache_keeps_them(keep_private, sent, tmp_path):
    async def run(world):
        path = tmp_path / "cache.sqlite3"
        metrons = [
            (await world.process(cache=SQLiteCache(path, keep_private=keep_private)))[0]
            for _ in range(4)
        ]
        pages = (metron.collection.iter().page(1) for metron in metrons)
        assert len({len(page) for page in await asyncio.gather(*pages)}) == 1
        asked = [it for it in world.fake.requests if it.path.startswith("/api/collection/")]
        assert len(asked) == sent

    scenario(tmp_path, run)


def test_a_call_that_was_queued_looks_into_the_cache_before_it_is_sent(tmp_path):
    async def run(world):
        first, second = await world.processes(2)
        await asyncio.gather(*(first.issues.get(number) for number in range(20, 38)))
        one = asyncio.create_task(first.issues.get(7))
        await asyncio.sleep(0.1)
        other = asyncio.create_task(second.with_options(refresh=True).issues.get(8))
        await asyncio.sleep(0.1)
        third = asyncio.create_task(first.with_options(refresh=True).issues.get(8))
        assert {(await each).id for each in (one, other, third)} == {7, 8}
        asked = [asked.path for asked in world.fake.requests]
        assert asked.count("/api/issue/8/") == 1
        assert world.fake.throttled == 0

    scenario(tmp_path, run)


def test_what_a_write_drops_is_not_taken_by_a_later_read(tmp_path):
    async def run(world):
        world.fake.latency = 1.0
        one, two = await world.processes(2)
        reading = asyncio.create_task(one.issues.get(7))
        await asyncio.sleep(0.5)
        world.fake.touch("issue", 7, desc="new")
        responses = two._caller.core.parts.responses
        await responses.cache.invalidate(responses.account, resource="issue", now=responses.wall())
        assert (await two.issues.get(7)).desc == "new"
        assert (await reading).id == 7

    scenario(tmp_path, run)


def test_chat_users_over_four_processes_cost_one_request(tmp_path):
    async def run(world):
        metrons = await world.processes(4)
        quick = [it.with_options(priority=Priority.INTERACTIVE, max_wait=5) for it in metrons]
        lists = [view.issues.iter(store_date=date(2026, 11, 25)) for view in quick]
        asked = (lists[user % 4].collect() for user in range(50))
        found = await asyncio.gather(*asked)
        assert all(rows == found[0] for rows in found)
        assert len([it for it in world.fake.requests if "store_date" in str(it.params)]) <= 2

    scenario(tmp_path, run)


async def test_the_origin_of_a_shared_response_is_the_cache(tmp_path):
    fake = FakeMetron(issues=20)
    fake.latency = 0.1
    async with (
        AsyncMetron(fake.token, transport=fake.transport(), storage=tmp_path) as one,
        AsyncMetron(fake.token, transport=fake.transport(), storage=tmp_path) as two,
    ):
        await one.issues.get(1)
        first, second = await asyncio.gather(one.issues.get(7), two.issues.get(7))
        sources = {one.origin_of(first).source, two.origin_of(second).source}
    assert sources == {Source.CACHE, Source.NETWORK}
    assert len(fake.requests) == 2
