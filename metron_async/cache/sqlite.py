"""Cache in a SQLite file, shared by every process of the user, with a small memory in front.

A lookup in memory costs a dictionary access and one ``pread`` (see
:mod:`~metron_async.cache.invalidation_token`). A lookup in the file costs one round trip to
aiosqlite's thread. Memory keeps what was asked for again: a walk through thousands of pages, each
read once, does not fill it. Writes are queued in the
:class:`~metron_async.cache.write_queue.WriteQueue`: a caller waits only for a drop, because it must
not read again what it has dropped.

An error of the file never reaches the caller. A damaged file is set aside and a new one is created.
If the file cannot be opened, or the disk is full, the cache continues in memory, with one warning.
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from metron_async.cache.base import (
    Age,
    BaseCache,
    LoopGuard,
    born_before,
    wall_clock,
)
from metron_async.cache.entry import Entry, Invalidations, Kind, Selector
from metron_async.cache.file import FILE_ERRORS, spawn
from metron_async.cache.files import CacheFiles
from metron_async.cache.lookup import Lookup
from metron_async.cache.memory import MEGABYTE, RecentlyUsed
from metron_async.cache.schema import SCHEMA
from metron_async.cache.write_queue import WriteQueue
from metron_async.cache.writes import Clear, Delete, Drop, Outcome, Purge, Touch
from metron_async.errors import ConfigurationError, MetronWarning
from metron_async.storage import files

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    from metron_async.cache.policy import FreshnessKey

__all__ = ["FILE_NAME", "SQLiteCache"]

FILE_NAME = f"cache-{SCHEMA}.sqlite3"
"""Name of the file in a directory that holds other files of this package too."""

_LOOK = 1.0  # seconds until the files are looked for again
_PATIENCE = 1.0  # seconds for which a write waits until what it made stale is dropped

_logger = logging.getLogger("metron_async.cache")


class SQLiteCache(BaseCache):
    """Cache in a SQLite file.

    It is opened on first use, and belongs to that event loop. Several clients of the loop may share
    it. A client does not close a cache that was passed to it.

    Args:
        path: The file; by default one in the user's cache directory.
        max_bytes: Size limit of its entries, in bytes. The least recently used ones are evicted
            first.
        memory_bytes: Size limit of the entries that are also kept in memory, in bytes. An entry is
            kept there when it is used again.
        freshness: Seconds by kind, resource, or both, over the defaults.
        max_age: Seconds after which an entry is fetched again, without a condition.
        keep_private: Also keep collection, pull list, wish list and reading lists.
        keep_empty_lists: Also keep lists without rows.

    Raises:
        ConfigurationError: If an option is invalid.

    Example:
        >>> cache = SQLiteCache("comics.sqlite3", freshness={"publisher": 7 * 86_400.0})
    """

    shared = True
    deferred = True

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        max_bytes: int = 256 * MEGABYTE,
        memory_bytes: int = 16 * MEGABYTE,
        freshness: Mapping[FreshnessKey, float] | None = None,
        max_age: float | None = None,
        keep_private: bool = False,
        keep_empty_lists: bool = False,
    ) -> None:
        if path == ":memory:":
            msg = "SQLiteCache needs a file, got ':memory:'. Use MemoryCache for a cache in memory"
            raise ConfigurationError(msg)
        if path is None:
            path = files.default_directory() / FILE_NAME
        self._path = Path(path).expanduser().absolute()
        super().__init__(freshness, max_age, keep_private, keep_empty_lists)
        self._loop = LoopGuard("cache")
        self._memory = RecentlyUsed(memory_bytes)
        self._invalidations = Invalidations()
        self._files = CacheFiles(self._path, self._recovered, self._begin_again)
        self._queue = WriteQueue(self._files.database, max_bytes, self._written, self._refused)
        self._lookup = Lookup(
            memory=self._memory,
            queue=self._queue,
            file=self._files.database,
            token=self._files.token,
            policy=self._policy,
            stats=self._stats,
            on_failure=self._complain,
        )
        self._looks_at = 0.0
        self._starting: asyncio.Task[None] | None = None
        self._warned = False

    @property
    def path(self) -> Path:
        """Path of the file."""
        return self._path

    async def account(self, identity: str) -> str:
        """Return the name under which the entries of *identity* are kept: a keyed hash."""
        await self._ready()
        return self._name(self._files.secret.value, identity)

    async def get(self, key: str, *, reload: bool = False) -> Entry | None:
        """Return the entry under *key*.

        Args:
            key: From :func:`~metron_async.cache.keys.make_key`.
            reload: Look into the file even if memory has it: another process may know better.
        """
        await self._ready()
        return await self._lookup.get(key, reload=reload)

    async def get_many(self, keys: Iterable[str], *, reload: bool = False) -> dict[str, Entry]:
        """Return what there is under *keys*, in at most one round trip to the file."""
        await self._ready()
        return await self._lookup.get_many(keys, reload=reload)

    async def put(self, entries: Iterable[Entry]) -> None:
        """Keep *entries*, in place of what was under their keys; written soon afterwards."""
        await self._ready(at_once=True)
        kept = [entry for entry in entries if self._keeps(entry)]
        if not kept:
            return
        self._lookup.notice_drops()
        for entry in kept:
            self._memory.replace(entry)
        self._stats.stored += len(kept)
        if self._queue.put(kept):
            await self._queue.flush()

    def _keeps(self, entry: Entry) -> bool:
        present = self._present(self._files.secret.value, entry.account) == entry.account
        return present and self._policy.keeps(entry) and not self._invalidations.drops(entry)

    async def touch(self, keys: Iterable[str], checked_at: float) -> None:
        """Record that the entries under *keys* were current at *checked_at*."""
        await self._ready()
        stamps = dict.fromkeys(keys, checked_at)
        for key in stamps:
            self._memory.touch(key, checked_at)
        if stamps:
            self._queue.add(Touch(stamps))

    async def delete(self, keys: Iterable[str]) -> None:
        """Drop the entries under *keys*."""
        await self._ready()
        keys = list(keys)
        for key in keys:
            self._memory.discard(key)
        self._queue.add(Delete(keys))
        await self._queue.flush(_PATIENCE)

    async def invalidate(
        self,
        account: str,
        *,
        resource: str | None = None,
        object_id: int | None = None,
        kinds: Iterable[Kind] | None = None,
        now: float | None = None,
    ) -> None:
        """Drop what a write may have made stale, including responses still in flight.

        When this returns, no process finds any of it in the file, unless another process has
        locked that for longer than a second. Then it is repeated until the file accepts it.

        Args:
            account: Account of the entries.
            resource: Only those of this resource.
            object_id: Only those of this object.
            kinds: Only those of these kinds.
            now: Wall-clock seconds; the system's clock if not given.
        """
        await self._ready(at_once=True)
        account = self._present(self._files.secret.value, account)
        kinds = None if kinds is None else frozenset(kinds)
        selector = Selector(account=account, resource=resource, object_id=object_id, kinds=kinds)
        at = wall_clock(now)
        self._invalidations.add(selector, at)
        self._memory.discard_where(selector.matches)
        self._queue.add(Drop(selector, at))
        await self._queue.flush(_PATIENCE)

    async def purge(
        self,
        resource: str | None = None,
        older_than: Age | None = None,
        *,
        now: float | None = None,
    ) -> int:
        """Drop entries of every account, and return how many.

        Args:
            resource: Only those of this resource.
            older_than: Only those whose body is older than this.
            now: Wall-clock seconds; the system's clock if not given.

        Example:
            >>> await cache.purge("issue", older_than=timedelta(days=3))  # doctest: +SKIP
        """
        await self._ready()
        purge = Purge(resource, born_before(older_than, now))
        in_memory = self._memory.discard_where(
            lambda entry: resource in (None, entry.resource) and entry.stored_at < purge.born_before
        )
        self._queue.add(purge)
        await self._queue.flush()
        return max(purge.removed, in_memory)

    async def clear(self) -> None:
        """Drop everything, and give the space back."""
        await self._ready()
        self._memory.clear()
        self._queue.add(Clear())
        await self._queue.flush()

    async def flush(self) -> None:
        """Wait until everything put so far is in the file."""
        await self._ready()
        await self._queue.flush()

    async def size(self) -> tuple[int, int]:
        """Return how many entries the file holds, and their bytes."""
        await self._ready()
        try:
            rows = await self._files.database.read(
                "SELECT (SELECT count(*) FROM entries), bytes FROM total", ()
            )
        except FILE_ERRORS as error:
            self._complain(error)
            return len(self._memory), self._memory.bytes
        return int(rows[0][0]), int(rows[0][1])

    async def aclose(self) -> None:
        """Write what is not written yet, and close the file. Safe to call twice."""
        if self._loop.closed:
            return
        self._loop.check(asyncio.get_running_loop())
        self._loop.closed = True
        if self._starting is not None:
            await asyncio.shield(self._starting)
        self._queue.save_uses()
        await self._queue.finish()
        await self._files.database.aclose()
        self._files.token.close()

    async def _ready(self, *, at_once: bool = False) -> None:
        """Open the file, or notice that it was replaced: within a second, or *at_once*."""
        loop = asyncio.get_running_loop()
        self._loop.check(loop)
        if not self._files.secret.value:
            if self._starting is None:
                self._starting = spawn(self._start())
            await asyncio.shield(self._starting)
        elif at_once or loop.time() >= self._looks_at:
            self._looks_at = loop.time() + _LOOK
            self._note_renaming(await self._files.look_around())

    def _begin_again(self) -> None:
        """Forget what is in memory, since the file that it came from was replaced or deleted."""
        self._memory.clear()
        self._queue.forget_unsaved()

    async def _start(self) -> None:
        """Open the database, and read the small files beside it."""
        if (failure := await self._files.open()) is not None:
            self._complain(failure)
        self._lookup.notice_drops()

    def _written(self, outcome: Outcome) -> None:
        self._stats.evicted += outcome.evicted
        for entry in outcome.late:
            self._memory.discard(entry.key)
        self._files.token.open()
        if outcome.dropped:
            self._files.token.renew()

    def _refused(self, error: Exception, lost: list[Entry]) -> None:
        self._complain(error)
        for entry in lost:
            self._memory.put(entry)

    def _recovered(self) -> None:
        self._stats.recovered += 1

    def _complain(self, error: Exception) -> None:
        """Count a failure of the file, and warn once, unless the file was only busy."""
        self._stats.errors += 1
        if self._warned or files.is_busy(error):
            _logger.info("The cache file failed: %s", error)
            return
        self._warned = True
        message = f"The cache file {self._path} cannot be used, memory is used instead: {error}"
        try:
            warnings.warn(message, MetronWarning, stacklevel=2)
        except MetronWarning:  # warnings are errors here, but this one must not be
            _logger.warning(message)
