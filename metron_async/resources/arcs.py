"""Story arcs: ``metron.arcs``."""

from typing import Unpack

from metron_async.filters import ArcFilters
from metron_async.models import Arc, ArcSummary
from metron_async.pagination import Paginator
from metron_async.resources.base import IssueLists, Listable, Retrievable

__all__ = ["Arcs"]


class Arcs(Retrievable[Arc], Listable[ArcSummary], IssueLists):
    """Story arcs: ``metron.arcs``."""

    path = "arc"
    model = Arc
    row = ArcSummary

    def iter(self, **filters: Unpack[ArcFilters]) -> Paginator[ArcSummary]:
        """Iterate the arcs that match :class:`~metron_async.filters.ArcFilters`."""
        return self._list(ArcFilters, filters)
