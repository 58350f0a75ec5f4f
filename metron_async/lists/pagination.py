"""Lists of the API, page by page.

Pages are requested by number. The ``next`` link of a page only shows whether there is a further
page. It is an absolute URL on the host that the server believes it has, so it is never followed:
no list can lead credentials to another host. :mod:`metron_async.lists.tracker` detects repeated
and missing rows.
"""

from __future__ import annotations

import contextlib
import inspect
import math
import warnings
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from metron_async._values import show
from metron_async.errors import (
    IncompleteListError,
    IncompleteListWarning,
    NotFoundError,
    PaginationError,
    UsageError,
)
from metron_async.lists.base import LazyList, checked_limit, checked_whole, collected
from metron_async.lists.sources import BadRow
from metron_async.lists.strict import StrictReader
from metron_async.lists.tracker import PageTracker
from metron_async.types import Page, R_co, Row

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from types import FrameType

    from metron_async._engine.messages import Answer
    from metron_async.lists.sources import PageSource
    from metron_async.models import PageBody

__all__ = ["OnBadRow", "RowList"]

R = TypeVar("R", bound=Row)
OnBadRow = Literal["raise", "skip"]


class RowList(LazyList[R_co]):
    """A list of the API, fetched page by page as far as it is read.

    Each page costs one request, and no page is fetched ahead.

    Example:
        >>> async for row in metron.issues.iter(publisher_name="marvel"):  # doctest: +SKIP
        ...     print(row.id, row.issue_name)

    Attributes:
        missing: Rows that the server counted and did not send, as seen by the last iteration
            that reached the end; ``None`` before that.
        skipped: Rows that did not decode and were skipped by the last iteration.
    """

    def __init__(self, source: PageSource[R_co]) -> None:
        self._source = source
        self.missing: int | None = None
        self.skipped: int = 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._source.target!r})"

    def __aiter__(self) -> AsyncGenerator[R_co, None]:  # noqa: PYI058 - it can be closed
        """Iterate all rows, in the server's order."""
        return self.rows()

    async def rows(
        self, *, start: int = 1, strict: bool = False, on_bad_row: OnBadRow = "raise"
    ) -> AsyncGenerator[R_co, None]:
        """Iterate the rows, in the server's order.

        Args:
            start: Page to begin with, from 1. A failed iteration resumes with the failed page.
            strict: Whether to prove that the rows are the whole list, as it was when one of the
                pages was read. The server is asked past the caches, and again after the last
                page: once if the list can show that it did not change, otherwise for each page,
                which at most doubles the requests. From a later *start*, only the count is
                checked.
            on_bad_row: What to do with a row that does not decode: ``"raise"`` an error that
                names its id, or ``"skip"`` and count it in :attr:`skipped`. A list with skipped
                rows cannot be *strict*.

        Yields:
            Each row once.

        Raises:
            IncompleteListError: If *strict*, and the list cannot be proven complete, or a row
                that was yielded has been deleted since.
            DecodeError: If a row does not decode, and is not skipped.
            PaginationError: If the list stops making progress.
        """
        pages = self.pages(start=start, strict=strict, on_bad_row=on_bad_row)
        async with contextlib.aclosing(pages):
            async for page in pages:
                for row in page:
                    yield row

    async def pages(
        self, *, start: int = 1, strict: bool = False, on_bad_row: OnBadRow = "raise"
    ) -> AsyncGenerator[Page[R_co], None]:
        """Iterate the pages. Arguments and errors are those of :meth:`rows`."""
        start = checked_whole(start, "start", 1)
        source = self._decoding(on_bad_row, strict=strict)
        proof = StrictReader(source) if strict and start == 1 else None
        pages = self._pages(source, start, proof, strict=strict)
        async with contextlib.aclosing(pages):
            async for page in pages:
                yield page
        if proof is not None and proof.gone:
            self._report(f"{proof.gone} of the rows have been deleted", strict=True)

    def _decoding(self, on_bad_row: OnBadRow, *, strict: bool) -> PageSource[R_co]:
        """Return the source that treats bad rows as *on_bad_row* says."""
        if on_bad_row not in {"raise", "skip"}:
            msg = f"on_bad_row must be 'raise' or 'skip', got {show(on_bad_row)}"
            raise UsageError(msg)
        if on_bad_row == "raise":
            return self._source
        if strict:
            msg = "strict=True and on_bad_row='skip' are mutually exclusive"
            raise UsageError(msg)
        return msgspec.structs.replace(self._source, skip_bad_rows=True)

    async def _pages(
        self,
        source: PageSource[R_co],
        start: int,
        proof: StrictReader[R_co] | None,
        *,
        strict: bool,
    ) -> AsyncGenerator[Page[R_co], None]:
        """Iterate the pages, and last the rows that only *proof* has found."""
        source = source if proof is None else proof.source
        self.skipped = 0
        tracker = PageTracker(source.target, start)
        number: int | None = start
        page: Page[R_co] | None = None
        self.missing = None
        while number is not None:
            try:
                answer = await source.fetch(number, announced=number != start)
            except NotFoundError:
                if number == start:
                    raise
                break  # the list has become shorter since the last page was fetched
            async with self._distrusted(start, number):
                rows = tracker.take(number, answer.value)
                number = tracker.following(number, answer.value)
            if proof is not None:
                proof.take(answer)
            self.skipped += sum(isinstance(row, BadRow) for row in rows)
            page = _page(tracker.last, source.kept(rows), answer)
            yield page
        self.missing = tracker.missing
        proven = proof is None or await proof.settle()
        if proof is not None:
            self.missing = proof.missing
        if self.missing or not proven:
            await self._source.forget(range(start, tracker.last + 1))
            self._report(_shortfall(self.missing, tracker.missing), strict=strict)
        if proof is not None and page is not None and (found := proof.additional()):
            yield page.with_rows(self._source.kept(found))

    async def page(self, number: int) -> Page[R_co]:
        """Fetch one page; costs one request.

        Args:
            number: Number of the page, from 1.

        Raises:
            NotFoundError: If the list has no such page.
        """
        number = checked_whole(number, "number", 1)
        return await self._as_page(number, await self._source.fetch(number, announced=False))

    async def _as_page(self, number: int, answer: Answer[PageBody[R_co]]) -> Page[R_co]:
        tracker = PageTracker(self._source.target, number)
        async with self._distrusted(number, number):
            rows = tracker.take(number, answer.value)
        return _page(number, self._source.kept(rows), answer)

    async def collect(
        self,
        limit: int | None = None,
        *,
        strict: bool = False,
        on_bad_row: OnBadRow = "raise",
    ) -> list[R_co]:
        """Fetch the rows into a list.

        Args:
            limit: Maximum number of rows, or ``None`` for all. No page beyond them is fetched.
            strict: As for :meth:`rows`. Rows that were deleted on the way are left out. With a
                *limit* that the list exceeds, nothing is proven.
            on_bad_row: As for :meth:`rows`.

        Raises:
            IncompleteListError: If *strict*, and the list cannot be proven complete.
            UsageError: If an argument is invalid.
        """
        limit = checked_limit(limit)
        if not strict:
            return await collected(self.rows(on_bad_row=on_bad_row), limit)
        source = self._decoding(on_bad_row, strict=True)
        proof = StrictReader(source)
        rows: list[R_co] = []
        async with contextlib.aclosing(self._pages(source, 1, proof, strict=True)) as pages:
            while limit is None or len(rows) < limit:
                page = await anext(pages, None)
                if page is None:
                    return [row for row in rows if row.id in proof.snapshot]
                rows += page
        return rows[:limit]

    async def last(self, n: int = 1) -> list[R_co]:
        """Fetch the last rows of a list whose order the server fixes.

        The issues of a series, for example, are listed from the oldest to the newest. This costs
        one request for a list of one page. Otherwise it costs two: one to learn the number of
        pages, one for the last page. Each further page that *n* rows reach back to costs one more.

        Args:
            n: Maximum number of rows, from 0.

        Returns:
            The rows in the server's order. ``reversed(...)`` starts with the newest.

        Raises:
            UsageError: If *n* is not a whole number from 0.

        Example:
            >>> newest = await metron.issues.iter(series_id=5).last(3)  # doctest: +SKIP
        """
        wanted = checked_whole(n, "n", 0)
        found: list[R_co] = []
        if wanted:
            answer = await self._source.fetch(1)
            first = page = await self._as_page(1, answer)
            if first.has_next and answer.value.results:
                page = await self._last_page(first.count, len(answer.value.results))
            found = list(page)
            while len(found) < wanted and page.number > 1:
                page = first if page.number == 2 else await self.page(page.number - 1)  # noqa: PLR2004
                seen = {row.id for row in found}
                found = [*(row for row in page if row.id not in seen), *found]
        return found[len(found) - min(wanted, len(found)) :]

    async def count(self) -> int:
        """Return the number of rows that the server counts; costs at most one request."""
        return await self._source.count()

    async def _last_page(self, count: int, size: int) -> Page[R_co]:
        """Fetch the last page of *count* rows, *size* to a page. The list may have changed."""
        source, number, gone = self._source, math.ceil(count / size), math.inf
        while True:
            number = max(1, number)
            try:
                page = await self._as_page(number, await source.fetch(number, announced=False))
            except NotFoundError:
                if number == 1:
                    raise
                source, gone = self._source.strict(), number  # a cached page may be as old
                number = min(number - 1, math.ceil(await source.count() / size))
                continue
            if not page.has_next or number + 1 >= gone:
                return page
            number += 1

    @contextlib.asynccontextmanager
    async def _distrusted(self, start: int, last: int) -> AsyncGenerator[None, None]:
        """Drop the pages from *start* to *last* from the cache if they contradict each other.

        Otherwise the next attempt would read the same pages from the cache.
        """
        try:
            yield
        except PaginationError:
            await self._source.forget(range(start, last + 1))
            raise

    def _report(self, what: str, *, strict: bool) -> None:
        target = self._source.target
        message = (
            f"{target}: {what}. The list was edited while it was read, or its order is not"
            " stable. Read it again"
        )
        if strict:
            raise IncompleteListError(message, path=target, missing=self.missing or 0)
        warnings.warn(message, IncompleteListWarning, stacklevel=_depth_of_caller())


def _page(number: int, rows: Sequence[R], answer: Answer[PageBody[R]]) -> Page[R]:
    return Page(
        number,
        rows,
        count=answer.value.count,
        has_next=answer.value.next is not None,
        origin=answer.origin,
        as_of=answer.as_of,
    )


def _shortfall(missing: int, unseen: int) -> str:
    if not missing:
        return "its count comes from a cache of the server, which proves nothing"
    if not unseen:
        return f"{missing} of its rows could not be proven to be there"
    return "1 row is missing" if missing == 1 else f"{missing} rows are missing"


def _depth_of_caller() -> int:
    """Return the ``stacklevel``, seen from the calling function, of the code that iterates."""
    frame: FrameType | None = inspect.currentframe()
    depth = 0
    while frame is not None and str(frame.f_globals.get("__name__")).startswith(_OWN):
        frame, depth = frame.f_back, depth + 1
    return depth


_OWN = ("metron_async.", "contextlib")
