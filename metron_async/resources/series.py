"""Series, each one run of issues: ``metron.series``."""

from typing import Unpack

from metron_async.filters import SeriesFilters
from metron_async.lists.bulk import Details
from metron_async.lists.rows import Paginator
from metron_async.models import Series, SeriesInput, SeriesSummary, SeriesWritten
from metron_async.resources.base import Detailed, IssueLists
from metron_async.resources.writable import Writable

__all__ = ["SeriesResource"]


class SeriesResource(
    Detailed[Series, SeriesSummary], IssueLists, Writable[SeriesInput, SeriesWritten]
):
    """Series, each one run of issues: ``metron.series``."""

    path = "series"
    model = Series
    row = SeriesSummary
    input = SeriesInput
    written = SeriesWritten

    def iter(self, **filters: Unpack[SeriesFilters]) -> Paginator[SeriesSummary]:
        """Iterate the series that match :class:`~metron_async.filters.SeriesFilters`."""
        return self._list(SeriesFilters, filters)

    def iter_details(
        self, *, concurrency: int = 4, **filters: Unpack[SeriesFilters]
    ) -> Details[Series]:
        """Iterate the series that match :class:`~metron_async.filters.SeriesFilters`, in full.

        Args:
            concurrency: Objects fetched at once, where the cache has them not.
            filters: As for :meth:`iter`.
        """
        return self._details(SeriesFilters, filters, concurrency)
