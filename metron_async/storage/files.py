"""Files of this package: private directories and SQLite files that several processes use.

- Several processes open a new file at the same time. Switching to WAL then fails with "locked",
  whatever the busy timeout is. Files are therefore opened under a lock file, with retries.
- A file is damaged or is not a database. It is renamed, so that nothing is lost, and replaced by
  an empty one, under the same lock. Otherwise two processes could use two files under one name.
- Other users could read a file, or could have written it. Files have mode 0600 and directories
  0700. Links and files of other users are refused. A file that others could write is set aside.
- Closing a file that was opened by other means than SQLite drops the POSIX locks of all
  connections of this process to it. An existing file is therefore never opened to look at it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from metron_async.storage.locks import try_lock, unlock

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Generator

__all__ = [
    "OPEN_ERRORS",
    "default_directory",
    "is_busy",
    "is_damage",
    "make_directory",
    "make_private",
    "make_private_directory",
    "open_connection",
    "opening",
    "remove_unused",
    "set_aside",
    "set_aside_unless_replaced",
]

OPEN_ERRORS = (OSError, sqlite3.Error)
"""What :func:`open_connection` raises where a file cannot be used."""

OPEN_TIMEOUT = 5.0
"""Seconds for opening a file while other processes open it too."""
OPEN_PAUSE = 0.01

UNUSED = 30 * 86_400.0
"""Seconds after which what nobody uses is removed: files of other versions, and states."""

_SIDECARS = ("", "-wal", "-shm")
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)

_creating = threading.Lock()


def default_directory() -> Path:
    """Return the directory for this package's files in the user's cache directory.

    Raises:
        OSError: If the user has no home directory.
    """
    try:
        directory = Path(platformdirs.user_cache_dir("metron_async"))
    except (RuntimeError, KeyError) as error:
        raise OSError(str(error)) from error
    if not directory.is_absolute():
        msg = "The user has no home directory"
        raise OSError(msg)
    return directory


def make_private_directory(path: Path) -> None:
    """Create the directory *path*, writable by its owner only.

    Raises:
        OSError: If it cannot be created, or if others can write to it.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        msg = f"{path} is not a directory"
        raise NotADirectoryError(msg)
    if os.name == "posix" and (found.st_uid != os.geteuid() or found.st_mode & _OTHERS_MAY_WRITE):
        msg = f"{path} is writable by other users"
        raise PermissionError(msg)


def make_private(path: Path) -> None:
    """Create the file *path*, readable by its owner only.

    A file that others could write is set aside, since its content may be theirs.

    Raises:
        OSError: If the file cannot be created, is not a plain file, or belongs to another user.
    """
    # Another thread must not open the new file as a database before it is closed here.
    with _creating:
        if _looks_private(path):
            return
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o600))


def make_directory(directory: Path) -> None:
    """Create *directory*, and remove the right of all users to write to it.

    They could replace its files. A directory with the sticky bit, such as ``/tmp``, already
    protects the files of each user.

    Raises:
        OSError: If it cannot be created, or if others can write to it and it is not ours.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = directory.stat().st_mode
    if os.name != "posix" or not mode & stat.S_IWOTH or mode & stat.S_ISVTX:
        return
    if directory.stat().st_uid != os.geteuid():
        msg = f"{directory} is writable by other users"
        raise PermissionError(msg)
    directory.chmod(stat.S_IMODE(mode) & ~_OTHERS_MAY_WRITE)


def _looks_private(path: Path) -> bool:
    """Return whether *path* exists and can be trusted; tighten or set aside what can be."""
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
    """Set the file at *path* aside if its inode is *inode*, and return whether it was.

    Another process may have met the damage first: the file at *path* may be new and healthy.
    """
    with opening(path):
        try:
            if path.lstat().st_ino != inode:
                return False
        except FileNotFoundError:
            return False
        set_aside(path)
        return True


def identity_of(path: Path) -> tuple[int, int]:
    """Return what tells the file at *path* from one that replaces it, zeros if there is none.

    A file that is not open anywhere leaves its inode to the next one.
    """
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_ino, found.st_mtime_ns


def remove_unused(directory: Path, names: re.Pattern[str]) -> None:
    """Remove the databases in *directory* with one of *names* that were not used for 30 days.

    The names must be exactly ours: a directory that the user named may hold other files.
    """
    for path in [path for path in directory.glob("*") if names.fullmatch(path.name)]:
        files = [path.with_name(path.name + suffix) for suffix in _SIDECARS]
        with contextlib.suppress(OSError):
            times = [file.stat().st_mtime for file in files if file.exists()]
            if times and time.time() - max(times) > UNUSED:
                for file in files:
                    file.unlink(missing_ok=True)


def is_damage(error: BaseException) -> bool:
    """Return whether *error* means that the file itself is unusable, not only busy or full."""
    return type(error) is sqlite3.DatabaseError


def is_busy(error: BaseException) -> bool:
    """Return whether *error* only means that another process holds the file at present."""
    text = str(error)
    return isinstance(error, sqlite3.OperationalError) and ("locked" in text or "busy" in text)


def open_connection(
    path: Path, prepare: Callable[[sqlite3.Connection], None], *, busy_timeout: float = 5.0
) -> sqlite3.Connection:
    """Open the SQLite file at *path* in WAL mode and in autocommit mode, blocking.

    A damaged file is set aside and replaced by an empty one.

    Args:
        path: File to open, created if missing.
        prepare: Called with each new connection, to create tables. It raises
            ``sqlite3.DatabaseError`` if the file is damaged, which sets the file aside.
        busy_timeout: Seconds that a statement waits for another process's lock.

    Raises:
        OSError: If the file cannot be created.
        sqlite3.Error: If it cannot be used.
    """
    deadline = time.monotonic() + OPEN_TIMEOUT
    renewed = False
    make_directory(path.parent)
    while True:
        try:
            with opening(path):
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
            time.sleep(OPEN_PAUSE)


def _open_once(
    path: Path, prepare: Callable[[sqlite3.Connection], None], busy_timeout: float
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
def opening(path: Path) -> Generator[None]:
    """Hold the lock file of *path*, under which the file is opened and set aside.

    A process that holds the lock too long (a stopped one) is not waited for. The lock only makes
    a rare mishap impossible, and opening is retried anyway.
    """
    lock = path.with_name(path.name + ".lock")
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | _NO_FOLLOW | getattr(os, "O_CLOEXEC", 0), 0o600)
    locked = False
    try:
        deadline = time.monotonic() + OPEN_TIMEOUT
        while True:
            try:
                locked = try_lock(handle)
            except OSError:  # a file system without locks
                break
            if locked or time.monotonic() >= deadline:
                break
            time.sleep(OPEN_PAUSE / 2)
        yield
    finally:
        if locked:
            unlock(handle)
        os.close(handle)
