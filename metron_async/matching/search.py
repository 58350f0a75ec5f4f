"""Finds the issue that one query means, the cheapest certain way first.

A request by an id or a code names one issue. A request by the words of a series' name and by a
number returns the issues of every series with these words. Only what these leave open is
searched more widely: by other spellings of the number, by other names of the series, and by a
part of its name. A wider search can only find candidates and decides under the same rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from metron_async.errors import NotFoundError
from metron_async.matching.decide import DEFAULT_RULES, Match, Row, Rules, decide, row_of
from metron_async.matching.facts import facts_of
from metron_async.matching.names import LOOSE, name_similarity, search_stems, search_words
from metron_async.matching.numbers import number_spellings, split_number
from metron_async.matching.outcomes import (
    better,
    contradicting,
    is_settled,
    is_tied,
    without_ids,
)
from metron_async.matching.publishers import publisher_core
from metron_async.matching.query import readings_of, search_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from metron_async.matching.decide import How
    from metron_async.matching.query import IssueQuery
    from metron_async.matching.source import Lists, Meter
    from metron_async.models import IssueSummary

__all__ = ["Search"]

_MOST_PAGES = 5
_MOST_DETAILS = 3

_CODES: tuple[How, ...] = ("cv_id", "gcd_id", "upc", "sku")


class Search:
    """Searches for one query at a time.

    Args:
        lists: What the requests return.
        rules: What it takes to decide.
    """

    def __init__(self, lists: Lists, rules: Rules = DEFAULT_RULES) -> None:
        self._lists = lists
        self._rules = rules

    async def find(self, query: IssueQuery, meter: Meter) -> Match:
        """Return what *query* means.

        Raises:
            MetronError: If a request fails.
        """
        match = await self.by_ids(query, meter)
        return match or await self.by_rest(query, match, meter)

    async def by_rest(
        self, query: IssueQuery, by_ids: Match, meter: Meter, *, wide: bool = True
    ) -> Match:
        """Return what the rest of a query means, whose ids and codes have decided nothing.

        Args:
            query: The query.
            by_ids: What its ids and codes lead to. If that is another issue, nothing is decided.
            meter: Counts the requests.
            wide: Whether to search more widely for a series that is not found.
        """
        rest = without_ids(query)
        if rest is None:
            return by_ids
        steps = [self._by_series_id, self._by_series, self._by_cover]
        if wide:
            steps.insert(2, self._wider)
        best = Match(query=query, why="no issue found")
        for step in steps:
            best = better(best, await step(rest, meter))
            if best or is_settled(best):
                break
        best = msgspec.structs.replace(best, query=query)
        if best and by_ids.candidates:
            return contradicting(best, by_ids)
        return better(by_ids, best)

    async def by_ids(self, query: IssueQuery, meter: Meter) -> Match:
        """Return what the ids and codes of a query mean."""
        best = Match(query=query, why="no issue found")
        if query.metron_id is not None:
            try:
                issue = await self._lists.issue(query.metron_id, meter)
            except NotFoundError:
                meter.requests += 1  # deleted, or mistyped; the other fields may lead to it
            else:
                found = self._decide(query, [row_of(issue)], "metron_id")
                if found:
                    return msgspec.structs.replace(found, detail=issue)
                best = better(best, found)
        for how in _CODES:
            value = getattr(query, how)
            if value is None:
                continue
            listing = self._lists.issues(**{how: value})
            rows = await listing.walk(meter, 1)
            known: dict[str, Any] = {how: value}
            best = better(best, self._decide(query, _rows(rows, **known), how))
            if best:
                break
        return best

    async def _by_series_id(self, query: IssueQuery, meter: Meter) -> Match:
        if query.series_id is None:
            return self._decide(query, [], "series_id")
        rows: list[Row] = []
        for filters in self._numbered(query):
            listing = self._lists.issues(series_id=query.series_id, **filters)
            rows += _rows(await listing.walk(meter, _MOST_PAGES))
            if rows:
                break
        return self._decide(query, rows, "series_id")

    async def _by_cover(self, query: IssueQuery, meter: Meter) -> Match:
        if query.cover_hash is None or query.series is not None:
            return self._decide(query, [], "cover")
        listing = self._lists.issues(cover_hash=query.cover_hash)
        return self._decide(query, _rows(await listing.walk(meter, 1)), "cover")

    # -- by series and number ----------------------------------------------------------------

    async def _by_series(self, query: IssueQuery, meter: Meter) -> Match:
        """Return what the series and number of a query mean."""
        if query.series is None:
            return self._decide(query, [], "series")
        first, *others = readings_of(query)
        words = search_words(self._searched(query))
        match = await self._narrowed(query, {"series_name": words}, self._numbered(query), meter)
        if match or is_settled(match):
            return match
        for other in others:
            if other.number != first.number:  # an annual that is filed with its series
                series = {"series_name": search_words(other.series)}
                numbers = [{"number": other.number}]
                match = better(match, await self._narrowed(query, series, numbers, meter))
        if match or is_settled(match):
            return match
        return match

    async def _narrowed(
        self,
        query: IssueQuery,
        series: dict[str, Any],
        numbers: Sequence[dict[str, Any]],
        meter: Meter,
    ) -> Match:
        """Return what a query means among the issues of *series* with one of *numbers*."""
        match = Match(query=query, why="no issue found")
        for number in numbers:
            filters = series | number
            listing = self._lists.issues(**filters)
            rows = await listing.walk(meter, 1)
            if not listing.complete and query.year is not None:
                rows = await self._of_year(query, filters, meter)
                complete = True
            else:
                rows = await listing.walk(meter, _MOST_PAGES)
                complete = listing.complete
            found = self._decide(query, _rows(rows), "series", complete=complete)
            found = await self._by_publisher(query, found, filters, rows, meter)
            match = better(match, found)
            if match or is_settled(match):
                break
        return match

    async def _of_year(
        self, query: IssueQuery, filters: dict[str, Any], meter: Meter
    ) -> list[IssueSummary]:
        """Return the issues of a query's year; covers are dated ahead, so the next one counts."""
        assert query.year is not None  # noqa: S101 - the caller looked
        found: list[IssueSummary] = []
        for year in (query.year, query.year + 1):
            listing = self._lists.issues(**filters, cover_year=year)
            found += await listing.walk(meter, _MOST_PAGES)
        return found

    async def _by_publisher(
        self,
        query: IssueQuery,
        match: Match,
        filters: dict[str, Any],
        rows: Sequence[IssueSummary],
        meter: Meter,
    ) -> Match:
        """Ask which of several fitting issues are the publisher's, which rows do not say."""
        if match or query.publisher is None or not is_tied(match, self._rules):
            return match
        name = publisher_core(query.publisher)
        listing = self._lists.issues(**filters, publisher_name=name)
        own = {row.id for row in await listing.walk(meter, _MOST_PAGES)}
        if not own or not listing.complete:
            return match
        judged = [
            row_of(row, facts_of(row, publisher=name if row.id in own else f"other than {name}"))
            for row in rows
        ]
        return self._decide(query, judged, "series")

    @staticmethod
    def _searched(query: IssueQuery) -> str:
        """Return the name to search by: that of the annuals where the number says so."""
        kind, _ = split_number(query.number or "")
        return readings_of(query)[0].series if kind else search_name(query)

    @staticmethod
    def _numbered(query: IssueQuery) -> list[dict[str, Any]]:
        """Return the filters by number to try in turn."""
        number = readings_of(query)[0].number
        if not number:
            return [{}] if query.year is None else [{"cover_year": query.year}, {}]
        return [{"number": spelling} for spelling in number_spellings(number)]

    # -- wider -------------------------------------------------------------------------------

    async def _wider(self, query: IssueQuery, meter: Meter) -> Match:
        """Return what a query means if its series is known by another name, or in part."""
        if query.series is None:
            return self._decide(query, [], "series")
        name = self._searched(query)
        words = search_words(name)
        number = self._numbered(query)[0]
        listing = self._lists.issues(series_q=words, **number)
        rows = await listing.walk(meter, 1)
        names = await self._other_names(name, rows, meter)
        match = self._decide(
            query, _rows(rows, names=names.get), "series", complete=listing.complete
        )
        if match or is_settled(match):
            return match
        stems = search_stems(name)
        if stems == words:
            return match
        if query.year is not None:
            number = {**number, "cover_year": query.year}
        listing = self._lists.issues(series_name=stems, **number)
        rows = await listing.walk(meter, 1)
        found = self._decide(query, _rows(rows), "series", complete=listing.complete)
        return better(match, found)

    async def _other_names(
        self, name: str, rows: Iterable[IssueSummary], meter: Meter
    ) -> dict[int, tuple[str, ...]]:
        """Return other names of the series of *rows* that are not called *name*."""
        series = {row.series.id: row.series.name for row in rows}
        unlike = [rid for rid, own in series.items() if name_similarity(name, own) < LOOSE]
        return {rid: await self._lists.other_names(rid, meter) for rid in unlike[:_MOST_DETAILS]}

    def _decide(
        self, query: IssueQuery, rows: Iterable[Row], how: How, *, complete: bool = True
    ) -> Match:
        return decide(query, rows, how=how, complete=complete, rules=self._rules)


def _rows(
    issues: Iterable[IssueSummary],
    names: Callable[[int, tuple[str, ...]], tuple[str, ...]] = lambda _, none: none,
    **known: Any,
) -> list[Row]:
    """Return rows for issues of a list, with what their being in it makes known."""
    return [
        row_of(
            issue,
            msgspec.structs.replace(facts_of(issue, names=names(issue.series.id, ())), **known),
        )
        for issue in issues
    ]
