"""Story arcs: ``metron.arcs``."""

from typing import Unpack

from metron_async.filters import ArcFilters
from metron_async.lists.bulk import Details
from metron_async.lists.rows import Paginator
from metron_async.models import Arc, ArcInput, ArcSummary
from metron_async.resources.base import Detailed, IssueLists
from metron_async.resources.writable import Writable

__all__ = ["ArcsResource"]


class ArcsResource(Detailed[Arc, ArcSummary], IssueLists, Writable[ArcInput, Arc]):
    """Story arcs: ``metron.arcs``."""

    path = "arc"
    model = Arc
    row = ArcSummary
    input = ArcInput
    written = Arc

    def iter(self, **filters: Unpack[ArcFilters]) -> Paginator[ArcSummary]:
        """Iterate the arcs that match :class:`~metron_async.filters.ArcFilters`."""
        return self._list(ArcFilters, filters)

    def iter_details(self, *, concurrency: int = 4, **filters: Unpack[ArcFilters]) -> Details[Arc]:
        """Iterate the arcs that match :class:`~metron_async.filters.ArcFilters`, in full.

        Args:
            concurrency: Objects fetched at once, where the cache has them not.
            filters: As for :meth:`iter`.
        """
        return self._details(ArcFilters, filters, concurrency)
