"""Queue of writes to the file, applied in batches by one task of the cache.

A put returns at once. Entries that are not written yet are served from here, also when memory has
evicted them. If the file refuses a batch, its entries are handed back, and memory keeps them.
Drops are different: an entry that should be dropped and is not would be *wrong*. So a drop is
repeated until the file accepts it, and entries that it selects are not served meanwhile.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import math
from typing import TYPE_CHECKING

import anyio
import msgspec

from metron_async.cache.file import FILE_ERRORS, CacheFile, spawn
from metron_async.cache.writes import Clear, Delete, Drop, Operation, Purge, Put, Touch, Used, apply
from metron_async.storage import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from metron_async.cache.entry import Entry
    from metron_async.cache.writes import Outcome

__all__ = ["WriteQueue"]

_MAX_UNSAVED = 8 << 20  # bytes; beyond that a put waits for the file
_MAX_OWED = 1000
_LINGER = 0.05  # seconds for which writes are collected, unless a caller waits for them
_BUSY_ATTEMPTS = 3
_REPEAT = 5.0  # seconds until a drop that was refused is repeated
_FINISH = 1.0  # seconds that closing waits for such drops

_logger = logging.getLogger("metron_async.cache")


class WriteQueue:
    """Collects writes, and applies them to *file*.

    Args:
        file: The file.
        max_bytes: Size limit of the file's entries, in bytes.
        on_outcome: Called after each transaction.
        on_failure: Called after each transaction that failed, with the entries that are not saved.
    """

    def __init__(
        self,
        file: CacheFile,
        max_bytes: int,
        on_outcome: Callable[[Outcome], None],
        on_failure: Callable[[Exception, list[Entry]], None],
    ) -> None:
        self._file = file
        self._max_bytes = max_bytes
        self._on_outcome = on_outcome
        self._on_failure = on_failure
        self._operations: list[Operation] = []
        self._owed: list[Operation] = []
        self._unsaved: dict[str, Entry] = {}
        self._unsaved_bytes = 0
        self._used: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._repeat: asyncio.TimerHandle | None = None
        self._finishing = False
        self._hurry = asyncio.Event()

    def get(self, key: str) -> Entry | None:
        """Return the entry under *key* if it is not written yet."""
        return self._unsaved.get(key)

    def forget_unsaved(self) -> None:
        """Stop serving unwritten entries, since another process may have dropped them.

        They are still written. The file compares them with that drop then.
        """
        self._unsaved.clear()
        self._unsaved_bytes = 0

    def drops(self, entry: Entry) -> bool:
        """Return whether a drop that is not written yet selects *entry*, read from the file."""
        return any(_drops(operation, entry) for operation in (*self._owed, *self._operations))

    def use(self, key: str) -> int:
        """Record that *key* was used, and return how many uses are recorded."""
        self._used.add(key)
        return len(self._used)

    def put(self, entries: list[Entry]) -> bool:
        """Write *entries* soon, and return whether the caller should wait for the file."""
        for entry in entries:
            self._forget(entry.key)
            self._unsaved[entry.key] = entry
            self._unsaved_bytes += entry.size
        last = self._operations[-1] if self._operations else None
        if isinstance(last, Put):
            last.entries.extend(entries)
            self._start()
        else:
            self.add(Put(entries))
        return self._unsaved_bytes > _MAX_UNSAVED

    def add(self, operation: Operation) -> None:
        """Apply *operation* to unwritten entries now, and to the file soon."""
        if isinstance(operation, Touch):
            self._touch(operation)
        elif not isinstance(operation, Put):
            for entry in [e for e in self._unsaved.values() if _drops(operation, e)]:
                self._forget(entry.key)
        self._operations.append(operation)
        self._start()

    def save_uses(self) -> None:
        """Write the recorded uses, so that unused entries are evicted first."""
        if self._used:
            self.add(Used(list(self._used)))
            self._used.clear()

    async def flush(self, patience: float = math.inf) -> None:
        """Wait until the file has accepted or refused everything collected so far.

        Args:
            patience: Seconds to wait at most; the rest is written later.
        """
        with anyio.move_on_after(patience):
            while self._task is not None:
                self._hurry.set()
                await asyncio.shield(self._task)

    async def finish(self) -> None:
        """Wait until everything is written that the file accepts, drops included that it owes."""
        self._finishing = True
        if self._repeat is not None:
            self._repeat.cancel()
        if self._owed:
            self._start()
        await self.flush(_FINISH if self._owed else math.inf)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        if self._owed:
            _logger.warning("%d drops could not be written to the cache file", len(self._owed))

    def _start(self) -> None:
        if self._task is None:
            self._task = spawn(self._drain())

    async def _drain(self) -> None:
        try:
            while True:
                # One transaction costs the same for several writes as for one.
                with anyio.move_on_after(_LINGER):
                    await self._hurry.wait()
                await self._apply_batch()
                if not self._operations:
                    break
        finally:
            self._hurry.clear()
            self._task = None  # here and not in a callback: nothing can be added in between
            if self._owed and not self._finishing:
                self._repeat = asyncio.get_running_loop().call_later(_REPEAT, self._start)

    async def _apply_batch(self) -> None:
        batch, self._operations = self._operations, []
        owed, self._owed = self._owed, [op for op in batch if _is_drop(op)]
        self._owed[:0] = owed
        try:
            await self._file.check_place()
            outcome = await self._write([*owed, *batch])
        except Exception as error:  # noqa: BLE001 - a failure must not reach a caller
            self._owed = self._owed[-_MAX_OWED:]
            self._on_failure(error, self._settle(batch))
        else:
            self._owed.clear()
            self._settle(batch)
            self._on_outcome(outcome)

    async def _write(self, operations: list[Operation]) -> Outcome:
        work = functools.partial(apply, operations=operations, max_bytes=self._max_bytes)
        for _ in range(_BUSY_ATTEMPTS - 1):
            try:
                return await self._file.write(work)
            except FILE_ERRORS as error:
                if not files.is_busy(error):
                    raise
        return await self._file.write(work)

    def _touch(self, touch: Touch) -> None:
        for key, stamp in touch.checked_at.items():
            entry = self._unsaved.get(key)
            if entry is not None and entry.checked_at < stamp:
                self._unsaved[key] = msgspec.structs.replace(entry, checked_at=stamp)

    def _settle(self, batch: Iterable[Operation]) -> list[Entry]:
        """Forget and return the entries of *batch* that were not put again or dropped meanwhile."""
        settled: list[Entry] = []
        for operation in batch:
            if isinstance(operation, Put):
                for entry in operation.entries:
                    unsaved = self._unsaved.get(entry.key)
                    if unsaved is not None and unsaved.stored_at == entry.stored_at:
                        settled.append(unsaved)
                        self._forget(entry.key)
        return settled

    def _forget(self, key: str) -> None:
        entry = self._unsaved.pop(key, None)
        if entry is not None:
            self._unsaved_bytes -= entry.size


def _is_drop(operation: Operation) -> bool:
    return isinstance(operation, Drop | Delete | Purge | Clear)


def _drops(operation: Operation, entry: Entry) -> bool:
    match operation:
        case Drop(selector, at):
            return entry.asked_at <= at and selector.matches(entry)
        case Delete(keys):
            return entry.key in keys
        case Purge(resource, born_before):
            return resource in (None, entry.resource) and entry.stored_at < born_before
        case Clear():
            return True
        case _:
            return False
