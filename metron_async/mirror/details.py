"""Fetches the complete objects whose rows show that they are missing or outdated.

A query on the file selects what is to be fetched, so nothing is lost when the process is killed
between two requests.
"""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from metron_async._engine.messages import Request
from metron_async.cache import Kind
from metron_async.errors import DecodeError, NotFoundError
from metron_async.lists.bulk import FetchMany
from metron_async.mirror.events import Deleted, DetailFailed, DetailsStored
from metron_async.mirror.pages import encoded

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async._engine.caller import Caller
    from metron_async.mirror.events import Event
    from metron_async.mirror.rows import StoredRow
    from metron_async.mirror.selection import Selection
    from metron_async.mirror.store import Store
    from metron_async.types import Fetched

__all__ = ["DetailFetcher"]

_BATCH = 200
_CONCURRENCY = 4


class DetailFetcher:
    """Updates the complete objects of one selection.

    Args:
        caller: Makes the requests.
        store: Stores the objects.
        selection: The selection, whose rows are up to date.
        emit: Called with each event.
    """

    def __init__(
        self, caller: Caller, store: Store, selection: Selection, emit: Callable[[Event], None]
    ) -> None:
        self._caller = caller
        self._cached = caller.with_options(refresh=False)
        self._store = store
        self._selection = selection
        self._emit = emit
        self._total = 0
        self.requests: int = 0
        self.stored: int = 0
        self.failed: int = 0

    async def run(self, as_of: float | None) -> None:
        """Fetch the objects that are missing or outdated.

        Args:
            as_of: Server time, in Unix seconds, for which the rows are correct, or ``None`` if not
                known. Objects that the client's cache has in that state are not requested.
        """
        self._total = await self._store.pending_count(self._selection)
        after = 0
        while batch := await self._store.pending(self._selection, after, _BATCH):
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
            kind=Kind.PRIVATE,  # the cache keeps none of it: the mirror stores the objects
            object_id=number,
            may_404=True,
        )

    async def _known(self, batch: list[tuple[int, str]], as_of: float) -> dict[int, StoredRow]:
        """Return the objects of a batch that the client's cache has in their present state."""
        rows = {
            number: (self._request(number), datetime.fromisoformat(modified))
            for number, modified in batch
        }
        found: dict[int, StoredRow] = {}
        for number, body in (await self._cached.known(rows, msgspec.Raw, as_of)).items():
            with contextlib.suppress(DecodeError):  # cached by another version of the models
                found[number] = self._encoded(number, body)
        return found

    def _encoded(self, number: int, body: msgspec.Raw) -> StoredRow:
        table = self._selection.detail_table
        return encoded(self._request(number), body, table, self._selection)[1]

    async def _fetch(self, numbers: list[int]) -> None:
        """Fetch a batch. Each object is stored as soon as it has arrived."""

        async def fetch(number: int) -> StoredRow:
            self.requests += 1
            response = await self._caller.fetch(self._request(number), msgspec.Raw)
            return self._encoded(number, response.value)

        fetched = aiter(FetchMany(fetch, numbers, concurrency=_CONCURRENCY))
        async with contextlib.aclosing(fetched):  # ends the requests in flight on a failure
            async for got in fetched:
                await self._take(got)

    async def _take(self, got: Fetched[StoredRow]) -> None:
        if got.error is None:
            await self._keep([got.unwrap()])
        elif isinstance(got.error, NotFoundError):
            await self._store.forget(self._selection, got.id)
            self._emit(Deleted(self._selection.name, (got.id,)))
        elif isinstance(got.error, DecodeError):
            self.failed += 1
            self._emit(DetailFailed(self._selection.name, got.id, got.error))
        else:
            raise got.error  # the other requests would fail for the same reason

    async def _keep(self, details: list[StoredRow]) -> None:
        await self._store.store_details(self._selection, details)
        self.stored += len(details)
        self._emit(DetailsStored(self._selection.name, self.stored, self._total))
