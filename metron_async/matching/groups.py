"""Finds the issues of a group of queries in shared lists.

One request finds the series of the group's name, with the number of issues that each has. From
these it is known what each way costs: the lists of the series that fit, one list of all series
with that name, or one request per query. The cheapest is taken.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from metron_async.matching.decide import DEFAULT_RULES, Match, Rules, decide, row_of
from metron_async.matching.failures import examined
from metron_async.matching.names import LOOSE, name_similarity, search_stems, search_words
from metron_async.matching.numbers import normal_number
from metron_async.matching.planning import ROWS_A_PAGE, pages_of
from metron_async.matching.query import readings_of, series_hints
from metron_async.matching.scoring import facts_of, publisher_core
from metron_async.matching.search import Search, better

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence

    from metron_async.matching.decide import How
    from metron_async.matching.query import IssueQuery
    from metron_async.matching.scoring import Facts
    from metron_async.matching.source import Listing, Lists, Meter
    from metron_async.models import IssueSummary, SeriesSummary

__all__ = ["GroupSearch", "base_names"]

_YEAR = re.compile(r"\s*\(\d{4}\)(?:\s+Digital Chapter)?\s*$")
_FORMAT = re.compile(r"\s+(?:TPB|HC|Omnibus|GN)$")
_MOST_SERIES_PAGES = 4
_MOST_DETAILS = 3
_LIKELY = 0.5
"""Similarity from which a series is worth looking at, where none has the name."""
_NUMBERLESS = 4
"""Pages worth reading for a query without a number, which cannot be asked for by number."""


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


class GroupSearch:
    """Searches for the queries of one group.

    Args:
        lists: What the requests return.
        rules: What it takes to decide.
    """

    def __init__(self, lists: Lists, rules: Rules = DEFAULT_RULES) -> None:
        self._lists = lists
        self._rules = rules
        self._search = Search(lists, rules)

    async def find(
        self, queries: Iterable[tuple[int, IssueQuery]], meter: Meter
    ) -> AsyncGenerator[tuple[int, Match], None]:
        """Yield the matches of *queries*, with their places, as they become known.

        Raises:
            MetronError: If a request for a shared list fails.
        """
        left = dict(queries)
        best: dict[int, Match] = {}
        for step in (self._by_series_id, self._by_name):
            for index, match in (await step(left, meter)).items():
                best[index] = better(best.get(index), match)
                if match:
                    del left[index]
                    yield index, match
        for index, query in left.items():
            search = self._alone(query, best.get(index), meter)
            yield index, await examined(query, search)

    async def _alone(self, query: IssueQuery, known: Match | None, meter: Meter) -> Match:
        """Return the match of a query that the lists leave open."""
        by_ids = await self._search.by_ids(query, meter)
        if by_ids:
            return by_ids
        if known is not None and query.metron_id is None:
            return better(by_ids, known)
        # The lists were not read to their end, as asking by number costs less, or the list was
        # searched for an id that does not exist. Other names were searched for all queries.
        return await self._search.by_rest(query, by_ids, meter, wide=False)

    async def _by_series_id(
        self, queries: Mapping[int, IssueQuery], meter: Meter
    ) -> dict[int, Match]:
        """Match the queries whose series is known by its id."""
        found: dict[int, Match] = {}
        for series_id in {q.series_id for q in queries.values() if q.series_id is not None}:
            own = {i: q for i, q in queries.items() if q.series_id == series_id}
            listing = self._lists.issues(series_id=series_id)
            await self._read(listing, own.values(), meter, pages=1)
            for index, query in own.items():
                match = self._match(query, listing.rows, "series_id", {})
                if match or listing.complete:
                    found[index] = match
        return found

    async def _by_name(self, queries: Mapping[int, IssueQuery], meter: Meter) -> dict[int, Match]:
        """Match the queries in the lists of the series that have their name."""
        left = {i: q for i, q in queries.items() if q.series is not None}
        found: dict[int, Match] = {}
        if not left:
            return found
        named = await self._named(list(left.values()), meter)
        if named is None:
            return found
        if not named.series:
            return {i: decide(q, [], how="series", rules=self._rules) for i, q in left.items()}
        for strict in (True, False):
            wanted = {i: fitting(q, named.series, strict=strict) for i, q in left.items()}
            for index, match in (await self._in_lists(left, wanted, named, meter)).items():
                found[index] = better(found.get(index), match)
                if match:
                    del left[index]
        return found

    async def _in_lists(
        self,
        queries: Mapping[int, IssueQuery],
        wanted: Mapping[int, Sequence[Series]],
        named: Named,
        meter: Meter,
    ) -> dict[int, Match]:
        """Match *queries* in the lists of the series that they want, if that is the cheapest."""
        needed = {one.row.id: one for own in wanted.values() for one in own}
        affordable = sum(1 if query.number else _NUMBERLESS for query in queries.values())
        cost, of_all = _pages(needed.values()), pages_of(named.issues)
        known = {one.row.id: one for one in named.series}
        if named.words and of_all < cost and of_all <= affordable:
            listing = self._lists.issues(series_name=named.words)
            rows = await listing.walk(meter, of_all + 1)
            return {i: self._match(q, rows, "series", known) for i, q in queries.items()}
        if cost > affordable:
            return {}
        listings: dict[int, Listing[IssueSummary]] = {}
        for series_id, one in needed.items():
            own = [q for i, q in queries.items() if one in wanted[i]]
            listings[series_id] = listing = self._lists.issues(series_id=series_id)
            await self._read(listing, own, meter, pages=pages_of(one.row.issue_count))
        rows = [row for listing in listings.values() for row in listing.rows]
        return {
            index: self._match(query, rows, "series", known)
            for index, query in queries.items()
            if all(_covers(listings[one.row.id], query) for one in wanted[index])
        }

    async def _named(self, queries: Sequence[IssueQuery], meter: Meter) -> Named | None:
        """Return the series that the queries may mean, ``None`` if there are too many to tell."""
        names = {reading.series for query in queries for reading in readings_of(query)}
        name = series_hints(queries[0]).name
        words = search_words(name)
        listing = self._lists.series(name=words)
        await listing.walk(meter, 1)
        if not listing.complete:
            await listing.walk(meter, min(_MOST_SERIES_PAGES, len(queries)))
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
        """Return *series* with which of them are the publisher's, where that tells them apart."""
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

    async def _read(
        self,
        listing: Listing[IssueSummary],
        queries: Iterable[IssueQuery],
        meter: Meter,
        *,
        pages: int,
    ) -> None:
        """Read the list of a series until its queries are found, or are cheaper one by one.

        Numbers are unique in a series, and most series count up from 1. So the pages on which
        most of the numbers should be are read first.

        Args:
            listing: The list.
            queries: Queries that may be in it.
            meter: Counts the requests.
            pages: Pages that it is thought to have.
        """
        wanted = {query.number and primary_number(query) for query in queries}
        listed: set[str | None] = set()
        while True:
            left = wanted - listed
            pages = listing.pages if listing.count else pages
            unread = [number for number in range(1, pages + 1) if not listing.has(number)]
            if not left or not unread or (listed and len(unread) > len(left)):
                return
            rows = await listing.page(_likeliest(left, unread), meter)
            listed |= {normal_number(row.number) for row in rows}
            if not listing.count:
                return

    def _match(
        self,
        query: IssueQuery,
        rows: Iterable[IssueSummary],
        how: How,
        series: Mapping[int, Series],
    ) -> Match:
        """Return the match of a query among the rows of shared lists."""
        rows = list(rows)
        own = [row_of(row) for row in rows if row.id == query.metron_id]
        if own:
            return decide(query, own, how="metron_id", rules=self._rules)
        numbers = {reading.number for reading in readings_of(query)} - {""}
        judged = [
            row_of(row, _facts(row, series.get(row.series.id)))
            for row in rows
            if not numbers or normal_number(row.number) in numbers
        ]
        return decide(query, judged, how=how, rules=self._rules)


def primary_number(query: IssueQuery) -> str:
    """Return the number that the first reading of a query has, ``""`` if unknown."""
    return readings_of(query)[0].number


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


def _facts(row: IssueSummary, series: Series | None) -> Facts:
    if series is None:
        return facts_of(row)
    facts = facts_of(row, names=series.names, publisher=series.publisher)
    return msgspec.structs.replace(facts, only=series.row.issue_count == 1)


def _pages(series: Iterable[Series]) -> int:
    return sum(pages_of(one.row.issue_count) for one in series)


def _covers(listing: Listing[IssueSummary], query: IssueQuery) -> bool:
    """Return whether all rows are known that a query may mean in a list."""
    number = primary_number(query)
    return listing.complete or any(normal_number(row.number) == number for row in listing.rows)


def _likeliest(numbers: Iterable[str | None], pages: Sequence[int]) -> int:
    """Return the page of a series' list on which most of *numbers* should be."""
    guesses = Counter(
        (int(whole) - 1) // ROWS_A_PAGE + 1
        for number in numbers
        if number and (whole := number.partition(".")[0]).isdecimal() and len(whole) < 7  # noqa: PLR2004
    )
    return max(pages, key=lambda page: (guesses[page], -page))
