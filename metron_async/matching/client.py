"""Lets matching ask a client: the only place that knows the client's namespaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from metron_async.matching.source import Chunk, Got

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from metron_async.models import Issue, IssueSummary, Series, SeriesSummary
    from metron_async.types import Origin

__all__ = ["ClientSource"]


class IssuesLike(Protocol):
    """The part of ``metron.issues`` that is used."""

    async def get(self, id: int, /) -> Issue: ...
    @property
    def iter(self) -> Callable[..., Any]: ...


class SeriesLike(Protocol):
    """The part of ``metron.series`` that is used."""

    async def get(self, id: int, /) -> Series: ...
    @property
    def iter(self) -> Callable[..., Any]: ...


class ClientSource:
    """A source of rows behind a client's cache and quota.

    Args:
        issues: The namespace of issues.
        series: The namespace of series.
        origin_of: Returns where an object came from, ``None`` if unknown.
    """

    def __init__(
        self,
        issues: IssuesLike,
        series: SeriesLike,
        origin_of: Callable[[object], Origin | None],
    ) -> None:
        self._issues = issues
        self._series = series
        self._origin_of = origin_of

    async def issue(self, number: int, /) -> Got[Issue]:
        """Return the issue with an id."""
        value = await self._issues.get(number)
        return Got(value, _requests(self._origin_of(value)))

    async def series(self, number: int, /) -> Got[Series]:
        """Return the series with an id."""
        value = await self._series.get(number)
        return Got(value, _requests(self._origin_of(value)))

    async def issue_page(self, filters: Mapping[str, Any], page: int, /) -> Chunk[IssueSummary]:
        """Return a page of issues."""
        found = await self._issues.iter(**filters).page(page)
        return Chunk(found.rows, found.count, _requests(found.origin))

    async def series_page(self, filters: Mapping[str, Any], page: int, /) -> Chunk[SeriesSummary]:
        """Return a page of series."""
        found = await self._series.iter(**filters).page(page)
        return Chunk(found.rows, found.count, _requests(found.origin))


def _requests(origin: Origin | None) -> int:
    """Return what an object cost: a revalidation costs as much as a fetch."""
    return int(origin is None or origin.source.value in {"network", "304"})
