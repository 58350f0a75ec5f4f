"""Imprints of publishers: ``metron.imprints``."""

from typing import Unpack

from metron_async.filters import ImprintFilters
from metron_async.lists.bulk import Details
from metron_async.lists.rows import Paginator
from metron_async.models import Imprint, ImprintInput, ImprintSummary, ImprintWritten
from metron_async.resources.base import Detailed
from metron_async.resources.writable import Writable

__all__ = ["ImprintsResource"]


class ImprintsResource(Detailed[Imprint, ImprintSummary], Writable[ImprintInput, ImprintWritten]):
    """Imprints of publishers: ``metron.imprints``."""

    path = "imprint"
    model = Imprint
    row = ImprintSummary
    input = ImprintInput
    written = ImprintWritten

    def iter(self, **filters: Unpack[ImprintFilters]) -> Paginator[ImprintSummary]:
        """Iterate the imprints that match :class:`~metron_async.filters.ImprintFilters`."""
        return self._list(ImprintFilters, filters)

    def iter_details(
        self, *, concurrency: int = 4, **filters: Unpack[ImprintFilters]
    ) -> Details[Imprint]:
        """Iterate the imprints that match :class:`~metron_async.filters.ImprintFilters`, in full.

        Args:
            concurrency: Objects fetched at once, where the cache has them not.
            filters: As for :meth:`iter`.
        """
        return self._details(ImprintFilters, filters, concurrency)
