"""Universes that stories are set in: ``metron.universes``."""

from typing import Unpack

from metron_async.filters import UniverseFilters
from metron_async.lists.bulk import Details
from metron_async.lists.rows import Paginator
from metron_async.models import Universe, UniverseInput, UniverseSummary, UniverseWritten
from metron_async.resources.base import Detailed
from metron_async.resources.writable import Writable

__all__ = ["UniversesResource"]


class UniversesResource(
    Detailed[Universe, UniverseSummary], Writable[UniverseInput, UniverseWritten]
):
    """Universes that stories are set in: ``metron.universes``."""

    path = "universe"
    model = Universe
    row = UniverseSummary
    input = UniverseInput
    written = UniverseWritten

    def iter(self, **filters: Unpack[UniverseFilters]) -> Paginator[UniverseSummary]:
        """Iterate the universes that match :class:`~metron_async.filters.UniverseFilters`."""
        return self._list(UniverseFilters, filters)

    def iter_details(
        self, *, concurrency: int = 4, **filters: Unpack[UniverseFilters]
    ) -> Details[Universe]:
        """Iterate the universes that match :class:`~metron_async.filters.UniverseFilters`, in full.

        Args:
            concurrency: Objects fetched at once, where the cache has them not.
            filters: As for :meth:`iter`.
        """
        return self._details(UniverseFilters, filters, concurrency)
