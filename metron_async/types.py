"""Public values of calls and results."""

from __future__ import annotations

import enum
from typing import (
    TYPE_CHECKING,
    Generic,
    Literal,
    NamedTuple,
    Protocol,
    TypedDict,
    TypeVar,
    overload,
)

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from metron_async.errors import MetronError

__all__ = [
    "NOT_MODIFIED",
    "Added",
    "CallOptions",
    "Fetched",
    "NotModified",
    "OptionArguments",
    "Origin",
    "Page",
    "Priority",
    "Progress",
    "RequestEvent",
    "Row",
    "Source",
    "Stats",
    "Wait",
]

T = TypeVar("T")


class Priority(enum.IntEnum):
    """Priority of a request in the queue for the quota; lower values go first."""

    INTERACTIVE = 0
    """For a user who is waiting: goes first."""
    NORMAL = 1
    """The default: uses every free slot."""
    BULK = 2
    """Paced, and leaves a slot and a share of the day to the others."""


class Source(enum.Enum):
    """Where the response to one call came from."""

    NETWORK = "network"
    """The server sent it for this call."""
    CACHE = "cache"
    """It was cached and fresh."""
    NOT_MODIFIED = "304"
    """It was cached, and the server confirmed it."""
    LIST = "list"
    """It was cached, and a row of a list confirmed it."""
    STALE = "stale"
    """It was cached and outdated, and stands in for a failed request."""


class Origin(msgspec.Struct, frozen=True):
    """Where a response came from, and how old it is."""

    source: Source
    """Network, cache, 304, list or stale."""
    age: float = 0.0
    """Seconds since the body was fetched; 0.0 from the network."""
    checked: float = 0.0
    """Seconds since the server last confirmed it."""
    x_cache: str | None = None
    """The server's own ``X-Cache`` (``HIT`` or ``MISS``) when the body was fetched, or ``None``.

    A ``HIT`` can be 2 minutes (lists) or 24 hours (details) old.
    """
    last_modified: str | None = None
    """The server's ``Last-Modified``, or ``None``."""


class NotModified(enum.Enum):
    """The type of :data:`NOT_MODIFIED`."""

    NOT_MODIFIED = "not modified"

    def __bool__(self) -> Literal[False]:
        """Be false, as there is nothing new."""
        return False

    def __repr__(self) -> str:
        return "NOT_MODIFIED"


NOT_MODIFIED = NotModified.NOT_MODIFIED
"""What ``get_if_modified`` returns when the object has not changed since then."""


class Wait(msgspec.Struct, frozen=True):
    """A wait that is about to begin, passed to the ``on_wait`` hook."""

    seconds: float
    """Lower bound of the wait."""
    reason: Literal["quota", "retry", "guard"]
    """``"quota"``, ``"retry"`` after a failure, or ``"guard"``: calls that can be
    404s are spaced to avoid a ban, and one call tries credentials before the others.
    """
    scope: Literal["burst", "sustained"] | None
    """Window that is full: ``"burst"``, ``"sustained"``, or ``None``."""
    path: str
    """Path of the call that waits."""
    priority: Priority
    """Its priority."""
    limit: int | None = None
    """Requests that the window allows, if known."""


class RequestEvent(msgspec.Struct, frozen=True):
    """One call of the API that has ended, passed to the ``on_request`` hook.

    Each page of a list is a call of its own. No field holds credentials.
    """

    method: str
    """HTTP method, such as ``"GET"``."""
    path: str
    """Path and query below the API's root, such as ``"issue/?page=2"``."""
    status: int | None
    """HTTP status of the response, or ``None`` without one.

    After several attempts it is that of the last one, also where a stale response stands in for
    it. Where no request was made, it is the status of the cached response.
    """
    source: Source | None
    """Where the response came from, or ``None`` without one."""
    attempts: int
    """Requests sent for the call: 0 from the cache, more than 1 after retries or redirects.

    Calls that share a request each report its attempts.
    """
    waited: float
    """Seconds spent waiting for the quota, to avoid a ban, or for the next attempt."""
    elapsed: float
    """Seconds from the beginning to the end of the call, the wait included."""
    priority: Priority
    """Priority of the call."""
    coalesced: bool
    """Whether the call joined a request that another call had launched."""
    error: str | None = None
    """Class name of the exception that the call raised, or ``None`` if it succeeded."""

    @property
    def resource(self) -> str:
        """First part of the path, such as ``"issue"``: a label with few values, for metrics."""
        return self.path.partition("?")[0].partition("/")[0]


class CallOptions(msgspec.Struct, frozen=True):
    """How a call may behave; see :class:`OptionArguments` for the fields."""

    priority: Priority = Priority.NORMAL
    max_wait: float | None = None
    timeout: float | None = None
    retries: int = 2
    fresh_for: float | None = None
    refresh: bool = False
    offline: bool = False
    stale_if_error: bool = True
    on_wait: Callable[[Wait], None] | None = None
    on_request: Callable[[RequestEvent], object] | None = None


class OptionArguments(TypedDict, total=False):
    """Keyword arguments that say how calls behave: of the constructor and ``with_options``."""

    priority: Priority
    """Priority in the queue for the quota.

    ``INTERACTIVE`` goes before ``NORMAL``, which goes before ``BULK``; ``BULK`` is paced, and
    leaves a slot to the others.
    """
    max_wait: float | None
    """Seconds that a call may spend waiting, its retries included.

    A call that would have to wait longer is refused at once. ``None``, the default, waits out the
    minute's window but never the day's; ``math.inf`` waits for either.
    """
    timeout: float | None
    """Seconds after which a call gives up, or ``None``; for a list, per page.

    This is the caller's own deadline; sockets have theirs.
    """
    retries: int
    """Attempts after the first, from 0 to 10, for reads that failed in a way that may pass.

    Each costs a slot.
    """
    fresh_for: float | None
    """Seconds for which a cached response is used without asking the server.

    It replaces the cache's own rules. Collection, pull list, wish list and reading lists are not
    cached at all, unless the cache is made with ``keep_private=True``.
    """
    refresh: bool
    """Whether to ask the server, whatever is cached."""
    offline: bool
    """Whether to send nothing, and use the cache however old it is."""
    stale_if_error: bool
    """Whether a stale cached response may stand in when the server fails or the quota is used up.

    ``metron.origin_of`` shows which objects are stale.
    """
    on_wait: Callable[[Wait], None] | None
    """Called with a :class:`Wait` when the call begins to wait."""
    on_request: Callable[[RequestEvent], object] | None
    """Called with a :class:`RequestEvent` after each call, also one that fails or is cancelled.

    It must be quick, and cannot be asynchronous. An exception that it raises is logged, and does
    not change the result of the call.
    """


class Added(NamedTuple, Generic[T]):
    """Result of an idempotent add.

    It unpacks: ``item, created = await metron.collection.add(31660)``.
    """

    item: T
    """The object as it is now."""
    created: bool
    """``True`` if this call created it (201), ``False`` if it existed already (200)."""


class Fetched(msgspec.Struct, Generic[T], frozen=True):
    """One result of ``fetch_many``."""

    id: int
    """The requested id."""
    value: T | None = None
    """The object, or ``None`` if the call failed."""
    error: MetronError | None = None
    """What the call ended in, or ``None`` if it succeeded."""

    def unwrap(self) -> T:
        """Return the object, or raise the error."""
        if self.error is not None:
            raise self.error
        assert self.value is not None  # noqa: S101 - exactly one of them is set
        return self.value


class Progress(msgspec.Struct, frozen=True):
    """Progress of ``fetch_many`` or ``details``, passed to their ``progress`` callback.

    Attributes:
        done: Items that were yielded, skipped or left out so far.
        total: Items of the whole run, or ``None`` if the number is not known. For a list, the
            server's count of the latest page.
        waiting: Lower bound, in seconds, of a wait that begins now; 0.0 if an item is done.
        requests: Requests that the client has sent since the run began. Those of concurrent
            calls count as well.
    """

    done: int
    total: int | None
    waiting: float
    requests: int


class Row(Protocol):
    """Row of a list: anything with an id."""

    @property
    def id(self) -> int:
        """Id of the row, unique within its list."""
        ...


R_co = TypeVar("R_co", bound=Row, covariant=True)


class Page(Generic[R_co]):
    """One page of a list. It iterates and indexes its rows."""

    __slots__ = ("as_of", "count", "has_next", "number", "origin", "rows")

    def __init__(
        self,
        number: int,
        rows: Sequence[R_co],
        *,
        count: int,
        has_next: bool,
        origin: Origin,
        as_of: float,
    ) -> None:
        self.number: int = number
        """Number of the page, from 1."""
        self.rows: Sequence[R_co] = rows
        """Its rows, without those that an earlier page of the same iteration has returned."""
        self.count: int = count
        """Rows of the whole list, as the server counted them for this page."""
        self.has_next: bool = has_next
        """Whether the server has a further page."""
        self.origin: Origin = origin
        """Where the page came from: network, cache, 304 or stale."""
        self.as_of: float = as_of
        """Wall-clock seconds at which its rows were current."""

    def __repr__(self) -> str:
        return f"Page({self.number}, {len(self.rows)} of {self.count} rows)"

    def _repr_html_(self) -> str:
        from metron_async._html import rows_html  # noqa: PLC0415 - for notebooks only

        title = f"Page {self.number}, {len(self.rows):,} of {self.count:,} rows"
        return rows_html(self.rows, title)

    def with_rows(self, rows: Sequence[R_co]) -> Page[R_co]:
        """Return the same page with other rows."""
        return Page(
            self.number,
            rows,
            count=self.count,
            has_next=self.has_next,
            origin=self.origin,
            as_of=self.as_of,
        )

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[R_co]:
        return iter(self.rows)

    @overload
    def __getitem__(self, index: int) -> R_co: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[R_co]: ...
    def __getitem__(self, index: int | slice) -> R_co | Sequence[R_co]:
        """Return a row by its position on the page, or some of them by a slice."""
        return self.rows[index]


class Stats(msgspec.Struct):
    """What a client has done since it was built."""

    calls: int = 0
    """Calls made by the application, a page of a list each."""
    requests: int = 0
    """Requests sent, retries included: what the quota was charged for."""
    hits: int = 0
    """Calls served from the cache without a request."""
    not_modified: int = 0
    """Requests with a 304 as response."""
    vouched: int = 0
    """Cached objects that a list's row confirmed, without a request of their own."""
    coalesced: int = 0
    """Calls that joined a request in flight."""
    stale: int = 0
    """Calls served a stale entry since the server failed or the quota was used up."""
    retries: int = 0
    """Requests sent again after a failure."""
    waits: int = 0
    """Times that a call had to wait."""
    waited: float = 0.0
    """Seconds that calls have waited for, summed over calls."""
    throttled: int = 0
    """429s received."""
