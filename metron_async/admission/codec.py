"""Both states as bytes, and back.

An account's state is a version, a checksum, and MessagePack. One that is damaged, of another
version, or outside its bounds is a fresh one. The address's list is a checksum and MessagePack
pairs. It has no version: every version reads it and adds to it.
"""

from __future__ import annotations

import math
import zlib
from typing import TYPE_CHECKING

import msgspec

from metron_async.admission.address import Event
from metron_async.admission.state import FORMAT, Account

if TYPE_CHECKING:
    from metron_async.admission.address import Address
    from metron_async.admission.state import Rules

__all__ = ["decode_account", "decode_address", "encode_account", "encode_address"]

_encoder = msgspec.msgpack.Encoder()
_account = msgspec.msgpack.Decoder(Account)
_address = msgspec.msgpack.Decoder(list[Event])

_LONGEST = 2 * 86_400.0  # nothing in a state is as far in its future


def encode_account(account: Account) -> bytes:
    """Return *account* as bytes."""
    body = _encoder.encode(account)
    return bytes([FORMAT]) + _checksum(body) + body


def decode_account(stored: bytes | None, rules: Rules, now: float) -> Account:
    """Return the account in *stored*, or a fresh one."""
    if stored and stored[0] == FORMAT and stored[1:5] == _checksum(stored[5:]):
        try:
            account = _account.decode(stored[5:])
        except msgspec.MsgspecError:
            return Account.fresh(rules, now)
        if _is_plausible(account):
            return account
    return Account.fresh(rules, now)


def encode_address(address: Address) -> bytes:
    """Return *address* as bytes."""
    body = _encoder.encode(address)
    return _checksum(body) + body


def decode_address(stored: bytes | None) -> Address:
    """Return the list in *stored*, or an empty one."""
    if stored is None or stored[:4] != _checksum(stored[4:]):
        return []
    try:
        events = _address.decode(stored[4:])
    except msgspec.MsgspecError:
        return []
    return [(kind, at) for kind, at in events if kind > 0 and math.isfinite(at)]


def _checksum(body: bytes) -> bytes:
    return zlib.crc32(body).to_bytes(4, "little")


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
