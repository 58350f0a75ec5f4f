"""Rows of the mirror's tables, as SQLite stores them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    import aiosqlite

    from metron_async.mirror.tables import Table

__all__ = ["PageStats", "StoredRow", "upsert"]

StoredRow = tuple[tuple[Any, ...], str | None]
"""Values of a row's columns, and its JSON or ``None``."""


class PageStats(msgspec.Struct, frozen=True):
    """What storing a page has changed."""

    added: int
    """Rows that the table did not have."""
    updated: int
    """Rows that the table had with another ``modified``."""


async def upsert(
    db: aiosqlite.Connection, table: Table, rows: Sequence[StoredRow], *, unless: str
) -> PageStats:
    """Add or replace rows of a table.

    Args:
        db: The file, in a transaction.
        table: The table.
        rows: The rows.
        unless: SQL condition under which a stored row is kept.
    """
    names = [column.name for column in table.columns if not column.generated]
    place = names.index("id")
    at = names.index("modified") if table.has_modified else place
    marks = ",".join("?" * len(rows))
    found = await db.execute_fetchall(
        f'SELECT id, "{names[at]}" FROM "{table.name}" WHERE id IN ({marks})',  # noqa: S608 - our own names
        [values[place] for values, _ in rows],
    )
    known = {row[0]: row[1] for row in found}
    await db.executemany(table.upsert(unless), [(*values, raw) for values, raw in rows])
    arrived = {values[place]: values[at] for values, _ in rows}
    updated = sum(known[number] != arrived[number] for number in arrived.keys() & known.keys())
    return PageStats(len(arrived.keys() - known.keys()), updated)
