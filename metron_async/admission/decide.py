"""The decision: one command, one account, one address, at one time.

:func:`apply` is the whole admission as a function of plain values.

A granted request holds one lease in both states. Its process renews it while it waits for the
response. A lease that expires is a request whose response was lost.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from metron_async.admission import account as accounts
from metron_async.admission import address as addresses
from metron_async.admission import slots
from metron_async.admission import window as windows
from metron_async.admission.commands import (
    Acquire,
    Cause,
    Refusal,
    Renew,
    Reply,
    Reset,
    Retry,
    Settle,
    WindowStatus,
)
from metron_async.admission.state import OUTCOME_FOR, Credentials, Lease, Outcome
from metron_async.admission.table import (
    FLIGHT,
    FORBIDDEN,
    LIMITS,
    LOST,
    MAY_404,
    PROBE,
    PROOF,
    REFUSED,
    REFUSED_FOR,
    TIMED_OUT,
)

if TYPE_CHECKING:
    from metron_async.admission.address import Address
    from metron_async.admission.commands import Command
    from metron_async.admission.state import Account, Rules

__all__ = ["apply", "credentials_of"]

_KEEP = 8  # credentials that are remembered
_KEPT = frozenset({200, 304})  # statuses of responses that are in the cache
_OUTCOMES = 16  # keys whose outcome is remembered


def apply(account: Account, address: Address, rules: Rules, now: float, command: Command) -> Reply:
    """Carry out *command* at the time *now*.

    Args:
        account: The account's state, which is changed in place.
        address: The address's failures, which are changed in place.
        rules: The rules of the windows and leases.
        now: Seconds on the storage's clock. If that was set back, everything known is taken to
            be as old as it was.
        command: What is asked.
    """
    accounts.advance(account, rules, now)
    addresses.advance(address, now, rules.lease)
    match command:
        case Acquire():
            reply = _acquire(account, address, rules, command)
            reply.proven = is_proven(account, command.credentials)
        case Settle():
            _settle(account, address, rules, command)
            reply = _status(account, rules)
        case Renew():
            reply = Reply(renewed=_renew(account, address, rules, command))
        case Reset():
            accounts.reset(account, rules)
            reply = _status(account, rules)
        case Retry():
            account.credentials = [
                each for each in account.credentials if each.key != command.credentials
            ]
            reply = Reply()
        case _:
            reply = _status(account, rules, changed=False)
    reply.in_flight = len(account.leases)
    reply.timeouts = sum(kind == TIMED_OUT for kind, _ in address)
    reply.streak, reply.ban_left = addresses.worst_streak(address, now)
    return reply


def _acquire(account: Account, address: Address, rules: Rules, ask: Acquire) -> Reply:
    """Grant a lease for *ask* in both states, or refuse it."""
    now = account.now
    for lease in account.leases:
        if lease.id == ask.lease:
            return Reply(lease=lease)
    if ask.key:
        if any(lease.key == ask.key for lease in account.leases):
            return Reply(changed=False, refusal=Refusal(Cause.HELD))
        for kept in account.outcomes:
            allowed = ask.waited + (ask.fresh if kept.status in _KEPT else 0.0)
            if kept.key == ask.key and now - kept.at < min(OUTCOME_FOR, allowed):
                return Reply(changed=False, outcome=kept.status)
    known = is_proven(account, ask.credentials)
    refusal = _forbidden(account, address, ask, known=known)
    changed = False
    if refusal is None:
        refusal, changed = slots.refuse(account, rules, ask)
    refusal = refusal or _no_room(account, address, ask, known=known)
    if refusal is not None:
        return Reply(changed=changed, refusal=refusal)
    kind = FLIGHT | (MAY_404 if ask.may_404 else 0) | (0 if known else PROBE)
    lease = Lease(
        ask.lease,
        now,
        now + rules.lease,
        kind,
        account.burst.left,
        account.sustained.left,
        "" if known else ask.credentials,
        ask.key,
    )
    slots.grant(account, rules, ask, lease)
    addresses.add(address, kind, lease.expires)
    return Reply(lease=lease)


def _forbidden(account: Account, address: Address, ask: Acquire, *, known: bool) -> Refusal | None:
    """Return why nothing may be sent at all, whatever the caller is willing to wait."""
    now = account.now
    left = credentials_of(account, ask.credentials).refused_at + REFUSED_FOR - now
    if left > 0:
        return Refusal(Cause.REFUSED, left, denied=True)
    status, left = addresses.until_allowed(address, now, proven=known)
    if not status:
        return None
    if status == LOST:
        return Refusal(Cause.LOST, left)
    if status == REFUSED:
        return Refusal(Cause.UNPROVEN, left, denied=True)
    return Refusal(Cause.FIREWALL, left, what=LIMITS[status].what, denied=status == FORBIDDEN)


def _no_room(account: Account, address: Address, ask: Acquire, *, known: bool) -> Refusal | None:
    """Return why a request must wait for other requests at the address."""
    now = account.now
    if not known:
        mine = any(lease.credentials == ask.credentials for lease in account.leases)
        if mine or not addresses.may_probe(address, now):
            return Refusal(Cause.PROBE)
    if addresses.room(address, now) <= 0:
        return Refusal(Cause.ROOM)
    if ask.may_404:
        wait = addresses.missing_wait(address, now, ask.priority)
        if wait > 0:
            return Refusal(Cause.MISSING, wait if wait < REFUSED_FOR else 0.0)
    return None


def credentials_of(account: Account, key: str) -> Credentials:
    """Return what is known of credentials, as the latest that are remembered."""
    for known in account.credentials:
        if known.key == key:
            return known
    known = Credentials(key)
    account.credentials = [*account.credentials, known][-_KEEP:]
    return known


def is_proven(account: Account, key: str) -> bool:
    """Return whether credentials worked lately."""
    return account.now - credentials_of(account, key).proven_at < PROOF


def _settle(account: Account, address: Address, rules: Rules, end: Settle) -> None:
    now, lease = account.now, end.lease
    if not _take_lease(account, address, lease):
        end = msgspec.structs.replace(end, lease=accounts.lost(lease, now))
    if end.answered:
        address[:] = [event for event in address if event[0] != TIMED_OUT]
    known = credentials_of(account, end.credentials)
    for kind in end.failures:
        if kind == REFUSED:
            known.proven_at = -math.inf
            if not end.intercepted:
                known.refused_at = now
        if kind & PROBE and kind < TIMED_OUT and known.proven_at > -math.inf:
            kind &= ~PROBE  # noqa: PLW2901 - credentials that have worked were not refused
        addresses.add(address, kind, now)
    # A response from before a refusal, or before 401s held up what is unproven, proves nothing.
    held_up = addresses.count(address, REFUSED, now) >= LIMITS[REFUSED].ours
    held_up = held_up and not is_proven(account, end.credentials)
    if end.proves and lease.sent > known.refused_at and not held_up:
        known.proven_at, known.refused_at = now, -math.inf
    if end.failures:
        addresses.settled(address, now)
    if lease.key and end.outcome is not None:
        others = [kept for kept in account.outcomes if now - kept.at < OUTCOME_FOR]
        account.outcomes = [*others, Outcome(lease.key, end.outcome, now - end.age)][-_OUTCOMES:]
    accounts.settle(account, rules, end)


def _take_lease(account: Account, address: Address, lease: Lease) -> bool:
    """Take a lease out of both states, or what it became when it expired.

    Returns:
        Whether it was still in the account.
    """
    for place, each in enumerate(account.leases):
        if each.id == lease.id:
            addresses.remove(address, each.kind, each.expires)
            del account.leases[place]
            return True
    addresses.remove(address, lease.kind, lease.expires)
    for window in (account.burst, account.sustained):
        windows.replace_lost(window, lease.expires)
    return False


def _renew(account: Account, address: Address, rules: Rules, renew: Renew) -> tuple[Lease, ...]:
    renewed = {lease.id: lease.expires for lease in renew.leases}
    for lease in account.leases:
        if lease.id in renewed:
            addresses.remove(address, lease.kind, lease.expires)
            lease.expires = account.now + rules.lease
            addresses.add(address, lease.kind, lease.expires)
    return tuple(lease for lease in account.leases if lease.id in renewed)


def _status(account: Account, rules: Rules, *, changed: bool = True) -> Reply:
    now, in_flight = account.now, len(account.leases)
    until = max(account.blocked_until, account.budget.paused_until, now)
    statuses: list[WindowStatus] = []
    for window, its, _ in accounts.both(account, rules):
        used = windows.held(window, in_flight)
        first = windows.leave_time(window, its, 1, now, earliest=True) if used else now
        rank = used - windows.capacity(window, its, now, reserved=False) + 1
        if rank > 0:
            until = max(until, windows.leave_time(window, its, rank, now, earliest=True))
        statuses.append(WindowStatus(window.limit, used, first - now, known=window.known > 0))
    return Reply(
        changed=changed,
        windows=tuple(statuses),
        wait=until - now,
        rejected=account.budget.rejected,
    )
