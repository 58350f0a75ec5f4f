"""Walks a list page by page into the file. What to do next is decided in ``plan``."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Literal

import msgspec

from metron_async.errors import NotFoundError, PaginationError
from metron_async.mirror.events import (
    Deleted,
    PageStored,
    Repeating,
    Report,
    RowSkipped,
    Started,
    Waiting,
)
from metron_async.mirror.plan import after_end, after_page, after_shrinking, pages_left

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async.mirror.events import Event
    from metron_async.mirror.pages import FetchedPage, PageSource
    from metron_async.mirror.selection import Selection
    from metron_async.mirror.store import Store
    from metron_async.mirror.walk import Arrived, Outcome, Walk

__all__ = ["Walker", "measure"]

_SHORT = 100  # rows of a list that may be one page
_SERVER_CACHE = 125.0
"""Seconds after which the server's cache has dropped every page that it has now."""


class Walker:
    """Updates one selection.

    Args:
        source: Requests pages.
        store: Stores them.
        selection: The selection, as it is in the file.
        emit: Called with each event.
        keep_watermark: Whether the watermark must not be moved.
    """

    def __init__(
        self,
        source: PageSource,
        store: Store,
        selection: Selection,
        emit: Callable[[Event], None],
        *,
        keep_watermark: bool,
    ) -> None:
        self._source = source
        self._store = store
        self._emit = emit
        self._keep_watermark = keep_watermark
        self._last: object = None
        self.selection: Selection = selection
        self.report: Report = Report(selection.name, selection.filters)

    async def run(self, walk: Walk) -> None:
        """Make *walk*, and all walks that follow from it."""
        if walk != self.selection.walk:
            self.selection = await self._store.begin(self.selection, walk)
        following: Walk | None = walk
        while following is not None:
            if not following.ended:
                self._emit(Started(self.selection.name, following.kind, following.page))
            while not following.ended:
                following = await self._step(following)
            following = await self._end(following)
        skipped = await self._store.skipped(self.selection)
        self.report = msgspec.structs.replace(self.report, skipped=skipped)

    async def _step(self, walk: Walk) -> Walk:
        """Request a page and store it, and return the state of the walk then."""
        since = walk.since if walk.kind == "changes" else None
        try:
            page = await self._source.page(walk.page, since)
        except NotFoundError:
            if walk.page == 1:
                raise
            after = after_shrinking(walk)
            self.selection, _ = await self._store.store_page(self.selection, after, (), ())
            return after
        after = after_page(walk, page.arrived)
        self._check_progress(walk, page.arrived)
        await self._store_page(walk, after, page)
        return after

    def _check_progress(self, walk: Walk, arrived: Arrived) -> None:
        """Refuse a page that repeats the one before."""
        place = (walk.kind, walk.generation, walk.page)
        before = (walk.kind, walk.generation, walk.page - 1)
        if arrived.has_next and self._last == (before, arrived.rows):
            msg = f"Page {walk.page} repeats page {walk.page - 1} although it is not the last page"
            raise PaginationError(msg, path=self.selection.source.path)
        self._last = place, arrived.rows

    async def _store_page(self, walk: Walk, after: Walk, page: FetchedPage) -> None:
        name, arrived = self.selection.name, page.arrived
        self.selection, stats = await self._store.store_page(
            self.selection,
            after,
            page.rows,
            [number for number, _ in arrived.rows],
            skipped={number for number, _ in page.skipped},
            newest_wins=walk.kind != "full" or arrived.cached,
        )
        rows = len(arrived.rows)
        self.report = msgspec.structs.replace(
            self.report,
            rows=self.report.rows + rows,
            added=self.report.added + stats.added,
            updated=self.report.updated + stats.updated,
        )
        for number, error in page.skipped:
            self._emit(RowSkipped(name, number, error))
        total = max(0, arrived.count)
        done = min(total, (walk.page - 1) * (walk.page_size or rows) + rows)
        self._emit(PageStored(name, walk.kind, walk.page, rows, done, total))

    async def _end(self, walk: Walk) -> Walk | None:
        """Store the end of a walk, and return the walk that follows."""
        seen, tracked = await self._store.counts(self.selection, walk.generation)
        newest = None if walk.dated else await self._store.newest(self.selection)
        mark = self.selection.generation + 1
        outcome = after_end(walk, mark=mark, seen=seen, tracked=tracked, newest=newest)
        if outcome.repeats:
            self._emit(Repeating(self.selection.name, outcome.missing))
            if walk.cached or (walk.proves is not None and walk.proves.cached):
                self._emit(Waiting(_SERVER_CACHE, "server cache"))
                await asyncio.sleep(_SERVER_CACHE)
        self.selection, deleted = await self._store.end(
            self.selection, outcome, keep_watermark=self._keep_watermark
        )
        if deleted:
            self._emit(Deleted(self.selection.name, deleted))
        self._note_end(walk, outcome, tracked - len(deleted), deleted)
        return outcome.next

    def _note_end(
        self, walk: Walk, outcome: Outcome, tracked: int, deleted: tuple[int, ...]
    ) -> None:
        """Add the end of a walk to the report."""
        listed = walk.expected if walk.kind == "changes" else walk.count
        self.report = msgspec.structs.replace(
            self.report,
            deleted=self.report.deleted + len(deleted),
            missing=0 if outcome.next else outcome.missing,
            proven=outcome.proven,
            surplus=max(0, tracked - listed) if walk.proves is None else self.report.surplus,
        )


async def measure(
    walk: Walk, source: PageSource, tracked: int
) -> tuple[Literal["full", "resume", "changes"], int, int, Arrived | None]:
    """Return the kind of run that *walk* begins, its rows, its requests, and its first page.

    Sends a request only if the file is not sufficient, and a second one if a list that was short
    when it was last seen has grown.

    Args:
        walk: The walk.
        source: Requests pages.
        tracked: Rows of the selection in the file.
    """
    if walk.page > 1:
        left = max(0, walk.count - (walk.page - 1) * walk.page_size)
        return "resume", left, pages_left(walk) + walk.traced, None
    full = walk.kind == "full"
    if walk.kind == "check" and tracked <= _SHORT:
        arrived = (await source.page(1, None)).arrived
        if not arrived.has_next:  # the check shows the whole list
            rows = tuple(row for row in arrived.rows if row[1] > (walk.since or 0.0))
            return "changes", len(rows), 1, msgspec.structs.replace(arrived, rows=rows)
    arrived = (await source.page(1, None if full else walk.since)).arrived
    pages = 1
    if arrived.has_next and arrived.rows:
        pages = math.ceil(arrived.count / len(arrived.rows))
        pages = pages + 1 if walk.traced else pages * 2
    if full:
        return "full", arrived.count, pages, arrived
    return "changes", arrived.count, pages + (walk.kind == "check"), arrived
