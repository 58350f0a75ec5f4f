"""Lists of the API as lazy iterators that make progress or raise.

A list is asked for page by page, by number. The ``next`` link of a page only tells whether there
is more: it is an absolute URL on whatever host and scheme the server believes it has, so it is
never followed, and no list can lead a credential elsewhere. What is done about rows that are
repeated or lost stands in :mod:`metron_async.lists.tracker`.
"""

from __future__ import annotations

import contextlib
import warnings
from typing import TYPE_CHECKING, Any, Generic

from metron_async.errors import (
    IncompleteListError,
    IncompleteListWarning,
    NotFoundError,
    PaginationError,
    UsageError,
)
from metron_async.lists.tracker import Walk
from metron_async.types import Page, R_co

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Awaitable,
        Callable,
        Iterable,
    )

    from metron_async._engine.messages import Answer
    from metron_async.models import PageBody

__all__ = ["Paginator"]


class Paginator(Generic[R_co]):
    """A list of the API, fetched only as far as it is iterated.

    Nothing is sent before the first row is asked for, one page costs one request, and no page is
    fetched ahead. A paginator can be iterated more than once; each time starts afresh.

    Example:
        >>> async for row in metron.issues.iter(publisher_name="marvel"):  # doctest: +SKIP
        ...     print(row.id, row.issue_name)

    Attributes:
        missing: Rows that the last complete walk was promised and did not get, or ``None``
            before one has come to its end.
    """

    def __init__(
        self,
        fetch: Callable[[int], Awaitable[Answer[PageBody[R_co]]]],
        *,
        target: str,
        keep: Callable[[Any], bool] | None = None,
        forget: Callable[[Iterable[int]], Awaitable[None]] | None = None,
    ) -> None:
        self._fetch = fetch
        self._target = target
        self._keep = keep
        self._forget = forget
        self.missing: int | None = None

    def __repr__(self) -> str:
        return f"Paginator({self._target!r})"

    def __aiter__(self) -> AsyncIterator[R_co]:
        """Iterate the rows of the whole list."""
        return self.rows()

    async def rows(self, *, start: int = 1, strict: bool = False) -> AsyncGenerator[R_co, None]:
        """Iterate the rows, in the server's order.

        Args:
            start: Page to begin with, from 1; to resume a walk that got as far as its pages.
            strict: Whether a list that comes short raises in place of warning.

        Raises:
            IncompleteListError: If *strict*, and fewer rows came than the list promised.
            PaginationError: If the list stops making progress.
        """
        async with contextlib.aclosing(self.pages(start=start, strict=strict)) as pages:
            async for page in pages:
                for row in page.rows:
                    yield row

    async def pages(
        self, *, start: int = 1, strict: bool = False
    ) -> AsyncGenerator[Page[R_co], None]:
        """Iterate the pages, from *start* on; see :meth:`rows` for the arguments and errors."""
        walk = Walk(self._target, start)
        self.missing = None
        number: int | None = _checked_number(start)
        while number is not None:
            try:
                answer = await self._fetch(number)
            except NotFoundError:
                if number == start:
                    raise
                break  # the list has shrunk since the last page was fetched
            async with self._distrusted(start, number):
                rows = walk.take(number, answer.value)
                number = walk.following(number, answer.value)
            if self._keep is not None:
                rows = [row for row in rows if self._keep(row)]
            yield Page(
                walk.last,
                rows,
                count=answer.value.count,
                has_next=number is not None,
                origin=answer.origin,
                as_of=answer.as_of,
            )
        self.missing = walk.missing
        if self.missing:
            await self._forget_pages(start, walk.last)
            self._tell_missing(self.missing, strict=strict)

    async def page(self, number: int) -> Page[R_co]:
        """Fetch the page *number*, from 1, alone.

        Raises:
            NotFoundError: If the list has no such page.
        """
        answer = await self._fetch(_checked_number(number))
        walk = Walk(self._target, number)
        async with self._distrusted(number, number):
            rows = walk.take(number, answer.value)
        if self._keep is not None:
            rows = [row for row in rows if self._keep(row)]
        return Page(
            number,
            rows,
            count=answer.value.count,
            has_next=answer.value.next is not None,
            origin=answer.origin,
            as_of=answer.as_of,
        )

    async def collect(self, limit: int | None = None, *, strict: bool = False) -> list[R_co]:
        """Fetch the rows into a list.

        Args:
            limit: Rows to stop after, or ``None`` for all. No page beyond them is fetched.
            strict: Whether a list that comes short raises in place of warning.
        """
        if limit is not None and limit < 0:
            msg = f"limit must not be negative, got {limit}"
            raise UsageError(msg)
        collected: list[R_co] = []
        if limit == 0:
            return collected
        async with contextlib.aclosing(self.pages(strict=strict)) as pages:
            async for page in pages:
                collected.extend(page.rows)
                if limit is not None and len(collected) >= limit:
                    return collected[:limit]
        return collected

    async def first(self) -> R_co | None:
        """Fetch the first row, or ``None`` if the list is empty; costs one request."""
        rows = await self.collect(limit=1)
        return rows[0] if rows else None

    async def count(self) -> int:
        """Return how many rows the server counts; costs one request at most."""
        return (await self._fetch(1)).value.count

    @contextlib.asynccontextmanager
    async def _distrusted(self, start: int, last: int) -> AsyncGenerator[None, None]:
        """Forget the pages from *start* to *last* if they turn out not to hold together.

        They are in the cache by now. Whoever tries again shall not be given them again.
        """
        try:
            yield
        except PaginationError:
            await self._forget_pages(start, last)
            raise

    async def _forget_pages(self, start: int, last: int) -> None:
        if self._forget is not None:
            await self._forget(range(start, last + 1))

    def _tell_missing(self, missing: int, *, strict: bool) -> None:
        what = "row was" if missing == 1 else "rows were"
        message = (
            f"{self._target}: {missing} {what} promised and never came; the list was edited"
            " during the walk, or the server's order is not stable. Walk it again to be sure"
        )
        if strict:
            raise IncompleteListError(message, path=self._target, missing=missing)
        warnings.warn(message, IncompleteListWarning, stacklevel=4)


def _checked_number(number: int) -> int:
    if type(number) is not int or number < 1:
        msg = f"Pages are numbered from 1, got {number!r}"
        raise UsageError(msg)
    return number
