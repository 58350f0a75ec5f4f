"""What a mirror tells while it runs."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Literal, TypeAlias

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
    "Started",
    "Waiting",
]


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """What a run has done.

    Attributes:
        name: Name of the list.
        filters: Its filters as they are sent.
        requests: Requests that the run took.
        rows: Rows that the server sent, repeated ones included.
        added: Rows that the table did not have.
        updated: Rows that the table had in an older state.
        deleted: Rows that were removed, as the server no longer lists them.
        missing: Rows that the server counts and did not show, also when asked again. The next
            run looks for them.
        surplus: Rows of the mirror that the server no longer counts; a run with
            ``deletions=True`` removes them.
        details: Objects in full that were stored.
        failed: Objects in full that could not be had; the next run tries again.
    """

    name: str
    filters: tuple[tuple[str, str], ...]
    requests: int = 0
    rows: int = 0
    added: int = 0
    updated: int = 0
    deleted: int = 0
    missing: int = 0
    surplus: int = 0
    details: int = 0
    failed: int = 0

    @property
    def complete(self) -> bool:
        """Whether the mirror now has everything that the server has."""
        return not self.missing and not self.failed


@dataclasses.dataclass(frozen=True, slots=True)
class Started:
    """A walk through the list begins, or goes on.

    Attributes:
        name: Name of the list.
        kind: ``"full"`` for the whole list, ``"check"`` for its count, ``"changes"`` for what has
            changed since the last run.
        page: Page with which it begins; above 1 for a walk that was broken off.
    """

    name: str
    kind: Literal["full", "check", "changes"]
    page: int


@dataclasses.dataclass(frozen=True, slots=True)
class PageStored:
    """A page has been fetched and is safe on disk.

    Attributes:
        name: Name of the list.
        kind: What is walked; see :class:`Started`.
        page: Number of the page.
        rows: Rows on it.
        done: Rows up to here.
        total: Rows of the whole walk, as the server counts them.
    """

    name: str
    kind: Literal["full", "check", "changes"]
    page: int
    rows: int
    done: int
    total: int


@dataclasses.dataclass(frozen=True, slots=True)
class Waiting:
    """The run waits.

    Attributes:
        seconds: How long, at least.
        reason: ``"quota"``, ``"retry"``, ``"guard"`` to stay clear of a ban, or ``"server cache"``
            until pages that contradict each other have left the server's cache.
        scope: For the quota, ``"burst"`` for the minute's window, ``"sustained"`` for the day's.
    """

    seconds: float
    reason: Literal["quota", "retry", "guard", "server cache"]
    scope: Literal["burst", "sustained"] | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Repeating:
    """A walk has come short and is repeated.

    Attributes:
        name: Name of the list.
        missing: Rows that were counted and not shown; 0 where rows vanished during the walk.
    """

    name: str
    missing: int


@dataclasses.dataclass(frozen=True, slots=True)
class DetailsStored:
    """Objects in full have been fetched and are safe on disk.

    Attributes:
        name: Name of the list.
        done: Objects so far, in this run.
        total: Objects of this run.
    """

    name: str
    done: int
    total: int


@dataclasses.dataclass(frozen=True, slots=True)
class DetailFailed:
    """One object in full could not be had; the run goes on.

    Attributes:
        name: Name of the list.
        id: Id of the object.
        error: Why.
    """

    name: str
    id: int
    error: MetronError


@dataclasses.dataclass(frozen=True, slots=True)
class Deleted:
    """Rows that the server no longer lists were removed.

    Attributes:
        name: Name of the list.
        ids: Their ids.
    """

    name: str
    ids: tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Finished:
    """The run has come to its end.

    Attributes:
        report: What it has done.
    """

    report: Report


Event: TypeAlias = (
    Started | PageStored | Waiting | Repeating | DetailsStored | DetailFailed | Deleted | Finished
)
