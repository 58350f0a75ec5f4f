"""The mirror: :class:`Mirror`."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from metron_async.mirror.details import DetailFetcher
from metron_async.mirror.errors import MirrorBusyError
from metron_async.mirror.events import Finished, Report, Waiting
from metron_async.mirror.forecast import Allowance, Plan, forecast
from metron_async.mirror.plan import next_walk
from metron_async.mirror.selection import Selection
from metron_async.mirror.sources import checked_filters
from metron_async.mirror.store import Store
from metron_async.mirror.walker import Lister, Walker, measure
from metron_async.mirror.worker import Worker
from metron_async.types import Priority

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncGenerator, Callable, Generator
    from types import TracebackType
    from typing import Self

    from metron_async._engine.caller import Caller
    from metron_async.client import MetronView
    from metron_async.mirror.events import Event
    from metron_async.mirror.plan import Walk
    from metron_async.types import Wait

__all__ = ["Mirror"]


class Mirror:
    """A local SQLite mirror of chosen lists, kept up to date at the price of few requests.

    The first run walks a list in full, later ones ask for what has changed. Each page is stored as
    it comes: a run that is killed, goes offline, or meets the end of the day's quota goes on where
    it stopped, when it is started again. It runs in the lane BULK, so others are served first.

    Use it as an async context manager, or call :meth:`aclose` at the end. The file is opened when
    it is first needed.

    Args:
        metron: The client, or a view of it. Its ``max_wait`` decides what happens when the day's
            quota is used up: by default the run ends with a
            :class:`~metron_async.RateLimitError`; with ``math.inf`` it waits for the next day.
        path: The file, created if missing. A file that is no mirror is refused.

    Example:
        >>> async with AsyncMetron() as metron, Mirror(metron, "comics.db") as mirror:
        ...     report = await mirror.run("issues", publisher_name="marvel")
        ...     print(report.added, "new,", report.updated, "changed")
    """

    def __init__(self, metron: MetronView, path: str | os.PathLike[str]) -> None:
        self._metron = metron
        self._path = Path(path)
        self._worker = Worker(self._path)
        self._store: Store | None = None
        self._opening = asyncio.Lock()
        self._running: set[tuple[str, tuple[tuple[str, str], ...]]] = set()

    def __repr__(self) -> str:
        return f"Mirror({str(self._path)!r})"

    async def __aenter__(self) -> Self:
        await self._opened()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the file. Closing twice is fine, and a mirror can be used again after."""
        async with self._opening:
            store, self._store = self._store, None
            if store is not None:
                await self._worker.run(store.close)
            self._worker.stop()
            self._worker = Worker(self._path)

    async def selections(self) -> list[Selection]:
        """Return what the mirror holds: each list with its filters, and how far it has come."""
        return await self._worker.run((await self._opened()).selections)

    async def plan(
        self, name: str, *, details: bool = False, full: bool = False, **filters: object
    ) -> Plan:
        """Tell what a run would cost, for the price of one request at most.

        Args:
            name: Name of the list: ``"issues"``, ``"series"``, ``"collection"``, ...
            details: Whether the objects are to be mirrored in full, one request for each.
            full: Whether the list is to be walked in full.
            filters: As for the list's ``iter``.

        Raises:
            UsageError: If there is no such list, or a filter is wrong.
            MirrorFileError: If the file is no mirror.
            MetronError: If the request failed.
        """
        pairs = checked_filters(name, filters, details=details)
        store = await self._opened()
        found = await self._worker.run(store.find, name, pairs)
        selection = found or Selection(id=0, name=name, filters=pairs)
        details = details or selection.details
        lister = Lister(self._caller(None), selection)
        kind, rows, requests = await measure(_walk_of(selection, full=full), selection, lister)
        if details:
            pending, tracked = 0, 0
            if found is not None:
                _, tracked = await self._worker.run(store.counts, found, 0)
            if found is not None and found.details:
                pending = await self._worker.run(store.pending_count, found)
            requests += pending + max(0, rows - (tracked if kind == "full" else 0))
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
            spent=lister.requests,
        )

    async def run(
        self,
        name: str,
        *,
        details: bool | None = None,
        raw: bool | None = None,
        full: bool = False,
        deletions: bool = False,
        on_event: Callable[[Event], None] | None = None,
        **filters: object,
    ) -> Report:
        """Bring a list up to date, from where the last run stopped.

        Args:
            name: Name of the list: ``"issues"``, ``"series"``, ``"collection"``, ...
            details: Whether to mirror the objects in full as well, one request for each. ``None``
                keeps what was chosen before.
            raw: Whether to keep the JSON of each row, too. ``None`` keeps what was chosen before.
            full: Walk the whole list again, which also shows renamed things inside of rows.
            deletions: Remove what the server no longer lists; walks the whole list. Lists that
                cannot be asked for changes (collection, wish list, pull list) always do.
            on_event: Told what happens, in this task.
            filters: As for the list's ``iter``.

        Raises:
            UsageError: If there is no such list, or a filter is wrong.
            RateLimitError: If the quota is used up and ``max_wait`` does not allow to wait.
            MirrorError: If the file cannot be used.
            MetronError: If a request failed; calling again goes on from there.
        """
        pairs = checked_filters(name, filters, details=bool(details))
        emit = on_event or _ignore
        with self._alone(name, pairs):
            store = await self._opened()
            old = await self._worker.run(store.find, name, pairs)
            selection = await self._worker.run(
                store.declare,
                name,
                pairs,
                details=details if details is not None else bool(old and old.details),
                raw=raw if raw is not None else bool(old and old.raw),
            )
            report = await self._update(selection, store, emit, full=full, purge=deletions)
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
        **filters: object,
    ) -> AsyncGenerator[Event, None]:
        """Do the same as :meth:`run`, and yield what happens; the last is a ``Finished``.

        Closing the generator stops the run.
        """
        queue: asyncio.Queue[Event | None] = asyncio.Queue()

        async def work() -> None:
            try:
                await self.run(
                    name,
                    details=details,
                    raw=raw,
                    full=full,
                    deletions=deletions,
                    on_event=queue.put_nowait,
                    **filters,
                )
            finally:
                queue.put_nowait(None)

        task = asyncio.create_task(work())
        try:
            while (event := await queue.get()) is not None:
                yield event
            await task
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task

    async def _update(
        self,
        selection: Selection,
        store: Store,
        emit: Callable[[Event], None],
        *,
        full: bool,
        purge: bool,
    ) -> Report:
        caller = self._caller(emit)
        lister = Lister(caller, selection)
        walker = Walker(lister, store, self._worker, selection, emit)
        await walker.run(_walk_of(selection, full=full, purge=purge))
        report = dataclasses.replace(walker.report, requests=lister.requests)
        if not selection.details:
            return report
        fetcher = DetailFetcher(caller, store, self._worker, walker.selection, emit)
        await fetcher.run(walker.selection.watermark)
        return dataclasses.replace(
            report,
            requests=report.requests + fetcher.requests,
            details=fetcher.stored,
            failed=fetcher.failed,
        )

    def _caller(self, emit: Callable[[Event], None] | None) -> Caller:
        """Return a caller whose answers are the server's own, and whose waits are told."""
        caller = self._metron._caller  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        told = caller.options.on_wait

        def on_wait(wait: Wait) -> None:
            if told is not None:
                told(wait)
            if emit is not None:
                emit(Waiting(wait.seconds, wait.reason, wait.scope))

        return caller.with_options(
            priority=Priority.BULK,
            refresh=True,
            offline=False,
            fresh_for=None,
            stale_if_error=False,
            on_wait=on_wait,
        )

    async def _opened(self) -> Store:
        async with self._opening:
            if self._store is None:
                self._store = await self._worker.run(Store, self._path)
            return self._store

    @contextlib.contextmanager
    def _alone(self, name: str, pairs: tuple[tuple[str, str], ...]) -> Generator[None]:
        """Keep two tasks from walking the same list: both would only fetch the same pages."""
        if (name, pairs) in self._running:
            msg = f"{name} is being brought up to date by another task"
            raise MirrorBusyError(msg)
        self._running.add((name, pairs))
        try:
            yield
        finally:
            self._running.discard((name, pairs))


def _walk_of(selection: Selection, *, full: bool, purge: bool = False) -> Walk:
    """Return the walk with which a run of *selection* begins, or goes on."""
    return next_walk(
        selection.walk,
        generation=selection.generation + 1,
        watermark=selection.watermark,
        by_change=selection.source.by_change,
        full=full,
        purge=purge,
    )


def _ignore(_event: Event) -> None:
    """Tell nobody."""
