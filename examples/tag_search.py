"""Finds the issues that files are, in few requests.

A request can ask for one issue, by an id that is certain, or for a hundred issues of a series. So
files of one series go together:

* One file alone: by the best that is known of it, Metron's own id, then Comic Vine's or the Grand
  Comics Database's, then its barcode, then series and number. One request.
* Several: the list of the series, a request for a hundred issues, in which each file is found by
  id or number. Which series it is tells a file that was tagged before, at no cost; else one file
  with an id, for one request; else the list is asked for by the name of the series.
* A series with many more issues than there are files is not walked to its end: what is left is
  asked for one by one as soon as that is cheaper.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
from typing import TYPE_CHECKING

from tag_names import Tag, choose, plain, tag_of

from metron_async import NotFoundError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from tag_names import Comic

    from metron_async import MetronView, Page, RowList
    from metron_async.filters import IssueFilters
    from metron_async.models import Issue, IssueSummary

ROWS_A_PAGE = 100
AFFORDABLE = 2
"""Requests that it takes to ask which series has a name, and for the first page of its list."""


class Search:
    """Finds issues.

    Args:
        metron: The client.
        exact: Whether each file that has an id is looked up by it, whatever that costs.
    """

    def __init__(self, metron: MetronView, *, exact: bool = False) -> None:
        self._issues = metron.issues
        self._series = metron.series
        self._exact = exact

    async def group(
        self, comics: Sequence[Comic], series_id: int | None = None
    ) -> AsyncGenerator[tuple[Comic, Tag | None], None]:
        """Yield the files of one series with what they are, as soon as that is known.

        Args:
            comics: Files whose names tell the same series.
            series_id: Metron's id of the series, if it is known from an earlier run.
        """
        left = sorted(comics, key=_best_id)
        while left and (self._exact or (series_id is None and left[0].ids)):
            comic = left.pop(0)
            tag = await self.alone(comic, series_id)
            yield comic, tag
            if tag is not None and not self._exact:
                series_id = tag.series_id
        if series_id is not None and len(left) > 1:
            found, whole = await self._in_list(left, series_id)
            for comic, tag in found:
                left.remove(comic)
                yield comic, tag
            if whole:
                series_id = None  # who is not in it is in another series of that name, or in none
        if series_id is None and len(left) > 1:
            for comic, tag_or_none in await self._by_name(left):
                left.remove(comic)
                yield comic, tag_or_none
        for comic in left:
            yield comic, await self.alone(comic, series_id)

    async def alone(self, comic: Comic, series_id: int | None = None) -> Tag | None:
        """Find one file by the best that is known of it; mostly one request."""
        ids = comic.ids
        if "metron" in ids:
            try:
                return _tag_of_issue(await self._issues.get(int(ids["metron"])))
            except NotFoundError:
                pass  # deleted, or mistyped
        by_id: dict[str, IssueFilters] = {}
        if "cv" in ids:
            by_id["cv_id"] = {"cv_id": int(ids["cv"])}
        if "gcd" in ids:
            by_id["gcd_id"] = {"gcd_id": int(ids["gcd"])}
        if "upc" in ids:
            by_id["upc"] = {"upc": ids["upc"]}
        for name, filters in by_id.items():
            rows = await self._issues.iter(**filters).collect(limit=2)
            if len(rows) == 1:
                return tag_of(rows[0], name)
        rows = await self._numbered(comic, series_id).collect(limit=ROWS_A_PAGE)
        row = choose(_without_id(comic), rows, same_name=series_id is None)
        return tag_of(row, "series and number") if row else None

    def _numbered(self, comic: Comic, series_id: int | None) -> RowList[IssueSummary]:
        if series_id is not None:
            return self._issues.iter(series_id=series_id, number=comic.number)
        return self._issues.iter(series_name=comic.series, number=comic.number)

    async def _in_list(
        self, comics: Sequence[Comic], series_id: int
    ) -> tuple[list[tuple[Comic, Tag]], bool]:
        """Look for files in the list of a series.

        Returns:
            Those that are in it, and whether the whole list was read.
        """
        left = list(comics)
        found: list[tuple[Comic, Tag]] = []
        async with contextlib.aclosing(self._issues.iter(series_id=series_id).pages()) as pages:
            async for page in pages:
                for comic in list(left):
                    row = choose(comic, page.rows, same_name=False)
                    if row is not None:
                        left.remove(comic)
                        found.append((comic, tag_of(row, "list of the series")))
                if not left or _more(page) > len(left):
                    return found, not page.has_next
        return found, True

    async def _by_name(self, comics: Sequence[Comic]) -> list[tuple[Comic, Tag | None]]:
        """Look for files in the list of all issues whose series has that name in its own.

        Returns:
            Those that are known now, be it not to exist. The others are worth a request each.
        """
        name = comics[0].series
        rows: list[IssueSummary] = []
        async with contextlib.aclosing(self._issues.iter(series_name=name).pages()) as pages:
            async for page in pages:
                rows += page.rows
                if _more(page) > min(AFFORDABLE, len(comics)):
                    break  # "Wolf" is in many names
            else:
                return self._settled(comics, rows)
        if len(comics) <= AFFORDABLE:
            return []
        series_id = await self._which_series(name, comics)
        if series_id is None:
            return []
        found, _ = await self._in_list(comics, series_id)
        return [*found]

    def _settled(
        self, comics: Sequence[Comic], rows: Sequence[IssueSummary]
    ) -> list[tuple[Comic, Tag | None]]:
        """Match files to *rows*, of which there are no others."""
        settled: list[tuple[Comic, Tag | None]] = []
        for comic in comics:
            row = choose(comic, rows, same_name=True)
            if row is not None:
                settled.append((comic, tag_of(row, "series and number")))
            elif not comic.ids:
                settled.append((comic, None))
        return settled

    async def _which_series(self, name: str, comics: Sequence[Comic]) -> int | None:
        rows = await self._series.iter(name=name).collect(limit=3 * ROWS_A_PAGE)
        named = [row for row in rows if plain(row.display_name.split(" (")[0]) == plain(name)]
        years = {comic.year for comic in comics if comic.year is not None}
        if len(named) > 1 and years:
            named = [row for row in named if row.year_began <= min(years)]
            named = [row for row in named if (row.year_end or max(years)) >= max(years)]
        return named[0].id if len(named) == 1 else None


def _more(page: Page[IssueSummary]) -> int:
    """Return how many pages there are after *page*."""
    return max(0, math.ceil(page.count / ROWS_A_PAGE) - page.number)


def _best_id(comic: Comic) -> int:
    """Rank files by what they are best found by."""
    order = ["metron", "cv", "gcd", "upc"]
    return min((order.index(name) for name in comic.ids), default=len(order))


def _without_id(comic: Comic) -> Comic:
    """Return *comic* as if Metron's id were not known, as it turned out to be wrong."""
    return dataclasses.replace(comic, ids={})


def _tag_of_issue(issue: Issue) -> Tag:
    return Tag(
        issue_id=issue.id,
        series_id=issue.series.id,
        series=issue.series.name,
        number=issue.number,
        cover_date=issue.cover_date,
        store_date=issue.store_date,
        cover=issue.image,
        found_by="metron_id",
    )
