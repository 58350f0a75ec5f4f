"""What became of a request, and what that means to the guard."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import Final

from metron_async._engine.guard.state import Event
from metron_async._engine.guard.table import FORBIDDEN, MISSING, REFUSED, THROTTLED
from metron_async.errors import BlockedError

__all__ = ["UNCOUNTED", "Ending", "Outcome", "Pass", "blocked", "events_of", "proves"]

_EVENTS: Final = {
    REFUSED: Event.REFUSED,
    FORBIDDEN: Event.FORBIDDEN,
    MISSING: Event.MISSING,
    THROTTLED: Event.THROTTLED,
}


UNCOUNTED: Final = frozenset({Event.PROOF, Event.TIMEOUT, Event.ANSWERED})
"""Events that the firewall does not count."""


class Ending(enum.Enum):
    """How an attempt ended."""

    ANSWERED = "answered"
    CONNECT_TIMEOUT = "connect_timeout"
    CLOSED_BY_US = "closed_by_us"
    """The request was sent, and its connection closed by a timeout, a cancellation, or closing."""

    FAILED = "failed"
    """The request was sent, and the connection broke, or the answer makes no sense."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request that was sent, or whose connection timed out.

    Attributes:
        kind: How it ended.
        status: Status of the answer, or ``None`` where there was none.
    """

    kind: Ending
    status: int | None = None

    @classmethod
    def answered(cls, status: int) -> Outcome:
        """Return the outcome of a request that was answered, with any status."""
        return cls(Ending.ANSWERED, status)


class Pass:
    """Leave to send one request, held from :meth:`Guard.admit` until the outcome is known.

    Attributes:
        may_404: Whether the request can ask for something that does not exist.
        probe: Whether it tries credentials that are not proven.
    """

    __slots__ = ("done", "entered", "may_404", "paced", "probe", "refusals")

    def __init__(self, *, may_404: bool) -> None:
        self.may_404: bool = may_404
        self.probe: bool = False
        self.paced: bool = False
        self.entered: bool = False
        self.done: bool = False
        self.refusals: int = 0


def proves(outcome: Outcome) -> bool:
    """Tell whether an outcome shows that the credentials work.

    Only a success does: what the proxy in front answers by itself (403, 404, 429, 5xx) says
    nothing about them.
    """
    if outcome.kind is not Ending.ANSWERED or outcome.status is None:
        return False
    return 200 <= outcome.status < 300 or outcome.status == 304  # noqa: PLR2004


def events_of(outcome: Outcome, *, probe: bool, after_timeouts: bool) -> tuple[Event, ...]:
    """Return what there is to report about an outcome; for most requests nothing.

    Args:
        outcome: What became of the request.
        probe: Whether it was to try the credentials.
        after_timeouts: Whether connections have timed out since the last answer.
    """
    if outcome.kind is Ending.CONNECT_TIMEOUT:
        return (Event.TIMEOUT,)
    if outcome.kind is Ending.ANSWERED:
        event = _EVENTS.get(outcome.status or 0)
        first = (Event.ANSWERED,) if after_timeouts else ()
        return first if event is None else (*first, event)
    closed = (Event.HUNG_UP,) if outcome.kind is Ending.CLOSED_BY_US else ()
    return (*closed, Event.LOST_PROBE) if probe else closed


def blocked(reason: str, retry_after: float) -> BlockedError:
    """Return the error of a call that is not sent, for *retry_after* seconds at least."""
    message = (
        f"Not sent, lest the server's firewall bans this address: {reason}; "
        f"to be tried again in {math.ceil(retry_after)} s"
    )
    return BlockedError(message, reason=reason, retry_after=retry_after)
