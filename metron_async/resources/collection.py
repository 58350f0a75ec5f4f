"""The account's own comics: ``metron.collection``."""

from typing import Unpack

from metron_async.filters import CollectionFilters
from metron_async.models import (
    CollectionItem,
    CollectionStats,
    CollectionSummary,
    MissingIssue,
    MissingSeries,
)
from metron_async.pagination import Paginator
from metron_async.resources.base import Listable, Retrievable, checked_id

__all__ = ["Collection"]


class Collection(Retrievable[CollectionItem], Listable[CollectionSummary]):
    """The account's own comics: ``metron.collection``.

    Reading an issue once more moves neither the item's ``modified`` nor its ``Last-Modified``, so
    an item is never fetched with a condition, except by an explicit ``get_if_modified``.
    """

    path = "collection"
    private = True
    conditional = False
    model = CollectionItem
    row = CollectionSummary

    def iter(self, **filters: Unpack[CollectionFilters]) -> Paginator[CollectionSummary]:
        """Iterate the items that match :class:`~metron_async.filters.CollectionFilters`."""
        return self._list(CollectionFilters, filters)

    async def stats(self) -> CollectionStats:
        """Fetch the collection's totals."""
        return await self._caller.get(self._request("stats/"), CollectionStats)

    def missing_series(self) -> Paginator[MissingSeries]:
        """Iterate the series of which the account owns some issues, but not all."""
        return self._rows(self._request("missing_series/"), MissingSeries)

    def missing_issues(self, series_id: int, /) -> Paginator[MissingIssue]:
        """Iterate the issues of one series that the account does not own.

        Args:
            series_id: Metron's id of the series; an unknown one gives an empty list.
        """
        number = checked_id(series_id, "series_id")
        return self._rows(self._request(f"missing_issues/{number}/"), MissingIssue)
