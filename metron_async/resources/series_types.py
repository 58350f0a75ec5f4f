"""Types of series, such as limited series: ``metron.series_types``."""

from typing import Unpack

from metron_async.filters import SeriesTypeFilters
from metron_async.lists.pagination import RowList
from metron_async.models import SeriesType
from metron_async.resources.base import Listable, listing

__all__ = ["SeriesTypesResource"]


class SeriesTypesResource(Listable[SeriesType]):
    """Types of series, such as limited series: ``metron.series_types``."""

    _path = "series_type"

    @listing(SeriesTypeFilters)
    def iter(self, **filters: Unpack[SeriesTypeFilters]) -> RowList[SeriesType]:
        """Return the series types that match :class:`~metron_async.filters.SeriesTypeFilters`."""
        return self._list(SeriesTypeFilters, filters)
