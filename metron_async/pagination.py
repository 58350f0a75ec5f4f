"""Lists of the API as lazy iterators that make progress or raise.

A list is asked for page by page, by number. The ``next`` link of a page only tells whether there
is more: it is an absolute URL on whatever host and scheme the server believes it has, so it is
never followed, and no list can lead a credential elsewhere.

The server's orders are not total: two pages can repeat one row and lose another although nobody
edited anything, and rows move when somebody does. So the ids given are remembered, a row given
twice by the server is passed on once, and at the end the rows given are compared with the
``count`` that was promised, at the highest: where it sinks on the way, a row that was deleted on a
page already read has moved another one out of sight. A list that comes short says so; it never
loses rows in silence. Nor can it run for ever: each page that is not the last must bring something
new, and all of them together not much more than was promised.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar
from urllib.parse import parse_qs, urlsplit

from metron_async.errors import (
    IncompleteListError,
    IncompleteListWarning,
    NotFoundError,
    PaginationError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Awaitable,
        Callable,
        Iterable,
        Sequence,
    )

    from metron_async.engine.messages import Answer, Origin
    from metron_async.models import PageBody

__all__ = ["Page", "Paginator", "Row", "SeenIds"]


class Row(Protocol):
    """Anything that a list can hold: it has an id."""

    @property
    def id(self) -> int:
        """Id of the row, unique within its list."""
        ...


_SLACK = 1000  # rows that may come beyond the promised ones: lists grow while they are read

R_co = TypeVar("R_co", bound=Row, covariant=True)


class SeenIds:
    """A set of ids that stays small for many of them: 256 to a block of bits."""

    def __init__(self) -> None:
        self._blocks: dict[int, int] = {}

    def add(self, number: int) -> bool:
        """Remember *number*, and tell whether it is new."""
        block, bit = number >> 8, 1 << (number & 255)
        bits = self._blocks.get(block, 0)
        if bits & bit:
            return False
        self._blocks[block] = bits | bit
        return True


class Page(Generic[R_co]):
    """One page of a list.

    Attributes:
        number: Number of the page, from 1.
        rows: Its rows, without those that an earlier page of the same walk has given.
        count: Rows of the whole list, as the server counted them for this page.
        has_next: Whether the server has a further page.
        origin: Where the page came from: network, cache, 304 or stale.
        as_of: Wall-clock seconds for which its rows speak.
    """

    __slots__ = ("as_of", "count", "has_next", "number", "origin", "rows")

    def __init__(
        self,
        number: int,
        rows: Sequence[R_co],
        *,
        count: int,
        has_next: bool,
        origin: Origin,
        as_of: float,
    ) -> None:
        self.number = number
        self.rows = rows
        self.count = count
        self.has_next = has_next
        self.origin = origin
        self.as_of = as_of

    def __repr__(self) -> str:
        return f"Page({self.number}, {len(self.rows)} of {self.count} rows)"

    def __len__(self) -> int:
        return len(self.rows)


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
        walk = _Walk(self._target, start)
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
        walk = _Walk(self._target, number)
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


class _Walk:
    """What one walk through a list has seen so far."""

    def __init__(self, target: str, start: int) -> None:
        self._target = target
        self._start = start
        self._seen = SeenIds()
        self._given = 0
        self._promised = 0
        self._page_size = 0
        self.last = start

    def take(self, number: int, body: PageBody[Any]) -> Sequence[Any]:
        """Return the rows of page *number* that are new.

        Raises:
            PaginationError: If there is none, although the list goes on, or if there are far
                more than the list promised.
        """
        fresh = [row for row in body.results if self._seen.add(row.id)]
        if not fresh and body.next is not None:
            what = "repeats rows that were given already" if body.results else "is empty"
            msg = f"Page {number} {what}, and claims that there is more: no progress"
            raise PaginationError(msg, path=self._target)
        if number == self._start and body.next is not None:
            self._page_size = len(body.results)
        self._given += len(fresh)
        self._promised = max(self._promised, body.count)
        self.last = number
        if body.next is not None and self._given > self._promised + _SLACK:
            came, promised = self._given, self._promised
            msg = f"{came} rows came where {promised} were promised, and there is to be more"
            raise PaginationError(msg, path=self._target)
        return fresh

    def following(self, number: int, body: PageBody[Any]) -> int | None:
        """Return the number of the page after *number*, or ``None`` at the end.

        Raises:
            PaginationError: If the server's ``next`` leads back, or skips pages.
        """
        if body.next is None:
            return None
        claimed = _page_of(body.next)
        if claimed != number + 1:
            msg = f"After page {number} the server leads to page {claimed}: no right way on"
            raise PaginationError(msg, path=self._target)
        return number + 1

    @property
    def missing(self) -> int:
        """Rows that were promised, and did not come."""
        if self._start > 1 and not self._page_size:
            return 0  # it began with the last page: how long the earlier ones are is not known
        before = (self._start - 1) * self._page_size
        return max(0, self._promised - before - self._given)


def _page_of(link: str) -> int | None:
    """Return the page number in the server's *link*; its host and scheme do not matter."""
    try:
        number = parse_qs(urlsplit(link).query).get("page", [""])[-1]
    except ValueError:
        return None
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None  # noqa: PLR2004


def _checked_number(number: int) -> int:
    if type(number) is not int or not 1 <= number < math.inf:
        msg = f"Pages are numbered from 1, got {number!r}"
        raise UsageError(msg)
    return number
