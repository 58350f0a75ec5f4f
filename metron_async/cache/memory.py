"""Cache in memory, for use on its own and in front of the file."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import TYPE_CHECKING

import msgspec

from metron_async.cache.base import Age, BaseCache, born_before, wall_clock
from metron_async.cache.entry import Entry, Invalidations, Kind, Selector
from metron_async.cache.keys import account_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from metron_async.cache.policy import FreshnessKey

__all__ = ["MemoryCache", "RecentlyUsed"]

MEGABYTE = 1 << 20


class RecentlyUsed:
    """Entries by key, up to a number of bytes. The least recently used entry is evicted first."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.bytes: int = 0
        self._entries: OrderedDict[str, Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def get(self, key: str) -> Entry | None:
        """Return the entry under *key*, which becomes the most recently used one."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, entry: Entry) -> int:
        """Keep *entry*, and return the number of evicted entries."""
        self.discard(entry.key)
        if entry.size > self.max_bytes:
            return 0
        self._entries[entry.key] = entry
        self.bytes += entry.size
        evicted = 0
        while self.bytes > self.max_bytes:
            _, oldest = self._entries.popitem(last=False)
            self.bytes -= oldest.size
            evicted += 1
        return evicted

    def replace(self, entry: Entry) -> None:
        """Keep *entry* if there is another one under its key."""
        if entry.key in self._entries:
            self.put(entry)

    def touch(self, key: str, checked_at: float) -> None:
        """Record that the entry under *key* was current at *checked_at*."""
        entry = self._entries.get(key)
        if entry is not None and entry.checked_at < checked_at:
            self._entries[key] = msgspec.structs.replace(entry, checked_at=checked_at)

    def discard(self, key: str) -> None:
        """Drop the entry under *key*, if there is one."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.bytes -= entry.size

    def discard_where(self, doomed: Callable[[Entry], bool]) -> int:
        """Drop the entries for which *doomed* is true, and return how many."""
        keys = [entry.key for entry in self._entries.values() if doomed(entry)]
        for key in keys:
            self.discard(key)
        return len(keys)

    def clear(self) -> None:
        """Drop everything."""
        self._entries.clear()
        self.bytes = 0


class MemoryCache(BaseCache):
    """Cache in memory, which ends with the process.

    Args:
        max_bytes: Size limit in bytes. The least recently used entries are evicted first.
        freshness: Seconds by kind, resource, or both, over the defaults.
        max_age: Seconds after which an entry is fetched again, without a condition.
        keep_private: Also keep collection, pull list, wish list and reading lists.
        keep_empty_lists: Also keep lists without rows.

    Example:
        >>> cache = MemoryCache(freshness={"publisher": 7 * 86_400.0})
    """

    def __init__(
        self,
        *,
        max_bytes: int = 64 * MEGABYTE,
        freshness: Mapping[FreshnessKey, float] | None = None,
        max_age: float | None = None,
        keep_private: bool = False,
        keep_empty_lists: bool = False,
    ) -> None:
        super().__init__(freshness, max_age, keep_private, keep_empty_lists)
        self._entries = RecentlyUsed(max_bytes)
        self._secret = secrets.token_bytes(32)
        self._invalidations = Invalidations()

    async def account(self, identity: str) -> str:
        """Return the name under which the entries of *identity* are kept: a keyed hash."""
        return account_name(self._secret, identity)

    async def get(self, key: str, *, reload: bool = False) -> Entry | None:  # noqa: ARG002
        """Return the entry under *key*."""
        entry = self._entries.get(key)
        if entry is None:
            self._stats.misses += 1
        else:
            self._stats.memory_hits += 1
        return entry

    async def get_many(self, keys: Iterable[str], *, reload: bool = False) -> dict[str, Entry]:
        """Return the entries that exist under *keys*."""
        found = {key: await self.get(key, reload=reload) for key in keys}
        return {key: entry for key, entry in found.items() if entry is not None}

    async def put(self, entries: Iterable[Entry]) -> None:
        """Keep *entries*, in place of those under their keys."""
        for entry in entries:
            if not self._policy.keeps(entry) or self._invalidations.drops(entry):
                continue
            self._stats.stored += 1
            self._stats.evicted += self._entries.put(entry)

    async def touch(self, keys: Iterable[str], checked_at: float) -> None:
        """Record that the entries under *keys* were current at *checked_at*."""
        for key in keys:
            self._entries.touch(key, checked_at)

    async def delete(self, keys: Iterable[str]) -> None:
        """Drop the entries under *keys*."""
        for key in keys:
            self._entries.discard(key)

    async def invalidate(
        self,
        account: str,
        *,
        resource: str | None = None,
        object_id: int | None = None,
        kinds: Iterable[Kind] | None = None,
        now: float | None = None,
    ) -> None:
        """Drop what a write may have made stale, including responses still in flight."""
        kinds = None if kinds is None else frozenset(kinds)
        selector = Selector(account=account, resource=resource, object_id=object_id, kinds=kinds)
        self._invalidations.add(selector, wall_clock(now))
        self._entries.discard_where(selector.matches)

    async def purge(
        self,
        resource: str | None = None,
        older_than: Age | None = None,
        *,
        now: float | None = None,
    ) -> int:
        """Drop entries of every account, and return how many."""
        limit = born_before(older_than, now)
        return self._entries.discard_where(
            lambda entry: resource in (None, entry.resource) and entry.stored_at < limit
        )

    async def clear(self) -> None:
        """Drop everything."""
        self._entries.clear()

    async def aclose(self) -> None:
        """Do nothing: no file is open, and another client may share this cache."""
