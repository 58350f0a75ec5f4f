"""May a request of this account be sent now? The account's part of the decision.

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

**A spent day** that neither our own log nor the readings before explain is probed once an hour:
the account may have a higher limit now, or the response was garbled. Where the readings
approached the end step by step, other clients have spent it, and the intervals quadruple.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from metron_async.admission import window as windows
from metron_async.admission.account import both, kept_free, shared
from metron_async.admission.commands import Cause, Refusal
from metron_async.admission.state import BURST, SUSTAINED
from metron_async.types import Priority

if TYPE_CHECKING:
    from metron_async.admission.commands import Acquire
    from metron_async.admission.state import Account, Lease, Rules, Scope

__all__ = ["grant", "refuse"]

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
_SURE = 10  # readings in a row that gave the same limit: fewer may have been garbled


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
    if refusal.wait > 0:  # a request that is spaced as well waits for both
        spaced = _paced_until(account, rules, ask, _used_until(account, ask)) - account.now
        refusal = msgspec.structs.replace(refusal, wait=max(refusal.wait, spaced))
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


def _used_until(account: Account, ask: Acquire) -> float:
    """Return until when a lane that goes before *ask* is in use."""
    return max([account.lanes[lane].asked + _IN_USE for lane in _above(ask)], default=-math.inf)


def _refusal(account: Account, rules: Rules, ask: Acquire) -> Refusal | None:
    now, used = account.now, _used_until(account, ask)
    above = used > now
    refusal = _paused(account, rules) or _full(account, rules, ask, used)
    if refusal is not None:
        return refusal
    before = _above(ask)
    if ask.priority > 0 and _lane(ask) != _LATE:
        before.append(_LATE)
    paced = _paced_until(account, rules, ask, used)
    if any(account.lanes[lane].waits > now for lane in before):
        cause, wait = Cause.PRIORITY, 0.0
    elif paced > now:
        cause, wait = Cause.PACE, paced - now
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
    if account.spent_at == -math.inf or (day.used >= day.limit and day.known > _SURE):
        return math.inf
    longer = math.pow(4, min(account.probes, 10)) if account.expected else 1.0
    return account.spent_at + _PROBE * longer


def _room(account: Account, rules: Rules, ask: Acquire, scope: Scope, *, above: bool) -> int:
    now, bulk = account.now, ask.priority == Priority.BULK
    if scope == SUSTAINED:
        return windows.capacity(account.sustained, rules.sustained, now, reserved=bulk)
    room = windows.capacity(account.burst, rules.burst, now, reserved=bulk)
    room -= kept_free(account.budget, now)
    if _leaves_one(account, ask, above=above):
        room -= 1
    return max(1, room)


def _leaves_one(account: Account, ask: Acquire, *, above: bool) -> bool:
    if ask.last and _has_begun(account, ask):
        return False
    return above or (ask.priority == Priority.BULK and _lane(ask) != _LATE)


def _has_begun(account: Account, ask: Acquire) -> bool:
    return account.now - account.lanes[ask.priority].run <= _BEGIN


def _paced_until(account: Account, rules: Rules, ask: Acquire, used: float) -> float:
    """Return when a request below INTERACTIVE may take the next slot.

    Higher priorities are in use until the time *used*.
    """
    if ask.priority == Priority.INTERACTIVE:
        return -math.inf
    above = used > account.now
    room = _room(account, rules, ask, BURST, above=above)
    step = rules.burst.period / room
    if shared(account.budget, account.now):
        return account.last_low + step
    if _has_begun(account, ask) or _lane(ask) == _LATE:
        return -math.inf
    if above:
        return min(account.last_low + step, used)
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
    alone = account.half_open or shared(account.budget, now)
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
