"""Reading lists, public ones and your own: ``metron.reading_lists``."""

from typing import Unpack

from metron_async.filters import ReadingListFilters
from metron_async.lists.pagination import RowList
from metron_async.models import ReadingList, ReadingListItem, ReadingListSummary
from metron_async.resources.base import Listable, Retrievable, checked_id, listing

__all__ = ["ReadingListsResource"]


class ReadingListsResource(Retrievable[ReadingList], Listable[ReadingListSummary]):
    """Reading lists, public ones and your own: ``metron.reading_lists``."""

    _path = "reading_list"
    _private = True

    @listing(ReadingListFilters)
    def iter(self, **filters: Unpack[ReadingListFilters]) -> RowList[ReadingListSummary]:
        """Return the lists that match :class:`~metron_async.filters.ReadingListFilters`."""
        return self._list(ReadingListFilters, filters)

    def items(self, id: int, /) -> RowList[ReadingListItem]:
        """Return the issues of one reading list, in reading order; 50 to a page.

        Args:
            id: Metron's id of the reading list.
        """
        request = self._request(f"{checked_id(id)}/items/", may_404=True)
        return self._rows(request, ReadingListItem)
