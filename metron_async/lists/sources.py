"""Where lists get their pages and objects from: requests of one view of the client."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from metron_async.filters import row_matches
from metron_async.models import PageBody
from metron_async.types import R_co

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from metron_async._engine.caller import Caller
    from metron_async._engine.messages import Answer, Request
    from metron_async.types import Page

__all__ = ["DetailSource", "PageSource"]

D = TypeVar("D")


@dataclasses.dataclass(frozen=True, slots=True)
class PageSource(Generic[R_co]):
    """Source of the pages of one list.

    Attributes:
        caller: Sends the requests.
        request: Request for the first page.
        row: Type of the rows.
        filters: Filters of the list that older servers ignore, by name.
    """

    caller: Caller
    request: Request
    row: type[R_co]
    filters: Mapping[str, object] = dataclasses.field(default_factory=dict[str, object])

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

    def refreshed(self) -> PageSource[R_co]:
        """Return the same source past the client's cache, unless the view is offline."""
        return dataclasses.replace(self, caller=self.caller.refreshed())

    def _request(self, number: int) -> Request:
        if number == 1:
            return self.request
        params = (*self.request.params, ("page", str(number)))
        return msgspec.structs.replace(self.request, params=params)


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
