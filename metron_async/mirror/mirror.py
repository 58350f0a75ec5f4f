"""The mirror: :class:`Mirror`."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from metron_async.mirror.details import DetailFetcher
from metron_async.mirror.errors import MirrorBusyError
from metron_async.mirror.events import DetailsStored, Finished, PageStored, Report, Waiting
from metron_async.mirror.forecast import Allowance, Plan, forecast
from metron_async.mirror.matching import Matching
from metron_async.mirror.pages import PageSource
from metron_async.mirror.plan import next_walk
from metron_async.mirror.selection import Selection
from metron_async.mirror.sources import checked_filters
from metron_async.mirror.store import Store
from metron_async.mirror.walker import Walker, measure
from metron_async.types import Progress

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncGenerator, Callable, Generator
    from typing import Self

    from metron_async._engine.caller import Caller
    from metron_async.client import MetronView
    from metron_async.mirror.events import Event
    from metron_async.mirror.pages import OnBadRow
    from metron_async.mirror.selection import Pairs
    from metron_async.mirror.walk import Arrived, Walk
    from metron_async.types import Stats, Wait

__all__ = ["Mirror"]


class Mirror(Matching):
    """A local SQLite mirror of chosen lists, kept up to date at the cost of few requests.

    The first run walks a list completely, later runs request what has changed. Each page is stored
    when it arrives. A run that is killed, loses its connection, or reaches the end of the day's
    quota is resumed by the next one.

    Use it as an async context manager, or call :meth:`aclose` at the end. The file is opened by the
    first call.

    Args:
        metron: The client, or a view of it. Requests have the view's ``priority``; ``BULK`` is the
            choice for long runs. Its ``max_wait`` decides what happens when the day's quota is
            used up. By default the run ends with a :class:`~metron_async.RateLimitError`; with
            ``math.inf`` it waits for the next day.
        path: The file, created if missing. A file that is not a mirror is refused.

    Example:
        >>> async with AsyncMetron() as metron, Mirror(metron, "comics.db") as mirror:
        ...     report = await mirror.run("issues", publisher_name="marvel")
        ...     print(report.added, "new,", report.updated, "changed")
    """

    def __init__(self, metron: MetronView, path: str | os.PathLike[str]) -> None:
        self._metron = metron
        self._path = Path(path)
        self._opening: asyncio.Task[Store] | None = None
        self._running: set[tuple[str, Pairs]] = set()

    def __repr__(self) -> str:
        return f"Mirror({str(self._path)!r})"

    async def __aenter__(self) -> Self:
        await self._opened()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the file. Safe to call twice; the next use opens the file again."""
        await self._close_matching()
        opening, self._opening = self._opening, None
        if opening is not None:
            with contextlib.suppress(Exception):  # raised already, to the caller that opened it
                await (await opening).close()

    async def selections(self) -> list[Selection]:
        """Return the lists that the mirror holds, with their filters and state."""
        return await (await self._opened()).selections()

    async def plan(
        self, name: str, *, details: bool = False, full: bool = False, **filters: object
    ) -> Plan:
        """Return a forecast of a run, at the cost of one request at most.

        Args:
            name: Name of the list: ``"issues"``, ``"series"``, ``"collection"``, ...
            details: Whether the complete objects are to be mirrored, one request for each.
            full: Whether the whole list is to be walked.
            filters: As for the list's ``iter``.

        Returns:
            The rows and requests of the run, and how long it takes.

        Raises:
            UsageError: If the list does not exist, or a filter is invalid.
            MirrorFileError: If the file is not a mirror.
            MetronError: If the request failed.
        """
        pairs = checked_filters(name, filters, details=details)
        store = await self._opened()
        selection = await store.find(name, pairs) or Selection(id=0, name=name, filters=pairs)
        source = PageSource(self._caller(None), selection, "skip")
        walk = _walk_of(selection, full=full)
        _, tracked = await store.counts(selection, walk.generation)
        kind, rows, requests, first = await measure(walk, source, tracked)
        if details or selection.details:
            requests += await _details_of(store, selection, rows, first, full=kind == "full")
        seconds, days = forecast(requests, Allowance.of(await self._metron.quota()))
        return Plan(
            name=name,
            filters=pairs,
            kind=kind,
            rows=rows,
            requests=requests,
            minutes=seconds / 60,
            finishes_at=datetime.now(UTC) + timedelta(seconds=seconds),
            days=days,
            spent=source.requests,
        )

    async def run(
        self,
        name: str,
        *,
        details: bool | None = None,
        raw: bool | None = None,
        full: bool = False,
        deletions: bool = False,
        on_bad_row: OnBadRow = "raise",
        on_event: Callable[[Event], None] | None = None,
        progress: Callable[[Progress], None] | None = None,
        **filters: object,
    ) -> Report:
        """Bring a list up to date, from where the last run stopped.

        Args:
            name: Name of the list: ``"issues"``, ``"series"``, ``"collection"``, ...
            details: Whether to mirror the complete objects as well, one request for each. ``None``
                keeps the stored choice.
            raw: Whether to keep the JSON that the server sent. ``None`` keeps the stored choice.
            full: Walk the whole list again, which also shows renamed things inside of rows.
            deletions: Remove rows that the server no longer lists, which takes a walk of the whole
                list. Lists that do not show their changes (collection, wish list, pull list)
                always do this.
            on_bad_row: ``"raise"`` an error for a row that cannot be read or stored, or ``"skip"``
                and count it.
            on_event: Called with each event, in this task.
            progress: Called as by ``fetch_many``: after each page, and each complete object, and
                when a wait begins.
            filters: As for the list's ``iter``.

        Returns:
            What the run has done, and whether the mirror is complete.

        Raises:
            UsageError: If the list does not exist, or a filter is invalid.
            RateLimitError: If the quota is used up and ``max_wait`` does not allow to wait.
            DecodeError: If a row cannot be read or stored.
            MirrorError: If the file cannot be used.
            MetronError: If a request failed. The next run resumes.
        """
        pairs = checked_filters(name, filters, details=bool(details))
        emit = on_event or _ignore
        if progress is not None:
            emit = _reporting(emit, progress, self._metron.stats)
        with self._alone(name, pairs):
            store = await self._opened()
            selection, widened = await store.declare(name, pairs, details=details, raw=raw)
            caller = self._caller(emit)
            source = PageSource(caller, selection, on_bad_row)
            walker = Walker(source, store, selection, emit, keep_watermark=widened)
            await walker.run(_walk_of(selection, full=full, purge=deletions))
            report = msgspec.structs.replace(walker.report, requests=source.requests)
            if selection.details:
                fetcher = DetailFetcher(caller, store, walker.selection, emit)
                await fetcher.run(walker.selection.watermark)
                report = msgspec.structs.replace(
                    report,
                    requests=report.requests + fetcher.requests,
                    details=fetcher.stored,
                    failed=fetcher.failed,
                )
        emit(Finished(report))
        return report

    async def events(
        self,
        name: str,
        *,
        details: bool | None = None,
        raw: bool | None = None,
        full: bool = False,
        deletions: bool = False,
        on_bad_row: OnBadRow = "raise",
        **filters: object,
    ) -> AsyncGenerator[Event, None]:
        """Run like :meth:`run`, and yield the events; the last is a ``Finished``.

        Closing the generator stops the run.
        """
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        task = asyncio.create_task(
            self.run(
                name,
                details=details,
                raw=raw,
                full=full,
                deletions=deletions,
                on_bad_row=on_bad_row,
                on_event=queue.put_nowait,
                progress=None,
                **filters,
            )
        )
        task.add_done_callback(lambda _: queue.put_nowait(None))
        try:
            while (event := await queue.get()) is not None:
                yield event
            await task
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task

    def _caller(self, emit: Callable[[Event], None] | None) -> Caller:
        """Return a caller that asks the server, and emits its waits as events."""
        caller = self._metron._caller  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        hook = caller.options.on_wait

        def on_wait(wait: Wait) -> None:
            if hook is not None:
                hook(wait)
            if emit is not None:
                emit(Waiting(wait.seconds, wait.reason, wait.scope))

        return caller.with_options(
            refresh=True, offline=False, fresh_for=None, stale_if_error=False, on_wait=on_wait
        )

    async def _opened(self) -> Store:
        """Return the open file. Opening it runs to its end even if the caller is cancelled."""
        opening = self._opening
        if opening is None or (opening.done() and (opening.cancelled() or opening.exception())):
            self._opening = opening = asyncio.create_task(Store.open(self._path))
        return await asyncio.shield(opening)

    @contextlib.contextmanager
    def _alone(self, name: str, pairs: Pairs) -> Generator[None]:
        """Keep two tasks from walking the same list, because both would request the same pages."""
        if (name, pairs) in self._running:
            msg = f"{name} is being updated by another task"
            raise MirrorBusyError(msg)
        self._running.add((name, pairs))
        try:
            yield
        finally:
            self._running.discard((name, pairs))


def _walk_of(selection: Selection, *, full: bool, purge: bool = False) -> Walk:
    """Return the walk with which a run of *selection* begins or resumes."""
    source = selection.source
    return next_walk(
        selection.walk,
        generation=selection.generation + 1,
        watermark=selection.watermark,
        by_change=source.by_change,
        traced=source.traced,
        full=full,
        purge=purge,
    )


async def _details_of(
    store: Store, selection: Selection, rows: int, first: Arrived | None, *, full: bool
) -> int:
    """Return how many complete objects a run of *rows* rows has to request.

    Args:
        store: The file.
        selection: The selection; its id is 0 if it is new.
        rows: Rows that the run will see.
        first: The first page, or ``None`` where none was requested.
        full: Whether the rows are the whole list.
    """
    if not selection.details:
        return rows
    pending = await store.pending_count(selection)
    if full:
        _, tracked = await store.counts(selection, 0)
        return pending + max(0, rows - tracked)
    return pending + rows - await store.fetched_count(selection, first.rows if first else ())


def _reporting(
    emit: Callable[[Event], None], progress: Callable[[Progress], None], stats: Stats
) -> Callable[[Event], None]:
    """Return a listener that calls *progress* as well."""
    before, done = stats.requests, 0
    total: int | None = None

    def listen(event: Event) -> None:
        nonlocal done, total
        waiting = event.seconds if isinstance(event, Waiting) else 0.0
        if isinstance(event, PageStored | DetailsStored):
            done, total = event.done, event.total
        if isinstance(event, PageStored | DetailsStored | Waiting):
            progress(Progress(done, total, waiting, stats.requests - before))
        emit(event)

    return listen


def _ignore(_event: Event) -> None:
    """Ignore an event."""
