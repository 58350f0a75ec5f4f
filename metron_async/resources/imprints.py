"""Imprints of publishers: ``metron.imprints``."""

from typing import Unpack

from metron_async.filters import ImprintFilters
from metron_async.models import Imprint, ImprintSummary
from metron_async.pagination import Paginator
from metron_async.resources.base import Listable, Retrievable

__all__ = ["Imprints"]


class Imprints(Retrievable[Imprint], Listable[ImprintSummary]):
    """Imprints of publishers: ``metron.imprints``."""

    path = "imprint"
    model = Imprint
    row = ImprintSummary

    def iter(self, **filters: Unpack[ImprintFilters]) -> Paginator[ImprintSummary]:
        """Iterate the imprints that match :class:`~metron_async.filters.ImprintFilters`."""
        return self._list(ImprintFilters, filters)
