"""Universes that stories are set in: ``metron.universes``."""

from typing import Unpack

from metron_async.filters import UniverseFilters
from metron_async.models import Universe, UniverseSummary
from metron_async.pagination import Paginator
from metron_async.resources.base import Listable, Retrievable

__all__ = ["Universes"]


class Universes(Retrievable[Universe], Listable[UniverseSummary]):
    """Universes that stories are set in: ``metron.universes``."""

    path = "universe"
    model = Universe
    row = UniverseSummary

    def iter(self, **filters: Unpack[UniverseFilters]) -> Paginator[UniverseSummary]:
        """Iterate the universes that match :class:`~metron_async.filters.UniverseFilters`."""
        return self._list(UniverseFilters, filters)
