"""Pages of one list, straight from the server, with rows as the mirror stores them."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from metron_async._engine.messages import Request, decode, decoder_for
from metron_async.cache import Kind
from metron_async.errors import DecodeError
from metron_async.filters import NEWER_FILTERS, row_matches
from metron_async.mirror.tables import unix_seconds
from metron_async.mirror.walk import Arrived
from metron_async.models import PageBody

if TYPE_CHECKING:
    from metron_async._engine.caller import Caller
    from metron_async.mirror.rows import StoredRow
    from metron_async.mirror.selection import Selection
    from metron_async.mirror.tables import Table

__all__ = ["BadRowError", "FetchedPage", "OnBadRow", "PageSource", "encoded"]

OnBadRow = Literal["raise", "skip"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_ID = 2**63 - 1


class _Head(msgspec.Struct):
    """The part of a row that every list has."""

    id: int
    modified: Any = None


class BadRowError(DecodeError):
    """A row that cannot be read or stored; the message names its id."""


class FetchedPage(msgspec.Struct, frozen=True):
    """A page, as the walk and the file need it."""

    arrived: Arrived
    """What the walk needs to know about it."""
    rows: tuple[StoredRow, ...]
    """Rows that can be stored and match the filters."""
    skipped: tuple[tuple[int, BadRowError], ...]
    """Numbers of the rows that were skipped, and why."""


class PageSource:
    """Requests pages of one list from the server.

    Args:
        caller: Makes the requests.
        selection: The list and its filters.
        on_bad_row: ``"raise"`` an error for a row that cannot be read or stored, or ``"skip"`` it.
    """

    def __init__(self, caller: Caller, selection: Selection, on_bad_row: OnBadRow) -> None:
        self._caller = caller
        self._selection = selection
        self._on_bad_row = on_bad_row
        self._newer = _values_of(dict(selection.filters))
        self.requests: int = 0

    async def page(self, number: int, since: float | None = None) -> FetchedPage:
        """Request a page.

        Args:
            number: Number of the page, from 1.
            since: For changes: only rows changed after this server time, in Unix seconds.

        Raises:
            BadRowError: If a row cannot be read or stored, unless such rows are skipped.
            MetronError: If the request failed.
        """
        params = dict(self._selection.filters)
        if since is not None:
            params["modified_gt"] = max(_datetime_text(since), params.get("modified_gt", ""))
        if number > 1:
            params["page"] = str(number)
        path = self._selection.source.path
        request = Request(
            path=path,
            params=tuple(sorted(params.items())),
            resource=path.partition("/")[0],
            kind=Kind.PRIVATE,  # the cache keeps none of it: the mirror stores the rows
        )
        self.requests += 1
        response = await self._caller.fetch(request, PageBody[msgspec.Raw])
        body = response.value
        rows: list[StoredRow] = []
        changes: list[tuple[int, float]] = []
        skipped: list[tuple[int, BadRowError]] = []
        for raw in body.results:
            try:
                row, stored = encoded(request, raw, self._selection.table, self._selection)
            except BadRowError as error:
                if self._on_bad_row == "raise":
                    raise
                changes.append(_change_of(raw))
                skipped.append((changes[-1][0], error))
                continue
            modified: datetime | None = getattr(row, "modified", None)
            changes.append((row.id, _seconds(modified)))
            if row_matches(self._newer, row):
                rows.append(stored)
        arrived = Arrived(
            rows=tuple(changes),
            count=body.count,
            has_next=body.next is not None,
            as_of=response.as_of,
            cached=response.origin.x_cache == "HIT",
            dated=response.dated,
        )
        return FetchedPage(arrived, tuple(rows), tuple(skipped))


def encoded(
    request: Request, raw: msgspec.Raw, table: Table, selection: Selection
) -> tuple[Any, StoredRow]:
    """Return an object of *table*, and its form in the file.

    Args:
        request: The request that brought it.
        raw: Its JSON.
        table: The table of its kind.
        selection: Where it is stored.

    Raises:
        BadRowError: If it cannot be read or stored.
    """
    try:
        row = decode(request, decoder_for(table.model), raw)
        values = table.encode(row)
    except (DecodeError, ValueError) as error:
        where = getattr(error, "where", None)
        head = _head_of(raw)
        name = "unknown" if head is None else head.id
        reason = getattr(error, "message", str(error))
        msg = f"Row with id {name} of {request.path} is invalid: {reason}"
        raise BadRowError(msg, path=request.target, where=where) from error
    return row, (values, bytes(raw).decode() if selection.raw else None)


def _head_of(raw: msgspec.Raw) -> _Head | None:
    try:
        return msgspec.json.decode(raw, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _change_of(raw: msgspec.Raw) -> tuple[int, float]:
    """Return a number for a row that was skipped, its id if possible, and its ``modified``."""
    head = _head_of(raw)
    try:
        modified = _seconds(msgspec.convert(head and head.modified, datetime | None))
    except msgspec.ValidationError:
        modified = 0.0
    if head is not None and 0 <= head.id <= _MAX_ID:
        return head.id, modified
    return -int.from_bytes(hashlib.sha256(raw).digest()[:7]), modified


def _seconds(modified: datetime | None) -> float:
    """Return ``modified`` in Unix seconds, or 0.0 where a row has none."""
    return 0.0 if modified is None or modified.tzinfo is None else unix_seconds(modified)


def _datetime_text(seconds: float) -> str:
    """Return a time as filters send it."""
    # Added to the epoch, because a float of today's seconds has no exact microseconds to round to.
    moment = _EPOCH + timedelta(seconds=min(max(seconds, 0.0), 253402300799.0))
    return moment.replace(tzinfo=None).isoformat() + "Z"


def _values_of(filters: dict[str, str]) -> dict[str, object]:
    """Return the Python values of those filters that older servers ignore."""
    return {
        name: datetime.fromisoformat(text) if name == "modified_lt" else date.fromisoformat(text)
        for name, text in filters.items()
        if name in NEWER_FILTERS
    }
