"""The decision: one command, one account, one address, at one time.

:func:`apply` is the whole admission as a function of plain values. A storage owns the states and
the clock: it loads both, calls what :func:`decision` returns, and saves, atomically.

A granted request holds one lease in both states. Its process renews it while it waits for the
response. A lease that expires is a request whose response was lost.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from metron_async.admission import account as accounts
from metron_async.admission import address as addresses
from metron_async.admission import requests
from metron_async.admission import window as windows
from metron_async.admission.codec import (
    decode_account,
    decode_address,
    encode_account,
    encode_address,
)
from metron_async.admission.commands import (
    Acquire,
    Renew,
    Reply,
    Reset,
    Retry,
    Settle,
    WindowStatus,
)
from metron_async.admission.state import OUTCOME_FOR, Lease, Outcome
from metron_async.admission.table import (
    LIMITS,
    PROBE,
    REFUSED,
    TIMED_OUT,
)
from metron_async.storage.base import Decided, Loaded

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async.admission.address import Address
    from metron_async.admission.commands import Command
    from metron_async.admission.state import Account, Rules

__all__ = ["apply", "decision"]

_OUTCOMES = 16  # keys whose outcome is remembered


def decision(command: Command, rules: Rules) -> Callable[[Loaded], Decided[Reply]]:
    """Return the function with which a storage carries out *command*."""

    def decide(loaded: Loaded) -> Decided[Reply]:
        now = loaded.now
        account = decode_account(loaded.account, rules, now)
        address = decode_address(loaded.address)
        if loaded.jumps:  # failures never age faster than a clock that cannot be set
            address = [(kind, now - loaded.age(at) if at < now else at) for kind, at in address]
        if isinstance(command, Acquire) and command.epoch not in {b"", loaded.epoch}:
            _restore(account, address, rules, now, command)
        reply = apply(account, address, rules, now, command)
        reply.fresh = loaded.account is None and loaded.address is None
        reply.epoch = loaded.epoch
        if not reply.changed:
            return Decided(reply)
        saved = encode_address(address)
        return Decided(reply, encode_account(account), None if saved == loaded.address else saved)

    return decide


def _restore(account: Account, address: Address, rules: Rules, now: float, ask: Acquire) -> None:
    """Enter what the asking process knows again, since the storage has lost it."""
    held = {lease.id for lease in account.leases}
    for lease in ask.flying:
        if lease.id not in held:
            expires = now + rules.lease
            left = account.burst.left, account.sustained.left
            account.leases.append(
                Lease(lease.id, now, expires, lease.kind, *left, lease.credentials, lease.key)
            )
            addresses.add(address, lease.kind, expires)
    unmatched = list(address)
    for kind, age in ask.recent:
        at = now - age
        same = next((it for it in unmatched if it[0] == kind and abs(it[1] - at) < 1), None)
        if same is None:
            addresses.add(address, kind, at)
        else:
            unmatched.remove(same)
        known = requests.credentials(account, ask.credentials)
        if kind == REFUSED and not ask.intercepted and known.proven_at < at:
            known.refused_at = at


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
            reply = requests.acquire(account, address, rules, command)
            reply.proven = requests.proven(account, command.credentials)
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


def _settle(account: Account, address: Address, rules: Rules, end: Settle) -> None:
    now, lease = account.now, end.lease
    if not _take_lease(account, address, lease):
        end = msgspec.structs.replace(end, lease=accounts.lost(lease, now))
    if end.answered:
        address[:] = [event for event in address if event[0] != TIMED_OUT]
    known = requests.credentials(account, end.credentials)
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
    held_up = held_up and not requests.proven(account, end.credentials)
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
