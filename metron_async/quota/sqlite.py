"""Quota state in a SQLite file, shared by all processes of one machine.

The decision stays where it is, in Python: it is registered with the connection as a SQL function,
so that one autocommit ``UPDATE`` loads the state, decides and saves under SQLite's write lock. The
function also reads the clock, inside of the lock, so that the times in a state never go backwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from metron_async.errors import MetronWarning, QuotaStoreError
from metron_async.quota.account import apply, shift
from metron_async.quota.clock import Instant, elapsed, read_clock
from metron_async.quota.state import FORMAT, Command, Reply, State, fresh_state
from metron_async.quota.store import DEFAULT_RULES, MemoryStore, stored_name
from metron_async.storage.database import open_database
from metron_async.storage.files import OPEN_ERRORS, default_directory, is_damage

if TYPE_CHECKING:
    from collections.abc import Callable

    import aiosqlite

    from metron_async.quota.state import Rules

__all__ = ["FallbackStore", "SQLiteStore", "default_store"]

_logger = logging.getLogger("metron_async.quota")

_CREATE = """
CREATE TABLE IF NOT EXISTS quota (account TEXT PRIMARY KEY, saved BLOB NOT NULL) WITHOUT ROWID
"""
_ENTER = "INSERT OR IGNORE INTO quota (account, saved) VALUES (?, x'')"
_DECIDE = """
UPDATE quota SET saved = metron_decide(saved, ?) WHERE account = ? RETURNING metron_reply()
"""


class Saved(msgspec.Struct, array_like=True):
    """What is stored about an account: its state, and when that was."""

    boot: str
    wall: float
    state: State


_saved_decoder = msgspec.msgpack.Decoder(Saved)
_command_decoder: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)
_reply_decoder = msgspec.msgpack.Decoder(Reply)
_encoder = msgspec.msgpack.Encoder()


class SQLiteStore:
    """Quota state in a SQLite file that all processes of one machine share.

    Args:
        path: The file; ``None`` for the one in the user's cache directory.
        rules: What is known of the windows before the first response.
        busy_timeout: Seconds to wait for another process that writes.
        clock: Where the time comes from.

    Example:
        >>> async with AsyncMetron(token="...", quota=SQLiteStore("quota.sqlite")) as metron: ...
    """

    def __init__(
        self,
        path: Path | str | None = None,
        *,
        rules: Rules = DEFAULT_RULES,
        busy_timeout: float = 5.0,
        clock: Callable[[], Instant] = read_clock,
    ) -> None:
        self.rules: Rules = rules
        self._path = default_directory() / "quota.sqlite" if path is None else Path(path)
        self._busy_timeout = busy_timeout
        self._core = _Core(rules, clock)
        self._opening = asyncio.Lock()
        self._connection: aiosqlite.Connection | None = None
        self._file: tuple[int, int] | None = None

    def __repr__(self) -> str:
        return f"SQLiteStore({str(self._path)!r})"

    async def apply(self, account: str, command: Command) -> Reply:
        """Carry out *command* on the state of *account*, atomically.

        Raises:
            QuotaStoreError: If the file cannot be used, or stays locked.
        """
        try:
            try:
                return await self._decide(account, command)
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
                # Opening it anew finds the damage, sets the file aside, and starts an empty one.
                _logger.warning("the quota file is damaged and is replaced: %s", error)
                await self._close()
                return await self._decide(account, command)
        except (*OPEN_ERRORS, ValueError) as error:
            # aiosqlite raises ValueError on a connection that was closed in the meantime.
            msg = f"the quota file {self._path} cannot be used: {error}"
            raise QuotaStoreError(msg) from error

    async def aclose(self) -> None:
        """Close the file."""
        await self._close()

    async def _decide(self, account: str, command: Command) -> Reply:
        connection = await self._open()
        name = stored_name(account)
        question = (_encoder.encode(command), name)
        for _ in range(2):
            for row in await connection.execute_fetchall(_DECIDE, question):
                return _reply_decoder.decode(row[0])
            await connection.execute_fetchall(_ENTER, (name,))  # the account's first command
        msg = "the account cannot be entered"
        raise sqlite3.OperationalError(msg)

    async def _open(self) -> aiosqlite.Connection:
        if self._connection is not None and self._file == _identity(self._path):
            return self._connection
        async with self._opening:
            if self._connection is not None and self._file != _identity(self._path):
                # The file was deleted or set aside; who still used it would have its own budget.
                await self._close()
            if self._connection is None:
                self._connection = await open_database(
                    self._path, self._prepare, busy_timeout=self._busy_timeout
                )
                self._file = _identity(self._path)
            return self._connection

    async def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error, ValueError):
                await connection.close()

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute(_CREATE)
        ((verdict,),) = connection.execute("PRAGMA quick_check(1)").fetchall()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        connection.create_function("metron_decide", 2, self._core.decide)
        connection.create_function("metron_reply", 0, self._core.reply)


class _Core:
    """The pure decision as two SQL functions: one returns the new state, one the reply to it."""

    def __init__(self, rules: Rules, clock: Callable[[], Instant]) -> None:
        self._rules = rules
        self._clock = clock
        self._reply = b""

    def decide(self, saved: bytes, command: bytes) -> bytes:
        """Return what to save after *command*."""
        now = self._clock()
        state = self._load(saved, now)
        reply = apply(state, self._rules, now.steady, _command_decoder.decode(command))
        self._reply = _encoder.encode(reply)
        return _encoder.encode(Saved(now.boot, now.wall, state))

    def reply(self) -> bytes:
        """Return the reply to the last command; it ran in the same statement."""
        return self._reply

    def _load(self, blob: bytes, now: Instant) -> State:
        if not blob:
            return fresh_state(self._rules, now.steady)
        try:
            saved = _saved_decoder.decode(blob)
        except (msgspec.DecodeError, UnicodeDecodeError):
            saved = None
        if saved is None or saved.state.version != FORMAT:
            # Nothing is known then: the first request goes alone, and its answer tells.
            _logger.warning("the stored quota cannot be read; starting anew")
            return fresh_state(self._rules, now.steady)
        state = saved.state
        before = Instant(saved.boot, state.now, saved.wall)
        if before.boot != now.boot or now.steady < before.steady:
            shift(state, now.steady - elapsed(before, now) - state.now)
        return state


class FallbackStore:
    """The default: a SQLite file, or memory where no file can be used.

    The fallback is announced by one warning, and lasts: a process that went back and forth would
    have two budgets. In memory nothing is known, so the first request goes alone, and its answer
    tells what the account has used.

    Args:
        store: The store to use as long as it works.
    """

    def __init__(self, store: SQLiteStore) -> None:
        self.rules: Rules = store.rules
        self._store = store
        self._memory: MemoryStore | None = None

    async def apply(self, account: str, command: Command) -> Reply:
        """Carry out *command* on the state of *account*, in memory if need be."""
        if self._memory is None:
            try:
                return await self._store.apply(account, command)
            except QuotaStoreError as error:
                self._fall_back(error)
        assert self._memory is not None  # noqa: S101 - for the type checker
        return await self._memory.apply(account, command)

    def _fall_back(self, error: QuotaStoreError) -> None:
        if self._memory is None:
            self._memory = MemoryStore(rules=self.rules)
            msg = f"the quota is not shared with other processes: {error.message}"
            warnings.warn(msg, MetronWarning, stacklevel=2)

    async def aclose(self) -> None:
        """Close the file."""
        await self._store.aclose()


def default_store() -> FallbackStore:
    """Return the store that a client uses if none is given."""
    return FallbackStore(SQLiteStore())


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
