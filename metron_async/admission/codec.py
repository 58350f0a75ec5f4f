"""The decision as storages carry it out: with both states as bytes.

A storage owns the states and the clock: it loads both, calls what :func:`decision` returns, and
saves, atomically.

An account's state is a version, a checksum, and MessagePack. One that is damaged, of another
version, or outside its bounds is a fresh one. The address's list is MessagePack pairs, whose
checksum the storage keeps. It has no version: every version reads it and adds to it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from metron_async.admission import address as addresses
from metron_async.admission.address import Event
from metron_async.admission.commands import Acquire
from metron_async.admission.decide import apply, credentials_of
from metron_async.admission.state import FORMAT, Account, Lease
from metron_async.admission.table import REFUSED
from metron_async.storage.base import Decided, Loaded, checksum

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async.admission.address import Address
    from metron_async.admission.commands import Command, Reply
    from metron_async.admission.state import Rules

__all__ = ["decision", "decode_account", "decode_address", "encode_account", "encode_address"]

_encoder = msgspec.msgpack.Encoder()
_account = msgspec.msgpack.Decoder(Account)
_address = msgspec.msgpack.Decoder(list[Event])

_LONGEST = 2 * 86_400.0  # nothing in a state is as far in its future


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
        known = credentials_of(account, ask.credentials)
        if kind == REFUSED and not ask.intercepted and known.proven_at < at:
            known.refused_at = at


def encode_account(account: Account) -> bytes:
    """Return *account* as bytes."""
    body = _encoder.encode(account)
    return bytes([FORMAT]) + checksum(body) + body


def decode_account(stored: bytes | None, rules: Rules, now: float) -> Account:
    """Return the account in *stored*, or a fresh one."""
    if stored and stored[0] == FORMAT and stored[1:5] == checksum(stored[5:]):
        try:
            account = _account.decode(stored[5:])
        except msgspec.MsgspecError:
            return Account.fresh(rules, now)
        if _is_plausible(account):
            return account
    return Account.fresh(rules, now)


def encode_address(address: Address) -> bytes:
    """Return *address* as bytes."""
    return _encoder.encode(address)


def decode_address(stored: bytes | None) -> Address:
    """Return the list in *stored*, or an empty one."""
    if stored is None:
        return []
    try:
        events = _address.decode(stored)
    except msgspec.MsgspecError:
        return []
    return [(kind, at) for kind, at in events if kind > 0 and math.isfinite(at)]


def _is_plausible(account: Account) -> bool:
    """Return whether no time in *account* could close it for long."""
    minute, day = account.burst, account.sustained
    latest = max(
        account.blocked_until,
        account.budget.paused_until,
        account.heard,
        account.last_low,
        minute.foreign_last,
        day.foreign_last,
        *[lease.expires for lease in account.leases],
        *[lane.waits for lane in account.lanes],
    )
    return math.isfinite(account.now) and latest <= account.now + _LONGEST
