"""The series that the account follows: ``metron.pull_list``."""

from typing import Unpack

from metron_async.filters import PullListIssueFilters, encode_filters
from metron_async.lists.pagination import RowList
from metron_async.models import PullList, PullListAddInput, PullListIssue, PullListSeries
from metron_async.resources.account_lists import AccountList
from metron_async.resources.base import checked_id, listing
from metron_async.types import Added

__all__ = ["PullListResource"]


class PullListResource(AccountList[PullList]):
    """The series that the account follows: ``metron.pull_list``."""

    _path = "pull_list"

    def series(self) -> RowList[PullListSeries]:
        """Return the series on the pull list."""
        return self._rows(self._request("series/"), PullListSeries)

    @listing(PullListIssueFilters)
    def issues(self, **filters: Unpack[PullListIssueFilters]) -> RowList[PullListIssue]:
        """Return the issues of those series.

        Their dates can be restricted with :class:`~metron_async.filters.PullListIssueFilters`.
        """
        params = encode_filters(PullListIssueFilters, filters)
        return self._rows(self._request("issues/", params=params), PullListIssue)

    async def add_series(self, series_id: int, /) -> Added[PullListSeries]:
        """Follow a series.

        Args:
            series_id: Metron's id of the series.

        Returns:
            The entry of the pull list, and whether this call created it.

        Raises:
            NotFoundError: If the series does not exist.
            MetronError: For anything else; see :mod:`metron_async.errors`.
        """
        data = PullListAddInput(series_id=checked_id(series_id, "series_id"))
        return await self._change("POST", "series/add/", PullListSeries, data)

    async def remove_series(self, series_id: int, /) -> None:
        """Stop following a series.

        Args:
            series_id: Metron's id of the series, not of the entry.

        Raises:
            NotFoundError: If the series is not on the pull list.
            MetronError: For anything else; see :mod:`metron_async.errors`.
        """
        number = checked_id(series_id, "series_id")
        await self._change("DELETE", f"series/{number}/remove/", None)
