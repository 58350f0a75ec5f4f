"""Tables of the cache file, and conversion between entries and rows."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from metron_async.cache.entry import Entry, Kind, checksum

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "FETCH",
    "FETCH_MANY",
    "NEXT_USE",
    "PUT_BODY",
    "PUT_ENTRY",
    "SCHEMA",
    "from_row",
    "prepare",
    "to_row",
]

SCHEMA = 1
"""Version of the layout. It is part of the default file name: two versions never share a file."""

_APPLICATION_ID = 0x4D65_7443  # "MetC", in the file's header: marks a cache

# Bodies have a table of their own, so that recording a time does not write kilobytes. Triggers keep
# the total, since a sum would read the whole table, and several processes write.
_TABLES = """
CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    resource TEXT NOT NULL,
    kind TEXT NOT NULL,
    object_id INTEGER,
    status INTEGER NOT NULL,
    last_modified TEXT,
    stored_at REAL NOT NULL,
    checked_at REAL NOT NULL,
    sent_at REAL,
    modified TEXT,
    x_cache TEXT,
    date TEXT,
    version TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    size INTEGER NOT NULL,
    used INTEGER NOT NULL
);
CREATE INDEX entries_by_owner ON entries (account, resource, object_id);
CREATE INDEX entries_by_use ON entries (used);
CREATE TABLE bodies (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE dropped (
    account TEXT NOT NULL, resource TEXT, object_id INTEGER, kinds TEXT, at REAL NOT NULL
);
CREATE TABLE total (id INTEGER PRIMARY KEY CHECK (id = 1), bytes INTEGER NOT NULL);
INSERT INTO total VALUES (1, 0);
CREATE TRIGGER entry_added AFTER INSERT ON entries BEGIN
    UPDATE total SET bytes = bytes + new.size;
END;
CREATE TRIGGER entry_resized AFTER UPDATE OF size ON entries BEGIN
    UPDATE total SET bytes = bytes + new.size - old.size;
END;
CREATE TRIGGER entry_dropped AFTER DELETE ON entries BEGIN
    DELETE FROM bodies WHERE id = old.id;
    UPDATE total SET bytes = bytes - old.size;
END;
"""
_NAMES = {"entries", "bodies", "dropped", "total"}

_COLUMNS = (
    "key", "account", "resource", "kind", "object_id", "status", "last_modified", "stored_at",
    "checked_at", "sent_at", "modified", "x_cache", "date", "version", "checksum",
)  # fmt: skip
_SELECT = f"SELECT {', '.join(_COLUMNS)}, body FROM entries JOIN bodies USING (id) "  # noqa: S608

FETCH = _SELECT + "WHERE key = ?"
# One statement for any number of keys, so that it is compiled once.
FETCH_MANY = _SELECT + "WHERE key IN (SELECT value FROM json_each(?))"  # noqa: S608
NEXT_USE = "(SELECT coalesce(max(used), 0) + 1 FROM entries)"
"""The next number of the counter that orders uses across processes."""

PUT_ENTRY = (
    f"INSERT INTO entries ({', '.join(_COLUMNS)}, size, used) "  # noqa: S608
    f"VALUES ({'?, ' * (len(_COLUMNS) + 1)}{NEXT_USE}) ON CONFLICT (key) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in (*_COLUMNS[1:], "size", "used"))
)
PUT_BODY = (
    "INSERT INTO bodies (id, body) SELECT id, ? FROM entries WHERE key = ? "
    "ON CONFLICT (id) DO UPDATE SET body = excluded.body"
)


def prepare(connection: sqlite3.Connection) -> None:
    """Check that the file behind *connection* is a cache, and create the tables in a new file.

    Raises:
        sqlite3.DatabaseError: If it is another database, or has another layout.
    """
    # Damaged strings must not raise here: the checksum of the entry finds them.
    connection.text_factory = _decode_leniently
    connection.execute("PRAGMA journal_size_limit = 16777216")
    connection.execute("PRAGMA cache_size = -256")  # KB; the system caches the file too
    if _is_ready(connection):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not _is_ready(connection):  # another process may have been faster
            for statement in _statements(_TABLES):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def to_row(entry: Entry) -> tuple[Any, ...]:
    """Return the parameters of :data:`PUT_ENTRY`."""
    return (
        entry.key, entry.account, entry.resource, entry.kind.value, entry.object_id, entry.status,
        entry.last_modified, entry.stored_at, entry.checked_at, entry.sent_at, entry.modified,
        entry.x_cache, entry.date, entry.version, checksum(entry), entry.size,
    )  # fmt: skip


def from_row(row: Sequence[Any]) -> Entry | None:
    """Return the entry in *row*, or ``None`` if it is damaged."""
    try:
        entry = Entry(
            key=row[0],
            account=row[1],
            resource=row[2],
            kind=Kind(row[3]),
            object_id=row[4],
            status=row[5],
            last_modified=row[6],
            stored_at=float(row[7]),
            checked_at=float(row[8]),
            sent_at=row[9],
            modified=row[10],
            x_cache=row[11],
            date=row[12],
            version=row[13],
            body=row[15],
        )
        return entry if checksum(entry) == row[14] else None
    except (ValueError, TypeError):
        return None


def _is_ready(connection: sqlite3.Connection) -> bool:
    """Return whether the file is a cache, and not empty; raise for any other file."""
    mark = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    if not names and mark == 0:
        return False
    if mark != _APPLICATION_ID or version != SCHEMA or not names >= _NAMES:
        msg = "The file is not a cache of this version"
        raise sqlite3.DatabaseError(msg)
    return True


def _statements(script: str) -> list[str]:
    """Split *script* as SQLite would; ``executescript`` would commit in between."""
    statements: list[str] = []
    rest = ""
    for line in script.splitlines(keepends=True):
        rest += line
        if sqlite3.complete_statement(rest):
            statements.append(rest)
            rest = ""
    return statements


def _decode_leniently(text: bytes) -> str:
    return text.decode("utf-8", "replace")
