"""What a response teaches about its account.

**A request whose lease expired** counts as received at that time, since the server may have
counted it. If its response comes after all, it replaces that entry.

**How careful to be** beside other clients of the account, and after 429s: the server warns an
account at 100 429s a day, and later revokes its tokens. So 429s are a budget, counted per UTC day
by the server's own clock. Two things make the limiter careful: foreign requests that grow while it
watches, in either window, and 429s. For half an hour it sends one request at a time and keeps some
slots of the minute free for other clients, twice as many after each 429. They sink again, one in a
quarter of an hour.

Late in the budget, or after three 429s in a row, a pause doubles from a minute to hours.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from metron_async.admission import window as windows
from metron_async.admission.log import LONGEST_FLIGHT
from metron_async.admission.state import BURST, SUSTAINED, Account

if TYPE_CHECKING:
    from metron_async.admission.commands import Settle
    from metron_async.admission.state import Budget, Lease, Rules, Scope, Window, WindowRules

__all__ = ["advance", "both", "kept_free", "lost", "reset", "settle", "shared"]

_DAY = 86_400.0
_SHARED_FOR = 1800.0  # seconds after the last sign of other clients
_LEAST = 4  # slots kept free beside other clients
_SINK = 900.0  # seconds in which one of them is used again
_WATCHED = 90.0  # seconds between two readings, within which growth is news
_BUDGET = 49  # 429s a day, after which nothing is sent
_EARLY = 40  # 429s a day, after which pauses begin
_STREAK = 3  # 429s in a row, after which pauses begin
_PAUSE = (60.0, 7200.0)
_WIDE_OPEN = 64
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


def settle(account: Account, rules: Rules, end: Settle) -> None:
    """Take in what became of a request.

    Its lease has been taken out of the account. If it was not there, its lease expired or the
    state was lost: nothing is known of what left the windows meanwhile.
    """
    now, lease = account.now, end.lease
    _note_date(account.budget, now, end.date)
    if not end.counted:
        return
    heard = account.heard
    grew = [_learn(account, rules, end, scope) for scope in (BURST, SUSTAINED)]
    if end.burst or end.sustained:
        account.heard = now
    if any(grew):
        _foreign_grew(account.budget, now, heard)
    if end.throttled:
        _block(account, rules, end)
    elif account.heard == now:
        _note_good(account.budget, now)
        if lease.sent >= account.blocked_until or account.spent_at > -math.inf:
            account.half_open = False
    if end.sustained:
        _note_day(account, end)


def _learn(account: Account, rules: Rules, end: Settle, scope: Scope) -> bool:
    """Take in a response for one window; return whether it reveals more foreign requests."""
    now, lease, grew = account.now, end.lease, False
    window: Window[Any]
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
    _note_rejected(account, end, by_day=by_day)


def _note_day(account: Account, end: Settle) -> None:
    """Note whether the day is spent, and whether that was to be expected."""
    limit, remaining, day = end.sustained[0], end.sustained[1], account.sustained
    # With something remaining, our own requests cannot have spent it: the limit may be garbled.
    contradicted = day.used >= day.limit
    if remaining > 0 and not contradicted:
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
    return msgspec.structs.replace(lease, sent=sent, expires=now, burst_left=-1, sustained_left=-1)


def shared(budget: Budget, now: float) -> bool:
    """Return whether other clients use the account."""
    return now - budget.foreign < _SHARED_FOR


def kept_free(budget: Budget, now: float) -> int:
    """Return how many slots of the minute are kept free for other clients."""
    sunk = int(max(0.0, now - budget.calm) // _SINK) if budget.keep else 0
    return max(_LEAST if shared(budget, now) else 0, budget.keep - sunk)


def _note_date(budget: Budget, now: float, date: float) -> None:
    """Note the server's time, and begin a new count with each UTC day."""
    if date > 0:
        budget.offset = date - now
    day = int((now + budget.offset) // _DAY)
    if day != budget.day:
        budget.day, budget.rejected = day, 0


def _foreign_grew(budget: Budget, now: float, heard: float) -> None:
    """Note that there are more foreign requests than at the last reading, at *heard*."""
    if now - heard < _WATCHED:
        keep = kept_free(budget, now)
        budget.foreign = now
        if keep < _LEAST:
            budget.keep, budget.calm = _LEAST, now


def _note_good(budget: Budget, now: float) -> None:
    """Note a response with a reading that is not a 429."""
    budget.streak = 0
    careful = shared(budget, now) or budget.keep > 0
    budget.open = min(_WIDE_OPEN, 2 * budget.open) if careful else _WIDE_OPEN


def _note_rejected(account: Account, end: Settle, *, by_day: bool) -> None:
    """Note a 429."""
    budget, now = account.budget, account.now
    budget.rejected += 1
    budget.open = 1
    if not by_day:
        budget.streak += 1
        keep = kept_free(budget, now)
        budget.foreign = now
        # Several requests in flight that are rejected together are one episode.
        if end.lease.sent > budget.calm:
            budget.keep = min(account.burst.limit - 1, max(_LEAST, 2 * keep))
            budget.calm = now
    doubled = max(budget.rejected - _EARLY, budget.streak - _STREAK)
    if budget.rejected >= _BUDGET:
        pause = _DAY - (now + budget.offset) % _DAY
    elif doubled >= 0:
        pause = min(_PAUSE[0] * math.pow(2, min(doubled, 10)), _PAUSE[1])
    else:
        return
    budget.paused_until = max(budget.paused_until, now + pause)
