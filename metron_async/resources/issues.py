"""Single issues: ``metron.issues``."""

from typing import Unpack

from metron_async.filters import IssueFilters
from metron_async.lists.details import DetailedList
from metron_async.models import Issue, IssueInput, IssueSummary, IssueWritten
from metron_async.resources.base import Detailed, listing
from metron_async.resources.writable import Writable

__all__ = ["IssuesResource"]


class IssuesResource(Detailed[Issue, IssueSummary], Writable[IssueInput, IssueWritten]):
    """Single issues: ``metron.issues``."""

    _path = "issue"

    @listing(IssueFilters)
    def iter(self, **filters: Unpack[IssueFilters]) -> DetailedList[IssueSummary, Issue]:
        """Return the issues that match *filters*; see :class:`~metron_async.filters.IssueFilters`.

        Example:
            >>> async for row in metron.issues.iter(series_id=5):  # doctest: +SKIP
            ...     print(row.number)
        """
        return self._list(IssueFilters, filters)
