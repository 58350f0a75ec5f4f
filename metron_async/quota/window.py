"""One window of one account: what may be in it, and when that leaves.

The server keeps, per user, a log of the requests it accepted, and accepts another one while fewer
than ``limit`` of them lie in the last ``period`` seconds. A client that wants all of its quota and
never a 429 has to know that log without seeing it. It knows four things:

*Its own requests.* A request is counted at some moment between its sending and the arrival of its
answer. It is therefore kept under the time at which the answer was RECEIVED, and leaves a period
(and a small margin) after that: then it has certainly left the server's log too. Until the answer
is there, the request is in flight and holds a reservation. That is the whole argument why an
account that is ours alone never sees a 429. Suppose 21 requests were counted within one period,
and let k be the one of them that was sent last. Each other one was sent before k was granted, and
its answer came later than it was counted; so at that moment it was in flight or in our log, and k
would have had to wait. Neither latency nor the order of the answers nor any clock enters into it.
(Stamping a request when it is SENT, as rate limiters do, breaks exactly this: it leaves too soon
by the time it took to be counted.)

*Requests of others* on the same account, the phantoms (``ghosts``). An answer says how many
requests ``u`` the server counts. Of these, some are certainly ours: received before this request
was sent, and sent less than a period ago. Others may be ours: what was in flight at the same time,
what is about to leave, what got lost. So the number of foreign ones lies between
``u - possible`` and ``u - certain``, and the phantoms are moved into that range. Our own entries
never leave early on a header's word: that word may be old, and it cannot name them. Where none
remain the server may hold more than ``limit`` (a limit that floats was just lowered), so such an
answer never lowers the phantoms; nor does an answer to a request that was sent before they were
last raised, since answers overtake each other.

*When phantoms leave.* ``Reset`` tells when the OLDEST request leaves the server's window: nothing
leaves earlier (``ghost_floor``), and where none of ours can be that old, it is a phantom that has
left by then (``ghost_next``). All have left a period after they were last seen (``ghost_last``).
In between there is no need to know more: the slot that became free lets a request through, and its
answer tells the next number and the next Reset.

*The limit* is what the last answer said, in both directions, save that an answer to a request
sent before the limit was lowered does not raise it again.

The day's window may hold 25,000 requests. Those of one minute share an entry there, which leaves
when the last of them does: a state stays small, at the price of a minute in a day.
"""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING, NamedTuple

from metron_async.quota.headers import RESET_ROUNDING
from metron_async.quota.state import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metron_async.quota.state import Window, WindowRules

__all__ = [
    "LONGEST_FLIGHT",
    "Answer",
    "advance",
    "capacity",
    "earliest",
    "held",
    "learn",
    "leave_time",
    "paced_until",
    "record",
]

LONGEST_FLIGHT = 300.0
"""Seconds after which a request in flight is given up: its lease is not renewed any longer."""


def advance(window: Window, rules: WindowRules, now: float) -> None:
    """Let everything leave whose time has come."""
    stay = rules.period + rules.margin
    gone = 0
    for entry in window.log:
        if entry.stamp + stay > now:
            break
        gone += 1
        window.used -= entry.count
        window.sure -= entry.sure
        window.left += entry.count
    if gone:
        del window.log[:gone]
    if window.ghosts:
        if window.ghost_last <= now:
            window.ghosts = 0
        elif window.ghost_next <= now:
            window.ghosts -= 1
            window.ghost_next = math.inf
        _forget_ghosts_if_none(window)


def record(window: Window, rules: WindowRules, sent: float, stamp: float, sure: int) -> None:
    """Enter one request of our own into the log.

    Args:
        window: The window.
        rules: Its rules.
        sent: When it was sent.
        stamp: When its answer was received, or its lease expired.
        sure: 1 if the server certainly counted it, else 0.
    """
    log = window.log
    place = len(log)
    # Expired leases are found late; everything else belongs at the end.
    while place and log[place - 1].stamp > stamp:
        place -= 1
    if rules.grain > 0 and place and stamp - log[place - 1].sent <= rules.grain:
        bucket = log[place - 1]
        bucket.sent = min(bucket.sent, sent)
        bucket.stamp = stamp
        bucket.count += 1
        bucket.sure += sure
    else:
        log.insert(place, Entry(sent, stamp, 1, sure))
    window.used += 1
    window.sure += sure


def held(window: Window, in_flight: int) -> int:
    """Return how many requests the server may count at most."""
    return window.used + in_flight + window.ghosts


def capacity(window: Window, rules: WindowRules, *, reserved: bool) -> int:
    """Return how many requests the window may hold, without those reserved for other lanes."""
    if not reserved:
        return window.limit
    share = rules.reserve if rules.reserve >= 1 else math.ceil(window.limit * rules.reserve)
    return max(1, window.limit - int(share))


def leave_time(
    window: Window, rules: WindowRules, rank: int, now: float, *, hopeful: bool
) -> float:
    """Return when as many as *rank* of the requests that are held now have left.

    Args:
        window: The window.
        rules: Its rules.
        rank: How many have to leave; at least 1.
        now: The present.
        hopeful: Whether phantoms leave as early as they possibly can (a lower bound), or when
            it is certain that they have.
    """
    stay = rules.period + rules.margin
    own = ((entry.stamp + stay, entry.count) for entry in window.log)
    for time, count in heapq.merge(own, _ghost_times(window, now, hopeful=hopeful)):
        rank -= count
        if rank <= 0:
            return max(now, time)
    # What is in flight stays a whole period from the moment its answer comes.
    return now + stay


def _ghost_times(window: Window, now: float, *, hopeful: bool) -> Iterator[tuple[float, int]]:
    if hopeful:
        yield max(now, window.ghost_floor), window.ghosts
    elif window.ghosts:
        yield min(window.ghost_next, window.ghost_last), 1
        yield window.ghost_last, window.ghosts - 1


def earliest(
    window: Window, rules: WindowRules, room: int, used: int, *, ahead: int, now: float
) -> float:
    """Return the earliest time at which a request can be granted after *ahead* others.

    Every slot that is used comes back after a period at the earliest: the request after
    ``room`` others waits for the first of these, and so on.
    """
    rounds, turn = divmod(ahead, room)
    rank = used - room + 1 + turn
    first = now if rank <= 0 else leave_time(window, rules, rank, now, hopeful=True)
    return first + rounds * (rules.period + rules.margin)


def paced_until(
    window: Window, rules: WindowRules, in_flight: int, last_bulk: float, now: float
) -> float:
    """Return when BULK may take the next slot.

    The first half of a window is free. Then BULK spreads what is left over the time until the
    next slot comes back, so that slots come back evenly too and none of the other lanes ever
    waits long for one. With ``free`` slots left it may go when
    ``t - last_bulk >= (first - t) / free``, solved here for ``t``.
    """
    room = capacity(window, rules, reserved=True)
    used = held(window, in_flight)
    if used * 2 < window.limit or used >= room:
        return now
    free = room - used
    first = leave_time(window, rules, 1, now, hopeful=False)
    return max(last_bulk + rules.period / room, (first + free * last_bulk) / (free + 1))


class Answer(NamedTuple):
    """An answer of the server, as far as one window is concerned.

    Attributes:
        limit: The limit it told.
        remaining: What remains, this request counted.
        reset_in: Seconds from its ``Date`` to its ``Reset``, negative if unknown.
        sent: When the request was sent.
        now: The present, at which the answer was received.
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


def learn(window: Window, rules: WindowRules, answer: Answer) -> None:
    """Take in what *answer* tells, before its request is entered into the log."""
    if answer.limit < window.limit:
        window.lowered = answer.now
        window.limit = answer.limit
    elif answer.sent > window.lowered:
        window.limit = answer.limit
    if answer.left >= 0:
        _learn_ghosts(window, rules, answer)
        if window.ghosts and answer.reset_in >= 0:
            _learn_reset(window, rules, answer)


def _learn_ghosts(window: Window, rules: WindowRules, answer: Answer) -> None:
    """Move the phantoms into the range that an answer allows."""
    counted = answer.limit - answer.remaining
    gone = window.left - answer.left
    possible = window.used + gone + answer.others + answer.possibly
    certain = _certain(window, rules, answer.sent, answer.now) + answer.certainly
    if counted > possible:
        window.ghost_last = answer.now + rules.period + rules.margin
        if counted - possible >= window.ghosts:
            window.ghosts = counted - possible
            window.ghost_raised = answer.now
    if (
        answer.remaining > 0
        and counted - certain < window.ghosts
        and answer.sent > window.ghost_raised
    ):
        window.ghosts = max(0, counted - certain)
    _forget_ghosts_if_none(window)


def _learn_reset(window: Window, rules: WindowRules, answer: Answer) -> None:
    """Learn when phantoms leave from the time at which the server's oldest request does."""
    earliest_reset = answer.sent + answer.reset_in - RESET_ROUNDING
    latest_reset = answer.now + answer.reset_in
    window.ghost_floor = max(window.ghost_floor, earliest_reset)
    # If the oldest may be one of ours, nothing is known of the phantoms: ours will free its slot.
    if window.left != answer.left or answer.oldest + rules.period <= latest_reset:
        return
    for entry in window.log:
        if entry.stamp - rules.grain - LONGEST_FLIGHT + rules.period > latest_reset:
            break
        if entry.sent + rules.period <= latest_reset:
            return
    window.ghost_next = min(window.ghost_next, latest_reset + rules.margin)


def _certain(window: Window, rules: WindowRules, sent: float, now: float) -> int:
    """Count own requests that were in the server's log all the time from *sent* to *now*.

    Only both ends of the log are looked at: in the middle everything is certain.
    """
    certain = window.sure
    for entry in reversed(window.log):
        if entry.stamp <= sent:
            break
        certain -= entry.sure
    for entry in window.log:
        if entry.stamp - rules.grain - LONGEST_FLIGHT + rules.period > now or entry.stamp > sent:
            break
        if entry.sent + rules.period <= now:
            certain -= entry.sure
    return certain


def _forget_ghosts_if_none(window: Window) -> None:
    if not window.ghosts:
        window.ghost_floor = -math.inf
        window.ghost_next = math.inf
        window.ghost_last = -math.inf
