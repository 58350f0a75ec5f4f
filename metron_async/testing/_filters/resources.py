"""Filters of the lists with many: issues, series, collections, reading lists."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from metron_async.testing._data import vocabularies as v
from metron_async.testing._filters import values as f
from metron_async.testing._filters.factories import (
    Filter,
    Filters,
    Predicate,
    all_words,
    compare,
    comparisons,
    contains,
    date_range,
    empty,
    equal,
    field,
    same_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from metron_async.testing._data.catalogue import Catalogue

__all__ = ["collection", "issue", "publisher", "reading_list", "series"]


def _names(record: Any) -> str:
    return "\n".join((record.name, *record.alt_names))


def _alt_names(record: Any) -> str:
    return "\n".join(record.alt_names)


def _via(
    kind: Filter, find: Callable[[Catalogue, Predicate], Iterable[int]], get: Callable[[Any], Any]
) -> Filter:
    """Return a filter of records by other objects, which *kind* selects.

    Args:
        kind: Filter of the other objects.
        find: Returns the ids that a record may refer to, for a predicate of the other objects.
        get: Returns the id to which a record refers.
    """

    def match(catalogue: Catalogue, value: Any) -> Predicate:
        found = set(find(catalogue, kind.match(catalogue, value)))
        return lambda record: get(record) in found

    return dataclasses.replace(kind, match=match)


def _of_series(kind: Filter) -> Filter:
    """Return a filter of issues from one of series: an issue matches if its series does."""
    return _owner("series", kind)


def _owner(table: str, kind: Filter) -> Filter:
    """Return a filter of records from one of the objects in the field that *table* names."""
    return _via(
        kind,
        lambda catalogue, holds: (one.id for one in catalogue.table(table).values() if holds(one)),
        field(table),
    )


def _through_issues(kind: Filter) -> Filter:
    """Return a filter of series from one of issues: one issue of the series must match."""
    return _via(
        kind,
        lambda catalogue, holds: (i.series for i in catalogue.tables.issue.values() if holds(i)),
        field("id"),
    )


def _related(relation: str) -> Filter:
    """Return a filter of issues by a related object."""

    def match(catalogue: Catalogue, value: Any) -> Predicate:
        found = catalogue.issues_with(relation, value)
        return lambda issue: issue.id in found

    return Filter(f.number, match)


def _roles() -> Filter:
    """Return the filter of issues by several roles, of which one must be credited."""

    def match(catalogue: Catalogue, value: Any) -> Predicate:
        found: set[int] = set()
        for role in value:
            found |= catalogue.issues_with("roles", role)
        return lambda issue: issue.id in found

    return Filter(f.numbers, match)


def _content() -> Filters:
    return {
        "character_id": _related("characters"),
        "creator_id": _related("creators"),
        "team_id": _related("teams"),
        "universe_id": _related("universes"),
        "role_id": _roles(),
    }


def publisher() -> Filters:
    """Return the filters that only publishers have."""
    return {"alt_names": contains(_alt_names), "q": all_words(_names)}


def issue(*, newer: bool) -> Filters:
    """Return the filters of issues."""
    found: Filters = {name: equal(field(name)) for name in ("cv_id", "gcd_id")} | _content()
    for name in ("store_date", "foc_date"):
        found[name] = equal(field(name), f.date)
        found |= date_range(name)
    if newer:
        found |= date_range("cover_date")
    return found | {
        "cover_year": equal(lambda issue: issue.cover_date.year, f.year),
        "cover_month": equal(lambda issue: issue.cover_date.month),
        "number": same_text(field("number")),
        "alt_number": same_text(field("alt_number")),
        "sku": same_text(field("sku")),
        "upc": same_text(field("upc")),
        "upc_starts_with": Filter(
            f.text, lambda _, value: lambda issue: issue.upc.startswith(value)
        ),
        "cover_hash": equal(field("cover_hash"), f.text),
        "missing_cv_id": empty("cv_id"),
        "missing_gcd_id": empty("gcd_id"),
        "rating": _owner("rating", same_text(field("name"))),
        "series_id": equal(field("series")),
        "series_name": _of_series(all_words(field("name"))),
        "series_alt_names": _of_series(contains(_alt_names)),
        "series_q": _of_series(all_words(_names)),
        "series_volume": _of_series(equal(field("volume"))),
        "series_year_began": _of_series(equal(field("year_began"))),
        "publisher_name": _of_series(_owner("publisher", contains(field("name")))),
        "publisher_id": _of_series(equal(field("publisher"))),
        "imprint_name": _of_series(_owner("imprint", contains(field("name")))),
        "imprint_id": _of_series(equal(field("imprint"))),
    }


def series() -> Filters:
    """Return the filters of series."""
    equals = ("cv_id", "gcd_id", "volume", "year_began", "year_end")
    found = {name: equal(field(name)) for name in equals}
    found |= {name: _through_issues(kind) for name, kind in _content().items()}
    return found | {
        "name": all_words(field("name")),
        "q": all_words(_names),
        "alt_names": contains(_alt_names),
        "language": equal(field("language"), f.choice(v.LANGUAGE_CODES)),
        "missing_cv_id": empty("cv_id"),
        "missing_gcd_id": empty("gcd_id"),
        "publisher_id": equal(field("publisher")),
        "publisher_name": _owner("publisher", contains(field("name"))),
        "imprint_id": equal(field("imprint")),
        "imprint_name": _owner("imprint", contains(field("name"))),
        "series_type": _owner("series_type", contains(field("name"))),
        "series_type_id": equal(field("series_type")),
        "status": Filter(
            f.choice([str(code) for code in v.STATUSES]),
            lambda _, value: lambda series: str(series.status) == value,
        ),
    }


def _grade(value: str) -> float:
    number = float(f.number(value))
    if number not in v.GRADES:
        msg = f"Select a valid choice. {value} is not one of the available choices."
        raise ValueError(msg)
    return number


def collection() -> Filters:
    """Return the filters of a collection, none of which is for the publisher."""

    def read_on(item: Any) -> Any:
        return None if item.date_read is None else f.local_day(item.date_read)

    def in_series(catalogue: Catalogue, value: Any) -> Predicate:
        issues = catalogue.tables.issue
        return lambda item: item.issue in issues and issues[item.issue].series == value

    return {
        "book_format": equal(field("book_format"), f.choice(v.BOOK_FORMATS)),
        "purchase_store": contains(field("purchase_store")),
        "storage_location": contains(field("storage_location")),
        "issue__series": Filter(f.number, in_series),
        "is_read": equal(field("is_read"), f.boolean),
        "grade": equal(field("grade"), _grade),
        "grading_company": equal(
            field("grading_company"), f.choice([code for code in v.GRADING_COMPANIES if code])
        ),
        "rating": equal(
            lambda item: None if item.rating is None else str(item.rating), f.choice(tuple("12345"))
        ),
        **comparisons("purchase_date", field("purchase_date"), f.date),
        **comparisons("date_read", read_on, f.date),
    }


def reading_list() -> Filters:
    """Return the filters of reading lists."""

    def by_publisher(catalogue: Catalogue, value: Any) -> Predicate:
        holds = contains(field("name")).match(catalogue, value)
        owners = {p.id for p in catalogue.tables.publisher.values() if holds(p)}
        table = catalogue.tables
        found = {i.id for i in table.issue.values() if table.series[i.series].publisher in owners}
        return lambda record: any(item.issue in found for item in record.items)

    return {
        "name": contains(field("name")),
        "user": equal(field("user")),
        "username": Filter(
            lambda value: f.text(value).casefold(),
            lambda catalogue, value: (
                lambda record: value in catalogue.usernames(record.user).casefold()
            ),
        ),
        "attribution_source": equal(
            field("attribution_source"), f.choice([code for code in v.ATTRIBUTIONS if code])
        ),
        "list_type": equal(field("list_type"), f.choice([code for code in v.LIST_TYPES if code])),
        "is_private": equal(field("is_private"), f.boolean),
        "average_rating__gte": compare(field("average_rating"), "gte", f.number),
        "publisher": Filter(f.text, by_publisher),
    }
