"""Factories for the kinds of filters of the server's lists."""

from __future__ import annotations

import dataclasses
import functools
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from metron_async.testing._filters import values as f

if TYPE_CHECKING:
    from metron_async.testing._data.catalogue import Catalogue

__all__ = [
    "Filter",
    "Filters",
    "Predicate",
    "all_words",
    "compare",
    "comparisons",
    "contains",
    "date_range",
    "empty",
    "equal",
    "field",
    "same_text",
]

Predicate = Callable[[Any], bool]
Getter = Callable[[Any], Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Filter:
    """One filter of one list.

    Attributes:
        read: Reads the value.
        match: Returns the predicate for a catalogue and a value.
        reported_as: Name in an error, if it is not the parameter's.
    """

    read: f.Reader
    match: Callable[[Catalogue, Any], Predicate]
    reported_as: str | None = None


Filters = dict[str, Filter]


def field(name: str) -> Getter:
    """Return a getter of the attribute *name*."""
    return lambda record: getattr(record, name)


def equal(get: Getter, read: f.Reader = f.number) -> Filter:
    """Return a filter for equality."""
    return Filter(read, lambda _, value: lambda record: get(record) == value)


@functools.lru_cache(maxsize=65_536)
def plain(text: str) -> str:
    """Return *text* without case and accents, as searches compare it."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(part for part in parts if not unicodedata.combining(part)).casefold()


def same_text(get: Getter) -> Filter:
    """Return a filter for equality that ignores case."""
    return Filter(
        lambda value: f.text(value).casefold(),
        lambda _, value: lambda record: get(record).casefold() == value,
    )


def contains(get: Getter) -> Filter:
    """Return a filter for a substring, ignoring case and accents."""
    return Filter(
        lambda value: plain(f.text(value).strip()),
        lambda _, value: lambda record: value in plain(get(record)),
    )


def all_words(get: Getter) -> Filter:
    """Return a filter for strings that contain every word, ignoring case and accents."""

    def match(_: Catalogue, words: list[str]) -> Predicate:
        def holds(record: Any) -> bool:
            shown = plain(get(record))
            return all(word in shown for word in words)

        return holds

    return Filter(lambda value: plain(f.text(value)).split(), match)


def empty(name: str) -> Filter:
    """Return a filter for records with or without a value of a field."""
    return Filter(
        f.boolean, lambda _, value: lambda record: (getattr(record, name) is None) == value
    )


def _compare(get: Getter, value: Any, operator: str) -> Predicate:
    tests: dict[str, Callable[[Any], bool]] = {
        "gt": lambda found: found > value,
        "lt": lambda found: found < value,
        "gte": lambda found: found >= value,
        "lte": lambda found: found <= value,
        "exact": lambda found: found == value,
    }
    test = tests[operator]

    def holds(record: Any) -> bool:
        found = get(record)
        return found is not None and test(found)

    return holds


def compare(get: Getter, operator: str, read: f.Reader, reported_as: str | None = None) -> Filter:
    """Return a filter for a comparison; a record without a value never matches."""
    return Filter(read, lambda _, value: _compare(get, value, operator), reported_as)


def date_range(name: str) -> Filters:
    """Return the two filters of a range of dates, both ends included."""
    base = f"{name}_range"
    return {
        f"{base}_after": compare(field(name), "gte", f.date, base),
        f"{base}_before": compare(field(name), "lte", f.date, base),
    }


def comparisons(name: str, get: Getter, read: f.Reader) -> Filters:
    """Return the filters for equality and the four comparisons of one field."""
    found = {f"{name}_{op}": compare(get, op, read) for op in ("gt", "lt", "gte", "lte")}
    return {name: compare(get, "exact", read)} | found
