"""The series that the account follows: ``metron.pull_list``."""

from typing import Unpack

from metron_async.filters import PullListIssueFilters, encode_filters
from metron_async.lists.rows import Paginator
from metron_async.models import PullList, PullListAddInput, PullListIssue, PullListSeries
from metron_async.resources.account_lists import AccountList
from metron_async.resources.base import checked_id
from metron_async.types import Added

__all__ = ["PullListResource"]


class PullListResource(AccountList[PullList]):
    """The series that the account follows: ``metron.pull_list``."""

    path = "pull_list"
    model = PullList

    def series(self) -> Paginator[PullListSeries]:
        """Iterate the series on the pull list."""
        return self._rows(self._request("series/"), PullListSeries)

    def issues(self, **filters: Unpack[PullListIssueFilters]) -> Paginator[PullListIssue]:
        """Iterate the issues of those series.

        See :class:`~metron_async.filters.PullListIssueFilters` for the dates to ask for.
        """
        params = encode_filters(PullListIssueFilters, filters)
        return self._rows(self._request("issues/", params=params), PullListIssue)

    async def add_series(self, series_id: int, /) -> Added[PullListSeries]:
        """Follow a series.

        Args:
            series_id: Metron's id of the series.

        Returns:
            The entry of the pull list, and whether it was created or there already.

        Raises:
            NotFoundError: If there is no such series.
            MetronError: For anything else; see :mod:`metron_async.errors`.
        """
        data = PullListAddInput(series_id=checked_id(series_id, "series_id"))
        return await self._change("POST", "series/add/", PullListSeries, data)

    async def remove_series(self, series_id: int, /) -> None:
        """Follow a series no longer.

        Args:
            series_id: Metron's id of the series, not of the entry.

        Raises:
            NotFoundError: If the series is not on the pull list.
            MetronError: For anything else; see :mod:`metron_async.errors`.
        """
        number = checked_id(series_id, "series_id")
        await self._change("DELETE", f"series/{number}/remove/", None)
