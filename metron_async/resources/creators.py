"""Creators of comics, such as writers and artists: ``metron.creators``."""

from typing import Unpack

from metron_async.filters import CreatorFilters
from metron_async.lists.details import DetailedList
from metron_async.models import Creator, CreatorInput, CreatorSummary
from metron_async.resources.base import Detailed, listing
from metron_async.resources.writable import Writable

__all__ = ["CreatorsResource"]


class CreatorsResource(Detailed[Creator, CreatorSummary], Writable[CreatorInput, Creator]):
    """Creators of comics, such as writers and artists: ``metron.creators``."""

    _path = "creator"

    @listing(CreatorFilters)
    def iter(self, **filters: Unpack[CreatorFilters]) -> DetailedList[CreatorSummary, Creator]:
        """Return the creators that match :class:`~metron_async.filters.CreatorFilters`."""
        return self._list(CreatorFilters, filters)
