"""One window of one account: which requests may be in it, and when they leave.

The server keeps, per user, a log of the requests it accepted. It accepts another one while fewer
than ``limit`` of them lie in the last ``period`` seconds. A client that wants its whole quota and
no 429 must know that log without seeing it. It knows four things.

*Its own requests.* The server counts a request at some time between its sending and the arrival
of its response. So it is kept under the time at which the response was RECEIVED, and leaves a
period (and a small margin) later. By then it has certainly left the server's log. Until the
response is there, the request is in flight and holds a lease.

That is why an account that is ours alone never sees a 429. Suppose 21 requests were counted
within one period, and let k be the one of them that was sent last. Each other one was sent before
k was granted, and its response came after it was counted. So when k was granted, that one was in
flight or in our log, and k would have had to wait. Neither latency, nor the order of responses,
nor any clock enters into it. (Rate limiters that stamp a request when it is SENT break exactly
this: it leaves too soon by the time it took to be counted.)

*Foreign requests*: those of other clients on the same account. A response says how many requests
``u`` the server counts. Some of these are certainly ours: received before this request was sent,
and sent less than a period ago. Others may be ours: those in flight at the same time, those about
to leave, those whose response was lost. So the number of foreign ones lies between
``u - possible`` and ``u - certain``, and the estimate is moved into that range. Our own entries
never leave early because of a header: it may be old, and it cannot name them. Where nothing
remains, the server may hold more than ``limit``, since a limit that floats was just lowered. Such
a response never lowers the estimate. Nor does a response to a request that was sent before the
estimate was last raised, since responses overtake each other.

*When foreign requests leave.* ``Reset`` says when the OLDEST request leaves the server's window.
Nothing leaves earlier (``foreign_floor``). Where none of ours can be that old, a foreign one has
left by then (``foreign_next``). All have left a period after they were last seen
(``foreign_last``). No more than that needs to be known: the slot that became free lets a request
through, and its response has the next number and the next ``Reset``.

*The limit* is what the last response said, in both directions. A response to a request that was
sent before the limit was lowered does not raise it again. A lower limit that two responses
confirm (or one, where it is not below the first guess) is a floor for an hour: a limit that floats
is used only as far as it is always there.
"""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from metron_async.admission.headers import RESET_ROUNDING
from metron_async.admission.log import CELL, LONGEST_FLIGHT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metron_async.admission.log import Entry
    from metron_async.admission.state import Window, WindowRules

__all__ = [
    "Reading",
    "advance",
    "capacity",
    "forget_foreign",
    "held",
    "learn",
    "leave_time",
    "record",
    "replace_lost",
]

_FLOOR = 3600.0  # seconds for which a lowered limit is not exceeded
_CONFIRMED = 2  # readings in a row that confirm an unusual limit
_SLACK = LONGEST_FLIGHT + CELL  # seconds by which an entry's sending may precede its stamp


def advance(window: Window[Any], rules: WindowRules, now: float) -> None:
    """Let all requests leave whose time has come."""
    count, confirmed = window.log.drop(now - rules.period - rules.margin)
    window.used -= count
    window.confirmed = max(0, window.confirmed - confirmed)
    window.left += count
    if window.foreign:
        if window.foreign_last <= now:
            forget_foreign(window)
        elif window.foreign_next <= now:
            window.foreign -= 1
            window.foreign_next = math.inf
            if not window.foreign:
                forget_foreign(window)


def record(window: Window[Any], sent: float, stamp: float, confirmed: int) -> None:
    """Enter one request of our own into the log.

    Args:
        window: The window.
        sent: When it was sent.
        stamp: When its response was received, or its lease expired.
        confirmed: 1 if the server certainly counted it, else 0.
    """
    window.log.record(sent, stamp, confirmed)
    window.used += 1
    window.confirmed += confirmed


def replace_lost(window: Window[Any], stamp: float) -> None:
    """Take out a request whose lease expired at *stamp*: its response came after all."""
    if window.log.forget(stamp):
        window.used -= 1


def held(window: Window[Any], in_flight: int) -> int:
    """Return how many requests the server may count at most."""
    return window.used + in_flight + window.foreign


def capacity(window: Window[Any], rules: WindowRules, now: float, *, reserved: bool) -> int:
    """Return how many requests the window may hold.

    Args:
        window: The window.
        rules: Its rules.
        now: The present.
        reserved: Whether to leave the share that is reserved for higher priorities.
    """
    limit = window.limit
    if window.floor and now - window.floor_at < _FLOOR:
        limit = min(limit, window.floor)
    return max(1, limit - math.ceil(limit * rules.reserve)) if reserved else limit


def leave_time(
    window: Window[Any], rules: WindowRules, rank: int, now: float, *, earliest: bool
) -> float:
    """Return when *rank* of the requests that are held now have left.

    Args:
        window: The window.
        rules: Its rules.
        rank: How many have to leave; at least 1.
        now: The present.
        earliest: Whether foreign requests leave as early as they possibly can (a lower bound),
            or when it is certain that they have.
    """
    stay = rules.period + rules.margin
    entries: Iterator[Entry] = window.log.oldest()
    own = ((entry.stamp + stay, entry.count) for entry in entries)
    foreign = _foreign_times(window, now, earliest=earliest)
    for time, count in heapq.merge(own, foreign) if window.foreign else own:
        rank -= count
        if rank <= 0:
            return max(now, time)
    # A request in flight stays a whole period from the arrival of its response.
    return now + stay


def _foreign_times(
    window: Window[Any], now: float, *, earliest: bool
) -> Iterator[tuple[float, int]]:
    if earliest:
        yield max(now, window.foreign_floor), window.foreign
    else:
        yield min(window.foreign_next, window.foreign_last), 1
        yield window.foreign_last, window.foreign - 1


class Reading(NamedTuple):
    """One response, as far as one window is concerned.

    Attributes:
        limit: The limit it gives.
        remaining: What remains, this request counted.
        reset_in: Seconds from its ``Date`` to its ``Reset``, negative if unknown.
        sent: When the request was sent.
        now: The present, at which the response was received.
        left: The window's ``left`` when the request was granted; -1 if its lease was lost.
        others: Other requests of ours in flight.
        certainly: 1 if the window certainly counts this request, else 0.
        possibly: 1 if the window may count this request, else 0.
        oldest: When the oldest of our requests in flight was sent, this one included.
    """

    limit: int
    remaining: int
    reset_in: float
    sent: float
    now: float
    left: int
    others: int
    certainly: int
    possibly: int
    oldest: float


def learn(window: Window[Any], rules: WindowRules, reading: Reading) -> bool:
    """Take in a reading, before its request is entered into the log.

    Returns:
        Whether it reveals more foreign requests than were known.
    """
    _learn_limit(window, rules, reading)
    grew = False
    if reading.left >= 0:
        grew = _learn_foreign(window, rules, reading)
        if window.foreign and reading.reset_in >= 0:
            _learn_reset(window, rules, reading)
    return grew


def _learn_limit(window: Window[Any], rules: WindowRules, reading: Reading) -> None:
    lowered = reading.limit < window.limit
    if reading.limit == window.limit:
        window.known += 1
    elif lowered or reading.sent > window.lowered:
        window.limit, window.known = reading.limit, 1
        if lowered:
            window.lowered = reading.now
    if reading.now - window.floor_at >= _FLOOR:
        window.floor = 0
    # No limit below the first guess has been seen: it may be a garbled response.
    again = window.limit <= window.floor
    believed = lowered if window.limit >= rules.limit else window.known == _CONFIRMED
    if again or believed:
        window.floor, window.floor_at = window.limit, reading.now


def _learn_foreign(window: Window[Any], rules: WindowRules, reading: Reading) -> bool:
    """Move the number of foreign requests into the range that a reading allows."""
    counted = reading.limit - reading.remaining
    gone = window.left - reading.left
    possible = window.used + gone + reading.others + reading.possibly
    certain = _certain(window, rules, reading.sent, reading.now) + reading.certainly
    grew = False
    if counted > possible:
        window.foreign_last = reading.now + rules.period + rules.margin
        if counted - possible >= window.foreign:
            grew = counted - possible > window.foreign
            window.foreign = counted - possible
            window.foreign_raised = reading.now
    if (
        reading.remaining > 0
        and counted - certain < window.foreign
        and reading.sent > window.foreign_raised
    ):
        window.foreign = max(0, counted - certain)
    if not window.foreign:
        forget_foreign(window)
    return grew


def _learn_reset(window: Window[Any], rules: WindowRules, reading: Reading) -> None:
    """Learn when foreign requests leave from when the server's oldest request does."""
    earliest_reset = reading.sent + reading.reset_in - RESET_ROUNDING
    latest_reset = reading.now + reading.reset_in
    window.foreign_floor = max(window.foreign_floor, earliest_reset)
    # If the oldest may be one of ours, nothing is known of the foreign ones.
    if window.left != reading.left or reading.oldest + rules.period <= latest_reset:
        return
    for entry in window.log.oldest():
        if entry.stamp - _SLACK + rules.period > latest_reset:
            break
        if entry.sent + rules.period <= latest_reset:
            return
    window.foreign_next = min(window.foreign_next, latest_reset + rules.margin)


def _certain(window: Window[Any], rules: WindowRules, sent: float, now: float) -> int:
    """Count own requests that were in the server's log all the time from *sent* to *now*.

    Only both ends of the log are looked at. Everything between them is certain.
    """
    certain = window.confirmed
    for entry in window.log.newest():
        if entry.stamp <= sent:
            break
        certain -= entry.confirmed
    for entry in window.log.oldest():
        if entry.stamp - _SLACK + rules.period > now or entry.stamp > sent:
            break
        if entry.sent + rules.period <= now:
            certain -= entry.confirmed
    return max(0, certain)


def forget_foreign(window: Window[Any]) -> None:
    """Take no request for a foreign one."""
    window.foreign = 0
    window.foreign_floor = -math.inf
    window.foreign_next = math.inf
    window.foreign_last = -math.inf
