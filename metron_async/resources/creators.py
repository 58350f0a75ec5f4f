"""Writers, artists and others who make comics: ``metron.creators``."""

from typing import Unpack

from metron_async.filters import CreatorFilters
from metron_async.lists.bulk import Details
from metron_async.lists.rows import Paginator
from metron_async.models import Creator, CreatorInput, CreatorSummary
from metron_async.resources.base import Detailed
from metron_async.resources.writable import Writable

__all__ = ["CreatorsResource"]


class CreatorsResource(Detailed[Creator, CreatorSummary], Writable[CreatorInput, Creator]):
    """Writers, artists and others who make comics: ``metron.creators``."""

    path = "creator"
    model = Creator
    row = CreatorSummary
    input = CreatorInput
    written = Creator

    def iter(self, **filters: Unpack[CreatorFilters]) -> Paginator[CreatorSummary]:
        """Iterate the creators that match :class:`~metron_async.filters.CreatorFilters`."""
        return self._list(CreatorFilters, filters)

    def iter_details(
        self, *, concurrency: int = 4, **filters: Unpack[CreatorFilters]
    ) -> Details[Creator]:
        """Iterate the creators that match :class:`~metron_async.filters.CreatorFilters`, in full.

        Args:
            concurrency: Objects fetched at once, where the cache has them not.
            filters: As for :meth:`iter`.
        """
        return self._details(CreatorFilters, filters, concurrency)
