"""Where lists get their pages and objects from: requests of one view of the client."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from metron_async._engine.messages import decode, decoder_for
from metron_async._engine.vouching import shown_by
from metron_async._values import encode_datetime
from metron_async.cache import Kind
from metron_async.errors import DecodeError
from metron_async.filters import row_matches
from metron_async.lists.proof import Sighting
from metron_async.models import PageBody
from metron_async.types import R_co, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from metron_async._engine.caller import Caller
    from metron_async._engine.messages import Answer, Request
    from metron_async.types import Page

__all__ = ["BadRow", "DetailSource", "PageSource"]

D = TypeVar("D")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400.0
_OFFSETS = 720  # minutes west of Greenwich that time zones have; databases refuse offsets from 16 h
_variants = itertools.count(time.time_ns() // 1000)
_OWN_FIELDS = frozenset({"modified_gt", "modified_lt", "name", "series_id", "number"})
"""Filters that compare a field of the row itself."""


class BadRow(msgspec.Struct, frozen=True):
    """A row that does not decode.

    Attributes:
        id: Its id, or a negative number if that does not decode either.
    """

    id: int


class _Head(msgspec.Struct):
    id: int


class PageSource(msgspec.Struct, Generic[R_co], frozen=True):
    """Source of the pages of one list.

    Attributes:
        caller: Sends the requests.
        request: Request for the first page.
        row: Type of the rows.
        filters: Filters of the list that older servers ignore, by name.
        by_change: Whether the list can be filtered by ``modified_gt``.
        of_parent: Whether filters apply to the object above the list, and not to the rows.
        changed_after: Value of that filter in place of that of *request*.
        skip_bad_rows: Whether rows that do not decode are replaced by a :class:`BadRow`.
    """

    caller: Caller
    request: Request
    row: type[R_co]
    filters: Mapping[str, object] = msgspec.field(default_factory=dict[str, object])
    by_change: bool = False
    of_parent: bool = False
    changed_after: str = ""
    skip_bad_rows: bool = False

    @property
    def target(self) -> str:
        """Path and query, as shown in errors."""
        return self.request.target

    async def fetch(self, number: int, *, announced: bool = True) -> Answer[PageBody[R_co]]:
        """Fetch page *number*, from 1.

        Args:
            number: Number of the page.
            announced: Whether another page shows that it exists.

        Raises:
            DecodeError: If a row does not decode, and such rows are not skipped. It names the id.
        """
        request = self._request(number)
        if not announced and number > 1:  # every list has a first page
            request = msgspec.structs.replace(request, may_404=True)
        answer: Any = await self.caller.fetch(request, PageBody[msgspec.Raw])
        try:
            rows = [self._decoded(request, *one) for one in enumerate(answer.value.results)]
        except DecodeError:
            await self.caller.forget([request])  # or the next attempt would read the same page
            if answer.origin.source is not Source.CACHE or self.caller.options.offline:
                raise
            # It was kept by a version with other models.
            return await self.refreshed().fetch(number, announced=announced)
        body = msgspec.structs.replace(answer.value, results=rows)
        page: Answer[PageBody[R_co]] = msgspec.structs.replace(answer, value=body)
        return page

    async def count(self) -> int:
        """Return the number of rows that the server counts, whether or not they decode."""
        return (await self.caller.fetch(self._request(1), PageBody[msgspec.Raw])).value.count

    async def forget(self, numbers: Iterable[int]) -> None:
        """Drop pages from the cache, as together they turned out to be wrong."""
        await self.caller.forget(self._request(number) for number in numbers)

    def kept(self, rows: Sequence[R_co]) -> Sequence[R_co]:
        """Return the rows that decoded and match the filters which an older server ignores."""
        if not self.filters and not self.skip_bad_rows:
            return rows
        return [
            row for row in rows if not isinstance(row, BadRow) and row_matches(self.filters, row)
        ]

    @property
    def traced(self) -> bool:
        """Whether rows join the list only by a change of their own ``modified``.

        An issue joins the list of a publisher when its series moves there, and is not changed.
        """
        own = {name for name, _ in self.request.params} <= _OWN_FIELDS
        return own and self.by_change and hasattr(self.row, "modified")

    def refreshed(self) -> PageSource[R_co]:
        """Return the same source past the client's cache, unless the view is offline."""
        return msgspec.structs.replace(self, caller=self.caller.refreshed())

    def strict(self) -> PageSource[R_co]:
        """Return the same list past all caches, also where the server fails."""
        caller = self.caller.refreshed().with_options(stale_if_error=False)
        return msgspec.structs.replace(self, caller=caller).uncached()

    def uncached(self) -> PageSource[R_co]:
        """Return the same list past the server's cache, which keeps each URL for two minutes.

        A filter that matches every row, with a value that was not used before, makes a new URL.
        So does the caller's own datetime with another UTC offset.
        """
        varied = self.by_change or self.of_parent
        return self._changed_after(time.time() % _DAY) if varied else self

    async def changed_since(self, seconds: float) -> Answer[PageBody[R_co]]:
        """Fetch the first page of the rows that were changed after this moment."""
        return await self._changed_after(seconds).fetch(1)

    def sighting(self, row: Any) -> Sighting:
        """Return what a page that has *row* proves."""
        if not self.traced:
            return Sighting(row.id, row)
        return Sighting(row.id, row if self.request.params else None, row.modified.timestamp())

    def _changed_after(self, seconds: float) -> PageSource[R_co]:
        moment = _EPOCH + timedelta(seconds=seconds)
        text, own = encode_datetime(moment), dict(self.request.params).get("modified_gt")
        if own is not None and datetime.fromisoformat(own) >= moment:
            text = _in_another_zone(datetime.fromisoformat(own))
        return msgspec.structs.replace(self, changed_after=text)

    def _decoded(self, request: Request, position: int, raw: msgspec.Raw) -> R_co | BadRow:
        try:
            return decode(request, decoder_for(self.row), raw)
        except DecodeError as error:
            number = _id_of(raw)
            if self.skip_bad_rows:
                return BadRow(_stand_in(raw) if number is None else number)
            name = "an unknown id" if number is None else f"id {number}"
            where = f"$.results[{position}]{(error.where or '$')[1:]}"
            msg = f"The row with {name} does not decode: {error.message}, in {where}"
            raise DecodeError(msg, path=request.target, status=200, where=where) from error

    def _request(self, number: int) -> Request:
        params, kind = dict(self.request.params), self.request.kind
        if self.changed_after:
            params["modified_gt"] = self.changed_after
            kind = Kind.PRIVATE  # a URL that is used once is not worth a place in the cache
        if number > 1:
            params["page"] = str(number)
        return msgspec.structs.replace(self.request, params=tuple(params.items()), kind=kind)


def _in_another_zone(moment: datetime) -> str:
    """Return the same *moment* in a form that was not used lately."""
    minutes = next(_variants) % _OFFSETS + 1
    return moment.astimezone(timezone(-timedelta(minutes=minutes))).isoformat()


def _stand_in(raw: msgspec.Raw) -> int:
    """Return a number for a row whose id does not decode, below all ids."""
    return -1 - hash(bytes(raw)) % 2**62


def _id_of(raw: msgspec.Raw) -> int | None:
    try:
        return msgspec.json.decode(raw, type=_Head).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class DetailSource(msgspec.Struct, Generic[D], frozen=True):
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

    async def refetch(self, row: Any, page: Page[Any]) -> D:
        """Fetch the object of *row*, which the cache did not have in the state that *page* shows.

        By now another process may have it in that state. Otherwise it is fetched past the cache,
        unless the view is offline.
        """
        caller, current = self.caller.refreshed(), shown_by(row.modified, page.as_of)
        return await caller.get(self.request(row.id), self.model, current)
