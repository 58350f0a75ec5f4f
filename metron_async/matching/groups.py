"""Finds the issues of a group of queries in shared lists.

One request finds the series of the group's name, with the number of issues that each has. From
these it is known what each way costs: the lists of the series that fit, one list of all series
with that name, or one request per query. The cheapest is taken.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from metron_async.matching.decide import DEFAULT_RULES, Match, Rules, decide, row_of
from metron_async.matching.facts import facts_of
from metron_async.matching.failures import examined
from metron_async.matching.namesakes import Namesakes, fitting
from metron_async.matching.numbers import normal_number
from metron_async.matching.outcomes import better
from metron_async.matching.planning import ROWS_A_PAGE, pages_of
from metron_async.matching.query import readings_of
from metron_async.matching.search import Search

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence

    from metron_async.matching.decide import How
    from metron_async.matching.facts import Facts
    from metron_async.matching.namesakes import Named, Series
    from metron_async.matching.query import IssueQuery
    from metron_async.matching.source import Listing, Lists, Meter
    from metron_async.models import IssueSummary

__all__ = ["GroupSearch"]

_NUMBERLESS = 4
"""Pages worth reading for a query without a number, which cannot be asked for by number."""


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
        named = await Namesakes(self._lists).find(list(left.values()), meter)
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
        wanted = {query.number and _number_of(query) for query in queries}
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


def _number_of(query: IssueQuery) -> str:
    """Return the number that the first reading of a query has, ``""`` if unknown."""
    return readings_of(query)[0].number


def _facts(row: IssueSummary, series: Series | None) -> Facts:
    if series is None:
        return facts_of(row)
    facts = facts_of(row, names=series.names, publisher=series.publisher)
    return msgspec.structs.replace(facts, only=series.row.issue_count == 1)


def _pages(series: Iterable[Series]) -> int:
    return sum(pages_of(one.row.issue_count) for one in series)


def _covers(listing: Listing[IssueSummary], query: IssueQuery) -> bool:
    """Return whether all rows are known that a query may mean in a list."""
    number = _number_of(query)
    return listing.complete or any(normal_number(row.number) == number for row in listing.rows)


def _likeliest(numbers: Iterable[str | None], pages: Sequence[int]) -> int:
    """Return the page of a series' list on which most of *numbers* should be."""
    guesses = Counter(
        (int(whole) - 1) // ROWS_A_PAGE + 1
        for number in numbers
        if number and (whole := number.partition(".")[0]).isdecimal() and len(whole) < 7  # noqa: PLR2004
    )
    return max(pages, key=lambda page: (guesses[page], -page))
