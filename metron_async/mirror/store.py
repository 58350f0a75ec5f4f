"""The mirror's file: rows, marks and the state of walks, each page in one transaction.

Plain synchronous SQLite: every public method is one transaction, and runs in the mirror's own
thread. The state of a selection carries a version that each transaction checks and raises, so
that two processes that bring the same selection up to date cannot mix their pages.
"""

from __future__ import annotations

import contextlib
import dataclasses
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from metron_async.mirror.errors import MirrorBusyError
from metron_async.mirror.files import open_mirror
from metron_async.mirror.selection import SELECT, Pairs, Selection, pairs_text, selection_of
from metron_async.mirror.sources import source_of
from metron_async.mirror.tables import Table, instant_text, table_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence
    from pathlib import Path

    from metron_async.mirror.plan import Walk

__all__ = ["PageStats", "Store"]


@dataclasses.dataclass(frozen=True, slots=True)
class PageStats:
    """What storing a page has changed.

    Attributes:
        added: Rows that the table did not have.
        updated: Rows that it had in an older state.
    """

    added: int
    updated: int


class Store:
    """The open file of a mirror.

    Args:
        path: The file.

    Raises:
        MirrorFileError: If it cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._db = open_mirror(path)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    # -- selections ----------------------------------------------------------------------------

    def selections(self) -> list[Selection]:
        """Return all selections, in the order in which they were first asked for."""
        return [
            selection_of(row)
            for row in self._db.execute(f"{SELECT} FROM mirror_selections ORDER BY id")
        ]

    def find(self, name: str, filters: Pairs) -> Selection | None:
        """Return one selection, or ``None``."""
        row = self._db.execute(
            f"{SELECT} FROM mirror_selections WHERE name = ? AND filters = ?",
            (name, pairs_text(filters)),
        ).fetchone()
        return None if row is None else selection_of(row)

    def declare(self, name: str, filters: Pairs, *, details: bool, raw: bool) -> Selection:
        """Return a selection, made if it is new, with its tables."""
        source = source_of(name)
        with self._transaction():
            self._make_table(table_of(name, source.row))
            if details and source.detail is not None:
                self._make_table(table_of(source.detail_table, source.detail))
            self._db.execute(
                "INSERT INTO mirror_selections (name, filters, details, raw) VALUES (?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET details = excluded.details, raw = excluded.raw",
                (name, pairs_text(filters), details, raw),
            )
        found = self.find(name, filters)
        assert found is not None  # noqa: S101 - just made
        return found

    def _make_table(self, table: Table) -> None:
        """Create a table, or add the columns that models have gained since it was."""
        self._db.execute(table.create)
        known = {row[1] for row in self._db.execute(f'PRAGMA table_xinfo("{table.name}")')}
        missing = [column for column in table.columns if column.name not in known]
        for column in missing:
            self._db.execute(f'ALTER TABLE "{table.name}" ADD COLUMN {column.declaration}')
        if any(not column.generated for column in missing):
            # The rows that are there do not tell these fields: all are asked for once more.
            self._db.execute(
                "UPDATE mirror_selections SET watermark = NULL, walk = NULL, version = version + 1"
                " WHERE name = ?",
                (table.name,),
            )
        for statement in table.indexes:
            self._db.execute(statement)

    # -- walks ---------------------------------------------------------------------------------

    def begin(self, selection: Selection, walk: Walk) -> Selection:
        """Note that *walk* begins."""
        with self._transaction():
            return self._move(selection, walk=walk, generation=walk.generation)

    def store_page(
        self, selection: Selection, walk: Walk, rows: Sequence[Any], seen: Iterable[int]
    ) -> tuple[Selection, PageStats]:
        """Store a page.

        Args:
            selection: The selection.
            walk: The walk as it stands with this page.
            rows: Rows to keep.
            seen: Ids of all rows of the page, those included that are not kept.
        """
        with self._transaction():
            stats = self._upsert(selection.table, rows, raw=selection.raw)
            self._db.executemany(
                "INSERT INTO mirror_rows (selection, id, generation) VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET generation = excluded.generation",
                [(selection.id, number, walk.generation) for number in seen],
            )
            return self._move(selection, walk=walk), stats

    def counts(self, selection: Selection, generation: int) -> tuple[int, int]:
        """Return how many rows carry a mark from *generation* on, and how many there are."""
        return self._db.execute(  # type: ignore[no-any-return]
            "SELECT count(*) FILTER (WHERE generation >= ?), count(*) FROM mirror_rows"
            " WHERE selection = ?",
            (generation, selection.id),
        ).fetchone()

    def end(
        self,
        selection: Selection,
        walk: Walk | None,
        *,
        watermark: float | None,
        purge_before: int | None,
    ) -> tuple[Selection, tuple[int, ...]]:
        """Store what follows a walk, and return the ids of rows that were removed."""
        with self._transaction():
            deleted: tuple[int, ...] = ()
            if purge_before is not None:
                deleted = self._purge(selection, "generation < ?", purge_before)
            if walk is not None:
                return self._move(selection, walk=walk, generation=walk.generation), deleted
            if watermark is None:
                return self._move(selection, walk=None), deleted
            watermark = max(watermark, selection.watermark or watermark)
            now = instant_text(datetime.now(UTC))
            moved = self._move(selection, walk=None, watermark=watermark, updated_at=now)
            return moved, deleted

    def _move(self, selection: Selection, **changes: Any) -> Selection:
        """Store the selection's new state, unless somebody else has moved it on meanwhile."""
        moved = dataclasses.replace(selection, version=selection.version + 1, **changes)
        walk = None if moved.walk is None else msgspec.json.encode(moved.walk).decode()
        cursor = self._db.execute(
            "UPDATE mirror_selections SET watermark = ?, updated_at = ?, generation = ?, walk = ?,"
            " version = ? WHERE id = ? AND version = ?",
            (
                moved.watermark,
                moved.updated_at,
                moved.generation,
                walk,
                moved.version,
                moved.id,
                selection.version,
            ),
        )
        if cursor.rowcount != 1:
            msg = f"{selection.name} is being brought up to date by another process"
            raise MirrorBusyError(msg)
        return moved

    # -- rows ----------------------------------------------------------------------------------

    def _upsert(self, table: Table, rows: Sequence[Any], *, raw: bool) -> PageStats:
        marks = ",".join("?" * len(rows))
        modified = "modified" if table.has_modified else "NULL"
        known = dict(
            self._db.execute(
                f'SELECT id, {modified} FROM "{table.name}" WHERE id IN ({marks})',
                [row.id for row in rows],
            )
        )
        values = [
            (*table.encode(row), msgspec.json.encode(row).decode() if raw else None) for row in rows
        ]
        self._db.executemany(table.upsert, values)
        updated = sum(
            1
            for row in rows
            if known.get(row.id) is not None and known[row.id] < instant_text(row.modified)
        )
        return PageStats(len({row.id for row in rows} - known.keys()), updated)

    def _purge(self, selection: Selection, which: str, value: int) -> tuple[int, ...]:
        """Remove rows of a selection; a row that another selection holds stays in its table."""
        where = f"selection = ? AND {which}"
        found = self._db.execute(f"SELECT id FROM mirror_rows WHERE {where}", (selection.id, value))
        gone = tuple(number for (number,) in found)
        if not gone:
            return ()
        tables = [selection.name]
        if selection.details:
            tables.append(selection.source.detail_table)
        for table in tables:
            self._db.execute(
                f'DELETE FROM "{table}" WHERE id IN (SELECT id FROM mirror_rows WHERE {where})'
                " AND id NOT IN (SELECT r.id FROM mirror_rows r JOIN mirror_selections s"
                " ON s.id = r.selection WHERE s.name = ? AND s.id <> ?)",
                (selection.id, value, selection.name, selection.id),
            )
        self._db.execute(f"DELETE FROM mirror_rows WHERE {where}", (selection.id, value))
        return gone

    # -- details -------------------------------------------------------------------------------

    def pending(self, selection: Selection, after: int, limit: int) -> list[tuple[int, str]]:
        """Return ids, and ``modified``, of rows whose objects in full are missing or outdated."""
        return self._db.execute(
            f"SELECT l.id, l.modified {self._outdated(selection)} AND r.id > ?"
            " ORDER BY r.id LIMIT ?",
            (selection.id, after, limit),
        ).fetchall()

    def pending_count(self, selection: Selection) -> int:
        """Return how many objects in full are missing or outdated."""
        statement = f"SELECT count(*) {self._outdated(selection)}"
        return int(self._db.execute(statement, (selection.id,)).fetchone()[0])

    def _outdated(self, selection: Selection) -> str:
        return (
            f'FROM mirror_rows r JOIN "{selection.name}" l ON l.id = r.id'
            f' LEFT JOIN "{selection.source.detail_table}" d ON d.id = r.id'
            " WHERE r.selection = ? AND (d.id IS NULL OR d.modified < l.modified)"
        )

    def store_details(self, selection: Selection, details: Sequence[Any]) -> None:
        """Store objects in full."""
        source = selection.source
        with self._transaction():
            self._upsert(
                table_of(source.detail_table, source.detail or source.row),
                details,
                raw=selection.raw,
            )

    def forget(self, selection: Selection, number: int) -> None:
        """Remove one row of which the server says that there is no such thing."""
        with self._transaction():
            self._purge(selection, "id = ?", number)

    @contextlib.contextmanager
    def _transaction(self) -> Generator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
