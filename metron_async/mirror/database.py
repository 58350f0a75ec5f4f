"""Connection to the mirror's file: reads, and transactions that run to their end."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sqlite3
from typing import TYPE_CHECKING, Any, TypeVar, cast

import aiosqlite

from metron_async.mirror.errors import MirrorFileError, mirror_error
from metron_async.mirror.files import open_mirror

if TYPE_CHECKING:
    import threading
    from collections.abc import Awaitable, Callable, Generator
    from pathlib import Path
    from typing import Self

__all__ = ["Database"]

T = TypeVar("T")


class Database:
    """An open SQLite file.

    A transaction runs in a task of its own, to its end, even if its caller is cancelled.

    Args:
        path: The file.
        db: Connection to it.
    """

    def __init__(self, path: Path, db: aiosqlite.Connection) -> None:
        self.path = path
        self.db = db
        self._lock = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open the mirror at *path*, which is created if missing. Must not be cancelled.

        Raises:
            MirrorFileError: If the file is not a mirror, or cannot be opened.
        """
        connection = aiosqlite.Connection(functools.partial(open_mirror, path), iter_chunk_size=64)
        # A mirror that is not closed must not keep the interpreter alive. (Before aiosqlite 0.22
        # the connection is the thread.)
        thread = cast("threading.Thread", getattr(connection, "_thread", connection))
        thread.daemon = True
        try:
            return cls(path, await connection)
        except MirrorFileError:
            while thread.is_alive():  # noqa: ASYNC110 - it still reports to this event loop
                await asyncio.sleep(0.001)
            raise

    async def close(self) -> None:
        """Close the file, after the transactions in progress."""
        async with self._lock:
            await self.db.close()

    async def read(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows that *statement* selects."""
        with self._own_errors():
            return list(await self.db.execute_fetchall(statement, values))  # type: ignore[arg-type]

    async def write(self, work: Callable[[aiosqlite.Connection], Awaitable[T]]) -> T:
        """Do *work* in one transaction, which ends even if the caller is cancelled."""
        return await asyncio.shield(asyncio.create_task(self._transaction(work)))

    async def _transaction(self, work: Callable[[aiosqlite.Connection], Awaitable[T]]) -> T:
        async with self._lock:
            with self._own_errors():
                await self.db.execute("BEGIN IMMEDIATE")
                try:
                    result = await work(self.db)
                    await self.db.execute("COMMIT")
                except BaseException:
                    if self.db.in_transaction:
                        await self.db.execute("ROLLBACK")
                    raise
            return result

    @contextlib.contextmanager
    def _own_errors(self) -> Generator[None]:
        """Raise errors of SQLite as errors of the mirror."""
        try:
            yield
        except sqlite3.Error as error:
            raise mirror_error(self.path, error) from error
