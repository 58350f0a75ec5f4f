"""Connections to the cache file, and recovery from damage.

Reading and writing have a connection each. In WAL mode a reader never waits. So a hit does not wait
for a write that waits for another process, or for a checkpoint.

Damage may show at any statement, long after opening. Then both connections are closed, the file is
set aside unless another process has done so, and the work is repeated on the new file. Another task
that uses the old connections finds them closed, sees that the generation has changed, and repeats
its work too.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import sqlite3
from contextvars import Context
from typing import TYPE_CHECKING, TypeVar

from metron_async.cache.schema import prepare
from metron_async.storage import database, files

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from pathlib import Path
    from typing import Any

    import aiosqlite

__all__ = ["FILE_ERRORS", "CacheFile", "is_beyond_repair", "spawn"]

T = TypeVar("T")

FILE_ERRORS = (OSError, sqlite3.Error, ValueError)
"""Errors of using the file. aiosqlite raises ``ValueError`` for a connection that was closed."""

_RETRY_OPENING_AFTER = 30.0  # seconds of the loop's clock
_MAX_RECOVERIES = 5  # a disk that damages every file is better left alone
_BUSY_TIMEOUTS = {"reader": 1.0, "writer": 5.0}
_logger = logging.getLogger("metron_async.cache")


def is_beyond_repair(error: BaseException) -> bool:
    """Return whether *error* means that the file is damaged, or was changed by another program."""
    if files.is_damage(error) or isinstance(error, sqlite3.IntegrityError | sqlite3.InternalError):
        return True
    # A table or column is missing: another program has changed the file.
    return isinstance(error, sqlite3.OperationalError) and str(error).startswith("no such ")


def _is_input_output(error: BaseException) -> bool:
    """Return whether the system failed to read or write. Opening again shows the cause."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(code, int) and code & 0xFF == sqlite3.SQLITE_IOERR


class CacheFile:
    """The cache file, opened on first use.

    Args:
        path: Path of the file, which need not exist.
        on_recovery: Called each time a damaged file was set aside.
        on_replacement: Called when the file was found to be replaced or deleted.
    """

    def __init__(
        self, path: Path, on_recovery: Callable[[], None], on_replacement: Callable[[], None]
    ) -> None:
        self._path = path
        self._on_recovery = on_recovery
        self._on_replacement = on_replacement
        self._ready: dict[str, aiosqlite.Connection] = {}
        self._opening: dict[str, asyncio.Task[aiosqlite.Connection]] = {}
        self._recovering: asyncio.Task[None] | None = None
        self._generation = 0
        self._recoveries = 0
        self._inode = 0
        self._refusal: Exception | None = None
        self._retry_at = 0.0

    async def open(self) -> None:
        """Open the file for reading now; if that fails, the first lookup deals with it."""
        with contextlib.suppress(*FILE_ERRORS):
            await self._use("reader", _nothing)

    async def read(
        self, statement: str, parameters: tuple[str | int | float | None, ...]
    ) -> list[sqlite3.Row]:
        """Return the rows that *statement* selects.

        Raises:
            OSError: If the file cannot be opened; also the others of :data:`FILE_ERRORS`.
        """

        async def select(db: aiosqlite.Connection) -> list[sqlite3.Row]:
            return await db.execute_fetchall(statement, parameters)  # type: ignore[return-value]

        return await self._use("reader", select)

    async def write(self, work: Callable[[aiosqlite.Connection], Awaitable[T]]) -> T:
        """Return what *work* makes of the writing connection; it may be called twice.

        Raises:
            OSError: If the file cannot be opened; also the others of :data:`FILE_ERRORS`.
        """
        return await self._use("writer", work)

    async def check_place(self) -> None:
        """Close the connections if the file was replaced or deleted."""
        inode, _ = files.identity_of(self._path)
        if self._ready and self._inode and inode != self._inode:
            self._on_replacement()
            await self._start_over(self._generation, damaged=False)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._recovering is not None:
            await asyncio.shield(self._recovering)
        await asyncio.gather(*self._opening.values(), return_exceptions=True)
        await self._close_connections()

    async def _use(
        self, role: str, work: Callable[[aiosqlite.Connection], Awaitable[T]], *, again: bool = True
    ) -> T:
        if self._recovering is not None:
            await asyncio.shield(self._recovering)
        generation = self._generation
        try:
            db = self._ready.get(role) or await self._open(role)
            return await work(db)
        except FILE_ERRORS as error:
            if not again:
                raise
            if generation == self._generation:
                damaged = is_beyond_repair(error)
                if not damaged and not _is_input_output(error):
                    raise
                await self._start_over(generation, damaged=damaged)
        return await self._use(role, work, again=False)

    async def _open(self, role: str) -> aiosqlite.Connection:
        """Open one connection, in a task that outlives a cancelled caller."""
        loop = asyncio.get_running_loop()
        if self._refusal is not None and loop.time() < self._retry_at:
            raise OSError(str(self._refusal)) from self._refusal
        task = self._opening.get(role)
        if task is None:
            task = self._opening[role] = spawn(self._connect(role))
            task.add_done_callback(functools.partial(self._opened, role))
        return await asyncio.shield(task)

    async def _connect(self, role: str) -> aiosqlite.Connection:
        if self._recoveries > _MAX_RECOVERIES:
            msg = f"{self._path} was damaged {self._recoveries} times and is not used any more"
            raise OSError(msg)
        return await database.open_database(
            self._path, self._prepare, busy_timeout=_BUSY_TIMEOUTS[role]
        )

    def _opened(self, role: str, task: asyncio.Task[aiosqlite.Connection]) -> None:
        del self._opening[role]
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._ready[role] = task.result()
            self._refusal = None
        elif isinstance(error, Exception):
            self._refusal = error
            self._retry_at = task.get_loop().time() + _RETRY_OPENING_AFTER

    def _prepare(self, connection: sqlite3.Connection) -> None:
        prepare(connection)
        self._inode = self._path.stat().st_ino

    async def _start_over(self, generation: int, *, damaged: bool) -> None:
        """Close the connections, and set a damaged file aside. Concurrent calls do it once."""
        if self._recovering is None:
            if generation != self._generation:
                return
            self._generation += 1
            self._recoveries += damaged
            self._recovering = spawn(self._replace(damaged))
            self._recovering.add_done_callback(self._replaced)
        await asyncio.shield(self._recovering)

    def _replaced(self, task: asyncio.Task[None]) -> None:
        self._recovering = None
        if not task.cancelled() and (error := task.exception()):
            _logger.warning("A damaged cache file could not be set aside: %s", error)

    async def _replace(self, damaged: bool) -> None:
        inode = self._inode
        # A connection that is just being opened may be one to the old file.
        await asyncio.gather(*self._opening.values(), return_exceptions=True)
        await self._close_connections()
        self._refusal = None  # of the old file, or of one that was being replaced
        if damaged:
            self._on_recovery()
            _logger.warning("The cache file %s is damaged: it is set aside", self._path)
            with contextlib.suppress(OSError):
                await asyncio.to_thread(files.set_aside_unless_replaced, self._path, inode)

    async def _close_connections(self) -> None:
        connections = list(self._ready.values())
        self._ready.clear()
        for connection in connections:
            with contextlib.suppress(*FILE_ERRORS):
                await connection.close()


async def _nothing(_: aiosqlite.Connection) -> None:
    """Use a connection for nothing."""


def spawn(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Run *work* in a context of its own, so that it is not part of the caller's trace."""
    return asyncio.get_running_loop().create_task(work, context=Context())
