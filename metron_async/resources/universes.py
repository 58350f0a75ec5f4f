"""Universes that stories are set in: ``metron.universes``."""

from typing import Unpack

from metron_async.filters import UniverseFilters
from metron_async.lists.details import DetailedList
from metron_async.models import Universe, UniverseInput, UniverseSummary, UniverseWritten
from metron_async.resources.base import Detailed, listing
from metron_async.resources.writable import Writable

__all__ = ["UniversesResource"]


class UniversesResource(
    Detailed[Universe, UniverseSummary], Writable[UniverseInput, UniverseWritten]
):
    """Universes that stories are set in: ``metron.universes``."""

    _path = "universe"

    @listing(UniverseFilters)
    def iter(self, **filters: Unpack[UniverseFilters]) -> DetailedList[UniverseSummary, Universe]:
        """Return the universes that match :class:`~metron_async.filters.UniverseFilters`."""
        return self._list(UniverseFilters, filters)
