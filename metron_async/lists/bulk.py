"""Many objects in full, at the price of few requests: ``fetch_many`` and ``iter_details``.

A row of a resource's own list carries the same ``modified`` as the object's detail. So one page
of a list, at the price of one request, tells for up to 100 cached details whether they are still
current, where asking for each would cost 100. :func:`iter_details` rests on that: it walks the
list, serves what its rows vouch for from the cache, and fetches the rest.

Both run a bounded number of requests ahead of the consumer, in tasks that end with the iteration:
also when it is broken off, as soon as the generator is closed.
"""

from __future__ import annotations

import asyncio
import collections
import collections.abc
import contextlib
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from metron_async.errors import ClosedError, MetronError, NotFoundError, UsageError
from metron_async.types import Fetched

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterable,
        AsyncIterator,
        Awaitable,
        Callable,
        Collection,
        Iterable,
        Mapping,
    )

    from metron_async.lists.rows import Paginator
    from metron_async.types import Page

__all__ = ["Details", "OnError", "checked_concurrency", "fetch_many"]

T = TypeVar("T")
OnError = Literal["yield", "skip", "raise"]


async def fetch_many(
    fetch: Callable[[int], Awaitable[T]],
    ids: Iterable[int] | AsyncIterable[int],
    *,
    concurrency: int,
    on_error: OnError,
) -> AsyncGenerator[Fetched[T], None]:
    """Fetch the objects with these *ids*, and yield them as they come.

    No more ids are taken from the iterator than there are requests to make.

    Args:
        fetch: Fetches one object.
        ids: Ids, from an iterable or an asynchronous one; there may be millions.
        concurrency: Objects fetched at once.
        on_error: Whether a failure is yielded like a result, left out, or raised.
    """
    checked_concurrency(concurrency)
    if on_error not in {"yield", "skip", "raise"}:
        msg = f"on_error must be 'yield', 'skip' or 'raise', got {on_error!r}"
        raise UsageError(msg)
    source = _aiter(ids)
    running: set[asyncio.Task[Fetched[T]]] = set()
    upcoming: asyncio.Task[list[int]] | None = asyncio.ensure_future(_next(source))
    try:
        while running or upcoming:
            wanted = upcoming if len(running) < concurrency else None
            await asyncio.wait(
                {*running, wanted} if wanted else running, return_when=asyncio.FIRST_COMPLETED
            )
            if wanted is not None and wanted.done():
                upcoming = None
                for number in wanted.result():
                    running.add(asyncio.create_task(_fetch_one(fetch, number)))
                    upcoming = asyncio.ensure_future(_next(source))
            for task in [task for task in running if task.done()]:
                running.discard(task)
                result = task.result()
                if result.error is not None and on_error == "raise":
                    raise result.error
                if result.error is None or on_error == "yield":
                    yield result
    finally:
        await _cancel_all(running if upcoming is None else {*running, upcoming})
        await source.aclose()


async def _fetch_one(fetch: Callable[[int], Awaitable[T]], number: int) -> Fetched[T]:
    try:
        return Fetched(number, value=await fetch(number))
    except ClosedError:
        raise  # nothing else can succeed either
    except MetronError as error:
        return Fetched(number, error=error)


async def _aiter(ids: Iterable[int] | AsyncIterable[int]) -> AsyncGenerator[int, None]:
    if isinstance(ids, collections.abc.AsyncIterable):
        async for number in ids:
            yield number
    else:
        for number in ids:
            yield number


async def _next(source: AsyncIterator[int]) -> list[int]:
    """Return a list of the next id alone, or an empty one at the end.

    (A task cannot end in ``StopAsyncIteration``; and ``None`` may be an id, if a wrong one.)
    """
    try:
        return [await anext(source)]
    except StopAsyncIteration:
        return []


async def _cancel_all(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel *tasks* and wait until they have ended, whatever they end in."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Details(Generic[T]):
    """Full objects for a list, in its order; only those that changed are fetched.

    Nothing is sent before the first object is asked for. A page of the list costs one request, and
    each object that is not in the cache, or has changed, one more. An object that is deleted
    while the list is walked is left out.

    Example:
        >>> async for issue in metron.issues.iter_details(series_id=5):  # doctest: +SKIP
        ...     print(issue.number, issue.desc)
    """

    def __init__(
        self,
        rows: Paginator[Any],
        known: Callable[[Page[Any]], Awaitable[Mapping[int, T]]],
        fetch: Callable[[int], Awaitable[T]],
        *,
        concurrency: int,
    ) -> None:
        self._rows = rows
        self._known = known
        self._fetch = fetch
        self._concurrency = checked_concurrency(concurrency)

    def __repr__(self) -> str:
        return f"Details({self._rows!r})"

    def __aiter__(self) -> AsyncIterator[T]:
        """Iterate the objects of the whole list."""
        return self._objects()

    async def _objects(self) -> AsyncGenerator[T, None]:
        async with contextlib.aclosing(self._rows.pages()) as pages:
            async for page in pages:
                known = await self._known(page)
                async with contextlib.aclosing(self._in_order(page, known)) as objects:
                    async for found in objects:
                        yield found

    async def _in_order(self, page: Page[Any], known: Mapping[int, T]) -> AsyncGenerator[T, None]:
        """Yield the objects of one page; a few requests run ahead of the consumer."""
        waiting: collections.deque[tuple[int, asyncio.Task[T | None] | None]] = collections.deque()
        rows = iter(page.rows)
        running = 0
        try:
            while True:
                while running < self._concurrency and (row := next(rows, None)) is not None:
                    task = None
                    if row.id not in known:
                        task = asyncio.create_task(self._unless_gone(row.id))
                        running += 1
                    waiting.append((row.id, task))
                if not waiting:
                    return
                number, task = waiting[0]  # it stays in line until it is there: ours to cancel
                if task is None:
                    value: T | None = known[number]
                else:
                    value = await task
                    running -= 1
                waiting.popleft()
                if value is not None:
                    yield value
        finally:
            await _cancel_all([task for _, task in waiting if task is not None])

    async def _unless_gone(self, number: int) -> T | None:
        try:
            return await self._fetch(number)
        except NotFoundError:
            return None

    async def collect(self, limit: int | None = None) -> list[T]:
        """Fetch the objects into a list.

        Args:
            limit: Objects to stop after, or ``None`` for all.

        Raises:
            UsageError: If *limit* is negative.
        """
        if limit is not None and limit < 0:
            msg = f"limit must not be negative, got {limit}"
            raise UsageError(msg)
        collected: list[T] = []
        if limit == 0:
            return collected
        async with contextlib.aclosing(self._objects()) as objects:
            async for found in objects:
                collected.append(found)
                if len(collected) == limit:
                    break
        return collected


def checked_concurrency(concurrency: int) -> int:
    """Return *concurrency* if it is a whole number from 1.

    Raises:
        UsageError: If it is not.
    """
    if isinstance(concurrency, bool) or not isinstance(concurrency, int) or concurrency < 1:
        msg = f"concurrency must be a whole number from 1, got {concurrency!r}"
        raise UsageError(msg)
    return concurrency
