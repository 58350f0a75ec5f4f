"""Single issues: ``metron.issues``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from metron_async.filters import IssueFilters
from metron_async.lists.details import DetailedList  # noqa: TC001 - shown in signatures
from metron_async.models import Issue, IssueInput, IssueSummary, IssueWritten
from metron_async.resources.base import Detailed, listing
from metron_async.resources.writable import Writable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from metron_async.lists.bulk import OnError
    from metron_async.matching.decide import Match
    from metron_async.matching.query import IssueQuery
    from metron_async.matching.run import MatchProgress, MatchRun

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

    async def match(
        self, query: IssueQuery, /, *, details: bool = False, hash_limit: int = 10
    ) -> Match:
        """Find the issue that is meant by what is known of a comic; nothing is guessed.

        The cheapest certain way comes first: Metron's id, ids at Comic Vine and GCD, UPC, SKU,
        then series and number. Most queries cost one request.

        Args:
            query: What is known of the comic.
            details: Whether to fetch the full issue as well, if it was decided.
            hash_limit: Most bits, 0 to 64, in which the hashes of one cover may differ.

        Returns:
            A match with the issue, or with candidates and the reason why none was decided.

        Raises:
            MetronError: If a request failed.

        Example:
            >>> query = IssueQuery(series="Savage Wolf", number="003", year=1966)
            >>> match = await metron.issues.match(query)  # doctest: +SKIP
            >>> print(match.issue or match.why)  # doctest: +SKIP
        """
        run = self.match_many([query], on_error="raise", details=details, hash_limit=hash_limit)
        return (await run.collect())[0]

    def match_many(
        self,
        queries: Iterable[IssueQuery],
        /,
        *,
        concurrency: int = 4,
        on_error: OnError = "yield",
        details: bool = False,
        progress: Callable[[MatchProgress], object] | None = None,
        hash_limit: int = 10,
    ) -> MatchRun:
        """Return the matches of many queries, found in few requests.

        Queries of one series share its list, which costs one request per 100 issues.

        Args:
            queries: What is known of each comic.
            concurrency: Maximum number of series that are searched for at once, from 1.
            on_error: Whether failures of single queries are yielded, skipped or raised.
            details: Whether to fetch the full issue of each query that was decided.
            progress: Called with the state of the run after each match.
            hash_limit: Most bits, 0 to 64, in which the hashes of one cover may differ.

        Raises:
            UsageError: If an argument is invalid.

        Example:
            >>> run = metron.issues.match_many(queries)  # doctest: +SKIP
            >>> print(run.plan())  # doctest: +SKIP
            >>> async for match in run:  # doctest: +SKIP
            ...     print(match.query, match.issue or match.why)
        """
        # A program that does not match anything does not load it.
        from metron_async.matching.client import ClientSource  # noqa: PLC0415
        from metron_async.matching.decide import Rules  # noqa: PLC0415
        from metron_async.matching.run import MatchRun  # noqa: PLC0415
        from metron_async.resources.series import SeriesResource  # noqa: PLC0415

        return MatchRun(
            ClientSource(self, SeriesResource(self._caller), self._caller.core.origins.of),
            queries,
            details=details,
            concurrency=concurrency,
            on_error=on_error,
            progress=progress,
            rules=Rules(hash_limit=hash_limit),
        )
