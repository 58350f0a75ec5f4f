"""Writers, artists and others who make comics: ``metron.creators``."""

from typing import Unpack

from metron_async.filters import CreatorFilters
from metron_async.models import Creator, CreatorSummary
from metron_async.pagination import Paginator
from metron_async.resources.base import Listable, Retrievable

__all__ = ["Creators"]


class Creators(Retrievable[Creator], Listable[CreatorSummary]):
    """Writers, artists and others who make comics: ``metron.creators``."""

    path = "creator"
    model = Creator
    row = CreatorSummary

    def iter(self, **filters: Unpack[CreatorFilters]) -> Paginator[CreatorSummary]:
        """Iterate the creators that match :class:`~metron_async.filters.CreatorFilters`."""
        return self._list(CreatorFilters, filters)
