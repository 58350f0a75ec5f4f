"""Entries of the cache, each one response of the server, and what invalidates them.

No I/O. Every stamp is wall-clock time in seconds, passed by the caller. No decision of
the cache reads a clock.
"""

from __future__ import annotations

import enum
import zlib
from collections import deque

import msgspec

__all__ = ["Entry", "Invalidations", "Kind", "Selector", "checksum"]

CLOCK_TOLERANCE = 2.0
"""Seconds that a stamp may lie ahead before it is distrusted, since clocks are adjusted."""

LATE_ARRIVAL = 3600.0
"""Seconds for which an invalidation also hits responses that were requested before it."""


class Kind(enum.Enum):
    """Kind of the response in an entry. Freshness is set per kind."""

    DETAIL = "detail"
    ISSUE_LIST = "issue_list"
    LIST = "list"
    PRIVATE = "private"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One stored response: its bytes, and what is needed to judge them later.

    Attributes:
        key: Hash of account and request, from :func:`~metron_async.cache.keys.make_key`.
        account: Keyed hash that names the account.
        resource: First part of the path, such as ``"issue"``.
        kind: Kind of the response.
        object_id: Id of the object, or ``None`` for a list of many.
        status: 200, or 404 for an object known not to exist.
        body: The bytes that the server sent, after content decoding.
        last_modified: The ``Last-Modified`` header as sent.
        stored_at: When the body was received, in wall-clock seconds.
        checked_at: When it was last known to be current (fetched, a 304, a list).
        sent_at: When its request was sent; ``None`` if unknown. A write that ended later also
            drops a response that is still in flight.
        modified: The ``modified`` string in the body, to compare with the rows of lists.
        x_cache: The ``X-Cache`` header.
        date: The ``Date`` header as sent.
        version: The version of the package that stored it.
    """

    key: str
    account: str
    resource: str
    kind: Kind
    status: int
    body: bytes
    stored_at: float
    checked_at: float
    object_id: int | None = None
    last_modified: str | None = None
    sent_at: float | None = None
    modified: str | None = None
    x_cache: str | None = None
    date: str | None = None
    version: str = ""

    @property
    def asked_at(self) -> float:
        """Time at which the request was sent, or the response stored if that is unknown."""
        return self.stored_at if self.sent_at is None else self.sent_at

    @property
    def size(self) -> int:
        """Bytes that the entry counts against the cache's size limit."""
        return len(self.body) + OVERHEAD


OVERHEAD = 512
"""Bytes counted for an entry besides its body: columns, indexes, Python objects."""


class Selector(msgspec.Struct, frozen=True, kw_only=True):
    """Selects entries of one account; ``None`` means any.

    Attributes:
        account: Account of the entries.
        resource: Only those of this resource.
        object_id: Only those of this object.
        kinds: Only those of these kinds.
    """

    account: str
    resource: str | None = None
    object_id: int | None = None
    kinds: frozenset[Kind] | None = None

    def matches(self, entry: Entry) -> bool:
        """Return whether *entry* is selected."""
        return (
            self.account == entry.account
            and self.resource in (None, entry.resource)
            and self.object_id in (None, entry.object_id)
            and (self.kinds is None or entry.kind in self.kinds)
        )

    def drops(self, entry: Entry, at: float) -> bool:
        """Return whether an invalidation made *at* that time also hits *entry*, stored later.

        A response that was requested before a write ended may show the state before the write,
        although it arrives afterwards. The upper bound lets the cache recover from a wrong clock.
        """
        return entry.asked_at <= at <= entry.asked_at + LATE_ARRIVAL and self.matches(entry)


class Invalidations:
    """The latest invalidations of this process."""

    def __init__(self) -> None:
        self._latest: deque[tuple[Selector, float]] = deque(maxlen=1000)

    def __len__(self) -> int:
        return len(self._latest)

    def add(self, selector: Selector, at: float) -> None:
        """Record an invalidation made *at* that wall-clock second, and drop expired ones."""
        while self._latest and abs(at - self._latest[0][1]) > LATE_ARRIVAL:
            self._latest.popleft()
        self._latest.append((selector, at))

    def drops(self, entry: Entry) -> bool:
        """Return whether *entry* was requested before an invalidation that selects it."""
        return any(selector.drops(entry, at) for selector, at in self._latest)


def checksum(entry: Entry) -> int:
    """Return a checksum of everything in *entry* that is never changed after storing.

    It finds torn and damaged bodies, and bodies under the wrong key. It is not a signature: a
    program that can write the file can also write the checksum.
    """
    head = (
        entry.key, entry.account, entry.resource, entry.kind.value, entry.object_id, entry.status,
        entry.last_modified, entry.stored_at, entry.sent_at, entry.modified, entry.x_cache,
        entry.date, entry.version,
    )  # fmt: skip
    return zlib.crc32(entry.body, zlib.crc32(msgspec.msgpack.encode(head)))
