"""What a response teaches about its account.

**A request whose lease expired** counts as received at that time, since the server may have
counted it. If its response comes after all, it replaces that entry.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from metron_async.admission import budget as budgets
from metron_async.admission import window as windows
from metron_async.admission.log import LONGEST_FLIGHT
from metron_async.admission.state import BURST, SUSTAINED, Account

if TYPE_CHECKING:
    from metron_async.admission.commands import Settle
    from metron_async.admission.state import Lease, Rules, Scope, Window, WindowRules

__all__ = ["advance", "both", "lost", "reset", "settle"]

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
