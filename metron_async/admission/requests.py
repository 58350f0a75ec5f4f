"""May a request of this account be sent from this address now?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metron_async.admission import address as addresses
from metron_async.admission import slots
from metron_async.admission.commands import Cause, Refusal, Reply
from metron_async.admission.state import OUTCOME_FOR, Credentials, Lease
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
)

if TYPE_CHECKING:
    from metron_async.admission.address import Address
    from metron_async.admission.commands import Acquire
    from metron_async.admission.state import Account, Rules

__all__ = ["acquire", "credentials", "proven"]

_KEEP = 8  # credentials that are remembered
_KEPT = frozenset({200, 304})  # statuses of responses that are in the cache


def acquire(account: Account, address: Address, rules: Rules, ask: Acquire) -> Reply:
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
    known = proven(account, ask.credentials)
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
    left = credentials(account, ask.credentials).refused_at + REFUSED_FOR - now
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


def credentials(account: Account, key: str) -> Credentials:
    """Return what is known of credentials, as the latest that are remembered."""
    for known in account.credentials:
        if known.key == key:
            return known
    known = Credentials(key)
    account.credentials = [*account.credentials, known][-_KEEP:]
    return known


def proven(account: Account, key: str) -> bool:
    """Return whether credentials worked lately."""
    return account.now - credentials(account, key).proven_at < PROOF
