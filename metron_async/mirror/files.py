"""Opens the file of a mirror: a new one is made, a foreign one is refused and left as it is.

A file is a mirror if its header says so (``PRAGMA application_id``). That is read before anything
is written; not even the journal mode of somebody else's database is changed.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING

from metron_async.mirror.errors import MirrorFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["APPLICATION_ID", "SCHEMA_VERSION", "open_mirror"]

APPLICATION_ID = 0x4D45544D
"""``METM``: what the header of a mirror says."""

SCHEMA_VERSION = 1
"""Version of the tables that begin with ``mirror_``."""

_BUSY_TIMEOUT = 30.0

_SCHEMA = (
    """
    CREATE TABLE mirror_selections (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL,
      filters TEXT NOT NULL,
      details INTEGER NOT NULL DEFAULT 0,
      raw INTEGER NOT NULL DEFAULT 0,
      watermark REAL,
      updated_at TEXT,
      generation INTEGER NOT NULL DEFAULT 0,
      walk TEXT,
      version INTEGER NOT NULL DEFAULT 0,
      UNIQUE (name, filters)
    )
    """,
    """
    CREATE TABLE mirror_rows (
      selection INTEGER NOT NULL REFERENCES mirror_selections (id),
      id INTEGER NOT NULL,
      generation INTEGER NOT NULL,
      PRIMARY KEY (selection, id)
    ) WITHOUT ROWID
    """,
)

_MIGRATIONS: Mapping[int, Callable[[sqlite3.Connection], None]] = {}
"""For each older version what makes the next one of it."""


def open_mirror(path: Path) -> sqlite3.Connection:
    """Open the mirror at *path*, made if there is none.

    Raises:
        MirrorFileError: If the file is something else, or cannot be opened.
    """
    try:
        _make_private(path)
        connection = sqlite3.connect(
            path, timeout=_BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
        )
    except (OSError, sqlite3.Error) as error:
        msg = f"{path}: cannot be opened: {error}"
        raise MirrorFileError(msg) from error
    try:
        _prepare(connection, path)
    except sqlite3.DatabaseError as error:
        connection.close()
        what = (
            "is no SQLite database"
            if "not a database" in str(error)
            else f"cannot be used: {error}"
        )
        msg = f"{path}: {what}; it was left as it is"
        raise MirrorFileError(msg) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _make_private(path: Path) -> None:
    """Create the file, for its owner's eyes only: a collection is nobody else's business."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    _refuse_foreign(connection, path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Once more, now that nobody else can write: two processes may make one new mirror.
        version = _refuse_foreign(connection, path)
        if version == 0:
            for statement in _SCHEMA:
                connection.execute(statement)
        for older in range(max(1, version), SCHEMA_VERSION):
            _MIGRATIONS[older](connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> int:
    """Return the version of the mirror in the file, 0 for an empty file.

    Raises:
        MirrorFileError: If something else is in it, or a mirror that this version cannot read.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (objects,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application == 0 and version == 0 and objects == 0:
        return 0
    if application != APPLICATION_ID:
        msg = f"{path}: is a database of something else, no mirror; it was left as it is"
        raise MirrorFileError(msg)
    if version > SCHEMA_VERSION:
        msg = (
            f"{path}: was made by a newer version of metron_async (schema {version}, known here:"
            f" {SCHEMA_VERSION}); it was left as it is"
        )
        raise MirrorFileError(msg)
    return int(version)
