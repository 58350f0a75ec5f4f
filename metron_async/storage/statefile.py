"""SQLite file that holds the states of accounts and network addresses.

A transaction runs on the event loop: a hop to a thread costs more than the transaction. It never
waits there. A file that another process has locked is tried again after a pause, and everything
slow is done in threads: opening, closing, and copying the write-ahead log into the file.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import re
import sqlite3
import threading
from contextlib import suppress
from contextvars import Context
from typing import TYPE_CHECKING, TypeVar

from metron_async.storage.base import MAX_STATE
from metron_async.storage.clock import pack_anchor, unpack_anchor
from metron_async.storage.files import (
    OPEN_ERRORS,
    UNUSED,
    is_busy,
    is_damage,
    make_private_directory,
    open_connection,
    remove_unused,
    set_aside_unless_replaced,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from metron_async.storage.base import Decided, Loaded, States
    from metron_async.storage.clock import MachineClock

__all__ = ["StateFile"]

T = TypeVar("T")

_CREATE = (
    "CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, saved BLOB NOT NULL, at REAL)",
    "CREATE TABLE IF NOT EXISTS clock (id INTEGER PRIMARY KEY, anchor BLOB NOT NULL)",
)
_LOAD = "SELECT name, saved FROM state WHERE name IN (?, ?) AND length(saved) <= ?"
_UPDATE = "UPDATE state SET saved = ?, at = ? WHERE name = ?"
_INSERT = "INSERT OR REPLACE INTO state (saved, at, name) VALUES (?, ?, ?)"
_SAVE_ANCHOR = "INSERT OR REPLACE INTO clock (id, anchor) VALUES (1, ?)"
_OURS = re.compile(r"cache-\d+\.sqlite3|(state|cache-\d+)\.sqlite3\.damaged-\d+")
_COMMITS = 64  # between two checkpoints; about a megabyte
_PAUSE, _LONGEST_PAUSE = 0.001, 0.05  # seconds between two attempts on a locked file

_logger = logging.getLogger("metron_async.storage")
_of_parent: list[sqlite3.Connection] = []  # never closed: that would harm the parent's file


class StateFile:
    """One SQLite file with states.

    Args:
        path: Where it is. It is created when first used.
        clock: Clock of its users, which continues the one of the file.
        check_directory: Whether to refuse a directory that other users can write to.
    """

    def __init__(self, path: Path, clock: MachineClock, *, check_directory: bool = False) -> None:
        self.path = path
        self.retry_at: float = 0.0  # loop time before which the file is not tried
        self._clock = clock
        self._check_directory = check_directory
        self._connection: sqlite3.Connection | None = None
        self._names = str(path), f"{path}-wal"
        self._inodes: tuple[int, int] | None = None
        self._lock = threading.Lock()
        self._generation = 0
        self._commits = 0
        self.forget_loop()

    def forget_loop(self) -> None:
        """Let go of what belongs to an event loop that is not used anymore."""
        self._opening: asyncio.Task[None] | None = None
        self._checkpoint: asyncio.Future[None] | None = None
        self.retry_at = 0.0

    def forget_parent(self) -> None:
        """Let go of the connection of the parent process after a fork, without closing it."""
        self._lock = threading.Lock()
        if self._connection is not None:
            _of_parent.append(self._connection)
        self._connection = self._inodes = None
        self._generation += 1

    async def transact(
        self,
        account: str,
        address: str,
        decide: Callable[[Loaded], Decided[T]],
        states: States,
        timeout: float,  # noqa: ASYNC109 - only for what another process has locked
    ) -> T:
        """Carry out a transaction, and wait up to *timeout* seconds while the file is locked.

        Raises:
            OSError: If the file cannot be opened.
            sqlite3.Error: If it cannot be used.
        """
        loop = asyncio.get_running_loop()
        deadline, pause, repaired = loop.time() + timeout, _PAUSE, False
        while True:
            try:
                await self.open()
                reply = self._attempt(account, address, decide, states)
            except sqlite3.Error as error:
                if is_busy(error) and loop.time() < deadline:
                    await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311
                    pause = min(2 * pause, _LONGEST_PAUSE)
                    continue
                if repaired or is_busy(error) or not await self._repair(error):
                    raise
                repaired = True
            else:
                return reply

    def _attempt(
        self, account: str, address: str, decide: Callable[[Loaded], Decided[T]], states: States
    ) -> T:
        connection = self._connection
        if connection is None:  # closed in the meantime
            msg = "The file is busy: it is being closed"
            raise sqlite3.OperationalError(msg)
        execute = connection.cursor().execute
        execute("BEGIN IMMEDIATE")
        try:
            found = dict(execute(_LOAD, (account, address, 2 * MAX_STATE)).fetchall())
            now = self._clock.now()
            loaded = states.load(address, found.get(account), found.get(address), now)
            decided = decide(loaded)
            changes = states.pack(loaded, decided)
            for name, saved in zip((account, address), changes, strict=True):
                if saved is not None:
                    save = _UPDATE if name in found else _INSERT
                    execute(save, (saved, now, name))
            if changes != (None, None):
                execute("COMMIT")
                self._count_commit()
        finally:
            if connection.in_transaction:
                execute("ROLLBACK")
        return states.keep(address, loaded, decided)

    def _find(self) -> tuple[int, int] | None:
        """Return what identifies the file and its write-ahead log, if both are there."""
        file, log = self._names
        try:
            return os.stat(file).st_ino, os.stat(log).st_ino  # noqa: PTH116 - half the time
        except OSError:
            return None

    async def aclose(self) -> None:
        """Close the file."""
        for pending in (self._opening, self._checkpoint):
            if pending is not None:
                with suppress(*OPEN_ERRORS):
                    await asyncio.shield(pending)
        await self._close()

    async def open(self) -> None:
        """Open the file if it is not, once for all callers, even if the first is cancelled."""
        if self._inodes is not None and self._inodes == self._find():
            return
        if self._opening is None:
            self._opening = asyncio.create_task(self._reopen(), context=Context())
            self._opening.add_done_callback(self._opened)
        await asyncio.shield(self._opening)

    def _opened(self, task: asyncio.Task[None]) -> None:
        if self._opening is task:
            self._opening = None
        if not task.cancelled():
            task.exception()  # raised in the callers, if there are any left

    async def _reopen(self) -> None:
        await self._close()
        try:
            await asyncio.to_thread(self._open_now, self._generation)
        except RuntimeError as error:  # no thread can be started
            raise OSError(str(error)) from error

    def _open_now(self, generation: int) -> None:
        if self._check_directory:
            make_private_directory(self.path.parent)
        remove_unused(self.path.parent, _OURS)
        connection = open_connection(self.path, self._prepare)
        connection.execute("PRAGMA busy_timeout=0")
        with self._lock:
            if self._generation == generation:
                self._connection, self._inodes = connection, self._find()
                return
        connection.close()  # the caller is gone, or the file was closed

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("PRAGMA journal_size_limit=1048576")
        for statement in _CREATE:
            connection.execute(statement)
        ((verdict,),) = connection.execute("PRAGMA quick_check(1)").fetchall()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        try:
            rows = connection.execute("SELECT anchor FROM clock").fetchall()
            ((newest,),) = connection.execute("SELECT max(at) FROM state").fetchall()
        except sqlite3.OperationalError as error:
            if "no such column" not in str(error):
                raise
            raise sqlite3.DatabaseError(str(error)) from error  # a database of something else
        saved = unpack_anchor(rows[0][0]) if rows else None
        anchor = self._clock.adopt(saved, newest if isinstance(newest, float) else 0.0)
        if anchor is not None:
            connection.execute(_SAVE_ANCHOR, (pack_anchor(anchor),))
        unused = self._clock.now() - UNUSED
        if connection.execute("SELECT 1 FROM state WHERE at < ?", (unused,)).fetchone():
            connection.execute("DELETE FROM state WHERE at < ?", (unused,))
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    async def _close(self) -> None:
        with self._lock:
            connection, self._connection, self._inodes = self._connection, None, None
            self._generation += 1
        if connection is not None:
            # A caller that is cancelled does not stop it: the connection would stay open.
            closing = asyncio.get_running_loop().run_in_executor(None, _close_quietly, connection)
            await asyncio.shield(closing)

    async def _repair(self, error: sqlite3.Error) -> bool:
        """Return whether opening the file again may help; set a damaged one aside."""
        damaged = is_damage(error) or str(error).startswith("no such")
        code = getattr(error, "sqlite_errorcode", None)
        if not damaged and (code is None or code & 0xFF != sqlite3.SQLITE_IOERR):
            return False
        inode = self._inodes[0] if self._inodes is not None else -1
        await self._close()
        if damaged:
            _logger.warning("State file %s is damaged and is replaced: %s", self.path, error)
            with suppress(OSError):
                await asyncio.to_thread(set_aside_unless_replaced, self.path, inode)
        return True

    def _count_commit(self) -> None:
        self._commits += 1
        if self._commits >= _COMMITS and (self._checkpoint is None or self._checkpoint.done()):
            self._commits = 0
            run = asyncio.get_running_loop().run_in_executor
            with suppress(RuntimeError):  # no thread can be started
                self._checkpoint = run(None, _copy_log, self.path)


def _close_quietly(connection: sqlite3.Connection) -> None:
    with suppress(sqlite3.Error):
        connection.close()


def _copy_log(path: Path) -> None:
    """Copy the write-ahead log into the file, on a connection of its own."""
    with suppress(*OPEN_ERRORS):
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)
        try:
            row = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if row[1] != row[2]:
                # Writers were quicker. They try again while the rest is copied.
                connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        finally:
            connection.close()
