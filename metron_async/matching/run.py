"""Matches many queries: :class:`MatchRun`, what ``metron.issues.match_many`` returns."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import TYPE_CHECKING, Literal

import msgspec

from metron_async.errors import MetronError, UsageError
from metron_async.matching.decide import DEFAULT_RULES, Match, Rules
from metron_async.matching.failures import concerns_run, examined
from metron_async.matching.groups import GroupSearch
from metron_async.matching.planning import Group, MatchPlan, plan
from metron_async.matching.search import Search
from metron_async.matching.source import Lists, Meter

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence

    from metron_async.matching.query import IssueQuery
    from metron_async.matching.source import Source

__all__ = ["MatchProgress", "MatchRun", "OnError"]

OnError = Literal["yield", "skip", "raise"]


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


class MatchRun:
    """The matches of many queries, found in few requests: an asynchronous iterable.

    Nothing is sent before it is iterated. Matches come as they become known; ``match.index`` is
    the place of the query. A run that was interrupted, by an error or by leaving the loop, goes
    on where it stopped when it is iterated again.

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
        if isinstance(concurrency, bool) or not isinstance(concurrency, int) or concurrency < 1:
            msg = f"Invalid concurrency: expected a whole number from 1, got {concurrency!r}"
            raise UsageError(msg)
        if on_error not in {"yield", "skip", "raise"}:
            msg = f"Invalid on_error: expected 'yield', 'skip' or 'raise', got {on_error!r}"
            raise UsageError(msg)
        self._source = source
        self._queries: Sequence[IssueQuery] = list(queries)
        self._details = details
        self._concurrency = concurrency
        self._on_error = on_error
        self._progress = progress
        self._rules = rules
        self._done: set[int] = set()
        self._outcomes: Counter[str] = Counter()
        self._requests = 0
        self._iterating = False

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

    async def collect(self) -> list[Match]:
        """Return the matches that are left, in the order of their queries.

        Raises:
            MetronError: If the run cannot go on; what was found before is lost to this call.
        """
        matches = [match async for match in self]
        return sorted(matches, key=lambda match: match.index)

    def __aiter__(self) -> AsyncIterator[Match]:
        """Iterate the matches that are left."""
        return self._matches()

    async def _matches(self) -> AsyncGenerator[Match, None]:
        if self._iterating:
            msg = "The run is iterated already; make another one for a second loop"
            raise UsageError(msg)
        self._iterating = True
        ready: asyncio.Queue[Match | None] = asyncio.Queue(maxsize=self._concurrency)
        groups = iter(self._open_groups())
        workers = [asyncio.create_task(self._work(groups, ready)) for _ in range(self._concurrency)]
        watch = asyncio.create_task(_finish(workers, ready))
        try:
            while (match := await ready.get()) is not None:
                if match.error is not None and self._on_error == "raise":
                    raise match.error
                self._note(match)
                if match.error is None or self._on_error == "yield":
                    yield match
            await watch
        finally:
            self._iterating = False
            for task in (watch, *workers):
                task.cancel()
            await asyncio.gather(watch, *workers, return_exceptions=True)

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
                if concerns_run(error):
                    raise
                for index in sorted(left):
                    failed = Match(query=self._queries[index], why=str(error), error=error)
                    await ready.put(await self._completed(index, failed, meter))

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
        """Return *match* with its place, its cost and, if wanted, the full issue."""
        detail, error, why = match.detail, match.error, match.why
        if self._details and match.issue is not None and detail is None:
            try:
                detail = await Lists(self._source).issue(match.issue.id, meter)
            except MetronError as caught:
                if concerns_run(caught):
                    raise
                error, why = caught, str(caught)
        return msgspec.structs.replace(
            match,
            detail=detail if self._details else None,
            error=error,
            why=why,
            index=index,
            requests=meter.take(),
        )

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
    finally:
        await ready.put(None)
