"""Types of series, such as limited series: ``metron.series_types``."""

from typing import Unpack

from metron_async.filters import SeriesTypeFilters
from metron_async.lists.rows import Paginator
from metron_async.models import SeriesType
from metron_async.resources.base import Listable

__all__ = ["SeriesTypesResource"]


class SeriesTypesResource(Listable[SeriesType]):
    """Types of series, such as limited series: ``metron.series_types``."""

    path = "series_type"
    row = SeriesType

    def iter(self, **filters: Unpack[SeriesTypeFilters]) -> Paginator[SeriesType]:
        """Iterate the series types that match :class:`~metron_async.filters.SeriesTypeFilters`."""
        return self._list(SeriesTypeFilters, filters)
