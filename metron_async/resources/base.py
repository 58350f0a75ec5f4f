"""What namespaces have in common: capabilities that a resource declares to have.

A namespace inherits one class per capability and sets the types that go with it::

    class Arcs(Retrievable[Arc], Listable[ArcSummary], IssueLists):
        path = "arc"
        model = Arc
        row = ArcSummary
"""

from __future__ import annotations

import contextlib
import functools
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import msgspec

from metron_async._engine.messages import Request
from metron_async._httpdate import http_date
from metron_async.cache import Kind
from metron_async.errors import UsageError
from metron_async.filters import NEWER_FILTERS, encode_filters, row_matches
from metron_async.lists.bulk import Details, OnError, fetch_many
from metron_async.lists.rows import Paginator
from metron_async.models import IssueSummary, PageBody
from metron_async.types import Fetched, Page, Priority, Row

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping

    from metron_async._engine.caller import Caller
    from metron_async._engine.messages import Answer
    from metron_async.types import NotModified

__all__ = ["Detailed", "IssueLists", "Listable", "Resource", "Retrievable", "checked_id"]

D = TypeVar("D")
R = TypeVar("R", bound=Row)


def checked_id(number: object, what: str = "id") -> int:
    """Return *number* if it can be an id; a malformed one would cost a slot and be a 500.

    Raises:
        UsageError: If it is not a positive whole number.
    """
    if isinstance(number, bool) or not isinstance(number, int) or not 0 < number < 2**63:
        msg = f"{what} must be a positive whole number, got {number!r}"
        raise UsageError(msg)
    return int(number)


class Resource:
    """A part of the API under one path.

    Attributes:
        path: First part of the path below the API's root.
        private: Whether its data belong to the account, and are not cached unless asked for.
    """

    path: ClassVar[str]
    private: ClassVar[bool] = False

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._caller.core!r}>"

    def _request(self, below: str = "", *, kind: Kind = Kind.LIST, **details: Any) -> Request:
        """Return the request for what lies *below* the resource's path."""
        return Request(
            path=f"{self.path}/{below}",
            resource=self.path,
            kind=Kind.PRIVATE if self.private else kind,
            **details,
        )

    def _rows(
        self, request: Request, row: type[R], filters: Mapping[str, object] | None = None
    ) -> Paginator[R]:
        """Return the list that *request* asks for, page by page."""
        fetch = functools.partial(_fetch_page, self._caller, request, PageBody[row])  # type: ignore[valid-type]
        late = {name: value for name, value in (filters or {}).items() if name in NEWER_FILTERS}
        keep = functools.partial(row_matches, late) if late else None
        forget = functools.partial(_forget_pages, self._caller, request)
        return Paginator(fetch, target=request.target, keep=keep, forget=forget)


async def _fetch_page(
    caller: Caller, request: Request, body: type[PageBody[R]], number: int
) -> Answer[PageBody[R]]:
    return await caller.fetch(_page_of(request, number), body)


async def _forget_pages(caller: Caller, request: Request, numbers: Iterable[int]) -> None:
    await caller.forget(_page_of(request, number) for number in numbers)


def _page_of(request: Request, number: int) -> Request:
    """Return the request for one page of the list that *request* asks for."""
    if number == 1:
        return request
    return msgspec.structs.replace(request, params=(*request.params, ("page", str(number))))


class Retrievable(Resource, Generic[D]):
    """A resource whose objects can be fetched in full by their id."""

    model: type[D]
    conditional: ClassVar[bool] = True

    def _detail(self, number: int, since: str | None = None) -> Request:
        number = checked_id(number)
        return self._request(
            f"{number}/",
            kind=Kind.DETAIL,
            object_id=number,
            conditional=self.conditional,
            may_404=True,
            since=since,
        )

    async def get(self, id: int, /) -> D:
        """Fetch one object in full.

        Args:
            id: Metron's id of the object.

        Raises:
            NotFoundError: If there is no such object.
            RateLimitError: If the quota would make the call wait longer than ``max_wait``.
            MetronError: For anything else; see :mod:`metron_async.errors`.
        """
        return await self._caller.get(self._detail(id), self.model)

    async def get_if_modified(self, id: int, since: datetime, /) -> D | NotModified:
        """Fetch one object if it has changed since *since*.

        The request costs the same slot of the quota either way. A change of another object whose
        name is embedded in this one does not count as a change.

        Args:
            id: Metron's id of the object.
            since: Aware moment, compared in whole seconds.

        Returns:
            The object, or ``NOT_MODIFIED``, which is false and compares by identity.

        Raises:
            UsageError: If *since* is no datetime, or a naive one.
            NotFoundError: If there is no such object.
        """
        if not isinstance(since, datetime) or since.utcoffset() is None:
            msg = "since must be an aware datetime, such as datetime.now(timezone.utc)"
            raise UsageError(msg)
        request = self._detail(id, http_date(since))
        return await self._caller.get_if_modified(request, self.model)

    async def fetch_many(
        self,
        ids: Iterable[int] | AsyncIterable[int],
        /,
        *,
        concurrency: int = 4,
        on_error: OnError = "yield",
        priority: Priority = Priority.BULK,
    ) -> AsyncGenerator[Fetched[D], None]:
        """Fetch many objects in full, and yield them as they come.

        What the cache holds fresh costs nothing. One id that cannot be had does not end the run.

        Args:
            ids: Ids, from an iterable or an asynchronous one; there may be millions.
            concurrency: Objects fetched at once, from 1.
            on_error: ``"yield"`` gives failures like results, ``"skip"`` leaves them out,
                ``"raise"`` ends the run with the first.
            priority: Lane in the queue for the quota.

        Yields:
            For each id a :class:`~metron_async.lists.bulk.Fetched` with the object or the error.

        Example:
            >>> async for got in metron.issues.fetch_many([1, 2, 3]):  # doctest: +SKIP
            ...     print(got.id, got.value or got.error)
        """
        caller = self._caller.with_options(priority=priority)

        async def fetch(number: int) -> D:
            return await caller.get(self._detail(number), self.model)

        async with contextlib.aclosing(
            fetch_many(fetch, ids, concurrency=concurrency, on_error=on_error)
        ) as results:
            async for result in results:
                yield result


class Listable(Resource, Generic[R]):
    """A resource that can be listed, with filters."""

    row: type[R]

    def _list(self, schema: type, filters: Mapping[str, object]) -> Paginator[R]:
        """Return the rows that match *filters*, which must be those of *schema*."""
        params = encode_filters(schema, filters)
        return self._rows(self._request(params=params), self.row, filters)


class Detailed(Retrievable[D], Listable[R], Generic[D, R]):
    """A resource with a list whose rows tell which cached details are still current."""

    def _details(self, schema: type, filters: Mapping[str, object], concurrency: int) -> Details[D]:
        """Return the full objects that match *filters*, fetching only what changed."""
        options = self._caller.options
        fresh = self._caller if options.offline else self._caller.with_options(refresh=True)
        rows = type(self)(fresh)._list(schema, filters)  # noqa: SLF001 - a sibling of itself

        async def known(page: Page[Any]) -> dict[int, D]:
            details = {row.id: (self._detail(row.id), row.modified) for row in page.rows}
            return await self._caller.known(details, self.model, page.as_of)

        async def fetch(number: int) -> D:
            return await fresh.get(self._detail(number), self.model)

        return Details(rows, known, fetch, concurrency=concurrency)


class IssueLists(Resource):
    """A resource whose objects appear in issues."""

    def issues(self, id: int, /) -> Paginator[IssueSummary]:
        """Iterate the issues of one object.

        The server may answer with a list up to 24 hours old; ``metron.issues.iter`` with the
        matching ``..._id`` filter is never older than 2 minutes.

        Args:
            id: Metron's id of the object.
        """
        number = checked_id(id)
        request = self._request(
            f"{number}/issue_list/", kind=Kind.ISSUE_LIST, conditional=True, may_404=True
        )
        return self._rows(request, IssueSummary)
