"""The series that the account follows: ``metron.pull_list``."""

from typing import Unpack

from metron_async.filters import PullListIssueFilters, encode_filters
from metron_async.models import PullList, PullListIssue, PullListSeries
from metron_async.pagination import Paginator
from metron_async.resources.account_lists import AccountList

__all__ = ["PullLists"]


class PullLists(AccountList[PullList]):
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
