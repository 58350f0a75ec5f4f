"""Finds the series that have the name of a group of queries, in one to four requests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from metron_async.matching.names import LOOSE, name_similarity, search_stems, search_words
from metron_async.matching.publishers import publisher_core
from metron_async.matching.query import readings_of, search_name, series_hints

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from metron_async.matching.query import IssueQuery
    from metron_async.matching.source import Lists, Meter
    from metron_async.models import SeriesSummary

__all__ = ["Named", "Namesakes", "Series", "base_names", "fitting"]

_YEAR = re.compile(r"\s*\(\d{4}\)(?:\s+Digital Chapter)?\s*$")
_FORMAT = re.compile(r"\s+(?:TPB|HC|Omnibus|GN)$")
_MOST_PAGES = 4
_MOST_DETAILS = 3
_LIKELY = 0.5
"""Similarity from which a series is worth looking at, where none has the name."""


class Series(NamedTuple):
    """A series that may be meant.

    Attributes:
        row: Its row.
        names: Its names.
        likeness: Similarity of the best of its names.
        publisher: Name of its publisher, if known.
    """

    row: SeriesSummary
    names: tuple[str, ...]
    likeness: float
    publisher: str | None = None


class Named(NamedTuple):
    """What the list of the series of one name says.

    Attributes:
        series: Series that may be meant.
        words: Words by which they were found, ``""`` if by another name.
        issues: Issues of all series with these words.
    """

    series: Sequence[Series]
    words: str
    issues: int


def base_names(display_name: str) -> tuple[str, ...]:
    """Return the names that a series' display name may stand for: no year, and no format."""
    name = _YEAR.sub("", display_name)
    return tuple(dict.fromkeys((name, _FORMAT.sub("", name))))


class Namesakes:
    """Searches for series by the name that queries have in common.

    Args:
        lists: What the requests return.
    """

    def __init__(self, lists: Lists) -> None:
        self._lists = lists

    async def find(self, queries: Sequence[IssueQuery], meter: Meter) -> Named | None:
        """Return the series that the queries may mean, or ``None`` if there are too many."""
        names = {reading.series for query in queries for reading in readings_of(query)}
        name = search_name(queries[0])
        words = search_words(name)
        listing = self._lists.series(name=words)
        await listing.walk(meter, 1)
        if not listing.complete:
            await listing.walk(meter, min(_MOST_PAGES, len(queries)))
            if not listing.complete:
                return None
        found = [_series_of(row, names) for row in listing.rows]
        exact = [one for one in found if one.likeness >= LOOSE]
        if exact:
            exact = await self._with_publisher(exact, queries, words, meter)
            return Named(exact, words, sum(one.row.issue_count for one in found))
        renamed = await self._renamed(words, names, meter)
        if renamed:
            return Named(renamed, "", 0)
        stems = search_stems(name)
        if stems != words:
            rows = await self._lists.series(name=stems).walk(meter, 1)
            found += [_series_of(row, names) for row in rows]
        found.sort(key=lambda one: -one.likeness)
        return Named([one for one in found if one.likeness >= _LIKELY][:_MOST_DETAILS], "", 0)

    async def _with_publisher(
        self, series: list[Series], queries: Sequence[IssueQuery], words: str, meter: Meter
    ) -> list[Series]:
        """Return *series* with which of them are the publisher's, where they need it."""
        publishers = {publisher_core(q.publisher) for q in queries if q.publisher is not None}
        known = all(one.publisher is not None for one in series)
        apart = all(len(fitting(query, series, strict=True)) < 2 for query in queries)  # noqa: PLR2004
        if known or apart or len(publishers) != 1:
            return series
        (name,) = publishers
        own = {
            row.id
            for row in await self._lists.series(name=words, publisher_name=name).walk(meter, 1)
        }
        if not own:
            return series
        return [
            one._replace(publisher=name if one.row.id in own else f"other than {name}")
            for one in series
        ]

    async def _renamed(self, words: str, names: set[str], meter: Meter) -> list[Series]:
        """Return series that have one of *names* as another name."""
        found: list[Series] = []
        for row in (await self._lists.series(q=words).walk(meter, 1))[:_MOST_DETAILS]:
            series = _series_of(row, names, await self._lists.other_names(row.id, meter))
            if series.likeness >= LOOSE:
                found.append(series)
        return found


def fitting(query: IssueQuery, series: Sequence[Series], *, strict: bool) -> tuple[Series, ...]:
    """Return the series that a query's year and volume allow, all if they allow none.

    Args:
        query: The query.
        series: Series that have its name.
        strict: Whether a series with the query's volume rules the others out.
    """
    year, volume = query.year, series_hints(query).volume
    found = [
        one
        for one in series
        if year is None or one.row.year_began - 1 <= year <= _last_year(one.row) + 1
    ]
    if strict and volume is not None:
        found = [s for s in found if volume in {s.row.volume, s.row.year_began}] or found
    return tuple(found or series)


def _last_year(row: SeriesSummary) -> int:
    """Return the last year in which a series can be expected to have an issue.

    A series without an end is taken to have at least one issue a year.
    """
    return row.year_end or row.year_began + row.issue_count + 1


def _series_of(row: SeriesSummary, names: Iterable[str], others: tuple[str, ...] = ()) -> Series:
    own = (*base_names(row.display_name), *others)
    likeness = max(name_similarity(name, other) for name in names for other in own)
    return Series(row, own, likeness, row.publisher.name if row.publisher else None)
