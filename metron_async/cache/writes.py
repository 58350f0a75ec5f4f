"""Operations on the cache file, and the transaction that applies them.

Operations are values. :class:`~metron_async.cache.sqlite.SQLiteCache` collects them, and one task
of its own applies them in order. So a cancelled caller never interrupts a transaction.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from metron_async.cache.entry import LATE_ARRIVAL, Entry, Kind, Selector
from metron_async.cache.schema import NEXT_USE, PUT_BODY, PUT_ENTRY, to_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import aiosqlite

__all__ = ["Clear", "Delete", "Drop", "Operation", "Outcome", "Purge", "Put", "Touch", "apply"]

_EVICT_TO = 0.9  # of the limit, so that not every put evicts
_EVICT_CHUNK = 500


class Put(msgspec.Struct):
    """Keep entries."""

    entries: list[Entry]


class Touch(msgspec.Struct):
    """Record when entries were current."""

    checked_at: dict[str, float]


class Used(msgspec.Struct):
    """Record that entries were used."""

    keys: list[str]


class Delete(msgspec.Struct):
    """Drop entries by key."""

    keys: list[str]


class Drop(msgspec.Struct):
    """Drop what a write made stale, now and when it arrives late."""

    selector: Selector
    at: float


class Purge(msgspec.Struct):
    """Drop entries by resource and age."""

    resource: str | None
    born_before: float
    removed: int = 0


class Clear(msgspec.Struct):
    """Drop everything."""


Operation: TypeAlias = Put | Touch | Used | Delete | Drop | Purge | Clear


class Outcome(msgspec.Struct):
    """Result of a transaction.

    Attributes:
        evicted: Entries dropped to stay within the size limit.
        late: Entries not kept, because a later write of some process drops them.
        dropped: Whether anything was dropped that other processes may have in memory.
    """

    evicted: int = 0
    late: list[Entry] = []
    dropped: bool = False


async def apply(
    db: aiosqlite.Connection, operations: Iterable[Operation], max_bytes: int
) -> Outcome:
    """Apply all *operations*, or none."""
    outcome = Outcome()
    await db.execute_fetchall("BEGIN IMMEDIATE")
    try:
        for operation in operations:
            await _carry_out(db, operation, outcome)
        outcome.evicted = await _evict(db, max_bytes)
        await db.execute_fetchall("COMMIT")
    except BaseException:
        # Also when cancelled: the running statement ends first, since they queue up.
        with contextlib.suppress(Exception):
            await db.execute_fetchall("ROLLBACK")
        raise
    if any(isinstance(operation, Clear) for operation in operations):
        await _shrink(db)
    return outcome


async def _carry_out(db: aiosqlite.Connection, operation: Operation, outcome: Outcome) -> None:
    match operation:
        case Put(entries):
            await _put(db, entries, outcome)
        case Touch(checked_at):
            await _many(
                db,
                "UPDATE entries SET checked_at = max(checked_at, ?) WHERE key = ?",
                [(stamp, key) for key, stamp in checked_at.items()],
            )
        case Used(keys):
            await db.execute_fetchall(
                f"UPDATE entries SET used = {NEXT_USE} "  # noqa: S608
                "WHERE key IN (SELECT value FROM json_each(?))",
                (json.dumps(keys),),
            )
        case Delete(keys):
            outcome.dropped = True
            await db.execute_fetchall(
                "DELETE FROM entries WHERE key IN (SELECT value FROM json_each(?))",
                (json.dumps(keys),),
            )
        case Drop(selector, at):
            outcome.dropped = True
            await _drop(db, selector, at)
        case Purge():
            outcome.dropped = True
            await _purge(db, operation)
        case Clear():
            outcome.dropped = True
            for table in ("entries", "bodies"):
                await db.execute_fetchall(f"DELETE FROM {table}")  # noqa: S608
            await db.execute_fetchall("UPDATE total SET bytes = 0")


async def _many(db: aiosqlite.Connection, sql: str, rows: Sequence[Sequence[Any]]) -> None:
    if len(rows) == 1:  # the usual number, with one hop to the connection's thread and not two
        await db.execute_fetchall(sql, rows[0])
        return
    async with db.executemany(sql, rows):
        pass


async def _put(db: aiosqlite.Connection, entries: list[Entry], outcome: Outcome) -> None:
    rows = await db.execute_fetchall("SELECT account, resource, object_id, kinds, at FROM dropped")
    writes = [(_selector(row), float(row[4])) for row in rows]
    kept: list[Entry] = []
    for entry in entries:
        late = any(selector.drops(entry, at) for selector, at in writes)
        (outcome.late if late else kept).append(entry)
    if not kept:
        return
    await _many(db, PUT_ENTRY, [to_row(entry) for entry in kept])
    await _many(db, PUT_BODY, [(entry.body, entry.key) for entry in kept])


def _selector(row: Sequence[Any]) -> Selector:
    kinds = None if row[3] is None else frozenset(Kind(name) for name in json.loads(row[3]))
    return Selector(account=row[0], resource=row[1], object_id=row[2], kinds=kinds)


async def _drop(db: aiosqlite.Connection, selector: Selector, at: float) -> None:
    kinds = None
    if selector.kinds is not None:
        kinds = json.dumps(sorted(kind.value for kind in selector.kinds))
    conditions = ["account = ?"]
    parameters: list[str | int] = [selector.account]
    for column, value in (("resource", selector.resource), ("object_id", selector.object_id)):
        if value is not None:
            conditions.append(f"{column} = ?")
            parameters.append(value)
    if kinds is not None:
        conditions.append("kind IN (SELECT value FROM json_each(?))")
        parameters.append(kinds)
    await db.execute_fetchall(
        f"DELETE FROM entries WHERE {' AND '.join(conditions)}",  # noqa: S608
        parameters,
    )
    await db.execute_fetchall(
        "DELETE FROM dropped WHERE abs(at - ?) > ?",
        (at, LATE_ARRIVAL),
    )
    await db.execute_fetchall(
        "INSERT INTO dropped VALUES (?, ?, ?, ?, ?)",
        (selector.account, selector.resource, selector.object_id, kinds, at),
    )


async def _purge(db: aiosqlite.Connection, purge: Purge) -> None:
    rows = await db.execute_fetchall(
        "DELETE FROM entries WHERE resource = coalesce(?, resource) AND stored_at < ? RETURNING id",
        (purge.resource, purge.born_before),
    )
    purge.removed = len(list(rows))


async def _evict(db: aiosqlite.Connection, max_bytes: int) -> int:
    """Drop the least recently used entries until the file is within its size limit."""
    rows = list(await db.execute_fetchall("SELECT bytes FROM total"))
    excess = int(rows[0][0]) - max_bytes
    if excess <= 0:
        return 0
    excess += int(max_bytes * (1 - _EVICT_TO))
    evicted = 0
    while excess > 0:
        oldest = list(
            await db.execute_fetchall(
                "SELECT id, size FROM entries ORDER BY used, id LIMIT ?", (_EVICT_CHUNK,)
            )
        )
        doomed: list[int] = []
        for row_id, size in oldest:
            if excess <= 0:
                break
            doomed.append(row_id)
            excess -= size
        if not doomed:
            await db.execute_fetchall("UPDATE total SET bytes = 0")
            break
        await db.execute_fetchall(
            "DELETE FROM entries WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(doomed),),
        )
        evicted += len(doomed)
    return evicted


async def _shrink(db: aiosqlite.Connection) -> None:
    """Give the space back, if no other process is using the file just now."""
    with contextlib.suppress(Exception):
        await db.execute_fetchall("VACUUM")
        await db.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
