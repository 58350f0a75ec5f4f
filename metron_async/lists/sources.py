"""Where lists get their pages and objects from: requests of one view of the client."""

from __future__ import annotations

import dataclasses
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from metron_async._values import encode_datetime
from metron_async.cache import Kind
from metron_async.filters import row_matches
from metron_async.lists.proof import Sighting
from metron_async.models import PageBody
from metron_async.types import R_co

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from metron_async._engine.caller import Caller
    from metron_async._engine.messages import Answer, Request
    from metron_async.types import Page

__all__ = ["DetailSource", "PageSource"]

D = TypeVar("D")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400.0
_OWN_FIELDS = frozenset({"modified_gt", "modified_lt", "name", "series_id", "number"})
"""Filters that compare a field of the row itself."""


@dataclasses.dataclass(frozen=True, slots=True)
class PageSource(Generic[R_co]):
    """Source of the pages of one list.

    Attributes:
        caller: Sends the requests.
        request: Request for the first page.
        row: Type of the rows.
        filters: Filters of the list that older servers ignore, by name.
        by_change: Whether the list can be filtered by ``modified_gt``.
        changed_after: Value of that filter, besides those of *request*.
    """

    caller: Caller
    request: Request
    row: type[R_co]
    filters: Mapping[str, object] = dataclasses.field(default_factory=dict[str, object])
    by_change: bool = False
    changed_after: str = ""

    @property
    def target(self) -> str:
        """Path and query, as shown in errors."""
        return self.request.target

    async def fetch(self, number: int) -> Answer[PageBody[R_co]]:
        """Fetch page *number*, from 1."""
        kind: Any = self.row
        return await self.caller.fetch(self._request(number), PageBody[kind])

    async def forget(self, numbers: Iterable[int]) -> None:
        """Drop pages from the cache, as together they turned out to be wrong."""
        await self.caller.forget(self._request(number) for number in numbers)

    def kept(self, rows: Sequence[R_co]) -> Sequence[R_co]:
        """Return the rows that match the filters which an older server ignores."""
        if not self.filters:
            return rows
        return [row for row in rows if row_matches(self.filters, row)]

    @property
    def traced(self) -> bool:
        """Whether rows join the list only by a change of their own ``modified``.

        An issue joins the list of a publisher when its series moves there, and is not changed.
        """
        own = {name for name, _ in self.request.params} <= _OWN_FIELDS
        return own and self.by_change and hasattr(self.row, "modified")

    def refreshed(self) -> PageSource[R_co]:
        """Return the same source past the client's cache, unless the view is offline."""
        return dataclasses.replace(self, caller=self.caller.refreshed())

    def strict(self) -> PageSource[R_co]:
        """Return the same list past all caches, also where the server fails."""
        caller = self.caller.refreshed().with_options(stale_if_error=False)
        return dataclasses.replace(self, caller=caller).uncached()

    def uncached(self) -> PageSource[R_co]:
        """Return the same list past the server's cache, which keeps each URL for two minutes.

        A filter that matches every row, with a value that was not used before, makes a new URL.
        """
        return self._changed_after(time.time() % _DAY) if self.by_change else self

    async def changed_since(self, seconds: float) -> Answer[PageBody[R_co]]:
        """Fetch the first page of the rows that were changed after this moment."""
        return await self._changed_after(seconds).fetch(1)

    def sighting(self, row: Any) -> Sighting:
        """Return what a page that has *row* proves."""
        if not self.traced:
            return Sighting(row.id, row)
        return Sighting(row.id, row if self.request.params else None, row.modified.timestamp())

    def _changed_after(self, seconds: float) -> PageSource[R_co]:
        moment = encode_datetime(_EPOCH + timedelta(seconds=seconds))
        return dataclasses.replace(self, changed_after=moment)

    def _request(self, number: int) -> Request:
        params, kind = dict(self.request.params), self.request.kind
        if self.changed_after:
            params["modified_gt"] = max(self.changed_after, params.get("modified_gt", ""))
            kind = Kind.PRIVATE  # a URL that is used once is not worth a place in the cache
        if number > 1:
            params["page"] = str(number)
        return msgspec.structs.replace(self.request, params=tuple(params.items()), kind=kind)


@dataclasses.dataclass(frozen=True, slots=True)
class DetailSource(Generic[D]):
    """Source of the full objects of one resource.

    Attributes:
        caller: Sends the requests.
        request: Returns the request for the object with an id.
        model: Type of the objects.
    """

    caller: Caller
    request: Callable[[int], Request]
    model: type[D]

    async def fetch(self, number: int) -> D:
        """Fetch the object with the id *number*."""
        return await self.caller.get(self.request(number), self.model)

    async def known(self, page: Page[Any]) -> Mapping[int, D]:
        """Return the cached objects that the rows of *page* show to be current, by id."""
        rows = {row.id: (self.request(row.id), row.modified) for row in page.rows}
        return await self.caller.known(rows, self.model, page.as_of)

    async def refetch(self, number: int) -> D:
        """Fetch an object past the client's cache, unless the view is offline."""
        return await self.caller.refreshed().get(self.request(number), self.model)
