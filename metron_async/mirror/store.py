"""The mirror's file: rows, marks and the state of walks, each page in one transaction.

The state of a selection carries a version that each transaction checks and increments, so that two
processes that update the same selection cannot mix their pages.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from metron_async.mirror.database import Database
from metron_async.mirror.errors import MirrorBusyError, MirrorFileError
from metron_async.mirror.rows import PageStats, StoredRow, upsert
from metron_async.mirror.selection import SELECT, Pairs, Selection, pairs_text, selection_of
from metron_async.mirror.sources import source_of
from metron_async.mirror.tables import Table, datetime_text, table_of, unix_seconds

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    import aiosqlite

    from metron_async.mirror.walk import Change, Outcome, Walk

__all__ = ["Store"]


class Store(Database):
    """The open file of a mirror."""

    # -- selections ----------------------------------------------------------------------------

    async def selections(self) -> list[Selection]:
        """Return all selections, in the order in which they were first requested."""
        rows = await self.read(f"{SELECT} FROM mirror_selections ORDER BY id")
        return [selection_of(row) for row in rows]

    async def find(self, name: str, filters: Pairs) -> Selection | None:
        """Return one selection, or ``None``."""
        rows = await self.read(
            f"{SELECT} FROM mirror_selections WHERE name = ? AND filters = ?",
            name,
            pairs_text(filters),
        )
        return selection_of(rows[0]) if rows else None

    async def declare(
        self, name: str, filters: Pairs, *, details: bool | None, raw: bool | None
    ) -> tuple[Selection, bool]:
        """Return a selection, created if new, and whether a newer version has widened its table.

        Args:
            name: Name of the list.
            filters: Its filters.
            details: Whether to mirror complete objects; ``None`` keeps the stored choice.
            raw: Whether to keep the JSON; ``None`` keeps the stored choice.

        Raises:
            MirrorFileError: If complete objects are wanted and their table was widened.
        """

        async def declare(db: aiosqlite.Connection) -> tuple[Selection, bool]:
            await db.execute(
                "INSERT INTO mirror_selections (name, filters) VALUES (?, ?)"
                " ON CONFLICT DO NOTHING",
                (name, pairs_text(filters)),
            )
            await db.execute(
                "UPDATE mirror_selections SET details = coalesce(?, details),"
                " raw = coalesce(?, raw) WHERE name = ? AND filters = ?",
                (details, raw, name, pairs_text(filters)),
            )
            widened = await self._make_table(table_of(name, source_of(name).row))
            selection = await self.find(name, filters)
            assert selection is not None  # noqa: S101 - inserted above
            if selection.details and await self._make_table(selection.detail_table):
                msg = (
                    f"The table {selection.detail_table.name} of {self.path} was widened by a"
                    " newer version of metron_async; not modified. Upgrade to update it"
                )
                raise MirrorFileError(msg)
            return selection, widened

        return await self.write(declare)

    async def _make_table(self, table: Table) -> bool:
        """Create a table or add missing columns, and return whether it has unknown ones."""
        await self.db.execute(table.create)
        info = await self.db.execute_fetchall(f'PRAGMA table_xinfo("{table.name}")')
        present = {row[1] for row in info}
        missing = [column for column in table.columns if column.name not in present]
        for column in missing:
            await self.db.execute(f'ALTER TABLE "{table.name}" ADD COLUMN {column.declaration}')
        if any(not column.generated for column in missing):
            # The stored rows lack these fields, so all rows are requested again.
            await self.db.execute(
                "UPDATE mirror_selections SET watermark = NULL, walk = NULL, version = version + 1"
                " WHERE name = ?",
                (table.name,),
            )
        for statement in table.indexes:
            await self.db.execute(statement)
        return bool(present - {column.name for column in table.columns})

    # -- walks ---------------------------------------------------------------------------------

    async def begin(self, selection: Selection, walk: Walk) -> Selection:
        """Store the beginning of *walk*."""
        return await self.write(lambda _: self._move(selection, walk=walk))

    async def store_page(
        self,
        selection: Selection,
        walk: Walk,
        rows: Sequence[StoredRow],
        seen: Iterable[int],
        *,
        skipped: Collection[int] = (),
        newest_wins: bool = True,
    ) -> tuple[Selection, PageStats]:
        """Store a page.

        Args:
            selection: The selection.
            walk: The state of the walk after this page.
            rows: Rows to keep.
            seen: Ids of all rows of the page, including those that are not kept.
            skipped: Ids of those that could not be read or stored.
            newest_wins: Whether a stored row is kept if its ``modified`` is later.
        """

        async def store(db: aiosqlite.Connection) -> tuple[Selection, PageStats]:
            table = selection.table
            newer = f'excluded.modified < "{table.name}".modified'
            keep = newer if newest_wins and table.has_modified else "0"
            stats = await upsert(db, table, rows, unless=keep)
            await db.executemany(
                "INSERT INTO mirror_rows (selection, id, generation, skipped) VALUES (?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET generation = excluded.generation,"
                " skipped = excluded.skipped",
                [(selection.id, n, walk.generation, n in skipped) for n in seen],
            )
            return await self._move(selection, walk=walk), stats

        return await self.write(store)

    async def counts(self, selection: Selection, generation: int) -> tuple[int, int]:
        """Return how many rows carry a mark from *generation* on, and how many there are."""
        rows = await self.read(
            "SELECT count(*) FILTER (WHERE generation >= ?), count(*) FROM mirror_rows"
            " WHERE selection = ?",
            generation,
            selection.id,
        )
        return rows[0][0], rows[0][1]

    async def skipped(self, selection: Selection) -> int:
        """Return how many rows of a selection could not be read or stored."""
        statement = "SELECT coalesce(sum(skipped), 0) FROM mirror_rows WHERE selection = ?"
        return int((await self.read(statement, selection.id))[0][0])

    async def newest(self, selection: Selection) -> float | None:
        """Return the latest ``modified`` of a selection's rows in Unix seconds, or ``None``."""
        if not selection.table.has_modified:
            return None
        rows = await self.read(
            f'SELECT max(l.modified) FROM mirror_rows r JOIN "{selection.name}" l ON l.id = r.id'
            " WHERE r.selection = ?",
            selection.id,
        )
        (text,) = rows[0]
        return None if text is None else unix_seconds(datetime.fromisoformat(text))

    async def end(
        self, selection: Selection, outcome: Outcome, *, keep_watermark: bool
    ) -> tuple[Selection, tuple[int, ...]]:
        """Store the outcome of a walk, and return the ids of rows that were removed.

        Args:
            selection: The selection.
            outcome: What follows the walk.
            keep_watermark: Whether the watermark must not be moved.
        """

        async def end(_: aiosqlite.Connection) -> tuple[Selection, tuple[int, ...]]:
            deleted: tuple[int, ...] = ()
            if outcome.purge_before is not None:
                deleted = await self._purge(selection, "generation < ?", outcome.purge_before)
            changes: dict[str, Any] = {"walk": outcome.next}
            if outcome.watermark is not None and outcome.next is None:
                changes["updated_at"] = datetime_text(datetime.now(UTC))
                if not keep_watermark:
                    changes["watermark"] = outcome.watermark
            return await self._move(selection, **changes), deleted

        return await self.write(end)

    async def _move(self, selection: Selection, **changes: Any) -> Selection:
        """Store the selection's new state, unless another process has changed it meanwhile."""
        moved = msgspec.structs.replace(selection, version=selection.version + 1, **changes)
        walk = moved.walk
        if walk is not None and walk.generation > moved.generation:
            moved = msgspec.structs.replace(moved, generation=walk.generation)
        text = None if walk is None else msgspec.json.encode(walk).decode()
        cursor = await self.db.execute(
            "UPDATE mirror_selections SET watermark = ?, updated_at = ?, generation = ?, walk = ?,"
            " version = version + 1 WHERE id = ? AND version = ?",
            (
                moved.watermark,
                moved.updated_at,
                moved.generation,
                text,
                moved.id,
                selection.version,
            ),
        )
        if cursor.rowcount != 1:
            msg = f"{selection.name} is being updated by another process"
            raise MirrorBusyError(msg)
        return moved

    # -- rows ----------------------------------------------------------------------------------

    async def _purge(self, selection: Selection, which: str, value: int) -> tuple[int, ...]:
        """Remove rows of a selection, and from the tables those that no other selection holds."""
        where = f"selection = ? AND {which}"
        found = await self.db.execute_fetchall(
            f"SELECT id FROM mirror_rows WHERE {where}", (selection.id, value)
        )
        gone = tuple(row[0] for row in found)
        tables = [selection.name]
        if selection.details:
            tables.append(selection.source.detail_table)
        for table in tables if gone else ():
            await self.db.execute(
                f'DELETE FROM "{table}" WHERE id IN (SELECT id FROM mirror_rows WHERE {where})'
                " AND id NOT IN (SELECT r.id FROM mirror_rows r JOIN mirror_selections s"
                " ON s.id = r.selection WHERE s.name = ? AND s.id <> ?)",
                (selection.id, value, selection.name, selection.id),
            )
        await self.db.execute(f"DELETE FROM mirror_rows WHERE {where}", (selection.id, value))
        return gone

    # -- complete objects ----------------------------------------------------------------------

    async def pending(self, selection: Selection, after: int, limit: int) -> list[tuple[int, str]]:
        """Return id and ``modified`` of rows whose complete objects are missing or outdated."""
        return await self.read(
            f"SELECT l.id, l.modified {_outdated(selection)} AND r.id > ? ORDER BY r.id LIMIT ?",
            selection.id,
            after,
            limit,
        )

    async def pending_count(self, selection: Selection) -> int:
        """Return how many complete objects are missing or outdated."""
        rows = await self.read(f"SELECT count(*) {_outdated(selection)}", selection.id)
        return int(rows[0][0])

    async def fetched_count(self, selection: Selection, rows: Sequence[Change]) -> int:
        """Return for how many of *rows* the complete object is stored, or pending already."""
        marks = ",".join("?" * len(rows))
        ids = [number for number, _ in rows]
        pending = await self.read(
            f"SELECT l.id {_outdated(selection)} AND l.id IN ({marks})", selection.id, *ids
        )
        found = await self.read(
            f'SELECT id, modified FROM "{selection.detail_table.name}" WHERE id IN ({marks})', *ids
        )
        stored = {number: unix_seconds(datetime.fromisoformat(text)) for number, text in found}
        known = {number for number, modified in rows if stored.get(number) == modified}
        return len(known | {number for (number,) in pending})

    async def store_details(self, selection: Selection, details: Sequence[StoredRow]) -> None:
        """Store complete objects. A stored one is kept if it is newer, and as new as its row."""
        table = selection.detail_table
        keep = (
            f'excluded.modified < "{table.name}".modified AND "{table.name}".modified'
            f' <= (SELECT l.modified FROM "{selection.name}" l WHERE l.id = excluded.id)'
        )
        await self.write(lambda db: upsert(db, table, details, unless=keep))

    async def forget(self, selection: Selection, number: int) -> None:
        """Remove one row for which the server has returned 404."""
        await self.write(lambda _: self._purge(selection, "id = ?", number))


def _outdated(selection: Selection) -> str:
    return (
        f'FROM mirror_rows r JOIN "{selection.name}" l ON l.id = r.id'
        f' LEFT JOIN "{selection.source.detail_table}" d ON d.id = r.id'
        " WHERE r.selection = ? AND (d.id IS NULL OR d.modified <> l.modified)"
    )
