"""What guards tell, what they are told, and what is kept of it: plain values.

The state is stored as JSON, so that every type here reads and writes itself.
"""

from __future__ import annotations

import enum

import msgspec

from metron_async._engine.guard.table import FORBIDDEN, HUNG_UP, MISSING, REFUSED, THROTTLED

__all__ = [
    "POLL",
    "Credentials",
    "Event",
    "Lease",
    "Refusal",
    "Reply",
    "Report",
    "State",
    "Wait",
    "merge",
    "touched",
]

POLL = 0.25
"""Seconds between two looks at what other guards do."""


class Event(enum.Enum):
    """What a guard has seen of one request."""

    REFUSED = REFUSED
    FORBIDDEN = FORBIDDEN
    MISSING = MISSING
    THROTTLED = THROTTLED
    HUNG_UP = HUNG_UP
    PROOF = "proof"  # the credentials work
    LOST_PROBE = "lost"  # a probe was sent, and its answer not seen
    TIMEOUT = "timeout"  # no connection came about
    ANSWERED = "answered"  # the first answer after timeouts


class Wait(enum.Enum):
    """Why a call that is not refused has to wait."""

    PROBE = "another request is trying the credentials"
    PERMIT = "as many requests are in flight as are safe for one machine"
    MISSING = "too many objects that do not exist were asked for"


class Lease(msgspec.Struct, frozen=True):
    """What one guard holds: ``total`` permits, ``prone`` of them for calls that can be 404s.

    One without any permit stands for a guard that waits for its first, in line since ``since``.
    """

    total: int
    prone: int
    probe: str | None
    until: float
    since: float = 0.0


class Credentials(msgspec.Struct, frozen=True):
    """When credentials last worked, and when they were last refused since then."""

    proven_at: float | None = None
    refused_at: float | None = None


class State(msgspec.Struct):
    """Everything that the guards of one machine know together about one server."""

    events: dict[int, list[float]] = {}
    streaks: dict[int, float] = {}  # when our own limit was last reached, by kind
    credentials: dict[str, Credentials] = {}
    leases: dict[str, Lease] = {}
    timeouts: int = 0
    missing: int = 0  # 404s ever


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What one guard tells, and what it asks for.

    Attributes:
        guard: Name of the guard.
        credentials: Key of its credentials.
        events: What happened, oldest first, with the seconds since then.
        in_flight: Requests under way.
        prone: Those among them that can be 404s.
        probing: Whether one of them is a probe.
        want: Permits it would like to hold.
        want_prone: Those for calls that can be 404s.
        asks: Whether a call waits for a permit.
        asks_prone: Whether that call can be a 404.
        clear: Whether to forget that the credentials were refused.
    """

    guard: str
    credentials: str
    events: tuple[tuple[Event, float], ...] = ()
    in_flight: int = 0
    prone: int = 0
    probing: bool = False
    want: int = 0
    want_prone: int = 0
    asks: bool = False
    asks_prone: bool = False
    clear: bool = False


class Refusal(msgspec.Struct, frozen=True):
    """Nothing may be sent for ``retry_after`` seconds."""

    reason: str
    retry_after: float


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a guard may do until it reports again, for :data:`LEASE` seconds at most.

    Attributes:
        total: Permits that it holds, those in flight included.
        prone: Those of them for calls that can be 404s.
        probe: Whether one of them is for trying the credentials.
        scarce: Whether others have none: each permit is for one request only.
        proven_for: Seconds for which the credentials count as proven.
        refusal: Why nothing may be sent, or ``None``.
        wait: Why the call that asks has to wait, or ``None``.
        pause: Seconds after which to ask again, unless something happens before.
        recent_missing: 404s in the window.
        missing: 404s ever.
        timeouts: Connect timeouts in a row.
        streak: The kind of events of which there lately were too many, or ``None``.
        ban_left: Seconds until a ban for those would end.
    """

    total: int = 0
    prone: int = 0
    probe: bool = False
    scarce: bool = False
    proven_for: float = 0.0
    refusal: Refusal | None = None
    wait: Wait | None = None
    pause: float = POLL
    recent_missing: int = 0
    missing: int = 0
    timeouts: int = 0
    streak: int | None = None
    ban_left: float = 0.0


def touched(known: Credentials) -> float:
    """Return when something was last learnt about credentials."""
    return max(known.proven_at or 0.0, known.refused_at or 0.0)


def merge(state: State, missed: State) -> State:
    """Add to a state what was counted while it could not be reached.

    Leases are left out: their guards report again soon, and name what they hold.
    """
    credentials = dict(state.credentials)
    for key, known in missed.credentials.items():
        if key not in credentials or touched(known) > touched(credentials[key]):
            credentials[key] = known
    kinds = {*state.events, *missed.events}
    return State(
        events={
            kind: sorted({*state.events.get(kind, ()), *missed.events.get(kind, ())})
            for kind in kinds
        },
        streaks={**state.streaks, **missed.streaks},
        credentials=credentials,
        leases=state.leases,
        timeouts=max(state.timeouts, missed.timeouts),
        missing=max(state.missing, missed.missing),
    )
