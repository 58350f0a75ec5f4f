"""Series, each one run of issues: ``metron.series``."""

from typing import Unpack

from metron_async.filters import SeriesFilters
from metron_async.models import Series, SeriesSummary
from metron_async.pagination import Paginator
from metron_async.resources.base import IssueLists, Listable, Retrievable

__all__ = ["SeriesNamespace"]


class SeriesNamespace(Retrievable[Series], Listable[SeriesSummary], IssueLists):
    """Series, each one run of issues: ``metron.series``."""

    path = "series"
    model = Series
    row = SeriesSummary

    def iter(self, **filters: Unpack[SeriesFilters]) -> Paginator[SeriesSummary]:
        """Iterate the series that match :class:`~metron_async.filters.SeriesFilters`."""
        return self._list(SeriesFilters, filters)
