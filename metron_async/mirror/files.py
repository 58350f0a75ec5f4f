"""The file of a mirror: created if missing, refused and not modified if it is something else.

The ``application_id`` in the header of a SQLite file says whether it is a mirror. It is read before
anything is written, so that another program's database keeps even its journal mode.
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
"""``METM``: the ``application_id`` of a mirror."""

SCHEMA_VERSION = 2
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
      skipped INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (selection, id)
    ) WITHOUT ROWID
    """,
)


def _to_2(connection: sqlite3.Connection) -> None:
    """Add the mark of rows that were skipped, and renew rows whose nested names were the API's."""
    connection.execute("ALTER TABLE mirror_rows ADD COLUMN skipped INTEGER NOT NULL DEFAULT 0")
    connection.execute("UPDATE mirror_selections SET watermark = NULL, walk = NULL")


_MIGRATIONS: Mapping[int, Callable[[sqlite3.Connection], None]] = {1: _to_2}
"""For each older version the function that makes the next version of it."""


def open_mirror(path: Path) -> sqlite3.Connection:
    """Open the mirror at *path*, which is created if missing.

    Raises:
        MirrorFileError: If the file is not a mirror, or cannot be opened.
    """
    try:
        _make_private(path)
        connection = sqlite3.connect(
            path, timeout=_BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
        )
    except (OSError, sqlite3.Error) as error:
        msg = f"The mirror {path} cannot be opened: {error}"
        raise MirrorFileError(msg) from error
    try:
        _prepare(connection, path)
    except sqlite3.DatabaseError as error:
        connection.close()
        foreign = "not a database" in str(error)
        what = "is not a SQLite database" if foreign else f"cannot be used: {error}"
        msg = f"{path} {what}; not modified"
        raise MirrorFileError(msg) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _make_private(path: Path) -> None:
    """Create the file, readable by its owner only, since collections are private."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    _refuse_foreign(connection, path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Check again under the write lock: two processes may create the same mirror.
        version = _refuse_foreign(connection, path)
        if version == 0:
            for statement in _SCHEMA:
                connection.execute(statement)
        for older in range(version or SCHEMA_VERSION, SCHEMA_VERSION):
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
        MirrorFileError: If it is not a mirror, or one that this version cannot read.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (objects,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application == 0 and version == 0 and objects == 0:
        return 0
    if application != APPLICATION_ID:
        msg = f"{path} is a SQLite database but not a mirror; not modified"
        raise MirrorFileError(msg)
    if version > SCHEMA_VERSION:
        msg = (
            f"{path} was made by a newer version of metron_async (schema {version}, known here:"
            f" {SCHEMA_VERSION}); not modified. Upgrade metron_async to use it"
        )
        raise MirrorFileError(msg)
    return int(version)
