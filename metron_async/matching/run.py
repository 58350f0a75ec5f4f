"""Matches many queries: :class:`MatchRun`, what ``metron.issues.match_many`` returns."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from metron_async._values import show
from metron_async.errors import MetronError, UsageError
from metron_async.lists.base import LazyList, checked_limit, checked_whole
from metron_async.lists.bulk import FailureStreak, OnError, cancel_all, stops_run
from metron_async.matching.decide import DEFAULT_RULES, Match, Rules
from metron_async.matching.failures import examined
from metron_async.matching.groups import GroupSearch
from metron_async.matching.planning import Group, MatchPlan, plan
from metron_async.matching.query import IssueQuery
from metron_async.matching.search import Search
from metron_async.matching.source import Lists, Meter

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Sequence

    from metron_async.matching.source import Source

__all__ = ["MatchProgress", "MatchRun"]


_TWICE = "The run is being iterated already: create another one for a second loop"


class MatchProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a run has come."""

    done: int
    """Queries that are done."""
    total: int
    """Queries of the run."""
    decided: int
    """Queries for which an issue was decided."""
    ambiguous: int
    """Queries with candidates but no decision."""
    failed: int
    """Queries that could not be examined."""
    requests: int
    """Requests so far."""


class MatchRun(LazyList[Match]):
    """The matches of many queries, found in few requests.

    Creating it sends nothing. Matches come as they become known; ``match.index`` is the place of
    the query. A run that was interrupted, by an error or by leaving the loop, continues where it
    stopped when it is iterated again.

    Args:
        source: Where rows come from.
        queries: What is known of each comic.
        details: Whether to fetch the full issue for each query that is decided.
        concurrency: Maximum number of groups and queries that are searched for at once.
        on_error: Whether failures of single queries are yielded, skipped or raised.
        progress: Called with the state of the run after each match.
        rules: What it takes to decide.

    Raises:
        UsageError: If an argument is invalid.

    Example:
        >>> run = metron.issues.match_many(queries)  # doctest: +SKIP
        >>> print(run.plan())  # doctest: +SKIP
        10 queries in 1 groups, 10 of them by shared lists: about 2 requests
        >>> async for match in run:  # doctest: +SKIP
        ...     print(match.query, match.issue or match.why)
    """

    def __init__(
        self,
        source: Source,
        queries: Iterable[IssueQuery],
        *,
        details: bool = False,
        concurrency: int = 4,
        on_error: OnError = "yield",
        progress: Callable[[MatchProgress], object] | None = None,
        rules: Rules = DEFAULT_RULES,
    ) -> None:
        if on_error not in {"yield", "skip", "raise"}:
            msg = f"on_error must be 'yield', 'skip' or 'raise', got {show(on_error)}"
            raise UsageError(msg)
        self._source = source
        self._queries: Sequence[IssueQuery] = _checked(queries)
        self._details = details
        self._concurrency = checked_whole(concurrency, "concurrency", 1)
        self._on_error = on_error
        self._progress = progress
        self._rules = rules
        self._done: set[int] = set()
        self._outcomes: Counter[str] = Counter()
        self._failures = FailureStreak()
        self._requests = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._waiting = False

    def __repr__(self) -> str:
        return f"<MatchRun: {len(self._done)} of {len(self._queries)} queries done>"

    def __len__(self) -> int:
        return len(self._queries)

    def plan(self) -> MatchPlan:
        """Return what the run costs; sends nothing."""
        return plan(self._queries, details=self._details)

    @property
    def state(self) -> MatchProgress:
        """How far the run has come."""
        return MatchProgress(
            done=len(self._done),
            total=len(self._queries),
            decided=self._outcomes["decided"],
            ambiguous=self._outcomes["ambiguous"],
            failed=self._outcomes["failed"],
            requests=self._requests,
        )

    async def collect(self, limit: int | None = None) -> list[Match]:
        """Fetch the matches that are left into a list, in the order of their queries.

        Args:
            limit: Maximum number of matches, or ``None`` for all.

        Raises:
            MetronError: If the run cannot go on. What it had found is lost to this call.
        """
        matches = await super().collect(checked_limit(limit))
        return sorted(matches, key=lambda match: match.index)

    async def __aiter__(self) -> AsyncGenerator[Match, None]:
        """Iterate the matches that are left."""
        if self._waiting:
            raise UsageError(_TWICE)
        await cancel_all(self._tasks)  # those of a loop that was left early
        ready: asyncio.Queue[Match | None] = asyncio.Queue(maxsize=self._concurrency)
        groups = iter(self._open_groups())
        workers = [asyncio.create_task(self._work(groups, ready)) for _ in range(self._concurrency)]
        watch = asyncio.create_task(_finish(workers, ready))
        self._tasks = tasks = [watch, *workers]
        try:
            while (match := await self._next(ready)) is not None:
                if match.error is not None and self._on_error == "raise":
                    raise match.error
                self._note(match)
                if match.error is None or self._on_error == "yield":
                    yield match
                if self._tasks is not tasks:
                    raise UsageError(_TWICE)
            await watch
        finally:
            await cancel_all(tasks)

    async def _next(self, ready: asyncio.Queue[Match | None]) -> Match | None:
        self._waiting = True
        try:
            return await ready.get()
        finally:
            self._waiting = False

    def _open_groups(self) -> Iterable[Group]:
        """Yield the groups with queries that are not done."""
        for group in self.plan().groups:
            left = tuple(index for index in group.indexes if index not in self._done)
            if left:
                yield msgspec.structs.replace(group, indexes=left)

    async def _work(self, groups: Iterable[Group], ready: asyncio.Queue[Match | None]) -> None:
        """Take one group after another, and put their matches into *ready*."""
        for group in groups:
            meter = Meter()
            left = set(group.indexes)
            try:
                async with contextlib.aclosing(self._find(group, meter)) as found:
                    async for index, match in found:
                        left.discard(index)
                        await ready.put(await self._completed(index, match, meter))
            except MetronError as error:
                self._count(error)
                for index in sorted(left):
                    match = Match(query=self._queries[index], why=str(error), error=error)
                    await ready.put(self._placed(index, match, meter))

    async def _find(self, group: Group, meter: Meter) -> AsyncGenerator[tuple[int, Match], None]:
        lists = Lists(self._source)
        queries = [(index, self._queries[index]) for index in group.indexes]
        if group.way == "list":
            async with contextlib.aclosing(
                GroupSearch(lists, self._rules).find(queries, meter)
            ) as found:
                async for one in found:
                    yield one
            return
        for index, query in queries:
            search = Search(lists, self._rules).find(query, meter)
            yield index, await examined(query, search)

    async def _completed(self, index: int, match: Match, meter: Meter) -> Match:
        """Return *match* with its place, its cost and, if wanted, the full issue.

        Raises:
            MetronError: If an error ends the run.
        """
        if self._details and match.issue is not None and match.detail is None:
            detailed = self._detailed(match, match.issue.id, meter)
            failed = await examined(match.query, detailed)
            match = msgspec.structs.replace(
                match, detail=failed.detail, error=failed.error, why=failed.why
            )
        self._count(match.error)
        return self._placed(index, match, meter)

    def _count(self, error: MetronError | None) -> None:
        """Count how a search ended, ``None`` for a success.

        Raises:
            MetronError: The error, if it ends the run.
        """
        streak = self._failures.add(error)
        if error is not None and (streak or stops_run(error)):
            raise error

    async def _detailed(self, match: Match, number: int, meter: Meter) -> Match:
        detail = await Lists(self._source).issue(number, meter)
        return msgspec.structs.replace(match, detail=detail)

    def _placed(self, index: int, match: Match, meter: Meter) -> Match:
        detail = match.detail if self._details else None
        return msgspec.structs.replace(match, index=index, detail=detail, requests=meter.take())

    def _note(self, match: Match) -> None:
        outcome = "decided" if match else "ambiguous" if match.ambiguous else "unknown"
        self._outcomes["failed" if match.error is not None else outcome] += 1
        self._done.add(match.index)
        self._requests += match.requests
        if self._progress is not None:
            self._progress(self.state)


async def _finish(
    workers: Sequence[asyncio.Task[None]], ready: asyncio.Queue[Match | None]
) -> None:
    """Put the end into *ready* when the workers are done, or one of them has failed."""
    try:
        await asyncio.gather(*workers)
    except Exception:
        await ready.put(None)
        raise
    await ready.put(None)


def _checked(queries: Iterable[IssueQuery]) -> Sequence[IssueQuery]:
    found = list(queries)
    for query in found:
        if not isinstance(query, IssueQuery):
            msg = f"queries must be IssueQuery objects, got {show(query)}"
            raise UsageError(msg)
    return found
