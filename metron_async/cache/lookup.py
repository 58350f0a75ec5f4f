"""Lookup of entries, in memory if it is valid, else in the file.

Two kinds of entries must never be served: those that another process has dropped, and damaged ones.
The first are found by the token (see :mod:`~metron_async.cache.invalidation_token`), which is read
before each use of the memory. The second are found by a checksum, which is read with the entry.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from metron_async.cache.file import FILE_ERRORS
from metron_async.cache.schema import FETCH, FETCH_MANY, from_row
from metron_async.cache.writes import Delete

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from typing import Any, TypeAlias

    from metron_async.cache.base import CacheStats
    from metron_async.cache.entry import Entry
    from metron_async.cache.file import CacheFile
    from metron_async.cache.invalidation_token import InvalidationToken
    from metron_async.cache.memory import RecentlyUsed
    from metron_async.cache.policy import Policy
    from metron_async.cache.write_queue import WriteQueue

    Rows: TypeAlias = Sequence[Sequence[Any]]

__all__ = ["Lookup"]

_USES_KEPT = 512  # recorded in memory before they are written


class Lookup:
    """Finds entries in the places where a cache keeps them.

    Args:
        memory: Entries in memory.
        queue: Entries that are not written to the file yet.
        file: The file.
        token: Changes when another process has dropped an entry.
        policy: Decides which entries may be used.
        stats: Counters to update.
        on_failure: Called when the file cannot be read.
    """

    def __init__(
        self,
        *,
        memory: RecentlyUsed,
        queue: WriteQueue,
        file: CacheFile,
        token: InvalidationToken,
        policy: Policy,
        stats: CacheStats,
        on_failure: Callable[[Exception], None],
    ) -> None:
        self._memory = memory
        self._queue = queue
        self._file = file
        self._token = token
        self._policy = policy
        self._stats = stats
        self._on_failure = on_failure
        self._seen = b""

    async def get(self, key: str, *, reload: bool) -> Entry | None:
        """Return the entry under *key*; with *reload*, look past what is only in memory."""
        entry = self._from_memory(key, reload=reload)
        if entry is not None:
            return entry
        found = await self._from_file([key], self._file.read(FETCH, (key,)))
        return found.get(key)

    async def get_many(self, keys: Iterable[str], *, reload: bool) -> dict[str, Entry]:
        """Return the entries that exist under *keys*, in at most one round trip to the file."""
        found: dict[str, Entry] = {}
        missing: list[str] = []
        for key in dict.fromkeys(keys):
            entry = self._from_memory(key, reload=reload)
            if entry is None:
                missing.append(key)
            else:
                found[key] = entry
        if missing:
            text = json.dumps(missing)
            found |= await self._from_file(missing, self._file.read(FETCH_MANY, (text,)))
        return found

    def notice_drops(self) -> None:
        """Clear the memory if another process has dropped entries since the last look."""
        token = self._token.read()
        if token != self._seen:
            self._memory.clear()
            self._queue.forget_unsaved()
            self._seen = token

    def _from_memory(self, key: str, *, reload: bool) -> Entry | None:
        self.notice_drops()
        entry = self._queue.get(key)
        if entry is not None:
            self._memory.put(entry)
        elif not reload:
            entry = self._memory.get(key)
        if entry is not None:
            self._stats.memory_hits += 1
            self._note_use(key)
        return entry

    async def _from_file(self, keys: list[str], reading: Awaitable[Rows]) -> dict[str, Entry]:
        token = self._seen
        try:
            rows = await reading
        except FILE_ERRORS as error:
            self._on_failure(error)
            rows = ()
        found = self._decode(rows)
        # What was dropped while it was being read must not settle in memory.
        may_settle = token == self._seen == self._token.read()
        for entry in found.values() if may_settle else ():
            self._memory.put(entry)
        self._stats.disk_hits += len(found)
        for key in keys:
            best = _better(found.get(key), self._queue.get(key) or self._memory.get(key))
            if best is None:
                self._stats.misses += 1
            else:
                found[key] = best
                self._note_use(key)
        return found

    def _decode(self, rows: Rows) -> dict[str, Entry]:
        """Return the usable entries in *rows* by key, and drop the damaged ones."""
        found: dict[str, Entry] = {}
        damaged: list[str] = []
        for row in rows:
            entry = from_row(row)
            if entry is None:
                damaged.append(str(row[0]))
            elif (
                entry.version == self._policy.version
                and self._policy.keeps(entry)
                and not self._queue.drops(entry)
            ):
                found[entry.key] = entry
        if damaged:
            self._stats.damaged += len(damaged)
            self._queue.add(Delete(damaged))
        return found

    def _note_use(self, key: str) -> None:
        if self._queue.use(key) >= _USES_KEPT:
            self._queue.save_uses()


def _better(one: Entry | None, other: Entry | None) -> Entry | None:
    """Return the newer entry, or of the same body the one that was checked later."""
    if one is None or other is None:
        return one or other
    mine, its = (one.stored_at, one.checked_at), (other.stored_at, other.checked_at)
    return one if mine >= its else other
