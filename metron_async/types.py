"""Public values of calls and results."""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING, Generic, Literal, NamedTuple, Protocol, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from metron_async.errors import MetronError

__all__ = [
    "NOT_MODIFIED",
    "Added",
    "CallOptions",
    "Fetched",
    "NotModified",
    "Origin",
    "Page",
    "Priority",
    "Row",
    "Source",
    "Stats",
    "Wait",
]

T = TypeVar("T")


class Priority(enum.IntEnum):
    """The lane in which a request waits; the lower, the sooner it is served."""

    INTERACTIVE = 0
    """Somebody is waiting for it: goes first."""
    NORMAL = 1
    """The default: uses every free slot."""
    BULK = 2
    """Paced, and leaves a slot and a share of the day to the others."""


class Source(enum.Enum):
    """Where the answer to one call came from."""

    NETWORK = "network"
    CACHE = "cache"
    NOT_MODIFIED = "304"
    LIST = "list"
    STALE = "stale"


class Origin(msgspec.Struct, frozen=True):
    """Where an answer came from, and how old it is.

    Attributes:
        source: Network, cache, 304, list or stale.
        age: Seconds since the body was fetched in full; 0.0 from the network.
        checked: Seconds since the server last vouched for it.
        x_cache: The server's own ``X-Cache`` (``HIT`` or ``MISS``) when the body was fetched, or
            ``None``. A ``HIT`` can be 2 minutes (lists) or 24 hours (details) old.
        last_modified: The server's ``Last-Modified``, or ``None``.
    """

    source: Source
    age: float = 0.0
    checked: float = 0.0
    x_cache: str | None = None
    last_modified: str | None = None


class NotModified(enum.Enum):
    """The type of :data:`NOT_MODIFIED`."""

    NOT_MODIFIED = "not modified"

    def __bool__(self) -> Literal[False]:
        """Be false, as there is nothing new."""
        return False

    def __repr__(self) -> str:
        return "NOT_MODIFIED"


NOT_MODIFIED = NotModified.NOT_MODIFIED
"""What ``get_if_modified`` gives when the object has not changed since then."""


@dataclasses.dataclass(frozen=True, slots=True)
class Wait:
    """A wait that is about to begin, told to the ``on_wait`` hook.

    Attributes:
        seconds: Lower bound of the wait.
        reason: ``"quota"``, ``"retry"`` after a failure, or ``"guard"`` where the ban guard
            spaces calls that can be 404s, or lets one call try credentials before the others.
        scope: Window that is full: ``"burst"``, ``"sustained"``, or ``None``.
        path: Path of the call that waits.
        priority: Its lane.
        limit: Requests that the window allows, where known.
    """

    seconds: float
    reason: Literal["quota", "retry", "guard"]
    scope: Literal["burst", "sustained"] | None
    path: str
    priority: Priority
    limit: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class CallOptions:
    """How a call may behave; see :meth:`metron_async.AsyncMetron.with_options`."""

    priority: Priority = Priority.NORMAL
    max_wait: float | None = None
    timeout: float | None = None
    retries: int = 2
    fresh_for: float | None = None
    refresh: bool = False
    offline: bool = False
    stale_if_error: bool = True
    on_wait: Callable[[Wait], None] | None = None


class Added(NamedTuple, Generic[T]):
    """Result of an idempotent add.

    It unpacks: ``item, created = await metron.collection.add(31660)``.

    Attributes:
        item: The object as it is now.
        created: ``True`` if this call created it (201), ``False`` if it was there (200).
    """

    item: T
    created: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Fetched(Generic[T]):
    """One result of ``fetch_many``.

    Attributes:
        id: The id that was asked for.
        value: The object, or ``None`` if it could not be had.
        error: Why it could not be had, or ``None``.
    """

    id: int
    value: T | None = None
    error: MetronError | None = None

    def unwrap(self) -> T:
        """Return the object, or raise the error that came in its place."""
        if self.error is not None:
            raise self.error
        assert self.value is not None  # noqa: S101 - one of both is always there
        return self.value


class Row(Protocol):
    """Anything that a list can hold: it has an id."""

    @property
    def id(self) -> int:
        """Id of the row, unique within its list."""
        ...


R_co = TypeVar("R_co", bound=Row, covariant=True)


class Page(Generic[R_co]):
    """One page of a list.

    Attributes:
        number: Number of the page, from 1.
        rows: Its rows, without those that an earlier page of the same walk has given.
        count: Rows of the whole list, as the server counted them for this page.
        has_next: Whether the server has a further page.
        origin: Where the page came from: network, cache, 304 or stale.
        as_of: Wall-clock seconds for which its rows speak.
    """

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
        self.rows: Sequence[R_co] = rows
        self.count: int = count
        self.has_next: bool = has_next
        self.origin: Origin = origin
        self.as_of: float = as_of

    def __repr__(self) -> str:
        return f"Page({self.number}, {len(self.rows)} of {self.count} rows)"

    def __len__(self) -> int:
        return len(self.rows)


@dataclasses.dataclass(slots=True)
class Stats:
    """What a client has done since it was built.

    Attributes:
        calls: Calls made by the application, a page of a list each.
        requests: Requests sent, retries included: what the quota was charged for.
        hits: Calls answered by the cache without a request.
        not_modified: Requests answered 304.
        vouched: Cached objects that a list's row confirmed, at no request of their own.
        coalesced: Calls that joined a request already under way.
        stale: Calls answered with an outdated entry since the server failed or quota was spent.
        retries: Requests sent again after a failure.
        waits: Times that a call had to wait.
        waited: Seconds that calls have waited for, summed over calls.
        throttled: 429s received.
    """

    calls: int = 0
    requests: int = 0
    hits: int = 0
    not_modified: int = 0
    vouched: int = 0
    coalesced: int = 0
    stale: int = 0
    retries: int = 0
    waits: int = 0
    waited: float = 0.0
    throttled: int = 0
