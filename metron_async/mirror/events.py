"""Events of a run of a mirror."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

if TYPE_CHECKING:
    from metron_async.errors import MetronError

__all__ = [
    "Deleted",
    "DetailFailed",
    "DetailsStored",
    "Event",
    "Finished",
    "PageStored",
    "Repeating",
    "Report",
    "RowSkipped",
    "Started",
    "Waiting",
]


class Report(msgspec.Struct, frozen=True):
    """Result of a run."""

    name: str
    """Name of the list."""
    filters: tuple[tuple[str, str], ...]
    """Filters as they are sent."""
    requests: int = 0
    """Requests that the run took."""
    rows: int = 0
    """Rows that the server sent, repeated ones included."""
    added: int = 0
    """Rows that the table did not have."""
    updated: int = 0
    """Rows that the table had with another ``modified``."""
    deleted: int = 0
    """Rows that were removed, because the server no longer lists them."""
    missing: int = 0
    """Rows that the server counts and did not send. The next run requests them again."""
    skipped: int = 0
    """Rows of the list that could not be read or stored."""
    proven: bool = True
    """Whether the walk is proven to have seen every row, and with ``deletions=True`` to have left
    no other. If not, the next run walks again."""
    surplus: int = 0
    """Rows of the mirror that the server no longer counts. A run with ``deletions=True`` removes
    them."""
    details: int = 0
    """Complete objects that were stored."""
    failed: int = 0
    """Complete objects that could not be read. The next run requests them again."""

    @property
    def complete(self) -> bool:
        """Return whether the mirror has everything that the server has."""
        return self.proven and not (self.missing or self.skipped or self.failed)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a dictionary that JSON can hold, ``complete`` included."""
        values = msgspec.structs.asdict(self)
        return {**values, "filters": dict(self.filters), "complete": self.complete}


class Started(msgspec.Struct, frozen=True):
    """A walk through the list begins or resumes."""

    name: str
    """Name of the list."""
    kind: Literal["full", "check", "changes"]
    """``"full"`` for the whole list, ``"check"`` for its count, ``"changes"`` for the rows that
    have changed since."""
    page: int
    """Page with which it begins; above 1 for a walk that was interrupted."""


class PageStored(msgspec.Struct, frozen=True):
    """A page has been fetched and is safe on disk."""

    name: str
    """Name of the list."""
    kind: Literal["full", "check", "changes"]
    """What is walked; see :class:`Started`."""
    page: int
    """Number of the page."""
    rows: int
    """Rows on it."""
    done: int
    """Rows so far."""
    total: int
    """Rows of the whole walk, by the server's count."""


class Waiting(msgspec.Struct, frozen=True):
    """The run waits."""

    seconds: float
    """Lower bound of the wait in seconds."""
    reason: Literal["quota", "retry", "guard", "server cache"]
    """``"quota"``, ``"retry"``, ``"guard"`` to avoid a ban, or ``"server cache"`` until pages that
    contradict each other have left the server's cache."""
    scope: Literal["burst", "sustained"] | None = None
    """For the quota, ``"burst"`` for the minute's window, ``"sustained"`` for the day's."""


class Repeating(msgspec.Struct, frozen=True):
    """Pages are requested again, because rows are missing or the list was edited meanwhile."""

    name: str
    """Name of the list."""
    missing: int
    """Rows that were counted and not sent; 0 where the list was edited during the walk."""


class RowSkipped(msgspec.Struct, frozen=True):
    """A row could not be read or stored, and was skipped."""

    name: str
    """Name of the list."""
    id: int
    """Id of the row; negative if the row has no id that can be stored."""
    error: MetronError
    """Why."""


class DetailsStored(msgspec.Struct, frozen=True):
    """Complete objects have been fetched and are safe on disk."""

    name: str
    """Name of the list."""
    done: int
    """Objects so far, in this run."""
    total: int
    """Objects of this run."""


class DetailFailed(msgspec.Struct, frozen=True):
    """A complete object could not be read. The run continues."""

    name: str
    """Name of the list."""
    id: int
    """Id of the object."""
    error: MetronError
    """Why."""


class Deleted(msgspec.Struct, frozen=True):
    """Rows that the server no longer lists were removed."""

    name: str
    """Name of the list."""
    ids: tuple[int, ...]
    """Ids of the rows."""


class Finished(msgspec.Struct, frozen=True):
    """The run has ended."""

    report: Report
    """Its result."""


Event: TypeAlias = (
    Started
    | PageStored
    | Waiting
    | Repeating
    | RowSkipped
    | DetailsStored
    | DetailFailed
    | Deleted
    | Finished
)
"""Any event of a run."""
