"""The limiter's state and vocabulary: what is kept per account, asked of it, and answered.

Everything here is a plain msgspec Struct without behaviour. A state travels through SQLite and
Redis as one small MessagePack array, and a command to Redis as a MessagePack map, so the same
words are spoken in Python and in Lua. There is no ``None`` in a state, since Lua tables cannot
hold one: "never" is an infinity.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import msgspec

__all__ = [
    "BURST",
    "SUSTAINED",
    "Acquire",
    "Command",
    "Entry",
    "Lease",
    "Peek",
    "Release",
    "Renew",
    "Reply",
    "Rules",
    "Scope",
    "Settle",
    "State",
    "Window",
    "WindowRules",
    "WindowStatus",
    "fresh_state",
]

Scope: TypeAlias = Literal["burst", "sustained"]
BURST: Scope = "burst"
SUSTAINED: Scope = "sustained"

FORMAT = 1
"""Version of the stored state; a state of another version is not read."""


class WindowRules(msgspec.Struct, frozen=True):
    """What is known of one window before the first header, and how it is kept.

    Attributes:
        limit: First guess of the limit; the headers' word replaces it.
        period: Length of the window in seconds.
        margin: Seconds that an entry stays longer than the period, against clocks that run
            at different speeds.
        grain: Requests within so many seconds share an entry, which leaves when the last of
            them does; 0 keeps each by itself.
        reserve: Slots that BULK leaves to the others: a number from 1 on, or a share below 1.
    """

    limit: int
    period: float
    margin: float
    grain: float
    reserve: float


class Rules(msgspec.Struct, frozen=True):
    """The rules of both windows, and of what is in flight.

    Attributes:
        burst: The minute's window.
        sustained: The day's window. 45 s of margin are a clock that is 0.05 % off for a day.
        lease: Seconds after which a request counts as received although nothing was heard of
            it, as when its process died. A living process renews its leases.
        doubt: Seconds without a reading after which the first request is sent alone.
        doubt_above: The same where the window holds more than the first guess of its limit. A
            limit above that floats with the server's load, and may be back where it was.
    """

    burst: WindowRules = WindowRules(limit=20, period=60.0, margin=0.05, grain=0.0, reserve=1)
    sustained: WindowRules = WindowRules(
        limit=5000, period=86_400.0, margin=45.0, grain=60.0, reserve=0.05
    )
    lease: float = 20.0
    doubt: float = 90.0
    doubt_above: float = 5.0


class Entry(msgspec.Struct, array_like=True, gc=False):
    """Requests of our own that were received at about the same time.

    Attributes:
        sent: When the first of them was sent: none was counted by the server before.
        stamp: When the last of them was received: none was counted after.
        count: How many there are.
        sure: How many of them the server certainly counted; the answer of the others was lost.
    """

    sent: float
    stamp: float
    count: int
    sure: int


class Window(msgspec.Struct, array_like=True):
    """One window of one account.

    Attributes:
        limit: Requests allowed, as the last header said.
        lowered: When the limit was last lowered; an answer to an earlier request does not
            raise it again.
        used: Sum of the counts in the log.
        sure: Sum of the sure ones in the log.
        left: Requests that ever left the log; the difference over a flight is what left during
            that flight.
        log: Own requests by the time they were received.
        ghosts: Phantoms: requests of others that the headers reveal.
        ghost_floor: No phantom leaves before.
        ghost_next: One phantom has left by then.
        ghost_last: All phantoms have left by then.
        ghost_raised: When the phantoms were last raised; an answer to an earlier request does
            not lower them.
    """

    limit: int
    lowered: float = -math.inf
    used: int = 0
    sure: int = 0
    left: int = 0
    log: list[Entry] = msgspec.field(default_factory=list[Entry])
    ghosts: int = 0
    ghost_floor: float = -math.inf
    ghost_next: float = math.inf
    ghost_last: float = -math.inf
    ghost_raised: float = -math.inf


class Lease(msgspec.Struct, array_like=True):
    """A request that was granted and not settled yet.

    Attributes:
        id: Random number that its ticket carries.
        sent: When it was granted.
        expires: When it counts as received unless it is renewed.
        burst_left: The minute window's ``left`` when it was granted.
        sustained_left: The day window's.
    """

    id: int
    sent: float
    expires: float
    burst_left: int
    sustained_left: int


class State(msgspec.Struct, array_like=True):
    """All that is shared about one account.

    Attributes:
        version: The format.
        now: The time of the last command; no time in the state was learned later.
        burst: The minute's window.
        sustained: The day's window.
        leases: Requests in flight.
        heard: When a response last carried a reading.
        blocked_until: Nothing is sent before: a 429 said so.
        blocked_by_day: Whether that was the day's window.
        half_open: Whether a 429 came, and no request that was sent after it got through yet.
        last_bulk: When a BULK request was last granted.
    """

    version: int
    now: float
    burst: Window
    sustained: Window
    leases: list[Lease] = msgspec.field(default_factory=list[Lease])
    heard: float = -math.inf
    blocked_until: float = -math.inf
    blocked_by_day: bool = False
    half_open: bool = False
    last_bulk: float = -math.inf


def fresh_state(rules: Rules, now: float) -> State:
    """Return the state of an account of which nothing is known."""
    return State(
        version=FORMAT,
        now=now,
        burst=Window(limit=rules.burst.limit),
        sustained=Window(limit=rules.sustained.limit),
    )


class Acquire(msgspec.Struct, frozen=True, tag="acquire", tag_field="op"):
    """Ask for a slot.

    Attributes:
        lease: Random number that names the lease; asking again with the same is harmless.
        lane: The :class:`Priority` of the request.
        max_in_flight: Requests of the account that may be in flight at a time.
        hurried: Whether a BULK request has waited so long that it takes any slot of the minute.
    """

    lease: int
    lane: int
    max_in_flight: int
    hurried: bool = False


class Settle(msgspec.Struct, frozen=True, tag="settle", tag_field="op"):
    """Tell what became of a request; see :class:`metron_async.quota.Observation`.

    Attributes:
        lease: The number of its lease.
        counted: Whether the server may have counted it.
        throttled: Whether it was a 429.
        retry_after: What the 429 asked for in seconds; negative if it did not say.
        jitter: Seconds to wait beyond that.
        burst: ``(limit, remaining, reset_in)`` of the minute's window, ``reset_in`` negative if
            unknown; empty if there was no reading.
        sustained: The same of the day's window.
    """

    lease: int
    counted: bool = True
    throttled: bool = False
    retry_after: float = -1.0
    jitter: float = 0.0
    burst: tuple[float, ...] = ()
    sustained: tuple[float, ...] = ()


class Release(msgspec.Struct, frozen=True, tag="release", tag_field="op"):
    """Give back a slot whose request was never sent."""

    lease: int


class Renew(msgspec.Struct, frozen=True, tag="renew", tag_field="op"):
    """Keep the leases of requests that are still in flight."""

    leases: tuple[int, ...]


class Peek(msgspec.Struct, frozen=True, tag="peek", tag_field="op"):
    """Ask for the earliest time at which a request could be granted, and for the state.

    Attributes:
        lane: The :class:`Priority` of the request.
        ahead: Requests that are served before it.
    """

    lane: int
    ahead: int = 0


Command: TypeAlias = Acquire | Settle | Release | Renew | Peek


class WindowStatus(msgspec.Struct, frozen=True):
    """One window of one account, as the limiter sees it.

    Attributes:
        limit: Requests the window allows.
        used: Requests it holds: our own, those in flight, and those of others.
        resets_in: Seconds until the oldest leaves and a slot becomes free; 0 if it is empty.
    """

    limit: int
    used: int
    resets_in: float


class Reply(msgspec.Struct, frozen=True):
    """The answer to any command.

    Attributes:
        granted: Whether the slot was given.
        wait: Seconds until asking again makes sense, or for a :class:`Peek` the lower bound of
            the wait.
        scope: What the wait is due to, or ``None`` if only requests in flight are in the way.
        in_flight: Requests of the account in flight, of all processes.
        limits: The limits of both windows.
        windows: Both windows for a :class:`Peek`, else none.
    """

    granted: bool
    wait: float
    in_flight: int
    limits: tuple[int, int]
    scope: Scope | None = None
    windows: tuple[WindowStatus, ...] = ()
