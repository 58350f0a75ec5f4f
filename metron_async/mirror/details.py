"""Fetches the objects in full that the rows of a list show to be missing or outdated.

What is to be fetched is not written down anywhere: it is what a query of the file says. So there
is nothing that could be lost when the process is killed between two of them.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

from metron_async._engine.messages import Request
from metron_async.cache import Kind
from metron_async.errors import DecodeError, NotFoundError
from metron_async.lists.bulk import fetch_many
from metron_async.mirror.events import Deleted, DetailFailed, DetailsStored

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async._engine.caller import Caller
    from metron_async.mirror.events import Event
    from metron_async.mirror.selection import Selection
    from metron_async.mirror.store import Store
    from metron_async.mirror.worker import Worker
    from metron_async.types import Fetched

__all__ = ["DetailFetcher"]

_BATCH = 200
_CONCURRENCY = 4


class DetailFetcher:
    """Brings the objects in full of one selection up to date.

    Args:
        caller: Makes the requests.
        store: Where the objects go.
        worker: The thread of the store.
        selection: The selection; its rows are up to date.
        emit: Told what happens.
    """

    def __init__(
        self,
        caller: Caller,
        store: Store,
        worker: Worker,
        selection: Selection,
        emit: Callable[[Event], None],
    ) -> None:
        self._caller = caller
        self._cached = caller.with_options(refresh=False)
        self._store = store
        self._worker = worker
        self._selection = selection
        self._emit = emit
        self._model: Any = selection.source.detail
        self._total = 0
        self.requests: int = 0
        self.stored: int = 0
        self.failed: int = 0

    async def run(self, as_of: float | None) -> None:
        """Fetch what is missing.

        Args:
            as_of: Moment for which the rows speak, in seconds, or ``None`` if not known. What the
                client's cache has of that moment is not fetched.
        """
        self._total = await self._worker.run(self._store.pending_count, self._selection)
        after = 0
        while True:
            batch = await self._worker.run(self._store.pending, self._selection, after, _BATCH)
            if not batch:
                return
            after = batch[-1][0]
            known = await self._known(batch, as_of) if as_of is not None else {}
            if known:
                await self._keep(list(known.values()))
            await self._fetch([number for number, _ in batch if number not in known])

    def _request(self, number: int) -> Request:
        path = self._selection.source.path
        return Request(
            path=f"{path}{number}/",
            resource=path.partition("/")[0],
            kind=Kind.PRIVATE,  # the mirror keeps it; twice would be once too often
            object_id=number,
            may_404=True,
        )

    async def _known(self, batch: list[tuple[int, str]], as_of: float) -> dict[int, Any]:
        rows = {
            number: (self._request(number), datetime.fromisoformat(modified))
            for number, modified in batch
        }
        return await self._cached.known(rows, self._model, as_of)

    async def _fetch(self, numbers: list[int]) -> None:
        """Fetch a batch; each object is stored as soon as it is there, with those that wait."""

        async def fetch(number: int) -> Any:
            self.requests += 1
            return (await self._caller.fetch(self._request(number), self._model)).value

        fetched = fetch_many(fetch, numbers, concurrency=_CONCURRENCY, on_error="yield")
        async with contextlib.aclosing(fetched):  # or what runs ahead would outlive a failure
            async for got in fetched:
                await self._take(got)

    async def _take(self, got: Fetched[Any]) -> None:
        if got.error is None:
            # Shielded: what a request was paid for is not to be lost.
            await asyncio.shield(self._keep([got.value]))
        elif isinstance(got.error, NotFoundError):
            await self._worker.run(self._store.forget, self._selection, got.id)
            self._emit(Deleted(self._selection.name, (got.id,)))
        elif isinstance(got.error, DecodeError):
            self.failed += 1
            self._emit(DetailFailed(self._selection.name, got.id, got.error))
        else:
            raise got.error  # the others would fail for the same reason

    async def _keep(self, details: list[Any]) -> None:
        await self._worker.run(self._store.store_details, self._selection, details)
        self.stored += len(details)
        self._emit(DetailsStored(self._selection.name, self.stored, self._total))
