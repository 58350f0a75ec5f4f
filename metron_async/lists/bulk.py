"""Many objects by id, with bounded concurrency and memory.

An error concerns one id or the whole run. A missing object, an invalid id or a response that does
not decode say nothing about other ids. The quota, refused credentials, a block or a closed client
affect all ids that follow. A failure of the server can be either, so several in a row stop the
run.
"""

from __future__ import annotations

import asyncio
import operator
from collections.abc import AsyncIterable, Iterable, Sized
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from metron_async._values import show
from metron_async.errors import (
    AuthenticationError,
    BlockedError,
    ClosedError,
    ConfigurationError,
    InterceptedError,
    MetronError,
    PermissionDeniedError,
    RetryLaterError,
    ServerError,
    StorageError,
    TransportError,
    UsageError,
)
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

    from metron_async.lists.progress import Meter

__all__ = ["STOP_AFTER", "FailureStreak", "FetchMany", "OnError", "cancel_all", "stops_run"]

T = TypeVar("T")
OnError = Literal["yield", "skip", "raise"]

STOP_AFTER = 5
"""Failures of the server in a row, over different ids, that stop a run."""

_OF_THE_RUN = (
    AuthenticationError,
    ClosedError,
    ConfigurationError,
    RetryLaterError,
    StorageError,
)
_OF_THE_SERVER = (InterceptedError, PermissionDeniedError, ServerError, TransportError)


def stops_run(error: MetronError) -> bool:
    """Return whether *error* would meet all ids that follow as well."""
    return isinstance(error, _OF_THE_RUN)


class FailureStreak:
    """Failures of the server since it last sent a response of its own."""

    def __init__(self) -> None:
        self._failures = 0
        self._proven = False

    def add(self, error: MetronError | None) -> bool:
        """Add the outcome of one id, and return whether the run must stop.

        Errors that were raised without a request change nothing.
        """
        if error is None:
            self._failures, self._proven = 0, True
        elif isinstance(error, _OF_THE_SERVER):
            self._failures, self._proven = self._failures + 1, False
        elif error.status is not None:
            self._failures = 0
        return self._failures >= STOP_AFTER

    def room(self, concurrency: int) -> int:
        """Return how many ids may be in flight.

        A server that is down must not cost more requests because many are sent at once.
        """
        return concurrency if self._proven else min(concurrency, STOP_AFTER - self._failures)


class FetchMany(LazyList[Fetched[T]]):
    """Objects by id, yielded as soon as each is there.

    No more ids are taken from the iterable than there are requests to make. If it can be iterated
    only once, so can this.

    Args:
        fetch: Fetches one object.
        ids: Ids, from an iterable or an asynchronous one.
        concurrency: Maximum concurrent requests.
        on_error: Whether errors that concern one id are yielded, skipped or raised.
        meter: Reports progress.

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
        meter: Meter | None = None,
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
        self._meter = meter

    def __repr__(self) -> str:
        return f"{type(self).__name__}(on_error={self._on_error!r})"

    async def __aiter__(self) -> AsyncGenerator[Fetched[T], None]:
        """Iterate the results as they come."""
        if self._meter is not None:
            self._meter.start(len(self._ids) if isinstance(self._ids, Sized) else None)
        streak = FailureStreak()
        source = _aiter(self._ids)
        running: set[asyncio.Task[Fetched[T]]] = set()
        upcoming: asyncio.Task[list[int]] | None = asyncio.ensure_future(_next(source))
        try:
            while running or upcoming:
                wanted = upcoming if len(running) < streak.room(self._concurrency) else None
                await asyncio.wait(
                    {*running, wanted} if wanted else running,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if wanted is not None and wanted.done():
                    upcoming = None
                    for number in wanted.result():
                        running.add(asyncio.create_task(self._fetch_one(number)))
                        upcoming = asyncio.ensure_future(_next(source))
                done = [task for task in running if task.done()]
                running.difference_update(done)
                # Objects first: an error that stops the run must not discard what is there.
                for result in sorted((task.result() for task in done), key=_rank):
                    if self._settle(result, streak):
                        yield result
        finally:
            await cancel_all(running if upcoming is None else {*running, upcoming})
            await source.aclose()

    async def _fetch_one(self, number: int) -> Fetched[T]:
        try:
            value = await self._fetch(number)
        except MetronError as error:
            return Fetched(number, error=error)
        return Fetched(operator.index(number), value=value)

    def _settle(self, result: Fetched[T], streak: FailureStreak) -> bool:
        """Count a result, and return whether to yield it.

        Raises:
            MetronError: If it stops the run.
        """
        error = result.error
        stopped = streak.add(error)
        # An id that cannot be one is a mistake in the program, which skipping would hide.
        raised = self._on_error == "raise" or (
            self._on_error == "skip" and isinstance(error, UsageError)
        )
        if error is not None and (stopped or raised or stops_run(error)):
            if stopped:
                error.add_note(f"Stopped after {STOP_AFTER} failures in a row")
            raise error
        if self._meter is not None:
            self._meter.step()
        return error is None or self._on_error == "yield"


def _rank(result: Fetched[Any]) -> int:
    """Order results that came together: objects, causes, and blocks that follow from them."""
    return (result.error is not None) + isinstance(result.error, BlockedError)


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
