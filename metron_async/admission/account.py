"""One account: may this request be sent now, and what does its response teach?

**Both windows** must have room, no 429's wait may be running, and few enough requests may be in
flight. While nothing was heard from the server for a while (first contact, or a pause in which
other clients may have used the account up), and after a 429, the first request goes alone: if it
is rejected, that was one 429 and not eight.

**Priorities.** The state remembers when each priority was last asked for. It is *in use* for five
minutes after. A lower priority leaves room for higher ones in use: one slot, and evenly spaced.
What is not in use costs nothing: a job that begins takes all slots at first, the last one only
for its last request. BULK that runs longer than a minute leaves one, and after 20 minutes it is
spaced. A request that waits goes before those of lower priorities, in all processes. BULK that
waits long goes before NORMAL.

**A request whose lease expired** counts as received at that time, since the server may have
counted it. If its response comes after all, it replaces that entry.

**A spent day** that neither our own log nor the readings before explain is probed once an hour:
the account may have a higher limit now, or the response was garbled. Where the readings
approached the end step by step, other clients have spent it, and the intervals double.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from metron_async.admission import budget as budgets
from metron_async.admission import window as windows
from metron_async.admission.commands import Cause, Refusal
from metron_async.admission.log import LONGEST_FLIGHT
from metron_async.admission.state import BURST, SUSTAINED, Account
from metron_async.types import Priority

if TYPE_CHECKING:
    from metron_async.admission.commands import Acquire, Settle
    from metron_async.admission.state import Lease, Rules, Scope, Window, WindowRules

__all__ = ["advance", "both", "grant", "lost", "refuse", "reset", "settle"]

_MOMENT = 0.001  # seconds: a wait is never shorter, so that a full window is never taken for free
_IN_USE = 300.0  # seconds for which a priority counts as in use
_RENEW = 15.0  # seconds after which it is noted again
_RUN = 120.0  # seconds without a request after which a job has ended
_BEGIN = 60.0  # seconds for which a job has just begun
_LATE = 3  # the lane of BULK that has waited long
_MARK = 60.0  # seconds for which a wait is noted at most
_GRACE = 0.5  # seconds by which a waiting process may be late to ask again
_POLL = (1.0, 2.5)  # seconds: a shorter mark of a wait without an end is renewed to the longer
_SOON = 0.4  # seconds for which BULK need not leave a slot, since another becomes free
_LONG = 1200.0  # seconds after which BULK is spaced beside unused priorities too
_EVEN = 0.8  # of the even spacing, for BULK that runs long beside unused priorities
_PROBE = 3600.0  # seconds between two probes of a spent day
_NEAR = 100  # a reading with less than this part of the limit remaining is near the end


def advance(account: Account, rules: Rules, now: float) -> None:
    """Bring *account* to the time *now*: leases expire, and requests leave the windows."""
    if now < account.now:
        _shift(account, now - account.now)
    account.now = now
    for lease in [lease for lease in account.leases if lease.expires <= now]:
        account.leases.remove(lease)
        for window in (account.burst, account.sustained):
            windows.record(window, lease.sent, lease.expires, 0)
    windows.advance(account.burst, rules.burst, now)
    windows.advance(account.sustained, rules.sustained, now)


def _shift(account: Account, by: float) -> None:
    """Move everything known in time, as when the storage's clock was set back."""
    parts: list[Any] = [account, account.budget, *account.lanes, *account.credentials]
    for part in (*parts, *account.leases, *account.outcomes, account.burst, account.sustained):
        for name in part.__struct_fields__:
            value = getattr(part, name)
            if isinstance(value, float):  # all floats are times
                setattr(part, name, value + by)
    account.burst.log.shift(by)
    account.sustained.log.shift(by)
    account.budget.offset -= 2 * by  # which was shifted with the rest, and grows instead


def both(account: Account, rules: Rules) -> tuple[tuple[Window[Any], WindowRules, Scope], ...]:
    """Return both windows with their rules and names."""
    return (
        (account.burst, rules.burst, BURST),
        (account.sustained, rules.sustained, SUSTAINED),
    )


def refuse(account: Account, rules: Rules, ask: Acquire) -> tuple[Refusal | None, bool]:
    """Return why *ask* may not be sent now, or ``None``; and whether the account has changed."""
    changed = _note_use(account, ask.priority)
    refusal = _refusal(account, rules, ask)
    lane = account.lanes[_lane(ask)]
    if refusal is None:
        return None, changed
    if refusal.wait > 0 and refusal.cause is not Cause.PACE:
        least = most = account.now + min(refusal.wait, _MARK)
    else:
        least, most = (account.now + seconds for seconds in _POLL)
    if lane.waits < least:
        lane.waits, changed = most + _GRACE, True
    return refusal, changed


def _lane(ask: Acquire) -> int:
    return _LATE if ask.late and ask.priority == Priority.BULK else ask.priority


def _note_use(account: Account, priority: int) -> bool:
    lane, now = account.lanes[priority], account.now
    if now - lane.asked <= _RENEW:
        return False
    if now - lane.asked > _RUN:
        lane.run = now
    lane.asked = now
    return True


def _above(ask: Acquire) -> list[int]:
    """Return the lanes that go before *ask*."""
    effective = Priority.NORMAL if _lane(ask) == _LATE else ask.priority
    return list(range(effective))


def _refusal(account: Account, rules: Rules, ask: Acquire) -> Refusal | None:
    now = account.now
    used = max([account.lanes[lane].asked + _IN_USE for lane in _above(ask)], default=-math.inf)
    above = used > now
    refusal = _paused(account, rules) or _full(account, rules, ask, used)
    if refusal is not None:
        return refusal
    before = _above(ask)
    if ask.priority > 0 and _lane(ask) != _LATE:
        before.append(_LATE)
    paced = _paced_until(account, rules, ask, above=above)
    if any(account.lanes[lane].waits > now for lane in before):
        cause, wait = Cause.PRIORITY, 0.0
    elif paced > now:
        cause, wait = Cause.PACE, min(paced, used if above else math.inf) - now
    elif _too_many(account, rules, ask, above=above):
        cause, wait = Cause.FLIGHT, 0.0
    else:
        return None
    return _refused(account, rules, cause, wait)


def _refused(
    account: Account, rules: Rules, cause: Cause, wait: float, scope: Scope = BURST
) -> Refusal:
    """Return a refusal with what it means for the requests that wait behind."""
    window, now = account.burst, account.now
    free = window.limit - windows.held(window, len(account.leases))
    later = windows.leave_time(window, rules.burst, max(1, 1 - free), now, earliest=True) - now
    limit = window.limit if scope == BURST else account.sustained.limit
    return Refusal(cause, wait, scope, limit, free=max(0, free), later=later)


def _paused(account: Account, rules: Rules) -> Refusal | None:
    wait = account.budget.paused_until - account.now
    if wait <= 0:
        return None
    scope = BURST if wait <= 2 * rules.burst.period else SUSTAINED
    return _refused(account, rules, Cause.PAUSE, wait, scope)


def _full(account: Account, rules: Rules, ask: Acquire, used: float) -> Refusal | None:
    """Return the wait for a 429 to be over, and for a slot in both windows.

    Higher priorities are in use until the time *used*.
    """
    now, above = account.now, used > account.now
    cause, longest = Cause.REJECTED, account.blocked_until - now
    decisive: Scope = SUSTAINED if account.blocked_by_day else BURST
    for window, its, scope in both(account, rules):
        room = _room(account, rules, ask, scope, above=above)
        rank = windows.held(window, len(account.leases)) - room + 1
        if rank > 0:
            wait = windows.leave_time(window, its, rank, now, earliest=False) - now
            wait = max(wait, _MOMENT)
            if rank == 1 and scope == BURST and _leaves_one(account, ask, above=above):
                wait = min(wait, used - now) if above else wait - _SOON
            if wait > longest:
                cause, longest, decisive = Cause.WINDOW, wait, scope
    if longest > 0 and decisive == SUSTAINED:
        due = _probe_due(account) - now
        if due <= 0 and not account.leases:
            return None
        longest = min(longest, max(due, _MOMENT))
    return _refused(account, rules, cause, longest, decisive) if longest > 0 else None


def _probe_due(account: Account) -> float:
    """Return when a spent day may be probed; never where our own log explains it."""
    day = account.sustained
    if account.spent_at == -math.inf or (day.used >= day.limit and day.known > 1):
        return math.inf
    doubled = math.pow(2, min(account.probes, 10)) if account.expected else 1.0
    return account.spent_at + _PROBE * doubled


def _room(account: Account, rules: Rules, ask: Acquire, scope: Scope, *, above: bool) -> int:
    now, bulk = account.now, ask.priority == Priority.BULK
    if scope == SUSTAINED:
        return windows.capacity(account.sustained, rules.sustained, now, reserved=bulk)
    room = windows.capacity(account.burst, rules.burst, now, reserved=bulk)
    room -= budgets.kept_free(account.budget, now)
    if _leaves_one(account, ask, above=above):
        room -= 1
    return max(1, room)


def _leaves_one(account: Account, ask: Acquire, *, above: bool) -> bool:
    if ask.last and _has_begun(account, ask):
        return False
    return above or (ask.priority == Priority.BULK and _lane(ask) != _LATE)


def _has_begun(account: Account, ask: Acquire) -> bool:
    return account.now - account.lanes[ask.priority].run <= _BEGIN


def _paced_until(account: Account, rules: Rules, ask: Acquire, *, above: bool) -> float:
    """Return when a request below INTERACTIVE may take the next slot."""
    if ask.priority == Priority.INTERACTIVE:
        return -math.inf
    room = _room(account, rules, ask, BURST, above=above)
    step = rules.burst.period / room
    if budgets.shared(account.budget, account.now):
        return account.last_low + step
    if _has_begun(account, ask) or _lane(ask) == _LATE:
        return -math.inf
    if above:
        return account.last_low + step
    if ask.priority == Priority.NORMAL:
        return -math.inf
    long = account.now - account.lanes[Priority.BULK].run > _LONG
    return account.last_low + step * _EVEN if long else -math.inf


def _too_many(account: Account, rules: Rules, ask: Acquire, *, above: bool) -> bool:
    """Return whether responses must come before another request is sent."""
    in_flight, now = len(account.leases), account.now
    if in_flight == 0:
        return False
    high = windows.held(account.burst, in_flight) >= rules.burst.limit
    stale = rules.stale_above if high else rules.stale_after
    alone = account.half_open or budgets.shared(account.budget, now)
    if alone or now - account.heard >= stale:
        return True
    spare = above or (ask.priority == Priority.BULK and _lane(ask) != _LATE)
    # When responses are slow, a job must not hold every connection that others could use.
    return in_flight >= max(1, min(ask.max_in_flight - spare, account.budget.open))


def grant(account: Account, rules: Rules, ask: Acquire, lease: Lease) -> None:
    """Enter *lease* for *ask*."""
    now = account.now
    if now - account.heard >= rules.stale_after:
        account.budget.open = 1
    full = windows.held(account.sustained, 0) >= account.sustained.limit
    if full or account.blocked_until > now:  # only a probe comes here
        account.spent_at, account.half_open = now, True
        account.probes += 1
    account.leases.append(lease)
    account.lanes[_lane(ask)].waits = -math.inf
    if ask.priority > Priority.INTERACTIVE:
        account.last_low = now


def settle(account: Account, rules: Rules, end: Settle) -> None:
    """Take in what became of a request.

    Its lease has been taken out of the account. If it was not there, its lease expired or the
    state was lost: nothing is known of what left the windows meanwhile.
    """
    now, lease = account.now, end.lease
    budgets.note_date(account.budget, now, end.date)
    if not end.counted:
        return
    heard = account.heard
    grew = [_learn(account, rules, end, scope) for scope in (BURST, SUSTAINED)]
    if end.burst or end.sustained:
        account.heard = now
    if any(grew):
        budgets.foreign_grew(account.budget, now, heard)
    if end.throttled:
        _block(account, rules, end)
    elif account.heard == now:
        budgets.good(account.budget, now)
        if lease.sent >= account.blocked_until or account.spent_at > -math.inf:
            account.half_open = False
    if end.sustained:
        _note_day(account, end)


def _learn(account: Account, rules: Rules, end: Settle, scope: Scope) -> bool:
    """Take in a response for one window; return whether it reveals more foreign requests."""
    now, lease, grew = account.now, end.lease, False
    if scope == BURST:
        window, its, reading, left = account.burst, rules.burst, end.burst, lease.burst_left
        other = end.sustained
    else:
        window, its = account.sustained, rules.sustained
        reading, left, other = end.sustained, lease.sustained_left, end.burst
    certainly, possibly = _counts(end, reading, other)
    if reading:
        grew = windows.learn(
            window,
            its,
            windows.Reading(
                limit=int(reading[0]),
                remaining=int(reading[1]),
                reset_in=reading[2],
                sent=lease.sent,
                now=now,
                left=left,
                others=len(account.leases),
                certainly=certainly,
                possibly=possibly,
                oldest=min([lease.sent, *(each.sent for each in account.leases)]),
            ),
        )
    if possibly:
        windows.record(window, lease.sent, now, certainly)
    return grew


def _counts(end: Settle, reading: tuple[float, ...], other: tuple[float, ...]) -> tuple[int, int]:
    """Return how many requests this one certainly, and possibly, is in one window: 0 or 1.

    The window that rejects a request does not count it, the other one does. With nothing left in
    both, it is not known which of them rejected it.
    """
    if not reading:
        return 0, 1
    if not end.throttled:
        return 1, 1
    spent, other_spent = reading[1] == 0, bool(other) and other[1] == 0
    if not spent:
        return (1, 1) if other_spent else (0, 1)
    return (0, 1) if other_spent else (0, 0)


def _block(account: Account, rules: Rules, end: Settle) -> None:
    asked = end.retry_after if end.retry_after >= 0 else rules.burst.period
    by_day = bool(end.sustained) and end.sustained[1] == 0
    by_minute = bool(end.burst) and end.burst[1] == 0
    # Without a reading, only the day's window can ask for more than a minute or two.
    by_day = asked > 2 * rules.burst.period or (by_day and not by_minute)
    until = account.now + min(asked, rules.sustained.period) + end.jitter
    if until > account.blocked_until:
        account.blocked_until, account.blocked_by_day = until, by_day
    account.half_open = True
    if by_day:
        account.spent_at = account.now
    budgets.rejected(account, end, by_day=by_day)


def _note_day(account: Account, end: Settle) -> None:
    """Note whether the day is spent, and whether that was to be expected."""
    limit, remaining = end.sustained[0], end.sustained[1]
    if remaining > 0:
        account.expected = remaining < limit / _NEAR
        account.probes = 0
        account.spent_at = -math.inf
        if account.blocked_by_day and not end.throttled:
            account.blocked_until = min(account.blocked_until, account.now)
    else:
        account.spent_at = account.now


def reset(account: Account, rules: Rules) -> None:
    """Forget limits, a spent day, and pauses; the minute's own requests and 429s stay."""
    account.sustained = Account.fresh(rules, account.now).sustained
    minute = account.burst
    minute.limit, minute.known, minute.floor = rules.burst.limit, 0, 0
    windows.forget_foreign(minute)
    account.blocked_until = account.spent_at = account.budget.paused_until = -math.inf
    account.heard = -math.inf
    account.half_open = account.expected = False
    account.probes = account.budget.streak = 0
    for lease in account.leases:
        lease.sustained_left = lease.burst_left = -1


def lost(lease: Lease, now: float) -> Lease:
    """Return what is known of a lease that is no longer in the account."""
    sent = max(lease.sent, now - LONGEST_FLIGHT) if lease.sent <= now else now - LONGEST_FLIGHT
    return type(lease)(lease.id, sent, now, lease.kind, -1, -1, lease.credentials, lease.key)
