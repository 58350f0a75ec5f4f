"""What the cache keeps: one answer of the server, and the words to speak about many of them.

Plain values only. Every stamp is wall-clock time in seconds, handed in by the caller; nothing in
the cache looks at a clock to decide something.
"""

from __future__ import annotations

import enum
import zlib
from dataclasses import dataclass

import msgspec

__all__ = ["Entry", "Kind", "Selector", "checksum"]

CLOCK_TOLERANCE = 2.0
"""Seconds that a stamp may lie ahead before it is distrusted: clocks are nudged all the time."""

LATE_ARRIVAL = 3600.0
"""Seconds for which an invalidation also hits answers that were asked for before it."""


class Kind(enum.Enum):
    """What sort of answer an entry holds; freshness is set per kind."""

    DETAIL = "detail"
    ISSUE_LIST = "issue_list"
    LIST = "list"
    PRIVATE = "private"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One stored answer: raw bytes, and what is needed to judge them later.

    Attributes:
        key: What was asked for and by whom, from :func:`~metron_async.cache.keys.make_key`.
        account: Keyed hash that names the account.
        resource: First part of the path, such as ``"issue"``.
        kind: What sort of answer this is.
        object_id: Id of the object, or ``None`` for a list of many.
        status: 200, or 404 for something known not to exist.
        body: The bytes that the server sent, after content decoding.
        last_modified: The ``Last-Modified`` header, word for word.
        stored_at: When the body was received, in wall-clock seconds.
        checked_at: When it was last known to be current (fetched, a 304, a list).
        sent_at: When its request was sent, so that a write which ended after that also drops an
            answer that is still on its way; ``None`` if unknown.
        modified: The ``modified`` text in the body, to compare with the rows of lists.
        x_cache: The ``X-Cache`` header.
        date: The ``Date`` header, word for word.
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
        """The moment at which the request was sent, as far as is known."""
        return self.stored_at if self.sent_at is None else self.sent_at

    @property
    def size(self) -> int:
        """Bytes that the entry is counted with against a cache's bound."""
        return len(self.body) + OVERHEAD


OVERHEAD = 512
"""Bytes counted for an entry besides its body: columns, indexes, Python objects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """Names entries of one account; ``None`` means any.

    Attributes:
        account: Whose entries.
        resource: Only those of this resource.
        object_id: Only those of this object.
        kinds: Only those of these kinds.
    """

    account: str
    resource: str | None = None
    object_id: int | None = None
    kinds: frozenset[Kind] | None = None

    def matches(self, entry: Entry) -> bool:
        """Tell whether *entry* is one of those named."""
        return (
            self.account == entry.account
            and self.resource in (None, entry.resource)
            and self.object_id in (None, entry.object_id)
            and (self.kinds is None or entry.kind in self.kinds)
        )

    def drops(self, entry: Entry, at: float) -> bool:
        """Tell whether an invalidation made *at* that moment also hits *entry*, stored later.

        An answer that was asked for before a write ended may show what was before the write,
        though it arrives afterwards. The upper bound lets the cache recover should the clock
        have been wrong.
        """
        return entry.asked_at <= at <= entry.asked_at + LATE_ARRIVAL and self.matches(entry)


def checksum(entry: Entry) -> int:
    """Return a checksum of everything in *entry* that is never changed after storing.

    It finds torn and damaged bodies, and bodies that ended up under another key. It is no
    signature: who can write the file can also write the checksum.
    """
    head = (
        entry.key, entry.account, entry.resource, entry.kind.value, entry.object_id, entry.status,
        entry.last_modified, entry.stored_at, entry.sent_at, entry.modified, entry.x_cache,
        entry.date, entry.version,
    )  # fmt: skip
    return zlib.crc32(entry.body, zlib.crc32(msgspec.msgpack.encode(head)))
