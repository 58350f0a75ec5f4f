"""The store that the processes of one user share: one small SQLite file.

The state of a server is a few hundred bytes of JSON in one row. An exchange is one autocommit
statement, an UPDATE whose new value is computed by a Python function registered with SQLite. So
it runs under the write lock of the file, costs one hop to the connection's thread, and cannot
leave a transaction open, whenever its caller is cancelled or killed.

A file that cannot be used never means a client without a guard: the state then lives in this
process, starting from what was last seen in the file. The file is tried again every half minute,
and told what it missed. The clock is the wall clock, since it outlives reboots; :func:`.step`
distrusts stamps from the future.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import sqlite3
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from metron_async._engine.guard.rules import step
from metron_async._engine.guard.state import State, merge
from metron_async.storage.database import open_database
from metron_async.storage.files import (
    OPEN_ERRORS,
    default_directory,
    is_damage,
    set_aside_unless_replaced,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import aiosqlite

    from metron_async._engine.guard.state import Reply, Report

__all__ = ["SQLiteGuardStore"]

_logger = logging.getLogger("metron_async.guard")
_RETRY = 30.0  # seconds between two tries to get back to the file
_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(State).decode


class _Local:
    """The states of this process, for all its clients, while the file cannot be used."""

    def __init__(self) -> None:
        self.lock = threading.Lock()  # clients may live in event loops of different threads
        self.states: dict[tuple[str, str], State] = {}


_local = _Local()


class SQLiteGuardStore:
    """Share what the guards know among all processes of a user.

    Args:
        path: The file, created if missing, readable by its owner only. By default
            ``guard.sqlite3`` in the user's cache directory.
        busy_timeout: Seconds to wait for other processes before going on in memory.

    Example:
        >>> store = SQLiteGuardStore()
        >>> guard = Guard(store, credentials_key="digest", host_key="https://metron.cloud")
    """

    def __init__(self, path: Path | str | None = None, *, busy_timeout: float = 2.0) -> None:
        self._path = Path(path) if path is not None else default_directory() / "guard.sqlite3"
        self._busy_timeout = busy_timeout
        self._connection: aiosqlite.Connection | None = None
        self._inode = -1
        self._lock = asyncio.Lock()
        self._calls: dict[int, Callable[[bytes], bytes]] = {}
        self._numbers = itertools.count()
        self._seen: dict[str, State] = {}
        self._retry_at = 0.0
        self._warned = False

    async def exchange(self, host: str, report: Report) -> Reply:
        """See :meth:`GuardStore.exchange`."""
        if time.monotonic() >= self._retry_at:
            try:
                return await self._in_file(host, report)
            except OPEN_ERRORS as error:
                await self._give_up(error)
        with _local.lock:
            name = (str(self._path), host)
            state = _local.states.get(name) or self._seen.get(host) or State()
            _local.states[name], reply = step(state, report, time.time())
        return reply

    async def aclose(self) -> None:
        """Close the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _in_file(self, host: str, report: Report) -> Reply:
        try:
            return await self._update(host, report)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
        # The file is damaged, which opening it does not always show.
        await self.aclose()
        await asyncio.to_thread(set_aside_unless_replaced, self._path, self._inode)
        return await self._update(host, report)

    async def _update(self, host: str, report: Report) -> Reply:
        connection = await self._open()
        replies: list[Reply] = []
        missed: list[State] = []

        def change(body: bytes) -> bytes:
            # Runs in the connection's thread, under the file's write lock.
            state = _read(body)
            with _local.lock:
                missed[:] = [_local.states[name]] if name in _local.states else []
            for known in missed:
                state = merge(state, known)
            state, reply = step(state, report, time.time())
            replies[:] = [reply]
            self._seen[host] = state
            return _encode(state)

        name = (str(self._path), host)
        number = next(self._numbers)
        self._calls[number] = change
        sql = "UPDATE guard SET state = metron_guard(state, ?) WHERE host = ?"
        try:
            await connection.execute_fetchall(sql, (number, host))
            if not replies:
                insert = "INSERT OR IGNORE INTO guard (host, state) VALUES (?, x'')"
                await connection.execute_fetchall(insert, (host,))
                await connection.execute_fetchall(sql, (number, host))
        finally:
            self._calls.pop(number, None)
        if not replies:
            msg = "the guard's row is gone"
            raise sqlite3.OperationalError(msg)
        with _local.lock:
            if missed and _local.states.get(name) is missed[0]:
                del _local.states[name]
        return replies[0]

    async def _open(self) -> aiosqlite.Connection:
        async with self._lock:
            if self._connection is None:
                self._connection = await open_database(
                    self._path, self._prepare, busy_timeout=self._busy_timeout
                )
                self._inode = self._path.lstat().st_ino
            return self._connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS guard (host TEXT PRIMARY KEY, state BLOB NOT NULL)"
        )
        try:
            connection.execute("SELECT host, state FROM guard LIMIT 1").fetchone()
        except sqlite3.OperationalError as error:
            if "no such column" in str(error):
                raise sqlite3.DatabaseError(str(error)) from error
            raise
        connection.create_function("metron_guard", 2, self._run)

    def _run(self, state: bytes, number: int) -> bytes:
        return self._calls[number](state)

    async def _give_up(self, error: BaseException) -> None:
        self._retry_at = time.monotonic() + _RETRY
        if not self._warned:
            self._warned = True
            _logger.warning(
                "The ban guard cannot use %s (%s): until it can, other processes are not seen",
                self._path,
                error,
            )
        try:
            await self.aclose()
        except OPEN_ERRORS as failure:
            _logger.debug("closing the guard's file: %s", failure)


def _read(body: bytes) -> State:
    try:
        return _decode(body) if body else State()
    except (msgspec.MsgspecError, ValueError, TypeError):
        _logger.warning("The ban guard's state was not readable, and starts anew")
        return State()
