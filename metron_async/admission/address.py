"""What this network address did lately, held against the firewall's table.

The firewall counts five kinds of failures per client address: 401, 403, 404, 429, and requests
that the client gave up ("499"). Each has a number at which it bans. Counting alone does not keep
an address below it: eight requests that are in flight together can all come back as 403. So what
is in flight is counted as well. For each kind, the list keeps this invariant::

    failures in the window + requests in flight  <=  number that bans - 1

Failures are stamped when they are *received*, never before the server counted them, and leave our
window never before they leave the server's. A hang-up is the exception, since the proxy notes it
after us: the margin in the windows covers it. A failure takes the place of its request in flight,
so recording one never breaks the invariant. Only granting can, and that happens in one
transaction of the storage. Since ten 403s ban, an address has at most nine requests in flight.

**A request whose response was lost** counts as a hang-up, since the kernel closed its connection,
and as whatever else it may have been. It counts as a 403 only once one was really seen: reads of
a healthy account are never forbidden, and a few crashes should not stop an address.

**401s** are different: two in five minutes are all there may be. Credentials are *proven* by a
success, for a quarter of an hour. Unproven ones are sent with one request at a time, the probe.
Probes in flight and 401s seen are never more than two together at an address. A lost probe may
have been a 401, and counts as one where the credentials have never worked.

**404s** are ordinary in small numbers. Only requests that may be one count here. From ten in two
minutes on they go one by one, evenly spaced, and each priority leaves room for the higher ones.

**The format never changes**, since several versions share the list: pairs of a number and a time.
The number is a status, or a sum of flags for a request in flight, or 1000 plus a status for when
our own limit for it was last reached. Kinds that a version does not know are kept.
"""

from __future__ import annotations

import math
from typing import TypeAlias

from metron_async.admission.table import (
    FLIGHT,
    FORBIDDEN,
    HUNG_UP,
    LIMITS,
    LOST,
    MAY_404,
    MISSING,
    PROBE,
    REFUSED,
    THROTTLED,
    TIMED_OUT,
)

__all__ = [
    "Address",
    "Event",
    "add",
    "advance",
    "count",
    "in_flight",
    "may_probe",
    "missing_wait",
    "remove",
    "room",
    "settled",
    "until_allowed",
    "worst_streak",
]

Event: TypeAlias = tuple[int, float]
Address: TypeAlias = list[Event]

STREAK = 1000
"""Added to a status: when our own limit for it was last reached."""

_KEEP = 24  # events of a kind: no kind is allowed as many
_UNKNOWN = 86_400.0  # seconds for which a kind is kept that this version does not know
_MOST_MISSING = (19, 16, 14)  # 404s in the window, by priority
_SPACING = 12.0  # seconds between two requests that may be 404s, after many


def advance(events: Address, now: float, longest: float) -> None:
    """Bring the list to the time *now*: leases expire, and failures leave their windows.

    A time from the future was written before the clock was set back, or by a broken one. It
    counts as now: forgetting it would be unsafe, and believing it could block for years.

    Args:
        events: The list, which is changed in place.
        now: The present.
        longest: Seconds after which a lease granted now expires.
    """
    kept: Address = []
    for kind, at in events:
        if _flies(kind):
            at = min(at, now + longest)  # noqa: PLW2901
            kind |= LOST if at <= now else 0  # noqa: PLW2901
        else:
            at = min(at, now)  # noqa: PLW2901
        if _flies(kind) or at > now - _stay(kind):
            kept.append((kind, at))
    kept.sort(key=lambda event: event[1])
    for kind in {kind for kind, _ in kept}:
        surplus = sum(each == kind for each, _ in kept) - _KEEP
        for _ in range(surplus):
            kept.remove(next(event for event in kept if event[0] == kind))
    events[:] = kept


def _flies(kind: int) -> bool:
    return kind < TIMED_OUT and bool(kind & FLIGHT) and not kind & LOST


def _lost(kind: int) -> bool:
    return kind < TIMED_OUT and bool(kind & LOST)


def _stay(kind: int) -> float:
    if kind in LIMITS:
        return LIMITS[kind].window
    if kind - STREAK in LIMITS:
        return LIMITS[kind - STREAK].ban
    if _lost(kind):
        return max(LIMITS[each].window for each in _may_be(kind))
    return _UNKNOWN


def _may_be(kind: int) -> tuple[int, ...]:
    """Return what a request, whose kind is a sum of flags, may turn into."""
    missing = (MISSING,) if kind & MAY_404 else ()
    refused = (REFUSED,) if kind & PROBE else ()
    return (FORBIDDEN, THROTTLED, HUNG_UP, *missing, *refused)


def add(events: Address, kind: int, at: float) -> None:
    """Add one event."""
    events.append((kind, at))


def remove(events: Address, kind: int, expires: float) -> None:
    """Take out a request in flight, or what it became when its lease expired at *expires*."""
    for each in (kind, kind | LOST):
        if (each, expires) in events:
            events.remove((each, expires))
            return


def settled(events: Address, now: float) -> None:
    """Note which of our own limits are reached."""
    for status, limit in LIMITS.items():
        if count(events, status, now) >= limit.ours:
            events[:] = [event for event in events if event[0] != STREAK + status]
            events.append((STREAK + status, now))


def _times(events: Address, status: int, now: float) -> list[float]:
    """Return the times of failures that count as *status*, the lost ones included."""
    if not events:
        return []
    begin = now - LIMITS[status].window
    seen = [at for kind, at in events if kind == status and at > begin]
    if status == FORBIDDEN and not seen:
        return seen
    lost = [at for kind, at in events if _lost(kind) and status in _may_be(kind) and at > begin]
    return sorted(seen + lost)


def count(events: Address, status: int, now: float) -> int:
    """Return how many failures count as *status*."""
    return len(_times(events, status, now))


def until_allowed(events: Address, now: float, *, proven: bool) -> tuple[int, float]:
    """Return what there was too much of, and the seconds until there is not.

    Args:
        events: The list.
        now: The present.
        proven: Whether the credentials are proven.

    Returns:
        A status, or :data:`LOST` where it takes lost responses to reach our limit, and the
        seconds. ``(0, 0.0)`` if a request may be sent.
    """
    found = (0, 0.0)
    for status in (FORBIDDEN, THROTTLED, HUNG_UP, *(() if proven else (REFUSED,))):
        times, ours = _times(events, status, now), LIMITS[status].ours
        if len(times) >= ours:
            left = times[-ours] + LIMITS[status].window - now
            seen = sum(kind == status for kind, at in events if at > now - LIMITS[status].window)
            if left > found[1]:
                found = (status if seen >= ours else LOST, left)
    return found


def in_flight(events: Address, flag: int = FLIGHT) -> int:
    """Return how many requests with *flag* are in flight."""
    return sum(bool(kind & flag) for kind, _ in events if _flies(kind))


def room(events: Address, now: float) -> int:
    """Return how many more requests may be in flight."""
    kinds = (FORBIDDEN, THROTTLED, HUNG_UP)
    most = min(LIMITS[kind].banned_at - 1 - count(events, kind, now) for kind in kinds)
    return most - in_flight(events)


def may_probe(events: Address, now: float) -> bool:
    """Return whether unproven credentials may be sent now, so that a 401 would be harmless."""
    return count(events, REFUSED, now) + in_flight(events, PROBE) < LIMITS[REFUSED].ours


def missing_wait(events: Address, now: float, priority: int) -> float:
    """Return the seconds after which a request that may be a 404 can be sent; 0 for now.

    It is infinite where a request in flight has to be answered first.
    """
    limit, flying = LIMITS[MISSING], in_flight(events, MAY_404)
    times = _times(events, MISSING, now)
    over = len(times) + flying - _MOST_MISSING[priority] + 1
    if over > 0:
        return times[over - 1] + limit.window - now if over <= len(times) else math.inf
    if priority == 0 or len(times) < limit.ours:
        return 0.0
    return math.inf if flying else max(0.0, times[-1] + _SPACING - now)


def worst_streak(events: Address, now: float) -> tuple[int | None, float]:
    """Return the status whose ban, if there is one, would last longest, and the seconds left."""
    left = {
        kind - STREAK: at + LIMITS[kind - STREAK].ban - now
        for kind, at in events
        if kind - STREAK in LIMITS
    }
    status = max(left, key=left.__getitem__, default=None)
    return (None, 0.0) if status is None else (status, left[status])
