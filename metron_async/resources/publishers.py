"""Publishers: ``metron.publishers``."""

from typing import Unpack

from metron_async.filters import PublisherFilters
from metron_async.lists.bulk import Details
from metron_async.lists.rows import Paginator
from metron_async.models import Publisher, PublisherInput, PublisherSummary, SeriesSummary
from metron_async.resources.base import Detailed, checked_id
from metron_async.resources.writable import Writable

__all__ = ["PublishersResource"]


class PublishersResource(
    Detailed[Publisher, PublisherSummary], Writable[PublisherInput, Publisher]
):
    """Publishers: ``metron.publishers``."""

    path = "publisher"
    model = Publisher
    row = PublisherSummary
    input = PublisherInput
    written = Publisher

    def iter(self, **filters: Unpack[PublisherFilters]) -> Paginator[PublisherSummary]:
        """Iterate the publishers that match :class:`~metron_async.filters.PublisherFilters`."""
        return self._list(PublisherFilters, filters)

    def iter_details(
        self, *, concurrency: int = 4, **filters: Unpack[PublisherFilters]
    ) -> Details[Publisher]:
        """Iterate in full what matches :class:`~metron_async.filters.PublisherFilters`.

        Args:
            concurrency: Objects fetched at once, where the cache has them not.
            filters: As for :meth:`iter`.
        """
        return self._details(PublisherFilters, filters, concurrency)

    def series(self, id: int, /) -> Paginator[SeriesSummary]:
        """Iterate the series of one publisher.

        Args:
            id: Metron's id of the publisher.
        """
        request = self._request(f"{checked_id(id)}/series_list/", may_404=True)
        return self._rows(request, SeriesSummary)
