"""Imprints of publishers: ``metron.imprints``."""

from typing import Unpack

from metron_async.filters import ImprintFilters
from metron_async.lists.details import DetailedList
from metron_async.models import Imprint, ImprintInput, ImprintSummary, ImprintWritten
from metron_async.resources.base import Detailed, listing
from metron_async.resources.writable import Writable

__all__ = ["ImprintsResource"]


class ImprintsResource(Detailed[Imprint, ImprintSummary], Writable[ImprintInput, ImprintWritten]):
    """Imprints of publishers: ``metron.imprints``."""

    _path = "imprint"

    @listing(ImprintFilters)
    def iter(self, **filters: Unpack[ImprintFilters]) -> DetailedList[ImprintSummary, Imprint]:
        """Return the imprints that match :class:`~metron_async.filters.ImprintFilters`."""
        return self._list(ImprintFilters, filters)
