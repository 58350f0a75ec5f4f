"""Walks a list page by page into the file. What to do next is decided in ``plan``."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import math
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from metron_async._engine.messages import Request
from metron_async.cache import Kind
from metron_async.errors import NotFoundError, PaginationError
from metron_async.filters import NEWER_FILTERS, row_matches
from metron_async.mirror.events import Deleted, PageStored, Repeating, Report, Started, Waiting
from metron_async.mirror.plan import (
    OVERLAP,
    Arrived,
    Walk,
    after_end,
    after_page,
    after_shrinking,
    gap_is_long,
    pages_left,
)
from metron_async.models import PageBody

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async._engine.caller import Caller
    from metron_async._engine.messages import Answer
    from metron_async.mirror.events import Event
    from metron_async.mirror.selection import Selection
    from metron_async.mirror.store import Store
    from metron_async.mirror.worker import Worker

__all__ = ["Lister", "Walker", "measure"]

_SERVER_CACHE = 125.0
"""Seconds after which no page comes from the server's cache that was there before."""


class Lister:
    """Asks the server for pages of one list, past the client's cache.

    Pages of a mirror are kept in the mirror. In the cache they would only push out what others
    can use; so to the cache they are declared private, which it does not keep.

    Args:
        caller: Makes the requests.
        selection: Which list, and with which filters.
    """

    def __init__(self, caller: Caller, selection: Selection) -> None:
        self._caller = caller
        self._selection = selection
        source = selection.source
        self._body: Any = PageBody[source.row]  # type: ignore[name-defined]
        self._resource = source.path.partition("/")[0]
        late = {name: text for name, text in selection.filters if name in NEWER_FILTERS}
        self._keep = functools.partial(row_matches, _values(late)) if late else None
        self.requests: int = 0

    async def page(self, number: int, since: float | None = None) -> Answer[PageBody[Any]]:
        """Fetch a page.

        Args:
            number: Its number, from 1.
            since: For changes: only rows changed after this moment, in seconds.
        """
        params = dict(self._selection.filters)
        if since is not None:
            params["modified_gt"] = max(_moment(since), params.get("modified_gt", ""))
        if number > 1:
            params["page"] = str(number)
        request = Request(
            path=self._selection.source.path,
            params=tuple(sorted(params.items())),
            resource=self._resource,
            kind=Kind.PRIVATE,
        )
        self.requests += 1
        answer: Answer[PageBody[Any]] = await self._caller.fetch(request, self._body)
        return answer

    async def changed_since(self, moment: float) -> int | None:
        """Return how many rows have changed since, or ``None`` where the server cannot tell."""
        if not self._selection.source.by_change:
            return None
        return (await self.page(1, moment)).value.count

    def kept(self, rows: list[Any]) -> list[Any]:
        """Return the rows that match filters which older servers ignore."""
        return rows if self._keep is None else [row for row in rows if self._keep(row)]


class Walker:
    """Brings one selection up to date.

    Args:
        lister: Asks for pages.
        store: Where they go.
        worker: The thread of the store.
        selection: The selection, as it is in the file.
        emit: Told what happens.
    """

    def __init__(
        self,
        lister: Lister,
        store: Store,
        worker: Worker,
        selection: Selection,
        emit: Callable[[Event], None],
    ) -> None:
        self._lister = lister
        self._store = store
        self._worker = worker
        self._emit = emit
        self._last: tuple[int, ...] = ()
        self.selection: Selection = selection
        self.report: Report = Report(selection.name, selection.filters)

    async def run(self, walk: Walk) -> None:
        """Make *walk*, and all that follow from it."""
        if walk != self.selection.walk:
            self.selection = await self._worker.run(self._store.begin, self.selection, walk)
        following: Walk | None = walk
        while following is not None:
            self._emit(Started(self.selection.name, following.kind, following.page))
            while not following.ended:
                following = await self._step(following)
            following = await self._end(following)

    async def _step(self, walk: Walk) -> Walk:
        """Fetch a page and store it; return the walk as it stands then."""
        since = walk.since if walk.kind == "changes" else None
        try:
            answer = await self._lister.page(walk.page, since)
        except NotFoundError:
            if walk.page == 1:
                raise
            after = after_shrinking(walk)
            await self._store_page(after, [], [])
            return after
        body = answer.value
        arrived = Arrived(
            rows=len(body.results),
            count=body.count,
            has_next=body.next is not None,
            as_of=answer.as_of,
            cached=answer.origin.x_cache == "HIT",
        )
        changed = await self._slipped(walk) if gap_is_long(walk, arrived) else 0
        after = after_page(walk, arrived, changed)
        self._check_progress(walk, body, stepped=after.page > walk.page)
        await self._store_page(after, self._lister.kept(body.results), body.results)
        size = walk.page_size or len(body.results)
        total = max(0, body.count)
        done = min(total, (walk.page - 1) * size + len(body.results))
        self._emit(
            PageStored(self.selection.name, walk.kind, walk.page, len(body.results), done, total)
        )
        return after

    async def _slipped(self, walk: Walk) -> int:
        """Return an upper bound of the rows that changed while nobody looked."""
        since = (walk.seen_at or 0.0) - OVERLAP
        changed = await self._lister.changed_since(since)
        return max(0, walk.count) if changed is None else changed

    def _check_progress(self, walk: Walk, body: PageBody[Any], *, stepped: bool) -> None:
        """Refuse a page that is the one before once more: the walk would learn nothing."""
        ids = tuple(row.id for row in body.results)
        if stepped and walk.page > 1 and body.next is not None and ids == self._last:
            msg = f"Page {walk.page} is the same as the page before, and claims that there is more"
            raise PaginationError(msg, path=self.selection.source.path)
        self._last = ids

    async def _store_page(self, walk: Walk, rows: list[Any], listed: list[Any]) -> None:
        seen = [row.id for row in listed]
        self.selection, stats = await self._worker.run(
            self._store.store_page, self.selection, walk, rows, seen
        )
        self.report = dataclasses.replace(
            self.report,
            rows=self.report.rows + len(listed),
            added=self.report.added + stats.added,
            updated=self.report.updated + stats.updated,
        )

    async def _end(self, walk: Walk) -> Walk | None:
        """Settle a walk that has ended, and return the one that follows."""
        seen, tracked = await self._worker.run(self._store.counts, self.selection, walk.generation)
        outcome = after_end(
            walk, seen=seen, tracked=tracked, by_change=self.selection.source.by_change
        )
        self._last = ()
        if outcome.repeats:
            self._emit(Repeating(self.selection.name, outcome.missing))
            if walk.cached:
                self._emit(Waiting(_SERVER_CACHE, "server cache"))
                await asyncio.sleep(_SERVER_CACHE)
        self.selection, deleted = await self._worker.run(
            self._store.end,
            self.selection,
            outcome.next,
            watermark=outcome.watermark,
            purge_before=outcome.purge_before,
        )
        if deleted:
            self._emit(Deleted(self.selection.name, deleted))
        listed = walk.expected if walk.kind == "changes" else walk.count
        self.report = dataclasses.replace(
            self.report,
            deleted=self.report.deleted + len(deleted),
            missing=0 if outcome.next else outcome.missing,
            surplus=max(0, tracked - len(deleted) - listed) if listed else self.report.surplus,
        )
        return outcome.next


async def measure(
    walk: Walk, selection: Selection, lister: Lister
) -> tuple[Literal["full", "resume", "changes"], int, int]:
    """Tell what kind of run *walk* begins, its rows, and the requests that they take.

    Asks the server only where the file cannot tell.
    """
    after = 1 if walk.kind == "full" and selection.source.by_change else 0
    if walk.page > 1:
        left = pages_left(walk)
        rows = max(0, walk.count - (walk.page - 1) * walk.page_size)
        return "resume", rows, left + after
    since = walk.since if walk.kind != "full" else None
    body = (await lister.page(1, since)).value
    pages = math.ceil(body.count / len(body.results)) if body.next and body.results else 1
    if walk.kind == "full":
        return "full", body.count, pages + (after if pages > 1 else 0)
    return "changes", body.count, pages + (1 if walk.kind == "check" else 0)


def _moment(seconds: float) -> str:
    """Return a moment as filters send it."""
    # Added up, since a float of today's seconds has no exact microseconds to be rounded to.
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return moment.replace(tzinfo=None).isoformat() + "Z"


def _values(late: dict[str, str]) -> dict[str, object]:
    """Return the Python values of filters that were sent as texts."""
    return {
        name: datetime.fromisoformat(text) if name == "modified_lt" else date.fromisoformat(text)
        for name, text in late.items()
    }
