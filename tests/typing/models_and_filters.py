# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""What type checkers see of models and filters. Checked by mypy and pyright, and never run.

A line that must be refused carries a ``type: ignore``: both checkers report one that is not
needed, so it fails when the mistake is let through.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Unpack, assert_type

from metron_async.enums import SeriesStatus
from metron_async.models import PageBody, SeriesRef

if TYPE_CHECKING:
    from metron_async.filters import IssueFilters, SeriesFilters
    from metron_async.models import Issue, IssueSummary, Series


def rows_are_typed(page: PageBody[IssueSummary]) -> None:
    """A page knows the type of its rows."""
    assert_type(page.count, int)
    assert_type(page.next, str | None)
    assert_type(page.results, list["IssueSummary"])
    assert_type(page.results[0].series, SeriesRef)


def details_are_typed(issue: Issue, series: Series) -> None:
    """Dates are dates, prices decimals, and sequences tuples."""
    assert_type(issue.cover_date, date)
    assert_type(issue.store_date, date | None)
    assert_type(issue.modified, datetime)
    assert_type(issue.price, Decimal | None)
    assert_type(issue.story_titles, tuple[str, ...])
    assert_type(series.status, str)


def models_are_frozen(issue: Issue) -> None:
    """Nobody changes an answer that others may hold."""
    issue.number = "2"  # type: ignore[misc]


def issues(**filters: Unpack[IssueFilters]) -> None:
    """Take what ``metron.issues.iter`` takes."""


def series(**filters: Unpack[SeriesFilters]) -> None:
    """Take what ``metron.series.iter`` takes."""


def filters_are_typed() -> None:
    """Every filter has its type, and there are no others."""
    issues(publisher_name="marvel", cover_year=2026, store_date_range_after=date(2026, 1, 1))
    issues(modified_gt=datetime(2026, 1, 1, tzinfo=UTC))
    series(status=SeriesStatus.ONGOING)
    issues(series=1)  # type: ignore[call-arg]
    issues(cover_year="2026")  # type: ignore[arg-type]


def missing_fields_are_refused() -> None:
    """A page without its count is no page."""
    PageBody[int](results=[])  # type: ignore[call-arg]
