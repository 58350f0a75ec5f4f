"""Full objects for a list, at the cost of few requests.

A row of a resource's own list carries the same ``modified`` as the object's detail. One page of
the list therefore shows for up to 100 cached details whether they are current, where a request
for each of them would cost 100. This is called *list revalidation*.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from metron_async.errors import NotFoundError
from metron_async.lists.base import LazyList, checked_whole
from metron_async.lists.bulk import cancel_all
from metron_async.lists.pagination import RowList
from metron_async.lists.progress import Meter
from metron_async.types import R_co

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from metron_async.lists.pagination import OnBadRow
    from metron_async.lists.sources import DetailSource, PageSource
    from metron_async.types import Page, Progress

__all__ = ["DetailedList", "Details"]

D_co = TypeVar("D_co", covariant=True)


class DetailedList(RowList[R_co], Generic[R_co, D_co]):
    """A list whose rows show which cached details are current.

    Example:
        >>> async for issue in metron.issues.iter(series_id=5).details():  # doctest: +SKIP
        ...     print(issue.number, issue.desc)
    """

    def __init__(self, source: PageSource[R_co], objects: DetailSource[D_co]) -> None:
        super().__init__(source)
        self._objects = objects

    def details(
        self,
        *,
        concurrency: int = 4,
        progress: Callable[[Progress], object] | None = None,
        on_bad_row: OnBadRow = "raise",
    ) -> Details[D_co]:
        """Return the same list with its objects in full.

        Each page of the list costs one request, and so does each object that is not in the cache
        or has changed. The rows are always read from the server, unless the view is offline.
        Requests have the priority of the view: use ``BULK`` for long jobs.

        Args:
            concurrency: Maximum concurrent requests for objects that are not cached, from 1.
            progress: Called with a :class:`~metron_async.Progress` for each object that is done
                and each wait that begins.
            on_bad_row: As for :meth:`rows`. The objects of skipped rows are left out.

        Raises:
            UsageError: If an argument is invalid.
        """
        meter = Meter(progress, self._objects.caller.core.stats)
        objects = msgspec.structs.replace(self._objects, caller=meter.watched(self._objects.caller))
        source = self._decoding(on_bad_row, strict=False)
        pages = msgspec.structs.replace(source, caller=objects.caller.refreshed())
        return Details(RowList(pages), objects, concurrency=concurrency, meter=meter)


class Details(LazyList[D_co]):
    """The objects of a list in full, in the order of the list.

    Objects that are deleted while the list is read are left out.
    """

    def __init__(
        self,
        rows: RowList[Any],
        objects: DetailSource[D_co],
        *,
        concurrency: int,
        meter: Meter,
    ) -> None:
        self._rows = rows
        self._objects = objects
        self._concurrency = checked_whole(concurrency, "concurrency", 1)
        self._meter = meter

    def __repr__(self) -> str:
        return f"{self._rows!r}.details()"

    @property
    def skipped(self) -> int:
        """Rows that did not decode and were skipped by the last iteration."""
        return self._rows.skipped

    async def __aiter__(self) -> AsyncGenerator[D_co, None]:
        """Iterate the objects of the whole list."""
        self._meter.start(None)
        async with contextlib.aclosing(self._rows.pages()) as pages:
            async for page in pages:
                self._meter.total = page.count
                known = await self._objects.known(page)
                async with contextlib.aclosing(self._in_order(page, known)) as objects:
                    async for found in objects:
                        yield found

    async def _in_order(
        self, page: Page[Any], known: Mapping[int, D_co]
    ) -> AsyncGenerator[D_co, None]:
        """Yield the objects of one page while some requests run ahead."""
        waiting: collections.deque[tuple[int, asyncio.Task[D_co | None] | None]]
        waiting = collections.deque()
        rows = iter(page)
        running = 0
        try:
            while True:
                while running < self._concurrency and (row := next(rows, None)) is not None:
                    task = None
                    if row.id not in known:
                        task = asyncio.create_task(self._unless_gone(row, page))
                        running += 1
                    waiting.append((row.id, task))
                if not waiting:
                    return
                number, task = waiting[0]  # not removed yet: a cancellation must reach the task
                if task is None:
                    value: D_co | None = known[number]
                else:
                    value = await task
                    running -= 1
                waiting.popleft()
                self._meter.step()
                if value is not None:
                    yield value
        finally:
            await cancel_all([task for _, task in waiting if task is not None])

    async def _unless_gone(self, row: Any, page: Page[Any]) -> D_co | None:
        try:
            return await self._objects.refetch(row, page)
        except NotFoundError:
            return None
