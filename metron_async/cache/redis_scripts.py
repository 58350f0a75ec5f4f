"""Layout of the cache in Redis, and the scripts that change several of its keys at once.

Every name begins with one prefix, which carries the version of the layout::

    entry:KEY      string  its checked_at, in 18 digits, and the entry, each with a checksum
    used           zset    KEY by the wall-clock second of its last use
    about          hash    KEY: "size stored_at account member"
    bytes          number  sum of the sizes in ``about``
    index:ACCOUNT  zset    members "resource:object:kind:KEY", in lexical order
    drops:ACCOUNT  hash    "resource:object:kind": when a write last made those stale
    secret         string  random bytes with which accounts are named

Redis expires entries by itself. What ``about`` says of an expired entry is removed when its turn to
be evicted comes, which is soon: it was not used for long. A script decides nothing but what needs
to be atomic: whether a drop came before a late response, and which entry was used least recently.
No script begins with a write that a full server allows: the rest of it would then be allowed too.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

import msgspec

from metron_async.cache.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from metron_async.cache.entry import Kind, Selector

__all__ = ["DROP", "LAYOUT", "PUT", "REMOVE", "TOUCH", "drop_fields", "member_of", "open_entry"]
__all__ += ["range_of", "seal", "stamp_of", "times_of"]

LAYOUT: Final = 2
"""Version of the layout; another one is another cache on the same server."""

_ANY: Final = "*"
_DIGITS: Final = 18  # of a time
_CHECKSUM: Final = 4  # bytes
_HEAD: Final = _DIGITS + 2 * _CHECKSUM
_LATEST: Final = 1e11 - 1.0  # seconds, the most that a time can have

_REMOVE: Final = """
local P = KEYS[1]
local function remove(key)
  local about = redis.call('HGET', P .. 'about', key)
  if about then
    local size, _, account, member = string.match(about, '^(%d+) (%S+) (%S*) (.*)$')
    redis.call('HDEL', P .. 'about', key)
    redis.call('ZREM', P .. 'used', key)
    redis.call('ZREM', P .. 'index:' .. account, member)
    redis.call('DECRBY', P .. 'bytes', size)
  end
  if redis.call('EXISTS', P .. 'entry:' .. key) == 0 then return 0 end
  return redis.call('DEL', P .. 'entry:' .. key)
end
"""

REMOVE: Final = (
    _REMOVE
    + """
local removed = 0
for _, key in ipairs(ARGV) do removed = removed + remove(key) end
return removed
"""
)
"""Remove the entries under the given keys, and return how many were there."""

PUT: Final = (
    _REMOVE
    + """
local most, target, expiry = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local late = tonumber(ARGV[4])
local stored, evicted = 0, 0
for i = 5, #ARGV, 9 do
  local key, sealed, asked = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local account, size, member, now = ARGV[i + 3], ARGV[i + 4], ARGV[i + 5], ARGV[i + 6]
  local dropped = false
  for field in string.gmatch(ARGV[i + 8], '%S+') do
    local at = tonumber(redis.call('HGET', P .. 'drops:' .. account, field) or '-1')
    dropped = dropped or (asked <= at and at <= asked + late)
  end
  if not dropped and tonumber(size) <= most then
    remove(key)
    redis.call('SET', P .. 'entry:' .. key, sealed, 'PX', expiry)
    redis.call('ZADD', P .. 'used', now, key)
    redis.call('ZADD', P .. 'index:' .. account, 0, member)
    redis.call('HSET', P .. 'about', key, table.concat({size, ARGV[i + 7], account, member}, ' '))
    redis.call('INCRBY', P .. 'bytes', size)
    stored = stored + 1
  end
end
if tonumber(redis.call('GET', P .. 'bytes') or '0') > most then
  while tonumber(redis.call('GET', P .. 'bytes')) > target do
    local oldest = redis.call('ZRANGE', P .. 'used', 0, 0)
    if #oldest == 0 then break end
    remove(oldest[1])
    evicted = evicted + 1
  end
end
return {stored, evicted}
"""
)
"""Store entries, nine arguments each, unless a later write has dropped them; then evict."""

DROP: Final = (
    _REMOVE
    + """
local account, at, keep_for, low, high, object, kinds = unpack(ARGV, 1, 7)
for _, member in ipairs(redis.call('ZRANGEBYLEX', P .. 'index:' .. account, low, high)) do
  local its, kind, key = string.match(member, '^[^:]*:([^:]*):([^:]*):(.*)$')
  if (object == '' or object == its)
    and (kinds == '' or string.find(kinds, ' ' .. kind .. ' ', 1, true)) then
    if remove(key) == 0 then redis.call('ZREM', P .. 'index:' .. account, member) end
  end
end
for i = 8, #ARGV do redis.call('HSET', P .. 'drops:' .. account, ARGV[i], at) end
redis.call('EXPIRE', P .. 'drops:' .. account, keep_for)
return 1
"""
)
"""Remove an account's entries in a range of its index, and note the drop for late responses."""

TOUCH: Final = """
local P, stamp = KEYS[1], ARGV[1]
for i = 2, #ARGV do
  local checked = redis.call('GETRANGE', P .. 'entry:' .. ARGV[i], 0, #stamp - 1)
  if checked ~= '' and checked < stamp then
    redis.call('SETRANGE', P .. 'entry:' .. ARGV[i], 0, stamp)
  end
end
return 1
"""
"""Move ``checked_at`` of entries forward."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Entry)


def stamp_of(checked_at: float) -> bytes:
    """Return a wall-clock time in seconds as text of a fixed width, which sorts by time."""
    text = b"%0*.6f" % (_DIGITS, min(max(0.0, checked_at), _LATEST))
    return text + _checksum(text)


def seal(entry: Entry) -> bytes:
    """Return *entry* as bytes, behind its ``checked_at``, which can be replaced."""
    body = _encoder.encode(entry)
    return stamp_of(entry.checked_at) + _checksum(body) + body


def open_entry(key: str, sealed: bytes) -> Entry | None:
    """Return the entry that :func:`seal` made, or ``None`` if it is damaged or another one's.

    Args:
        key: The key under which it was found.
        sealed: The bytes that were found.
    """
    digits, body = sealed[:_DIGITS], memoryview(sealed)[_HEAD:]
    if sealed[_DIGITS:_HEAD] != _checksum(digits) + _checksum(body):
        return None
    try:
        entry = _decoder.decode(body)
        stamp = float(digits)
    except (msgspec.DecodeError, ValueError):
        return None
    if entry.key != key:
        return None
    if stamp > entry.checked_at:
        return msgspec.structs.replace(entry, checked_at=stamp)
    return entry


def _checksum(text: bytes | memoryview) -> bytes:
    return zlib.crc32(text).to_bytes(_CHECKSUM, "big")


def member_of(entry: Entry) -> str:
    """Return the member that stands for *entry* in the index of its account."""
    object_id = "" if entry.object_id is None else entry.object_id
    return f"{entry.resource}:{object_id}:{entry.kind.value}:{entry.key}"


def range_of(selector: Selector) -> tuple[str, str]:
    """Return the lexical range of the index in which all entries of *selector* lie.

    An object without a resource has no range of its own, and takes the whole index.
    """
    if selector.resource is None:
        return "-", "+"
    head = selector.resource
    if selector.object_id is not None:
        head += f":{selector.object_id}"
    return f"[{head}:", f"({head};"


def drop_fields(selector: Selector) -> list[str]:
    """Return the fields under which a drop is noted: one for each kind it names."""
    kinds: Iterable[Kind] | tuple[None] = selector.kinds if selector.kinds is not None else (None,)
    return [_field(selector.resource, selector.object_id, kind) for kind in kinds]


def times_of(entry: Entry) -> str:
    """Return all fields under which a drop of *entry* may have been noted, joined by spaces."""
    return " ".join(
        _field(resource, object_id, kind)
        for resource in (None, entry.resource)
        for object_id in (None, entry.object_id)
        for kind in (None, entry.kind)
    )


def _field(resource: str | None, object_id: int | None, kind: Kind | None) -> str:
    parts = (resource, object_id, kind.value if kind is not None else None)
    return ":".join(_ANY if part is None else str(part) for part in parts)
