"""What namespaces have in common: the capabilities that a resource declares.

A namespace inherits one class per capability, with its types as arguments, and names its path::

    class ArcsResource(Detailed[Arc, ArcSummary], IssueLists, Writable[ArcInput, Arc]):
        _path = "arc"

        @listing(ArcFilters)
        def iter(self, **filters: Unpack[ArcFilters]) -> DetailedList[ArcSummary, Arc]:
            return self._list(ArcFilters, filters)
"""

from __future__ import annotations

import functools
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, get_args, get_origin

import msgspec

from metron_async._engine.messages import Request
from metron_async._httpdate import http_date
from metron_async._signature import spelled_out
from metron_async._values import InvalidValueError, Range, encode_int, show
from metron_async.cache import Kind
from metron_async.errors import UsageError
from metron_async.filters import NEWER_FILTERS, encode_filters, filter_names
from metron_async.lists.base import CallError
from metron_async.lists.bulk import FetchMany, OnError
from metron_async.lists.details import DetailedList
from metron_async.lists.pagination import RowList
from metron_async.lists.progress import Meter
from metron_async.lists.sources import DetailSource, PageSource
from metron_async.models import IssueSummary
from metron_async.types import Row

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Iterable, Mapping

    from metron_async._engine.caller import Caller
    from metron_async.types import NotModified, Progress

__all__ = [
    "Detailed",
    "IssueLists",
    "Listable",
    "Resource",
    "Retrievable",
    "checked_id",
    "listing",
]

D = TypeVar("D")
R = TypeVar("R", bound=Row)
F = TypeVar("F", bound="Callable[..., Any]")

_ATTRIBUTES = {"D": "_model", "R": "_row", "I": "_input", "W": "_written"}
"""Class attributes that keep the type arguments of capabilities, by type variable."""

_IDS = Range(1, 2**63 - 1)
_LONGEST_ID = 20  # digits


def checked_id(number: object, what: str = "id") -> int:
    """Return *number* if it can be an id; a malformed one would cost a slot and be a 500.

    Raises:
        UsageError: If it is not a positive whole number. NumPy's integers are whole numbers.
    """
    try:
        return int(encode_int(number, _IDS))
    except InvalidValueError as error:
        digits = isinstance(number, str) and number.isdecimal() and len(number) < _LONGEST_ID
        msg = f"Invalid {what}: {error}" + (f"; write int({number!r})" if digits else "")
        raise UsageError(msg) from None


def listing(filters: type) -> Callable[[F], F]:
    """Return a decorator for a method that takes the keys of *filters* as keywords.

    Positional arguments raise an error that shows the right call, and the signature shows each
    filter.
    """

    def decorate(method: F) -> F:
        @functools.wraps(method)
        def checked(self: Any, *wrong: object, **given: object) -> Any:
            if wrong:
                call = f"metron.{self._name}.{method.__name__}"
                msg = (
                    f"{call} takes filters as keywords: write {call}(name=value, ...), or"
                    f" {call}(**filters) for a dict; got {show(wrong[0])}"
                )
                raise CallError(msg)
            return method(self, **given)

        shown: Any = checked
        del shown.__wrapped__
        shown.__signature__ = spelled_out(filters)(method).__signature__  # type: ignore[attr-defined]
        return shown  # type: ignore[no-any-return]

    return decorate


class Resource:
    """A part of the API under one path.

    Attributes:
        _path: First part of the path below the API's root.
        _private: Whether its data belong to the account and are not cached unless requested.
    """

    _path: ClassVar[str]
    _private: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for base in cls.__dict__.get("__orig_bases__", ()):
            variables = getattr(get_origin(base), "__parameters__", ())
            for variable, kind in zip(variables, get_args(base), strict=False):
                setattr(cls, _ATTRIBUTES[variable.__name__], kind)

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._caller.core!r}>"

    @property
    def _name(self) -> str:
        """Attribute of the client that holds this namespace, such as ``series_types``."""
        name = type(self).__name__.removesuffix("Resource")
        return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()

    def _request(self, below: str = "", *, kind: Kind = Kind.LIST, **details: Any) -> Request:
        """Return the request for what lies *below* the resource's path."""
        return Request(
            path=f"{self._path}/{below}",
            resource=self._path,
            kind=Kind.PRIVATE if self._private else kind,
            **details,
        )

    def _rows(self, request: Request, row: type[R], *, of_parent: bool = False) -> RowList[R]:
        """Return the list whose first page is *request*."""
        return RowList(PageSource(self._caller, request, row, of_parent=of_parent))


class Retrievable(Resource, Generic[D]):
    """Resource whose objects can be fetched by their id."""

    _model: type[D]
    _conditional: ClassVar[bool] = True

    @property
    def _objects(self) -> DetailSource[D]:
        return DetailSource(self._caller, self._detail, self._model)

    def _detail(self, number: int, since: str | None = None) -> Request:
        number = checked_id(number)
        return self._request(
            f"{number}/",
            kind=Kind.DETAIL,
            object_id=number,
            conditional=self._conditional,
            may_404=True,
            since=since,
        )

    async def get(self, id: int, /) -> D:
        """Fetch one object with all its fields.

        Args:
            id: Metron's id of the object.

        Raises:
            NotFoundError: If the object does not exist.
            RateLimitError: If the quota would make the call wait longer than ``max_wait``.
            MetronError: For anything else; see :mod:`metron_async.errors`.
        """
        return await self._caller.get(self._detail(id), self._model)

    async def get_if_modified(self, id: int, since: datetime, /) -> D | NotModified:
        """Fetch one object if it has changed since *since*.

        The request costs the same slot of the quota either way. A change of another object whose
        name is embedded in this one does not count as a change.

        Args:
            id: Metron's id of the object.
            since: Aware datetime, compared in whole seconds.

        Returns:
            The object, or ``NOT_MODIFIED``, which is false and compares by identity.

        Raises:
            UsageError: If *since* is not an aware datetime.
            NotFoundError: If the object does not exist.
        """
        if not isinstance(since, datetime) or since.utcoffset() is None:
            msg = "since must be an aware datetime, such as datetime.now(timezone.utc)"
            raise UsageError(msg)
        try:
            date = http_date(since)
        except OverflowError:
            msg = f"since must be a datetime that exists in UTC, got {show(since)}"
            raise UsageError(msg) from None
        request = self._detail(id, date)
        return await self._caller.get_if_modified(request, self._model)

    def fetch_many(
        self,
        ids: Iterable[int] | AsyncIterable[int],
        /,
        *,
        concurrency: int = 4,
        on_error: OnError = "yield",
        progress: Callable[[Progress], object] | None = None,
    ) -> FetchMany[D]:
        """Return many objects with all their fields, each as soon as it is fetched.

        Fresh cached objects cost nothing. Requests have the priority of the view: use ``BULK``
        for long jobs.

        An error that concerns one id (such as a missing object) does not stop the iteration. An
        error that concerns all of them does: the quota, refused credentials, a block, a closed
        client, the storage. So do five failures of the server in a row.

        Args:
            ids: Ids, from an iterable or an asynchronous one; there may be millions.
            concurrency: Maximum concurrent requests, from 1.
            on_error: What to do with an error that concerns one id: ``"yield"`` it like a
                result, ``"skip"`` the id, or ``"raise"`` the error.
            progress: Called with a :class:`~metron_async.Progress` for each id that is done and
                each wait that begins.

        Returns:
            A lazy list with one :class:`~metron_async.Fetched` per id.

        Raises:
            UsageError: If an argument is invalid.

        The iteration raises the errors that concern the run.

        Example:
            >>> bulk = metron.with_options(priority=Priority.BULK)  # doctest: +SKIP
            >>> async for got in bulk.issues.fetch_many([1, 2, 3]):  # doctest: +SKIP
            ...     print(got.id, got.value or got.error)
        """
        meter = Meter(progress, self._caller.core.stats)
        objects = msgspec.structs.replace(self._objects, caller=meter.watched(self._caller))
        return FetchMany(
            objects.fetch, ids, concurrency=concurrency, on_error=on_error, meter=meter
        )


class Listable(Resource, Generic[R]):
    """A resource that can be listed, with filters."""

    _row: type[R]

    def _pages(self, schema: type, filters: Mapping[str, object]) -> PageSource[R]:
        """Return the pages of the rows that match *filters*, which must be those of *schema*."""
        request = self._request(params=encode_filters(schema, filters))
        newer = {name: value for name, value in filters.items() if name in NEWER_FILTERS}
        by_change = "modified_gt" in filter_names(schema)
        return PageSource(self._caller, request, self._row, newer, by_change)

    def _list(self, schema: type, filters: Mapping[str, object]) -> RowList[R]:
        return RowList(self._pages(schema, filters))


class Detailed(Retrievable[D], Listable[R], Generic[D, R]):
    """A resource with a list whose rows show which cached details are current."""

    def _list(self, schema: type, filters: Mapping[str, object]) -> DetailedList[R, D]:
        return DetailedList(self._pages(schema, filters), self._objects)


class IssueLists(Resource):
    """A resource whose objects appear in issues."""

    def issues(self, id: int, /) -> RowList[IssueSummary]:
        """Return the issues of one object.

        The server may return a list up to 24 hours old; ``metron.issues.iter`` with the
        matching ``..._id`` filter is never older than 2 minutes.

        Args:
            id: Metron's id of the object.
        """
        number = checked_id(id)
        request = self._request(
            f"{number}/issue_list/", kind=Kind.ISSUE_LIST, conditional=True, may_404=True
        )
        return self._rows(request, IssueSummary, of_parent=True)
