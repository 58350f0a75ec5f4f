"""What is kept of one account, and the rules by which it is kept: plain values.

Times are seconds on the storage's clock. There is no ``None`` among them: "never" is an infinity,
which compares like any other time.
"""

from __future__ import annotations

import math
from typing import Annotated, Generic, Literal, TypeAlias, TypeVar

import msgspec

from metron_async.admission.log import CellLog, EntryLog

__all__ = [
    "BURST",
    "DEFAULT_RULES",
    "FORMAT",
    "LANES",
    "OUTCOME_FOR",
    "SUSTAINED",
    "Account",
    "Budget",
    "Credentials",
    "Lane",
    "Lease",
    "Outcome",
    "Rules",
    "Scope",
    "Window",
    "WindowRules",
]

Scope: TypeAlias = Literal["burst", "sustained"]
BURST: Scope = "burst"
SUSTAINED: Scope = "sustained"

FORMAT = 1
"""Version of an account's stored state, which is part of the name it is stored under."""

LANES = 4
"""The priorities, and BULK requests that have waited long."""

OUTCOME_FOR = 10.0
"""Seconds for which the outcome of a response with a key is kept."""

_MOST = 1_000_000  # no window allows more requests

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=_MOST)]
"""A number of requests. A stored state with another number is damaged."""

L = TypeVar("L", EntryLog, CellLog)


class WindowRules(msgspec.Struct, frozen=True):
    """What is known of one window before the first header, and how it is kept.

    Attributes:
        limit: First guess of the limit. The headers replace it.
        period: Length of the window in seconds.
        margin: Seconds that a request stays longer than the period, against clocks that run at
            different speeds.
        reserve: Share of the window that BULK leaves to the other priorities.
    """

    limit: int
    period: float
    margin: float
    reserve: float


class Rules(msgspec.Struct, frozen=True):
    """The rules of both windows, and of requests in flight.

    Attributes:
        burst: The minute's window.
        sustained: The day's window. A margin of 45 s is a clock that is 0.05 % off for a day.
        lease: Seconds after which the response to a request counts as lost, unless its process
            renews the lease.
        stale_after: Seconds without a reading after which the first request is sent alone.
        stale_above: The same where the window holds more than the first guess of its limit. A
            limit above that floats with the server's load.
    """

    burst: WindowRules = WindowRules(limit=20, period=60.0, margin=0.05, reserve=0.0)
    sustained: WindowRules = WindowRules(limit=5000, period=86_400.0, margin=45.0, reserve=0.05)
    lease: float = 20.0
    stale_after: float = 90.0
    stale_above: float = 5.0


DEFAULT_RULES = Rules()


class Window(msgspec.Struct, Generic[L], array_like=True):
    """One window of one account.

    Attributes:
        limit: Requests allowed, as the last header said.
        log: Own requests by the time at which their responses were received.
        known: Readings in a row that gave this limit; 0 if it is a first guess.
        lowered: When the limit was last lowered. A response to an earlier request does not
            raise it again.
        floor: The lowest limit that was confirmed lately, or 0.
        floor_at: When it was.
        used: Number of requests in the log.
        confirmed: Number of those that the server certainly counted.
        left: Requests that ever left the log. The difference over a request is what left while
            it was in flight.
        foreign: Requests of other clients that the headers reveal.
        foreign_floor: No foreign request leaves before.
        foreign_next: One foreign request has left by then.
        foreign_last: All foreign requests have left by then.
        foreign_raised: When their number was last raised. A response to an earlier request
            does not lower it.
    """

    limit: Annotated[int, msgspec.Meta(ge=1, le=_MOST)]
    log: L
    known: int = 0
    lowered: float = -math.inf
    floor: Count = 0
    floor_at: float = -math.inf
    used: Count = 0
    confirmed: Count = 0
    left: int = 0
    foreign: Count = 0
    foreign_floor: float = -math.inf
    foreign_next: float = math.inf
    foreign_last: float = -math.inf
    foreign_raised: float = -math.inf


class Lease(msgspec.Struct, array_like=True):
    """A request that was granted and is not settled yet.

    Attributes:
        id: Random number that its permit carries.
        sent: When it was granted.
        expires: When its response counts as lost, unless the lease is renewed.
        kind: What it is in the address's list: a sum of flags, see :mod:`.address`.
        burst_left: The minute window's ``left`` when it was granted.
        sustained_left: The day window's.
        credentials: The credentials that a probe tries, else ``""``.
        key: Key of the response that the holder keeps for others, else ``""``.
    """

    id: int
    sent: float
    expires: float
    kind: int
    burst_left: int = -1
    sustained_left: int = -1
    credentials: str = ""
    key: str = ""


class Outcome(msgspec.Struct, array_like=True):
    """What became of the response with a key: its status, or 0 if it could not be used."""

    key: str
    status: int
    at: float


class Credentials(msgspec.Struct, array_like=True):
    """When credentials last worked, and when they were refused since then."""

    key: str
    proven_at: float = -math.inf
    refused_at: float = -math.inf


class Lane(msgspec.Struct, array_like=True):
    """When one priority was last in use.

    Attributes:
        asked: When it last asked for a slot.
        run: When it began to ask, after a pause.
        waits: Until when one of its requests waits, and goes before lower priorities.
    """

    asked: float = -math.inf
    run: float = -math.inf
    waits: float = -math.inf


class Budget(msgspec.Struct, array_like=True):
    """What is known of foreign requests and of 429s.

    Attributes:
        offset: Seconds by which the server's clock is ahead of the storage's.
        day: The UTC day, by the server's clock, for which 429s are counted.
        rejected: 429s in that day.
        streak: 429s in a row.
        foreign: When foreign requests were last seen to grow, or a 429 came.
        keep: Slots of the minute that were kept free at the time ``calm``.
        calm: When ``keep`` last grew.
        open: Requests that may be in flight at a time.
        paused_until: Nothing is sent before, because of too many 429s.
    """

    offset: float = 0.0
    day: int = 0
    rejected: int = 0
    streak: int = 0
    foreign: float = -math.inf
    keep: int = 0
    calm: float = -math.inf
    open: int = 1
    paused_until: float = -math.inf


def _lanes() -> list[Lane]:
    return [Lane() for _ in range(LANES)]


class Account(msgspec.Struct, array_like=True):
    """All that is shared about one account.

    Attributes:
        now: The time of the last change. No time in the state was learned later.
        burst: The minute's window.
        sustained: The day's window.
        leases: Requests in flight.
        lanes: The priorities, and the BULK requests that have waited long as a fourth.
        budget: Foreign requests and 429s.
        credentials: Those that were proven or refused, the latest last.
        outcomes: What became of responses with a key, the latest last.
        heard: When a response last carried a reading.
        blocked_until: Nothing is sent before, since a 429 said so.
        blocked_by_day: Whether that was the day's window.
        half_open: Whether a 429 came, and no request that was sent after it succeeded yet.
        last_low: When a request below INTERACTIVE was last granted.
        spent_at: When the day was last seen to be spent, or probed.
        probes: Probes of the spent day so far.
        expected: Whether the readings approached the end of the day step by step.
    """

    now: float
    burst: Window[EntryLog]
    sustained: Window[CellLog]
    leases: list[Lease] = msgspec.field(default_factory=list[Lease])
    lanes: Annotated[list[Lane], msgspec.Meta(min_length=LANES, max_length=LANES)] = msgspec.field(
        default_factory=_lanes
    )
    budget: Budget = msgspec.field(default_factory=Budget)
    credentials: list[Credentials] = msgspec.field(default_factory=list[Credentials])
    outcomes: list[Outcome] = msgspec.field(default_factory=list[Outcome])
    heard: float = -math.inf
    blocked_until: float = -math.inf
    blocked_by_day: bool = False
    half_open: bool = False
    last_low: float = -math.inf
    spent_at: float = -math.inf
    probes: int = 0
    expected: bool = False

    @classmethod
    def fresh(cls, rules: Rules, now: float) -> Account:
        """Return the state of an account of which nothing is known."""
        return cls(
            now,
            Window(rules.burst.limit, EntryLog()),
            Window(rules.sustained.limit, CellLog()),
        )
