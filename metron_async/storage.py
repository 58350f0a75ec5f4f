"""Where this package keeps its own files, and how it opens the SQLite ones.

Quota, ban guard and cache each own a small SQLite file in a private directory. Four things go
wrong with such files in practice, and all four are met here, once:

- Several processes open a new file at the same moment; switching to WAL then fails with "locked"
  regardless of the busy timeout. Opening is done under a lock file, and retried.
- A file is damaged, or is no database at all. It is set aside under another name, so that nothing
  is lost, and the caller starts with an empty one. That, too, happens under the lock: renaming a
  file that somebody else is just creating anew would leave two processes with two write-ahead
  logs for one database.
- Other users of the machine could read it, or could have written it: files are 0600 and the
  directory 0700; links and other people's files are refused; what anybody could write is set
  aside unread.
- A database file is opened and closed by other means than SQLite. On POSIX systems that drops the
  locks which *other* connections of the same process hold on it, so no existing file is ever
  opened here just to look at it.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import sqlite3
import stat
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

import aiosqlite
import platformdirs

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be renamed in the first place
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = [
    "OPEN_ERRORS",
    "default_directory",
    "is_busy",
    "is_damage",
    "make_private",
    "open_database",
    "set_aside",
    "set_aside_unless_replaced",
]

OPEN_ERRORS = (OSError, sqlite3.Error)
"""What :func:`open_database` raises where a file cannot be used."""

_OPEN_PATIENCE = 5.0  # seconds spent on winning the race for a new file
_OPEN_PAUSE = 0.01
_SIDECARS = ("", "-wal", "-shm")
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)

_creating = threading.Lock()


def default_directory() -> Path:
    """Return the directory for this package's files, in the user's cache directory."""
    return Path(platformdirs.user_cache_dir("metron_async"))


def make_private(path: Path) -> None:
    """Create the directory of *path*, and *path* itself, readable by their owner only.

    A file that others could write is set aside: what is in it may be theirs.

    Raises:
        OSError: If the file cannot be created, is no plain file, or belongs to somebody else.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Closing the new file must not happen after another thread has opened it as a database.
    with _creating:
        if _looks_private(path):
            return
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o600))


def _looks_private(path: Path) -> bool:
    """Tell whether *path* exists and can be trusted; tighten or set aside what can be."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(found.st_mode):
        msg = f"{path} is not a plain file"
        raise OSError(msg)
    if os.name == "posix":
        if found.st_uid != os.geteuid():
            msg = f"{path} belongs to another user"
            raise PermissionError(msg)
        if found.st_mode & _OTHERS_MAY_WRITE:
            set_aside(path)
            return False
        if stat.S_IMODE(found.st_mode) != 0o600:  # noqa: PLR2004
            path.chmod(0o600)
    return True


def set_aside(path: Path) -> Path:
    """Rename a damaged database, with its side files, and return its new name."""
    aside = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
    for suffix in _SIDECARS:
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside


def set_aside_unless_replaced(path: Path, inode: int) -> bool:
    """Set the file at *path* aside if it still is the one with that *inode*.

    For damage that shows while the file is in use: another process may have met it first, and
    what is at *path* may be a new and healthy file.
    """
    with _opening(path):
        try:
            if path.lstat().st_ino != inode:
                return False
        except FileNotFoundError:
            return False
        set_aside(path)
        return True


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
    _quieten_aiosqlite()
    opened: list[sqlite3.Connection] = []

    def opener() -> sqlite3.Connection:
        opened.append(_open_patiently(path, prepare, busy_timeout))
        return opened[-1]

    connection = aiosqlite.Connection(opener, iter_chunk_size=64)
    # An unclosed client must not keep the interpreter alive. (Older releases are the thread.)
    thread = cast("threading.Thread", getattr(connection, "_thread", connection))
    thread.daemon = True
    try:
        return await connection
    except BaseException:
        # The thread was told to end. It still reports to this event loop, which must not be closed
        # before; and a connection that came too late, for a caller who has left, is nobody's.
        while thread.is_alive():  # noqa: ASYNC110 - a thread rings no bell
            await asyncio.sleep(_OPEN_PAUSE / 10)
        for late in opened:
            late.close()
        raise


@functools.cache
def _quieten_aiosqlite() -> None:
    """Keep statements and their parameters out of debug logs, unless somebody asked for them."""
    logger = logging.getLogger("aiosqlite")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)


def _open_patiently(
    path: Path | str, prepare: Callable[[sqlite3.Connection], None], busy_timeout: float
) -> sqlite3.Connection:
    if str(path) == ":memory:":
        return _open_once(path, prepare, busy_timeout)
    deadline = time.monotonic() + _OPEN_PATIENCE
    renewed = False
    path = Path(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        try:
            with _opening(path):
                try:
                    make_private(path)
                    return _open_once(path, prepare, busy_timeout)
                except sqlite3.Error as error:
                    if not is_damage(error) or renewed:
                        raise
                    renewed = True
                    set_aside(path)
        except sqlite3.Error as error:
            if not is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(_OPEN_PAUSE)


def _open_once(
    path: Path | str, prepare: Callable[[sqlite3.Connection], None], busy_timeout: float
) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        timeout=busy_timeout,
        isolation_level=None,
        check_same_thread=False,  # only one uses it, but another may have to close it
    )
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def _opening(path: Path) -> Generator[None]:
    """Hold the lock file of *path*: nobody else opens it, or sets it aside, meanwhile.

    Whoever holds it too long (a stopped process) is not waited for: the lock only makes a rare
    mishap impossible, and opening is retried anyway.
    """
    if fcntl is None:
        yield
        return
    lock = path.with_name(path.name + ".lock")
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | _NO_FOLLOW | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + _OPEN_PATIENCE
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() < deadline:
                    time.sleep(_OPEN_PAUSE / 2)
                    continue
            except OSError:  # a file system without locks
                pass
            break
        yield
    finally:
        os.close(handle)
