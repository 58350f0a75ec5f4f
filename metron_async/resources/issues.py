"""Single issues: ``metron.issues``."""

from typing import Unpack

from metron_async.filters import IssueFilters
from metron_async.lists.bulk import Details
from metron_async.lists.rows import Paginator
from metron_async.models import Issue, IssueInput, IssueSummary, IssueWritten
from metron_async.resources.base import Detailed
from metron_async.resources.writable import Writable

__all__ = ["IssuesResource"]


class IssuesResource(Detailed[Issue, IssueSummary], Writable[IssueInput, IssueWritten]):
    """Single issues: ``metron.issues``."""

    path = "issue"
    model = Issue
    row = IssueSummary
    input = IssueInput
    written = IssueWritten

    def iter(self, **filters: Unpack[IssueFilters]) -> Paginator[IssueSummary]:
        """Iterate the issues that match *filters*; see :class:`~metron_async.filters.IssueFilters`.

        Example:
            >>> async for row in metron.issues.iter(series_id=5):  # doctest: +SKIP
            ...     print(row.number)
        """
        return self._list(IssueFilters, filters)

    def iter_details(
        self, *, concurrency: int = 4, **filters: Unpack[IssueFilters]
    ) -> Details[Issue]:
        """Iterate the issues that match :class:`~metron_async.filters.IssueFilters`, in full.

        Args:
            concurrency: Objects fetched at once, where the cache has them not.
            filters: As for :meth:`iter`.
        """
        return self._details(IssueFilters, filters, concurrency)
