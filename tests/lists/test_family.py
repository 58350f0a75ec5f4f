"""What all lazy lists share, and how wrong calls and interpreters see them."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import httpx
import pytest

import metron_async
from metron_async import (
    AsyncMetron,
    DetailedList,
    LazyList,
    RowList,
    UsageError,
)
from metron_async._engine.options import OptionArguments
from metron_async.filters import IssueFilters, filter_names
from metron_async.testing import FakeMetron, Fault


def client(fake: FakeMetron | None = None) -> AsyncMetron:
    fake = fake or FakeMetron(60, throttle=False)
    return AsyncMetron(token=fake.token, transport=fake.transport())


LISTS = {
    "iter": lambda metron: metron.issues.iter(series_id=1),
    "details": lambda metron: metron.issues.iter(series_id=1).details(),
    "fetch_many": lambda metron: metron.issues.fetch_many([1, 2, 3], concurrency=1),
    "issues": lambda metron: metron.series.issues(1),
    "roles": lambda metron: metron.roles.iter(),
}


@pytest.mark.parametrize("name", LISTS)
async def test_every_list_is_of_one_family(name: str) -> None:
    fake = FakeMetron(60, throttle=False)
    async with client(fake) as metron:
        lazy = LISTS[name](metron)
        assert isinstance(lazy, LazyList)
        assert not fake.requests
        every = [item async for item in lazy]
        assert await lazy.collect() == every
        assert await lazy.collect(2) == every[:2]
        assert await lazy.collect(limit=0) == []
        assert await lazy.first() == every[0]
        for wrong in (-1, "3", 1.5, True):
            with pytest.raises(UsageError, match="limit"):
                await lazy.collect(limit=wrong)


@pytest.mark.parametrize("name", LISTS)
async def test_wrong_loops_show_the_right_one(name: str) -> None:
    async with client() as metron:
        lazy = LISTS[name](metron)
        with pytest.raises(UsageError, match="async for"):
            for _ in lazy:
                pass
        with pytest.raises(TypeError, match="async for"):
            list(lazy)
        with pytest.raises(UsageError, match=r"\.collect\(\)"):
            await lazy
        with pytest.raises(TypeError, match=r"\.collect\(\)"):
            await asyncio.gather(lazy)


@pytest.mark.parametrize(
    ("namespace", "method"),
    [("issues", "iter"), ("series_types", "iter"), ("pull_list", "issues"), ("collection", "iter")],
)
async def test_filters_in_a_dict_show_the_right_call(namespace: str, method: str) -> None:
    async with client() as metron:
        call = getattr(getattr(metron, namespace), method)
        shown = rf"metron\.{namespace}\.{method}\(\*\*filters\)"
        with pytest.raises(UsageError, match=shown):
            call({"series_id": 5})
        with pytest.raises(TypeError, match=shown):
            call(5)


def test_only_lists_with_details_offer_them() -> None:
    metron = client()
    assert type(metron.issues.iter()) is DetailedList
    for rows in (metron.roles.iter(), metron.collection.iter(), metron.series.issues(1)):
        assert type(rows) is RowList
        assert not hasattr(rows, "details")


@pytest.mark.parametrize("ids", [5, None, "123"])
def test_ids_must_be_several(ids: Any) -> None:
    with pytest.raises(UsageError, match="iterable"):
        client().issues.fetch_many(ids)


# --- What an interpreter shows --------------------------------------------------------------------


def namespaces(metron: AsyncMetron) -> list[str]:
    return [name for name in dir(metron) if not name.startswith("_") and name != "stats"]


def test_signatures_show_every_filter() -> None:
    metron = client()
    signature = inspect.signature(metron.issues.iter)
    assert set(signature.parameters) == filter_names(IssueFilters)
    assert signature.parameters["series_id"].annotation is int
    kinds = {one.kind for one in signature.parameters.values()}
    assert kinds == {inspect.Parameter.KEYWORD_ONLY}
    assert "store_date_range_after" in str(signature)
    assert "the issues that match" in (inspect.getdoc(metron.issues.iter) or "")
    for name in namespaces(metron):
        for method in ("iter", "issues"):
            call = getattr(getattr(metron, name), method, None)
            if call is not None:
                kinds = {one.kind for one in inspect.signature(call).parameters.values()}
                assert inspect.Parameter.VAR_KEYWORD not in kinds


def test_signatures_show_every_option() -> None:
    metron = client()
    for call in (metron.with_options, AsyncMetron):
        signature = inspect.signature(call)
        assert set(OptionArguments.__annotations__) <= set(signature.parameters)
        assert "max_wait: float | None = " in str(signature).replace("'", "")
    assert "token" in inspect.signature(AsyncMetron).parameters


def test_completion_shows_calls_only() -> None:
    metron = client()
    public = [name for name in dir(metron.issues) if not name.startswith("_")]
    assert public == [
        "create", "fetch_many", "get", "get_if_modified", "iter", "match", "match_many", "replace",
        "update",
    ]  # fmt: skip
    for name in ("path", "private", "conditional", "model", "row", "input", "written"):
        assert not hasattr(metron.collection, name)
    rows = metron.issues.iter()
    assert [name for name in dir(rows) if not name.startswith("_")] == [
        "collect", "count", "details", "first", "last",
        "missing", "page", "pages", "rows", "skipped",
    ]  # fmt: skip


def test_the_family_is_public() -> None:
    for name in ("LazyList", "RowList", "DetailedList", "Page", "Fetched"):
        assert name in metron_async.__all__


# --- Pages ----------------------------------------------------------------------------------------


async def test_a_page_is_a_sequence_of_its_rows() -> None:
    async with client() as metron:
        page = await metron.issues.iter().page(1)
    assert list(page) == list(page.rows)
    assert (page[0], page[-1], page[1:3]) == (page.rows[0], page.rows[-1], page.rows[1:3])
    assert len(page) == len(page.rows) == 60
    assert page.rows[3] in page
    with pytest.raises(IndexError):
        page[60]


# --- The end of a list ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("issues", "n", "requests"),
    [
        (60, 3, 1),
        (60, 99, 1),
        (250, 0, 0),
        (250, 1, 2),
        (250, 50, 2),
        (250, 51, 3),
        (250, 999, 3),
        (200, 100, 2),
        (430, 200, 4),
    ],
)
async def test_the_last_rows_cost_few_requests(issues: int, n: int, requests: int) -> None:
    fake = FakeMetron(issues, throttle=False)
    async with client(fake) as metron:
        every = await metron.with_options(refresh=True).issues.iter().collect()
    fake.reset_log()
    async with client(fake) as metron:
        assert await metron.issues.iter().last(n) == every[max(0, len(every) - n) :]
        assert len(fake.requests) == requests


async def test_the_last_rows_of_an_empty_list() -> None:
    async with client() as metron:
        assert await metron.issues.iter(series_id=999_999).last(5) == []
        assert len(await metron.issues.iter().last()) == 1
        with pytest.raises(UsageError, match="n must be"):
            await metron.issues.iter().last(-1)


async def test_the_last_rows_of_a_list_that_changes_its_length() -> None:
    fake = FakeMetron(201, throttle=False)
    gone = (await client(fake).issues.iter().last())[0].id
    fake.faults.add(Fault.during(lambda: fake.delete("issue", gone)), path="/api/issue/", skip=1)
    async with client(fake) as metron:
        last = await metron.issues.iter().last(2)  # page 3 is gone when it is requested
        assert last == (await metron.with_options(refresh=True).issues.iter().collect())[-2:]
    fake.faults.add(Fault.recounted(-150), path="/api/issue/")
    async with client(fake) as metron:
        assert await metron.issues.iter().last(2) == last


@pytest.mark.parametrize("on_error", ["skip", "raise"])
async def test_ids_of_another_type_are_a_mistake_in_the_program(on_error: Any) -> None:
    """As where they were read from a file: skipping them all would hide it."""
    async with client() as metron:
        with pytest.raises(UsageError, match=r"write int\('7'\)"):
            await metron.issues.fetch_many(["7"], on_error=on_error).collect()  # type: ignore[list-item]
        with pytest.raises(UsageError, match=r"Invalid id") as caught:
            await metron.issues.get(1.5)  # type: ignore[arg-type]
        assert "write int" not in str(caught.value)


@pytest.mark.parametrize("name", ["limit", "strict"])
async def test_arguments_of_collect_are_not_filters(name: str) -> None:
    async with client() as metron:
        with pytest.raises(UsageError, match=rf"\.collect\({name}="):
            metron.issues.iter(**{name: 5})


class Older(httpx.AsyncBaseTransport):
    """A server that does not know the newer filters, and ignores them."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        for name in ("modified_lt", "cover_date_range_after", "cover_date_range_before"):
            request.url = request.url.copy_remove_param(name)
        return await self.inner.handle_async_request(request)


async def test_the_last_rows_where_an_older_server_ignores_the_filter() -> None:
    """The client leaves rows out of the pages then, which are as many as before."""
    fake = FakeMetron(430, throttle=False)
    async with AsyncMetron(fake.token, transport=Older(fake.transport()), cache=None) as metron:
        every = await metron.issues.iter().collect()
        for row in (every[10], every[150], every[-20]):
            dates = {"cover_date_range_after": row.cover_date}
            expected = await metron.issues.iter(**dates).collect()
            fake.reset_log()
            assert await metron.issues.iter(**dates).last(2) == expected[-2:]
            assert len(fake.requests) <= 6
            assert all(asked.status == 200 for asked in fake.requests)


async def test_a_list_that_shrinks_by_pages_costs_few_404s() -> None:
    fake = FakeMetron(1200, throttle=False)
    fake.faults.add(Fault.recounted(5000), path="/api/issue/", times=1)
    async with client(fake) as metron:
        assert len(await metron.issues.iter().last()) == 1
    assert [asked.status for asked in fake.requests].count(404) == 1


async def test_a_bot_shows_the_newest_issues() -> None:
    """docs/howto/bots.md promised the newest issues of a series and showed the oldest."""
    fake = FakeMetron(400, throttle=False)
    async with client(fake) as metron:
        every = await metron.series.issues(1).collect()
        newest = await metron.series.issues(1).last(3)
    assert newest == every[-3:]
    assert newest[-1].cover_date == max(row.cover_date for row in every)
    assert newest[-1].cover_date > every[0].cover_date
