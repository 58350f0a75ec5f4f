# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""What type checkers see of the client. Checked by mypy and pyright, and never run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import assert_type

import metron_async.cache
import metron_async.testing
from metron_async import (
    NOT_MODIFIED,
    AsyncMetron,
    DetailedList,
    Fetched,
    LazyList,
    MetronView,
    NotModified,
    Origin,
    Page,
    Priority,
    RowList,
)
from metron_async.models import Issue, IssueSummary, PullList, Role, Series, SeriesSummary


def misspelled_names() -> None:
    """Names load on first use, and type checkers still know which there are."""
    metron_async.AsyncMetro()  # type: ignore[attr-defined]
    metron_async.cache.RedisCash()  # type: ignore[attr-defined]
    metron_async.testing.FakeMetro()  # type: ignore[attr-defined]


async def reads(metron: AsyncMetron) -> None:
    """Each namespace answers with its own types."""
    issue = await metron.issues.get(1)
    assert_type(issue, Issue)
    assert_type(metron.series.iter(name="wolf"), DetailedList[SeriesSummary, Series])
    assert_type(metron.series.issues(1), RowList[IssueSummary])
    assert_type(await metron.pull_list.get(), PullList | None)
    assert_type(metron.origin_of(issue), Origin | None)
    await metron.issues.get("1")  # type: ignore[arg-type]


async def lists(metron: AsyncMetron) -> None:
    """A list keeps the type of its rows, however it is walked."""
    issues = metron.issues.iter(publisher_name="marvel", cover_year=2026)
    async for row in issues:
        assert_type(row, IssueSummary)
    async for page in issues.pages():
        assert_type(page, Page[IssueSummary])
        assert_type(page[0], IssueSummary)
        assert_type([row.id for row in page], list[int])
    assert_type(await issues.collect(limit=3), list[IssueSummary])
    assert_type(await issues.first(), IssueSummary | None)
    assert_type(await issues.count(), int)
    assert_type(await issues.last(3), list[IssueSummary])
    metron.issues.iter(series=1)  # type: ignore[call-arg]
    metron.issues.iter(cover_year="2026")  # type: ignore[arg-type]


def takes(_lists: list[LazyList[object]], _rows: RowList[IssueSummary]) -> None:
    """A list with details is a list of rows."""


async def objects(metron: AsyncMetron) -> None:
    """Only lists of what has details offer them, and all are lazy lists."""
    async for issue in metron.issues.iter().details(concurrency=2):
        assert_type(issue, Issue)
    assert_type(await metron.issues.iter().details().first(), Issue | None)
    many = metron.issues.fetch_many([1, 2], on_error="skip")
    async for got in many:
        assert_type(got, Fetched[Issue])
    assert_type(await many.collect(2), list[Fetched[Issue]])
    several: list[LazyList[object]] = [metron.roles.iter(), metron.issues.iter().details(), many]
    assert_type(metron.roles.iter(), RowList[Role])
    takes(several, metron.issues.iter())
    metron.roles.iter().details()  # type: ignore[attr-defined]
    metron.series.issues(1).details()  # type: ignore[attr-defined]
    metron.issues.iter({"series_id": 5})  # type: ignore[call-arg, arg-type]
    await metron.issues.iter()  # type: ignore[misc]
    for row in metron.issues.iter():  # type: ignore[attr-defined]
        del row


async def changes(metron: AsyncMetron) -> None:
    """Not modified is told apart from a value by identity, and then the value is known."""
    newer = await metron.issues.get_if_modified(1, datetime.now(UTC))
    assert_type(newer, Issue | NotModified)
    if newer is not NOT_MODIFIED:
        assert_type(newer, Issue)


async def options(metron: AsyncMetron) -> None:
    """Options are keywords with types, on the client and on its views."""
    quick = metron.with_options(priority=Priority.INTERACTIVE, max_wait=2)
    assert_type(quick, MetronView)
    assert_type(await quick.issues.get(1), Issue)
    metron.with_options(max_weight=2)  # type: ignore[call-arg]
    async with AsyncMetron(token="...", max_wait=2.5) as client:
        assert_type(client, AsyncMetron)
