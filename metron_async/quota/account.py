"""The decision: one command, one account, one moment.

:func:`apply` is the whole quota limiter as a function of plain values. A store owns the state and
the clock: it loads the state, applies the command under a lock, and saves. The rules across both
windows are here; what happens within a window is in :mod:`metron_async.quota.window`.

A slot is granted when no 429's wait is running, fewer than ``max_in_flight`` requests are in
flight, and both windows have room. While nothing has been heard from the server for a while
(first contact, or a pause in which others may have used the account up), and after a 429, the
first request goes alone: if it is refused, that was one 429 and not eight.

A granted request holds a lease. Its client renews it while it waits for the answer; a lease that
expired belongs to a process that died, and counts as a request received at that moment, since the
server may have counted it. Should its answer come after all, it counts once more: the server may
have counted it as late as that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metron_async.quota import window as windows
from metron_async.quota.state import (
    BURST,
    SUSTAINED,
    Acquire,
    Lease,
    Peek,
    Release,
    Renew,
    Reply,
    Settle,
    WindowStatus,
)
from metron_async.types import Priority

if TYPE_CHECKING:
    from metron_async.quota.state import Command, Rules, Scope, State, Window, WindowRules

__all__ = ["apply", "shift"]

_MOMENT = 0.001  # seconds; a wait is never shorter, so that a full window is never taken for free


def apply(state: State, rules: Rules, now: float, command: Command) -> Reply:
    """Carry out *command* on *state* at the time *now*.

    Args:
        state: The account's state, which is changed in place.
        rules: The rules of both windows.
        now: Seconds on the store's clock. If that went backwards, everything known is taken to
            be as old as it was.
        command: What is asked.
    """
    advance(state, rules, now)
    match command:
        case Acquire():
            return _acquire(state, rules, command)
        case Settle():
            _settle(state, rules, command)
        case Release():
            _take_lease(state, command.lease)
        case Renew():
            for lease in state.leases:
                if lease.id in command.leases:
                    lease.expires = now + rules.lease
        case _:
            return _peek(state, rules, command)
    return _reply(state)


def shift(state: State, by: float) -> None:
    """Move everything known in time by *by* seconds, as when the clock was set."""
    state.now += by
    state.heard += by
    state.blocked_until += by
    state.last_bulk += by
    for lease in state.leases:
        lease.sent += by
        lease.expires += by
    for window in (state.burst, state.sustained):
        window.lowered += by
        window.ghost_floor += by
        window.ghost_next += by
        window.ghost_last += by
        window.ghost_raised += by
        for entry in window.log:
            entry.sent += by
            entry.stamp += by


def advance(state: State, rules: Rules, now: float) -> None:
    """Bring *state* to the time *now*: leases expire, and requests leave the windows."""
    if now < state.now:
        shift(state, now - state.now)
    state.now = now
    expired = [lease for lease in state.leases if lease.expires <= now]
    for lease in expired:
        state.leases.remove(lease)
        windows.record(state.burst, rules.burst, lease.sent, lease.expires, 0)
        windows.record(state.sustained, rules.sustained, lease.sent, lease.expires, 0)
    windows.advance(state.burst, rules.burst, now)
    windows.advance(state.sustained, rules.sustained, now)


def _both(state: State, rules: Rules) -> tuple[tuple[Window, WindowRules, Scope], ...]:
    return (
        (state.burst, rules.burst, BURST),
        (state.sustained, rules.sustained, SUSTAINED),
    )


def _acquire(state: State, rules: Rules, command: Acquire) -> Reply:
    now, in_flight = state.now, len(state.leases)
    if any(lease.id == command.lease for lease in state.leases):
        return _reply(state, granted=True)
    until, scope = _blocked(state)
    bulk = command.lane == Priority.BULK
    for window, its, name in _both(state, rules):
        # In a hurry BULK takes any slot of the minute, but never the last of the day.
        reserved = bulk and not (command.hurried and name == BURST)
        rank = (
            windows.held(window, in_flight) - windows.capacity(window, its, reserved=reserved) + 1
        )
        if rank > 0:
            free = windows.leave_time(window, its, rank, now, hopeful=False)
            free = max(free, now + _MOMENT)
        elif reserved and name == BURST:
            free = windows.paced_until(window, its, in_flight, state.last_bulk, now)
        else:
            continue
        if free > until:
            until, scope = free, name
    if until > now:
        return _reply(state, wait=until - now, scope=scope)
    if _must_wait_for_answers(state, rules, command):
        return _reply(state)
    state.leases.append(
        Lease(command.lease, now, now + rules.lease, state.burst.left, state.sustained.left)
    )
    if bulk:
        state.last_bulk = now
    return _reply(state, granted=True)


def _must_wait_for_answers(state: State, rules: Rules, command: Acquire) -> bool:
    in_flight = len(state.leases)
    if in_flight == 0:
        return False
    above = windows.held(state.burst, in_flight) >= rules.burst.limit
    doubt = rules.doubt_above if above else rules.doubt
    if state.half_open or state.now - state.heard >= doubt:
        return True
    most = command.max_in_flight
    if command.lane == Priority.BULK and not command.hurried:
        # When answers are slow, a job must not hold every connection that others could use.
        most = max(1, most - 1)
    return in_flight >= most


def _peek(state: State, rules: Rules, command: Peek) -> Reply:
    now, in_flight = state.now, len(state.leases)
    until, scope = _blocked(state)
    statuses: list[WindowStatus] = []
    for window, its, name in _both(state, rules):
        reserved = command.lane == Priority.BULK and name == SUSTAINED
        room = windows.capacity(window, its, reserved=reserved)
        used = windows.held(window, in_flight)
        free = windows.earliest(window, its, room, used, ahead=command.ahead, now=now)
        if free > until:
            until, scope = free, name
        first = windows.leave_time(window, its, 1, now, hopeful=True) if used else now
        statuses.append(WindowStatus(window.limit, used, first - now))
    return Reply(
        granted=False,
        wait=until - now,
        scope=scope,
        in_flight=in_flight,
        limits=(state.burst.limit, state.sustained.limit),
        windows=tuple(statuses),
    )


def _settle(state: State, rules: Rules, command: Settle) -> None:
    now = state.now
    lease = _take_lease(state, command.lease)
    if not command.counted:
        return
    if lease is None:
        # Its lease expired, or its state was lost: nothing is known of what happened meanwhile.
        lease = Lease(command.lease, now - windows.LONGEST_FLIGHT, now, -1, -1)
    oldest = min([lease.sent, *(other.sent for other in state.leases)])
    readings = (command.burst, command.sustained)
    lefts = (lease.burst_left, lease.sustained_left)
    for (window, its, _), reading, left in zip(_both(state, rules), readings, lefts, strict=True):
        certainly, possibly = _counts(command, reading)
        if reading:
            state.heard = now
            answer = windows.Answer(
                limit=int(reading[0]),
                remaining=int(reading[1]),
                reset_in=reading[2],
                sent=lease.sent,
                now=now,
                left=left,
                others=len(state.leases),
                certainly=certainly,
                possibly=possibly,
                oldest=oldest,
            )
            windows.learn(window, its, answer)
        if possibly:
            windows.record(window, its, lease.sent, now, certainly)
    if command.throttled:
        _block(state, rules, command)
    elif state.heard == now and lease.sent >= state.blocked_until:
        state.half_open = False


def _counts(command: Settle, reading: tuple[float, ...]) -> tuple[int, int]:
    """Return how many requests this one certainly, and possibly, is in one window: 0 or 1.

    The window that rejects a request does not count it, the other one does. With nothing left in
    both, it is not known which of them it was.
    """
    if not reading:
        return 0, 1
    if not command.throttled:
        return 1, 1
    spent = [bool(each) and each[1] == 0 for each in (command.burst, command.sustained)]
    if reading[1] > 0:
        return (1, 1) if any(spent) else (0, 1)
    return (0, 1) if all(spent) else (0, 0)


def _block(state: State, rules: Rules, command: Settle) -> None:
    asked = command.retry_after if command.retry_after >= 0 else rules.burst.period
    until = state.now + min(asked, rules.sustained.period) + command.jitter
    if until > state.blocked_until:
        state.blocked_until = until
        by_day = bool(command.sustained) and command.sustained[1] == 0
        by_minute = bool(command.burst) and command.burst[1] == 0
        # Without a reading, only the day's window can ask for more than a minute or two.
        state.blocked_by_day = asked > 2 * rules.burst.period or (by_day and not by_minute)
    state.half_open = True


def _blocked(state: State) -> tuple[float, Scope | None]:
    if state.blocked_until > state.now:
        return state.blocked_until, SUSTAINED if state.blocked_by_day else BURST
    return state.now, None


def _take_lease(state: State, lease_id: int) -> Lease | None:
    for place, lease in enumerate(state.leases):
        if lease.id == lease_id:
            return state.leases.pop(place)
    return None


def _reply(
    state: State, *, granted: bool = False, wait: float = 0.0, scope: Scope | None = None
) -> Reply:
    return Reply(
        granted=granted,
        wait=wait,
        scope=scope,
        in_flight=len(state.leases),
        limits=(state.burst.limit, state.sustained.limit),
    )
