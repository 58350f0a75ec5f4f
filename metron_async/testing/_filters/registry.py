"""Filters of each list, with the server's exact semantics.

A filter reads its value, and makes a predicate of it. An invalid value is an error under the name
of the filter. Unknown names and empty values are ignored. Of a repeated name the last value counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metron_async.testing._filters import resources as more
from metron_async.testing._filters import values as f
from metron_async.testing._filters.factories import (
    Filters,
    Predicate,
    compare,
    contains,
    equal,
    field,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from metron_async.testing._data.catalogue import Catalogue

__all__ = ["FilterError", "compile_filters", "filters_of", "keep"]


class FilterError(Exception):
    """Invalid values of known filters.

    Attributes:
        messages: The body of the 400: messages by filter name.
    """

    def __init__(self, messages: dict[str, list[str]]) -> None:
        super().__init__("Invalid filter values")
        self.messages = messages


def compile_filters(
    filters: Filters, catalogue: Catalogue, params: Mapping[str, str]
) -> list[Predicate]:
    """Turn the query of a list into predicates.

    Args:
        filters: Filters of the list.
        catalogue: The objects to which relations lead.
        params: The query, with the last value of each name.

    Returns:
        Predicates, all of which a record must satisfy.

    Raises:
        FilterError: A value is invalid.
    """
    errors: dict[str, list[str]] = {}
    found: list[Predicate] = []
    for name, value in params.items():
        known = filters.get(name)
        if known is None or not value.strip():
            continue
        try:
            wanted = known.read(value)
        except ValueError as error:
            errors[known.reported_as or name] = [str(error)]
            continue
        if wanted is not None:
            found.append(known.match(catalogue, wanted))
    if errors:
        raise FilterError(errors)
    return found


def keep(records: Any, predicates: list[Predicate]) -> list[Any]:
    """Return the records that satisfy all predicates."""
    for holds in predicates:
        records = [record for record in records if holds(record)]
    return list(records)


def _moments(*, newer: bool) -> Filters:
    found = {"modified_gt": compare(field("modified"), "gt", f.moment)}
    if newer:
        found["modified_lt"] = compare(field("modified"), "lt", f.moment)
    return found


def _plain() -> Filters:
    return {
        "name": contains(field("name")),
        "cv_id": equal(field("cv_id")),
        "gcd_id": equal(field("gcd_id")),
    }


def filters_of(kind: str, *, newer: bool) -> Filters:
    """Return the filters of the list of *kind*.

    Args:
        kind: Name of the resource, as in its path.
        newer: Whether the server behaves like those after August 2026.
    """
    makers: dict[str, Callable[[], Filters]] = {
        "collection": more.collection,
        "issue": lambda: more.issue(newer=newer),
        "publisher": lambda: _plain() | more.publisher(),
        "reading_list": more.reading_list,
        "role": lambda: {"name": contains(field("name"))},
        "series": more.series,
        "series_type": lambda: {"name": contains(field("name"))},
        "universe": lambda: {
            "name": contains(field("name")),
            "designation": contains(field("designation")),
        },
    }
    return makers.get(kind, _plain)() | _moments(newer=newer)
