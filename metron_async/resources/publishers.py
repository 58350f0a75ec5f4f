"""Publishers: ``metron.publishers``."""

from typing import Unpack

from metron_async.filters import PublisherFilters
from metron_async.lists.details import DetailedList
from metron_async.lists.pagination import RowList
from metron_async.models import Publisher, PublisherInput, PublisherSummary, SeriesSummary
from metron_async.resources.base import Detailed, checked_id, listing
from metron_async.resources.writable import Writable

__all__ = ["PublishersResource"]


class PublishersResource(
    Detailed[Publisher, PublisherSummary], Writable[PublisherInput, Publisher]
):
    """Publishers: ``metron.publishers``."""

    _path = "publisher"

    @listing(PublisherFilters)
    def iter(
        self, **filters: Unpack[PublisherFilters]
    ) -> DetailedList[PublisherSummary, Publisher]:
        """Return the publishers that match :class:`~metron_async.filters.PublisherFilters`."""
        return self._list(PublisherFilters, filters)

    def series(self, id: int, /) -> RowList[SeriesSummary]:
        """Return the series of one publisher.

        Args:
            id: Metron's id of the publisher.
        """
        request = self._request(f"{checked_id(id)}/series_list/", may_404=True)
        return self._rows(request, SeriesSummary, of_parent=True)
