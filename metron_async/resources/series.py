"""Series, each one run of issues: ``metron.series``."""

from typing import Unpack

from metron_async.filters import SeriesFilters
from metron_async.lists.details import DetailedList
from metron_async.models import Series, SeriesInput, SeriesSummary, SeriesWritten
from metron_async.resources.base import Detailed, IssueLists, listing
from metron_async.resources.writable import Writable

__all__ = ["SeriesResource"]


class SeriesResource(
    Detailed[Series, SeriesSummary], IssueLists, Writable[SeriesInput, SeriesWritten]
):
    """Series, each one run of issues: ``metron.series``."""

    _path = "series"

    @listing(SeriesFilters)
    def iter(self, **filters: Unpack[SeriesFilters]) -> DetailedList[SeriesSummary, Series]:
        """Return the series that match :class:`~metron_async.filters.SeriesFilters`."""
        return self._list(SeriesFilters, filters)
