"""SQLite files for parts that wait for them: connections with a thread of their own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import aiosqlite

from metron_async._noise import hide_noise, mark_thread
from metron_async.storage.files import OPEN_PAUSE, open_connection

if TYPE_CHECKING:
    import sqlite3
    import threading
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["open_database"]


async def open_database(
    path: Path, prepare: Callable[[sqlite3.Connection], None], *, busy_timeout: float = 5.0
) -> aiosqlite.Connection:
    """Open the SQLite file at *path*: see :func:`metron_async.storage.files.open_connection`.

    The functions *prepare* and the opening run in the connection's thread.

    Raises:
        OSError: If the file cannot be created.
        sqlite3.Error: If it cannot be used.
    """
    hide_noise()
    opened: list[sqlite3.Connection] = []

    def opener() -> sqlite3.Connection:
        opened.append(open_connection(path, prepare, busy_timeout=busy_timeout))
        return opened[-1]

    connection = aiosqlite.Connection(opener, iter_chunk_size=64)
    # An unclosed client must not keep the interpreter alive. (Older releases are the thread.)
    thread = cast("threading.Thread", getattr(connection, "_thread", connection))
    thread.daemon = True
    mark_thread(thread)
    try:
        return await connection
    except BaseException:
        # The thread was told to end. It still reports to this event loop, which must not be closed
        # before. A connection that was opened too late belongs to no caller.
        while thread.is_alive():  # noqa: ASYNC110 - a thread sets no event
            await asyncio.sleep(OPEN_PAUSE / 10)
        for late in opened:
            late.close()
        raise
