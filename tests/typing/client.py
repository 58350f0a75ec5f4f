# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""What type checkers see of the client. Checked by mypy and pyright, and never run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import assert_type

from metron_async import (
    NOT_MODIFIED,
    AsyncMetron,
    MetronView,
    NotModified,
    Origin,
    Page,
    Paginator,
    Priority,
)
from metron_async.models import Issue, IssueSummary, PullList, SeriesSummary


async def reads(metron: AsyncMetron) -> None:
    """Each namespace answers with its own types."""
    issue = await metron.issues.get(1)
    assert_type(issue, Issue)
    assert_type(metron.series.iter(name="wolf"), Paginator[SeriesSummary])
    assert_type(metron.series.issues(1), Paginator[IssueSummary])
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
    assert_type(await issues.collect(limit=3), list[IssueSummary])
    assert_type(await issues.first(), IssueSummary | None)
    assert_type(await issues.count(), int)
    metron.issues.iter(series=1)  # type: ignore[call-arg]
    metron.issues.iter(cover_year="2026")  # type: ignore[arg-type]


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
