"""Filters are sent as meant, or refused before a request is spent."""

import math
from array import array
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metron_async.enums import (
    AttributionSource,
    BookFormat,
    Grade,
    GradingCompany,
    ListType,
    Rating,
    SeriesStatus,
)
from metron_async.errors import UsageError
from metron_async.filters import (
    CollectionFilters,
    IssueFilters,
    NoFilters,
    PublisherFilters,
    PullListIssueFilters,
    ReadingListFilters,
    RoleFilters,
    SeriesFilters,
    encode_filters,
    filter_names,
    row_matches,
)
from metron_async.models import ArcSummary, IssueSummary, Role, SeriesRef

NEW_YORK_WINTER = timezone(timedelta(hours=-5))
FIRST_INSTANT = datetime(1883, 11, 18, 17, tzinfo=UTC)


class Index:
    """An integer that is no int, such as numpy's."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __index__(self) -> int:
        return self.number


class Stamp(datetime):
    """A datetime that prints more than the server reads, such as pandas.Timestamp."""

    def isoformat(self, *args: Any, **kwargs: Any) -> str:
        return f"{super().isoformat(*args, **kwargs)}.000000123"


class Day(date):
    def isoformat(self) -> str:
        return "some day"


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "other"


class NeverATime(datetime):
    """Like pandas.NaT: a datetime that is not a time, and is not later than any."""

    def astimezone(self, tz: tzinfo | None = None) -> "NeverATime":
        return self

    def __ge__(self, other: object) -> bool:
        return False


def text_of(schema: type, name: str, value: object) -> str:
    ((sent, text),) = encode_filters(schema, {name: value})
    assert sent == name
    return text


SENT: list[tuple[type, str, Any, str]] = [
    (IssueFilters, "series_id", 5, "5"),
    (IssueFilters, "series_id", 0, "0"),
    (IssueFilters, "series_id", Index(7), "7"),
    (IssueFilters, "role_id", [Index(7), 3], "3,7"),
    (IssueFilters, "role_id", Index(7), "7"),
    (IssueFilters, "role_id", array("q", [9, 8]), "8,9"),
    (IssueFilters, "role_id", {2: "b", 1: "a"}.keys(), "1,2"),
    (IssueFilters, "modified_gt", FIRST_INSTANT, "1883-11-18T17:00:00Z"),
    (IssueFilters, "modified_gt", Stamp(2026, 1, 8, tzinfo=UTC), "2026-01-08T00:00:00Z"),
    (IssueFilters, "store_date", Day(2026, 1, 8), "2026-01-08"),
    (IssueFilters, "number", Text("5"), "5"),
    (IssueFilters, "cover_month", 12, "12"),
    (IssueFilters, "series_name", "Savage Wölf & Söhne", "Savage Wölf & Söhne"),
    (IssueFilters, "number", "80.BEY", "80.BEY"),
    (IssueFilters, "missing_cv_id", True, "true"),
    (IssueFilters, "missing_gcd_id", False, "false"),
    (IssueFilters, "role_id", 7, "7"),
    (IssueFilters, "role_id", [2, 1, 2], "1,2"),
    (IssueFilters, "role_id", (3,), "3"),
    (IssueFilters, "role_id", {9, 4}, "4,9"),
    (IssueFilters, "role_id", frozenset({4}), "4"),
    (IssueFilters, "store_date", date(2026, 1, 8), "2026-01-08"),
    (IssueFilters, "modified_gt", datetime(2026, 1, 8, tzinfo=UTC), "2026-01-08T00:00:00Z"),
    (
        IssueFilters,
        "modified_gt",
        datetime(2026, 1, 7, 20, 30, 0, 5, tzinfo=NEW_YORK_WINTER),
        "2026-01-08T01:30:00.000005Z",
    ),
    (SeriesFilters, "status", SeriesStatus.ONGOING, "4"),
    (SeriesFilters, "status", 1, "1"),
    (CollectionFilters, "book_format", BookFormat.BOTH, "BOTH"),
    (CollectionFilters, "book_format", "PRINT", "PRINT"),
    (CollectionFilters, "grading_company", GradingCompany.CGC, "CGC"),
    (CollectionFilters, "grade", Grade.NM_M, "9.8"),
    (CollectionFilters, "grade", 9.8, "9.8"),
    (CollectionFilters, "grade", Decimal("9.80"), "9.8"),
    (CollectionFilters, "grade", 10, "10.0"),
    (CollectionFilters, "rating", Rating.FIVE, "5"),
    (CollectionFilters, "rating", 3, "3"),
    (CollectionFilters, "date_read", date(2026, 1, 8), "2026-01-08"),
    (CollectionFilters, "date_read_gt", date(2026, 1, 8), "2026-01-08"),
    (ReadingListFilters, "attribution_source", AttributionSource.CBRO, "CBRO"),
    (ReadingListFilters, "list_type", ListType.EVENT, "EVENT"),
    (ReadingListFilters, "average_rating__gte", 4.5, "4.5"),
    (ReadingListFilters, "average_rating__gte", 4, "4"),
    (ReadingListFilters, "average_rating__gte", Decimal("3.75"), "3.75"),
    (ReadingListFilters, "average_rating__gte", 1e-7, "0.0000001"),
    (PullListIssueFilters, "store_date_after", date(2026, 1, 8), "2026-01-08"),
]


@pytest.mark.parametrize(("schema", "name", "value", "text"), SENT)
def test_a_value_is_sent_as_the_server_reads_it(
    schema: type, name: str, value: object, text: str
) -> None:
    assert text_of(schema, name, value) == text


class Odd(StrEnum):
    PRINT = "PRINT"


class Nowhere(tzinfo):
    """A time zone that does not know its offset: such a time is naive."""

    def utcoffset(self, dt: datetime | None) -> None:
        return None


class Hostile:
    """A value whose own code fails."""

    def __index__(self) -> int:
        raise OverflowError

    def __repr__(self) -> str:
        raise RuntimeError


class Broken(tzinfo):
    """A time zone whose own code fails."""

    def utcoffset(self, dt: datetime | None) -> timedelta:
        raise KeyError(dt)


class Faraway(tzinfo):
    """A time zone whose offset is not valid."""

    def utcoffset(self, dt: datetime | None) -> timedelta:
        return timedelta(days=2)


NAIVE = datetime(2026, 1, 8)  # noqa: DTZ001 - that is the point
NESTED: list[Any] = []
for _ in range(100_000):
    NESTED = [NESTED]
REFUSED: list[tuple[type, str, Any, str]] = [
    (IssueFilters, "series_id", True, "whole number"),
    (IssueFilters, "series_id", "5", "whole number"),
    (IssueFilters, "series_id", 5.0, "whole number"),
    (IssueFilters, "series_id", -1, "0 to 2147483647, got -1"),
    (IssueFilters, "series_id", 2**31, "0 to 2147483647"),
    (IssueFilters, "series_id", Rating.ONE, "whole number"),
    (IssueFilters, "series_id", None, "leave it out"),
    (IssueFilters, "cover_month", 0, "1 to 12"),
    (IssueFilters, "cover_month", 13, "1 to 12"),
    (IssueFilters, "cover_year", 10_000, "1 to 9999"),
    (IssueFilters, "series_volume", 32_768, "0 to 32767"),
    (IssueFilters, "missing_cv_id", 1, "True or False, got int"),
    (IssueFilters, "missing_cv_id", "true", "True or False"),
    (IssueFilters, "role_id", [], "at least one"),
    (IssueFilters, "role_id", [1, True], "whole number"),
    (IssueFilters, "role_id", [1, -2], "0 to"),
    (IssueFilters, "role_id", True, "whole number"),
    (IssueFilters, "role_id", "1,2", "several"),
    (IssueFilters, "number", 5, r"a string \(str\), got int"),
    (IssueFilters, "series_name", "", "blank"),
    (IssueFilters, "series_name", " \t", "blank"),
    (IssueFilters, "series_name", "a\x00", "control characters"),
    (IssueFilters, "series_name", "a\x85b", "control characters"),
    (IssueFilters, "series_name", "\ud800", "surrogates"),
    (IssueFilters, "series_name", Odd.PRINT, "a string"),
    (IssueFilters, "store_date", NAIVE, "got a datetime"),
    (IssueFilters, "store_date", "2026-01-08", "a date"),
    (IssueFilters, "modified_gt", NAIVE, "New York"),
    (IssueFilters, "modified_gt", NAIVE.replace(tzinfo=Nowhere()), "New York"),
    (IssueFilters, "modified_gt", date(2026, 1, 8), "got a date; add a time"),
    (IssueFilters, "modified_gt", "2026-01-08T00:00:00Z", "an aware datetime"),
    (
        IssueFilters,
        "modified_gt",
        datetime.max.replace(tzinfo=NEW_YORK_WINTER),
        "exists in UTC",
    ),
    *(
        (CollectionFilters, f"date_read{comparison}", value, "a date")
        for comparison in ("", "_gt", "_gte", "_lt", "_lte")
        for value in (NAIVE, NAIVE.replace(tzinfo=UTC), 2026, "2026-01-08")
    ),
    (
        IssueFilters,
        "modified_gt",
        FIRST_INSTANT - timedelta(seconds=1),
        "at or after 1883-11-18T17",
    ),
    (IssueFilters, "modified_gt", datetime.min.replace(tzinfo=UTC), "at or after"),
    (IssueFilters, "modified_gt", NeverATime(2026, 1, 1, tzinfo=UTC), "at or after"),
    (IssueFilters, "modified_gt", NAIVE.replace(tzinfo=Faraway()), "exists in UTC"),
    (IssueFilters, "series_id", 10**400, "0 to 2147483647"),
    (IssueFilters, "series_id", Hostile(), "got Hostile: Hostile without a repr"),
    (IssueFilters, "role_id", [Hostile()], "got Hostile: Hostile without a repr"),
    (SeriesFilters, "status", Hostile(), "got Hostile without a repr"),
    (ReadingListFilters, "average_rating__gte", Hostile(), "a number"),
    (IssueFilters, "modified_gt", NAIVE.replace(tzinfo=Broken()), "exists in UTC"),
    (IssueFilters, "series_id", Index(-1), "0 to 2147483647, got -1"),
    (IssueFilters, "series_id", float("1e300"), "whole number"),
    (IssueFilters, "role_id", [10**400], "0 to 2147483647"),
    (IssueFilters, "role_id", b"12", "several"),
    (IssueFilters, "role_id", {1: 2}, "several"),
    (IssueFilters, "role_id", [[[]]], "whole number"),
    (IssueFilters, "series_id", NESTED, "got list: list without a repr"),
    (CollectionFilters, "grade", 10**400, "Grade"),
    (CollectionFilters, "grade", Decimal("1e400"), "Grade"),
    (SeriesFilters, "status", 10**400, "SeriesStatus"),
    (ReadingListFilters, "average_rating__gte", Decimal("1e-999999"), "at most 20 decimals"),
    (ReadingListFilters, "average_rating__gte", 5e-324, "at most 20 decimals"),
    (ReadingListFilters, "average_rating__gte", Decimal("1e400"), "0 to 5"),
    (ReadingListFilters, "average_rating__gte", Grade.FR, "a number"),
    (SeriesFilters, "status", "continuing", r"ONGOING \(4\)"),
    (SeriesFilters, "status", 5, "SeriesStatus"),
    (SeriesFilters, "status", 4.0, "SeriesStatus"),
    (SeriesFilters, "status", True, "SeriesStatus"),
    (SeriesFilters, "status", Rating.FOUR, "SeriesStatus"),
    (SeriesFilters, "status", None, "SeriesStatus"),
    (CollectionFilters, "book_format", "Print", r"PRINT \(PRINT\)"),
    (CollectionFilters, "book_format", Odd.PRINT, "BookFormat"),
    (CollectionFilters, "grade", 9.7, "Grade"),
    (CollectionFilters, "grade", "9.8", "Grade"),
    (CollectionFilters, "grade", Decimal("NaN"), "Grade"),
    (CollectionFilters, "grade", Decimal("sNaN"), "Grade"),
    (CollectionFilters, "grade", math.nan, "Grade"),
    (CollectionFilters, "rating", 6, "Rating"),
    (ReadingListFilters, "average_rating__gte", 5.1, "0 to 5"),
    (ReadingListFilters, "average_rating__gte", math.nan, "0 to 5"),
    (ReadingListFilters, "average_rating__gte", math.inf, "0 to 5"),
    (ReadingListFilters, "average_rating__gte", Decimal("sNaN"), "finite"),
    (ReadingListFilters, "average_rating__gte", 10**400, "0 to 5"),
    (ReadingListFilters, "average_rating__gte", True, "a number"),
    (ReadingListFilters, "average_rating__gte", "4", "a number"),
    (PullListIssueFilters, "store_date_after", "2026-01-32", "a date"),
]


@pytest.mark.parametrize(("schema", "name", "value", "reason"), REFUSED)
def test_what_the_server_would_misread_is_refused(
    schema: type, name: str, value: object, reason: str
) -> None:
    with pytest.raises(UsageError, match=f"(?s)Filter '{name}': expected .*{reason}"):
        encode_filters(schema, {name: value})


def test_a_number_too_long_to_show_is_refused_all_the_same() -> None:
    with pytest.raises(UsageError, match="got int without a repr"):
        encode_filters(IssueFilters, {"series_id": 10**6000})


@pytest.mark.parametrize(
    ("filters", "longest"),
    [
        ({"series_name": "x" * 70_000, "number": "1"}, "series_name"),
        ({"series_name": "ö" * 1_000}, "series_name"),
        ({"role_id": list(range(1_000)), "upc": "u" * 300}, "role_id"),
        (dict.fromkeys(("series_name", "number", "upc", "sku"), "x" * 1000), "number"),
    ],
)
def test_a_query_too_long_for_a_url_is_refused(filters: dict[str, Any], longest: str) -> None:
    with pytest.raises(UsageError, match=f"Filter '{longest}': expected a query of at most 4,000"):
        encode_filters(IssueFilters, filters)
    assert encode_filters(IssueFilters, {"series_name": "x" * 3_988})


def test_pairs_are_sorted_so_that_equal_questions_are_equal() -> None:
    pairs = encode_filters(IssueFilters, {"series_id": 1, "number": "1", "cover_year": 1990})
    assert pairs == (("cover_year", "1990"), ("number", "1"), ("series_id", "1"))
    assert pairs == encode_filters(
        IssueFilters, {"cover_year": 1990, "number": "1", "series_id": 1}
    )
    assert encode_filters(IssueFilters, {}) == ()


@pytest.mark.parametrize(
    ("schema", "name", "says"),
    [
        (IssueFilters, "series", "did you mean 'series_id' or"),
        (IssueFilters, "publisher", "did you mean 'publisher_id' or"),
        (IssueFilters, "role", "did you mean 'role_id'"),
        (PublisherFilters, "nam", "did you mean 'name'"),
        (IssueFilters, "page", r"use \.page\(n\)"),
        (IssueFilters, "modified_gte", "did you mean 'modified_gt'"),
        (RoleFilters, "xyzzy", "this list has: modified_gt, modified_lt, name"),
        (NoFilters, "name", "this list has: none"),
    ],
)
def test_an_unknown_filter_is_refused_with_a_hint(schema: type, name: str, says: str) -> None:
    with pytest.raises(UsageError, match=f"Unknown filter '{name}'.*{says}"):
        encode_filters(schema, {name: "x"})


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(),
    st.dates(),
    st.datetimes(timezones=st.none() | st.just(UTC) | st.timezones()),
    st.lists(st.integers() | st.text()),
    st.binary(),
    st.sampled_from([*SeriesStatus, *BookFormat, *Grade, *Rating, *ListType]),
)
SCHEMAS = [IssueFilters, SeriesFilters, CollectionFilters, ReadingListFilters, RoleFilters]


@given(data=st.data())
@settings(deadline=None)
def test_any_value_is_sent_as_clean_text_or_refused(data: st.DataObject) -> None:
    schema = data.draw(st.sampled_from(SCHEMAS))
    name = data.draw(st.sampled_from(sorted(filter_names(schema))))
    value = data.draw(ANYTHING)
    try:
        text = text_of(schema, name, value)
    except UsageError as error:
        assert name in str(error)  # noqa: PT017 - most values are refused, not all
        return
    assert text.strip()
    assert text.isprintable() or not text.isascii()
    assert text.encode()


@given(st.datetimes(datetime(1883, 11, 20), datetime(9999, 12, 29)), st.timezones())  # noqa: DTZ001
@settings(deadline=None)
def test_an_instant_survives(naive: datetime, zone: tzinfo) -> None:
    moment = naive.replace(tzinfo=zone)
    text = text_of(IssueFilters, "modified_gt", moment)
    assert text.endswith("Z")
    assert datetime.fromisoformat(text) == moment.astimezone(UTC)


@given(st.sets(st.integers(0, 2**31 - 1), min_size=1, max_size=6))
@settings(deadline=None)
def test_ids_survive_in_any_order(ids: set[int]) -> None:
    text = text_of(IssueFilters, "role_id", list(ids))
    assert {int(part) for part in text.split(",")} == ids
    assert text == text_of(IssueFilters, "role_id", sorted(ids, reverse=True))


def issue(cover: date, modified: datetime) -> IssueSummary:
    series = SeriesRef(id=1, name="A", volume=1, year_began=1990)
    return IssueSummary(
        id=1, series=series, number="1", issue_name="A", cover_date=cover, modified=modified
    )


NOON = datetime(2026, 1, 8, 12, tzinfo=UTC)
ROW = issue(date(2026, 1, 8), NOON)


@pytest.mark.parametrize(
    ("filters", "matches"),
    [
        ({}, True),
        ({"series_id": 99}, True),
        ({"modified_lt": NOON + timedelta(microseconds=1)}, True),
        ({"modified_lt": NOON}, False),
        ({"modified_lt": NOON.astimezone(NEW_YORK_WINTER)}, False),
        ({"cover_date_range_after": date(2026, 1, 8)}, True),
        ({"cover_date_range_after": date(2026, 1, 9)}, False),
        ({"cover_date_range_before": date(2026, 1, 8)}, True),
        ({"cover_date_range_before": date(2026, 1, 7)}, False),
        (
            {
                "cover_date_range_after": date(2026, 1, 1),
                "cover_date_range_before": date(2026, 1, 31),
                "modified_lt": NOON,
            },
            False,
        ),
    ],
)
def test_rows_are_checked_where_an_older_server_does_not(
    filters: dict[str, object], matches: bool
) -> None:
    assert row_matches(filters, ROW) is matches


def test_rows_of_all_kinds_can_be_checked() -> None:
    arc = ArcSummary(id=1, name="A", modified=NOON)
    assert not row_matches({"modified_lt": NOON}, arc)
    # A role does not tell when it was modified: nothing can be checked.
    assert row_matches({"modified_lt": NOON}, Role(id=1, name="Writer"))
