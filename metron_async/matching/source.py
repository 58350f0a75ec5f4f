"""Where matching gets rows from: four requests, behind a protocol."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import msgspec

from metron_async.errors import NotFoundError
from metron_async.matching.planning import pages_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from metron_async.models import Issue, IssueSummary, Series, SeriesSummary

__all__ = ["Chunk", "Got", "Listing", "Lists", "Meter", "Source"]

T = TypeVar("T")
Filters = dict[str, Any]


class Chunk(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list.

    Attributes:
        rows: Its rows.
        count: Rows of the whole list.
        requests: Requests that it cost: 0 from a cache.
    """

    rows: Sequence[T]
    count: int
    requests: int


class Got(msgspec.Struct, Generic[T], frozen=True):
    """One object.

    Attributes:
        value: The object.
        requests: Requests that it cost: 0 from a cache.
    """

    value: T
    requests: int


class Source(Protocol):
    """What matching asks of a client. Errors are those of the client."""

    async def issue(self, number: int, /) -> Got[Issue]:
        """Return the issue with an id; raise ``NotFoundError`` if there is none."""
        ...

    async def series(self, number: int, /) -> Got[Series]:
        """Return the series with an id; raise ``NotFoundError`` if there is none."""
        ...

    async def issue_page(self, filters: Mapping[str, Any], page: int, /) -> Chunk[IssueSummary]:
        """Return a page of the issues that match *filters*."""
        ...

    async def series_page(self, filters: Mapping[str, Any], page: int, /) -> Chunk[SeriesSummary]:
        """Return a page of the series that match *filters*."""
        ...


class Meter:
    """Counts the requests of one match or group.

    Attributes:
        requests: Requests so far.
    """

    __slots__ = ("requests",)

    def __init__(self) -> None:
        self.requests: int = 0

    def take(self) -> int:
        """Return the requests so far, and begin again from zero."""
        taken, self.requests = self.requests, 0
        return taken


class Listing(Generic[T]):
    """A list of which each page is fetched once, in any order, for the first query that needs it.

    Args:
        fetch: Fetches a page by its number.
    """

    def __init__(self, fetch: Callable[[int], Awaitable[Chunk[T]]]) -> None:
        self._fetch = fetch
        self._pages: dict[int, Sequence[T]] = {}
        self._lock = asyncio.Lock()
        self.count: int = 0

    @property
    def pages(self) -> int:
        """Number of pages, known after the first was fetched."""
        return pages_of(self.count)

    @property
    def complete(self) -> bool:
        """Whether every page was fetched."""
        return len(self._pages) >= self.pages and bool(self._pages)

    @property
    def rows(self) -> list[T]:
        """The rows of the pages that were fetched."""
        return [row for _, rows in sorted(self._pages.items()) for row in rows]

    def has(self, number: int) -> bool:
        """Return whether a page was fetched."""
        return number in self._pages

    async def page(self, number: int, meter: Meter) -> Sequence[T]:
        """Return the rows of a page, from 1; a page past the end is empty."""
        async with self._lock:
            if number not in self._pages:
                try:
                    chunk = await self._fetch(number)
                except NotFoundError:
                    if number == 1:
                        raise
                    chunk = Chunk((), self.count, 1)  # the list has become shorter
                meter.requests += chunk.requests
                self._pages[number] = chunk.rows
                self.count = chunk.count
            return self._pages[number]

    async def walk(self, meter: Meter, most: int) -> list[T]:
        """Fetch pages from the first on, at most *most* of them, and return their rows."""
        await self.page(1, meter)
        for number in range(2, min(most, self.pages) + 1):
            await self.page(number, meter)
        return self.rows


class Lists:
    """The lists and objects of one run; what was fetched once is not fetched again.

    Args:
        source: Where they come from.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._issues: dict[tuple[tuple[str, Any], ...], Listing[IssueSummary]] = {}
        self._series: dict[tuple[tuple[str, Any], ...], Listing[SeriesSummary]] = {}
        self._names: dict[int, tuple[str, ...]] = {}

    def issues(self, **filters: Any) -> Listing[IssueSummary]:
        """Return the list of the issues that match *filters*."""
        key = tuple(sorted(filters.items()))
        found = self._issues.get(key)
        if found is None:
            found = Listing(lambda page: self._source.issue_page(filters, page))
            self._issues[key] = found
        return found

    def series(self, **filters: Any) -> Listing[SeriesSummary]:
        """Return the list of the series that match *filters*."""
        key = tuple(sorted(filters.items()))
        found = self._series.get(key)
        if found is None:
            found = Listing(lambda page: self._source.series_page(filters, page))
            self._series[key] = found
        return found

    async def issue(self, number: int, meter: Meter) -> Issue:
        """Return a full issue."""
        got = await self._source.issue(number)
        meter.requests += got.requests
        return got.value

    async def other_names(self, series: int, meter: Meter) -> tuple[str, ...]:
        """Return the other names of a series."""
        if series not in self._names:
            try:
                got = await self._source.series(series)
            except NotFoundError:
                meter.requests += 1  # deleted meanwhile
                return ()
            meter.requests += got.requests
            self._names[series] = got.value.alt_names
        return self._names[series]
