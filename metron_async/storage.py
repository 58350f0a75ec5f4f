"""Where this package keeps its own files, and how it opens the SQLite ones.

Quota, ban guard and cache each own a small SQLite file in a private directory. Three things go
wrong with such files in practice, and all three are met here, once: several processes open a new
file at the same moment (switching to WAL then fails with "locked" regardless of the busy
timeout), a file is damaged or is no database at all (it is set aside under another name, so that
nothing is lost and the caller starts with an empty one), and other users of the machine could
read it (files are 0600, the directory 0700).
"""

from __future__ import annotations

import contextlib
import functools
import os
import sqlite3
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import aiosqlite
import platformdirs

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OPEN_ERRORS", "default_directory", "open_database"]

OPEN_ERRORS = (OSError, sqlite3.Error)
"""What :func:`open_database` raises where a file cannot be used."""

_OPEN_PATIENCE = 5.0  # seconds spent on winning the race for a new file
_OPEN_PAUSE = 0.01
_SIDECARS = ("", "-wal", "-shm")


def default_directory() -> Path:
    """Return the directory for this package's files, in the user's cache directory."""
    return Path(platformdirs.user_cache_dir("metron_async"))


def make_private(path: Path) -> None:
    """Create the directory of *path*, and *path* itself, readable by their owner only.

    Raises:
        OSError: If the file cannot be created, is a symbolic link, or belongs to somebody else.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        if hasattr(os, "fchmod"):
            os.fchmod(handle, 0o600)
    finally:
        os.close(handle)


def set_aside(path: Path) -> Path:
    """Rename a damaged database, with its side files, and return its new name."""
    aside = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
    for suffix in _SIDECARS:
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside


def is_damage(error: BaseException) -> bool:
    """Tell whether *error* means that the file itself is unusable, and not just busy or full."""
    return type(error) is sqlite3.DatabaseError


def is_busy(error: BaseException) -> bool:
    """Tell whether *error* only means that another process holds the file right now."""
    text = str(error)
    return isinstance(error, sqlite3.OperationalError) and ("locked" in text or "busy" in text)


async def open_database(
    path: Path | str,
    prepare: Callable[[sqlite3.Connection], None],
    *,
    busy_timeout: float = 5.0,
) -> aiosqlite.Connection:
    """Open the SQLite file at *path* in WAL mode.

    The connection is in autocommit mode: each statement is its own transaction unless the caller
    begins one. A damaged file is set aside and replaced by an empty one.

    Args:
        path: File to open, created if missing; ``":memory:"`` for none.
        prepare: Called with the plain connection, in its own thread, each time a file was opened:
            creates tables and functions. It raises ``sqlite3.DatabaseError`` where the file is
            not what it should be, which sets the file aside.
        busy_timeout: Seconds that a statement waits for another process's lock.

    Raises:
        OSError: If the file cannot be created.
        sqlite3.Error: If it cannot be used.
    """
    opener = functools.partial(_open_patiently, path, prepare, busy_timeout)
    connection = aiosqlite.Connection(opener, iter_chunk_size=64)
    # An unclosed client must not keep the interpreter alive. (Older releases are the thread.)
    thread: threading.Thread = getattr(connection, "_thread", connection)
    thread.daemon = True
    return await connection


def _open_patiently(
    path: Path | str, prepare: Callable[[sqlite3.Connection], None], busy_timeout: float
) -> sqlite3.Connection:
    deadline = time.monotonic() + _OPEN_PATIENCE
    renewed = str(path) == ":memory:"
    while True:
        try:
            return _open_once(path, prepare, busy_timeout)
        except sqlite3.Error as error:
            if is_damage(error) and not renewed:
                renewed = True
                set_aside(Path(path))
            elif not is_busy(error) or time.monotonic() > deadline:
                raise
            else:
                time.sleep(_OPEN_PAUSE)


def _open_once(
    path: Path | str, prepare: Callable[[sqlite3.Connection], None], busy_timeout: float
) -> sqlite3.Connection:
    if str(path) != ":memory:":
        make_private(Path(path))
    connection = sqlite3.connect(path, timeout=busy_timeout, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection
