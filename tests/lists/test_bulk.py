"""``fetch_many`` and ``details``: results as they come, bounded, and few requests."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from support.scale import scaled

from metron_async import AsyncMetron, ClosedError, NotFoundError, Priority, Source, UsageError
from metron_async.lists.bulk import FetchMany
from metron_async.testing import FakeMetron, Fault, run_virtual
from metron_async.types import Fetched

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def client(fake: FakeMetron, **options: Any) -> AsyncMetron:
    return AsyncMetron(token=fake.token, transport=fake.transport(), **options)


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return number * 2


async def ids_of(several: Any) -> AsyncIterator[int]:
    for number in several:
        await asyncio.sleep(0)
        yield number


async def collect(fetch: Any, ids: Any, **options: Any) -> list[Fetched[Any]]:
    values = {"concurrency": 4, "on_error": "yield", **options}
    return [got async for got in FetchMany(fetch, ids, **values)]


# --- fetch_many -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 50])
@pytest.mark.parametrize("kind", [list, range, iter, ids_of])
async def test_every_id_gives_one_result(size: int, kind: Any) -> None:
    got = await collect(double, kind(size) if kind is range else kind(range(size)))
    assert sorted((one.id, one.value) for one in got) == [(n, n * 2) for n in range(size)]


async def test_results_come_as_they_are_ready() -> None:
    async def slow_first(number: int) -> int:
        await asyncio.sleep(0.05 if number == 0 else 0)
        return number

    got = await collect(slow_first, range(3), concurrency=3)
    assert [one.id for one in got][-1] == 0


async def test_never_more_at_once_than_wanted() -> None:
    running, most = 0, 0

    async def fetch(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return number

    await collect(fetch, range(100), concurrency=3)
    assert most == 3


async def test_no_more_ids_are_taken_than_there_are_requests() -> None:
    taken = itertools.count()
    results = aiter(FetchMany(double, (next(taken) for _ in itertools.repeat(0)), concurrency=3))
    for _ in range(10):
        await anext(results)
    await results.aclose()
    assert next(taken) <= 10 + 3 + 1


async def test_memory_does_not_grow_with_the_ids() -> None:
    async def fetch(number: int) -> int:
        return number

    tracemalloc.start()
    try:
        results = aiter(FetchMany(fetch, ids_of(range(scaled(9_000, 90_000)))))
        async with contextlib.aclosing(results):
            marks = [
                tracemalloc.get_traced_memory()[0]
                async for got in results
                if got.id % 3_000 == 1_500
            ]
    finally:
        tracemalloc.stop()
    assert marks[-1] - marks[0] < 100_000


async def failing(number: int) -> int:
    if number % 2:
        msg = "gone"
        raise NotFoundError(msg)
    return number


async def test_failures_are_results_or_left_out_or_raised() -> None:
    got = await collect(failing, range(10))
    assert sum(one.error is not None for one in got) == 5
    assert len(await collect(failing, range(10), on_error="skip")) == 5
    with pytest.raises(NotFoundError):
        await collect(failing, range(10), on_error="raise")
    assert Fetched(4, value=4).unwrap() == 4
    with pytest.raises(NotFoundError):
        Fetched(5, error=NotFoundError("gone")).unwrap()


async def test_what_is_no_failure_of_one_id_ends_the_run() -> None:
    async def closed(_number: int) -> int:
        msg = "closed"
        raise ClosedError(msg)

    async def broken(_number: int) -> int:
        raise ZeroDivisionError

    async def bad_ids() -> AsyncIterator[int]:
        yield 1
        raise LookupError

    for fetch, kind in ((closed, ClosedError), (broken, ZeroDivisionError)):
        with pytest.raises(kind):
            await collect(fetch, range(10))
    with pytest.raises(LookupError):
        await collect(double, bad_ids())


@pytest.mark.parametrize("options", [{"concurrency": 0}, {"concurrency": True}, {"on_error": "?"}])
async def test_bad_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        await collect(double, range(3), **options)


@pytest.mark.parametrize("how", ["close", "cancel"])
async def test_breaking_off_leaves_no_task(how: str) -> None:
    before = asyncio.all_tasks()
    cancelled = 0

    async def forever(number: int) -> int:
        nonlocal cancelled
        if number < 2:
            return number
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled += 1
            raise
        return number

    async def consume() -> None:
        results = aiter(FetchMany(forever, itertools.count()))
        async with contextlib.aclosing(results):
            async for got in results:
                if got.id == 1 and how == "close":
                    return

    if how == "close":
        await consume()
    else:
        task = asyncio.create_task(consume())
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert asyncio.all_tasks() == before
    assert cancelled <= 4


async def test_one_bad_id_does_not_end_the_run_of_a_resource() -> None:
    fake = FakeMetron(throttle=False)
    fake.faults.add(Fault.json(lambda body: body | {"number": 5}), path="/api/issue/2/", times=None)
    async with client(fake) as metron:
        got = {one.id: one async for one in metron.issues.fetch_many([1, 2, 999_999, -1, 4])}
    assert [number for number, one in sorted(got.items()) if one.error is None] == [1, 4]
    assert type(got[-1].error) is UsageError
    assert isinstance(got[999_999].error, NotFoundError)


def test_it_follows_the_priority_of_the_view() -> None:
    fake = FakeMetron()

    async def main() -> None:
        async with client(fake) as metron:
            bulk = metron.with_options(priority=Priority.BULK)
            many = asyncio.create_task(_drain(bulk.issues.fetch_many(range(1, 60))))
            await asyncio.sleep(70)  # the first slots are all taken: no higher priority was in use
            began = asyncio.get_running_loop().time()
            await metron.with_options(priority=Priority.INTERACTIVE).series.get(1)
            assert asyncio.get_running_loop().time() - began < 5
            assert await many == 59
        assert fake.throttled == 0

    run_virtual(main())


async def _drain(results: Any) -> int:
    return len([one async for one in results])


# --- details --------------------------------------------------------------------------------------


async def test_a_list_tells_which_details_changed() -> None:
    """1,000 issues walked twice with 5 changes: 10 pages and 5 details the second time."""
    fake = FakeMetron(issues=1100, throttle=False, bans=False)
    for number in range(1, 1001):
        fake.catalogue.tables.issue[number].series = 1
    fake.catalogue.change("issue", 1, {"series": 1}, fake.clock.moment())
    for number in range(1001, 1101):
        fake.touch("issue", number, series=2)
    async with client(fake) as metron:
        wanted = await metron.issues.iter(series_id=1).count()
        assert wanted == 1000
        fake.reset_log()
        first = [issue async for issue in metron.issues.iter(series_id=1).details()]
        assert len(first) == 1000
        assert len(fake.requests) == 1010
        changed = {7, 8, 300, 301, 999}
        for number in changed:
            fake.touch("issue", number, desc=f"News of {number}")
        fake.reset_log()
        again = [issue async for issue in metron.issues.iter(series_id=1).details()]
        asked = [request.path for request in fake.requests]
        assert asked.count("/api/issue/") == 10
        assert {path for path in asked if path != "/api/issue/"} == {
            f"/api/issue/{number}/" for number in changed
        }
        assert len(asked) == 15
        assert [issue.id for issue in again] == [issue.id for issue in first]
        assert {issue.id for issue in again if issue.desc.startswith("News")} == changed
        sources = {metron.origin_of(issue).source for issue in again}  # type: ignore[union-attr]
        assert sources == {Source.LIST, Source.NETWORK}
        assert metron.stats.vouched == 995


async def test_what_is_deleted_during_the_walk_is_left_out() -> None:
    fake = FakeMetron(throttle=False)
    fake.faults.add(Fault.status(404, page=False), path="/api/issue/3/", times=None)
    async with client(fake) as metron:
        found = [issue.id async for issue in metron.issues.iter(series_id=1).details()]
        rows = [row.id async for row in metron.issues.iter(series_id=1)]
        assert found == [number for number in rows if number != 3]
        few = await metron.issues.iter(series_id=1).details().collect(limit=2)
        assert [issue.id for issue in few] == rows[:2]
        assert await metron.issues.iter(series_id=1).details().collect(limit=0) == []
        with pytest.raises(UsageError, match="limit"):
            await metron.issues.iter(series_id=1).details().collect(limit=-1)
        assert len(await metron.publishers.iter().details().collect()) > 0
        assert "issue/" in repr(metron.issues.iter(series_id=1).details())


async def test_breaking_off_a_walk_in_full_leaves_no_task() -> None:
    fake = FakeMetron(throttle=False)
    async with client(fake) as metron:
        before = asyncio.all_tasks()
        details = aiter(metron.issues.iter(series_id=1).details())
        await anext(details)
        await details.aclose()  # type: ignore[attr-defined]
        async with asyncio.timeout(10):
            while asyncio.all_tasks() != before:  # noqa: ASYNC110 - what was sent comes to its end
                await asyncio.sleep(0.01)
