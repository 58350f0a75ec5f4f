"""Story arcs: ``metron.arcs``."""

from typing import Unpack

from metron_async.filters import ArcFilters
from metron_async.lists.details import DetailedList
from metron_async.models import Arc, ArcInput, ArcSummary
from metron_async.resources.base import Detailed, IssueLists, listing
from metron_async.resources.writable import Writable

__all__ = ["ArcsResource"]


class ArcsResource(Detailed[Arc, ArcSummary], IssueLists, Writable[ArcInput, Arc]):
    """Story arcs: ``metron.arcs``."""

    _path = "arc"

    @listing(ArcFilters)
    def iter(self, **filters: Unpack[ArcFilters]) -> DetailedList[ArcSummary, Arc]:
        """Return the arcs that match :class:`~metron_async.filters.ArcFilters`."""
        return self._list(ArcFilters, filters)
