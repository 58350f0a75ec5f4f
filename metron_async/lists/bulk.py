"""Many objects by id, with bounded concurrency and memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Iterable
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from metron_async._values import show
from metron_async.errors import ClosedError, MetronError, UsageError
from metron_async.lists.base import LazyList, checked_whole
from metron_async.types import Fetched

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Awaitable,
        Callable,
        Collection,
    )

__all__ = ["FetchMany", "OnError", "cancel_all"]

T = TypeVar("T")
OnError = Literal["yield", "skip", "raise"]


class FetchMany(LazyList[Fetched[T]]):
    """Objects by id, yielded as soon as each is there.

    No more ids are taken from the iterable than there are requests to make. If it can be iterated
    only once, so can this.

    Args:
        fetch: Fetches one object.
        ids: Ids, from an iterable or an asynchronous one.
        concurrency: Maximum concurrent requests.
        on_error: Whether failures of single ids are yielded, skipped or raised.

    Raises:
        UsageError: If an argument is invalid.
    """

    def __init__(
        self,
        fetch: Callable[[int], Awaitable[T]],
        ids: Iterable[int] | AsyncIterable[int],
        *,
        concurrency: int = 4,
        on_error: OnError = "yield",
    ) -> None:
        if on_error not in {"yield", "skip", "raise"}:
            msg = f"on_error must be 'yield', 'skip' or 'raise', got {show(on_error)}"
            raise UsageError(msg)
        if isinstance(ids, str) or not isinstance(ids, Iterable | AsyncIterable):
            msg = f"ids must be an iterable or an async iterable of ids, got {show(ids)}"
            raise UsageError(msg)
        self._fetch = fetch
        self._ids = ids
        self._concurrency = checked_whole(concurrency, "concurrency", 1)
        self._on_error = on_error

    def __repr__(self) -> str:
        return f"{type(self).__name__}(on_error={self._on_error!r})"

    async def __aiter__(self) -> AsyncGenerator[Fetched[T], None]:
        """Iterate the results as they come."""
        source = _aiter(self._ids)
        running: set[asyncio.Task[Fetched[T]]] = set()
        upcoming: asyncio.Task[list[int]] | None = asyncio.ensure_future(_next(source))
        try:
            while running or upcoming:
                wanted = upcoming if len(running) < self._concurrency else None
                await asyncio.wait(
                    {*running, wanted} if wanted else running,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if wanted is not None and wanted.done():
                    upcoming = None
                    for number in wanted.result():
                        running.add(asyncio.create_task(self._fetch_one(number)))
                        upcoming = asyncio.ensure_future(_next(source))
                for task in [task for task in running if task.done()]:
                    running.discard(task)
                    result = task.result()
                    if result.error is not None and self._on_error == "raise":
                        raise result.error
                    if result.error is None or self._on_error == "yield":
                        yield result
        finally:
            await cancel_all(running if upcoming is None else {*running, upcoming})
            await source.aclose()

    async def _fetch_one(self, number: int) -> Fetched[T]:
        try:
            return Fetched(number, value=await self._fetch(number))
        except ClosedError:
            raise  # no other id can succeed either
        except MetronError as error:
            return Fetched(number, error=error)


async def _aiter(ids: Iterable[int] | AsyncIterable[int]) -> AsyncGenerator[int, None]:
    if isinstance(ids, AsyncIterable):
        async for number in ids:
            yield number
    else:
        for number in ids:
            yield number


async def _next(source: AsyncIterator[int]) -> list[int]:
    """Return a list with the next id, or an empty list at the end.

    A task cannot raise ``StopAsyncIteration``, and ``None`` may be a (wrong) id.
    """
    try:
        return [await anext(source)]
    except StopAsyncIteration:
        return []


async def cancel_all(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel *tasks* and wait until they have ended, however they end."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
