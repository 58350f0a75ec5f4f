"""The tables of a mirror: one column per field, made from the models.

Scalar fields become columns: numbers as numbers, prices too; truth values as 0 and 1; dates as
``2026-11-20``; instants in UTC as ``2026-11-20T17:00:00.000000Z``, all of the same length, so that
texts compare as the instants do. What is nested becomes JSON. Of a nested object that has an id
(the series of an issue) the id, and the name if it has one, are columns as well: generated ones,
which take no room.
"""

from __future__ import annotations

import dataclasses
import functools
import operator
import types
import typing
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Column", "Table", "instant_text", "table_of"]

_AFFINITY = {int: "INTEGER", bool: "INTEGER", float: "REAL", Decimal: "NUMERIC"}


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: Its name.
        declaration: Its name and type in SQL, and how it is generated.
        generated: Whether SQLite computes it.
    """

    name: str
    declaration: str
    generated: bool = False


@dataclasses.dataclass(frozen=True)
class Table:
    """A table that holds the objects of one model.

    Attributes:
        name: Its name.
        columns: Its columns, ``raw`` included.
        has_modified: Whether the objects tell when they were changed.
        encode: Turns an object into the values of its columns, but ``raw``.
    """

    name: str
    columns: tuple[Column, ...]
    has_modified: bool
    encode: Callable[[Any], tuple[Any, ...]]

    @property
    def create(self) -> str:
        """The statement that creates it."""
        columns = ",\n  ".join(column.declaration for column in self.columns)
        return f'CREATE TABLE IF NOT EXISTS "{self.name}" (\n  {columns}\n)'

    @property
    def indexes(self) -> tuple[str, ...]:
        """The statements that create its indexes: on ``modified``, and on ids of other objects."""
        names = [column.name for column in self.columns if column.name.endswith("_id")]
        names = [name for name in names if name in {"series_id", "issue_id", "publisher_id"}]
        return tuple(
            f'CREATE INDEX IF NOT EXISTS "{self.name}_{name}" ON "{self.name}" ("{name}")'
            for name in names
        )

    @functools.cached_property
    def upsert(self) -> str:
        """The statement that adds or replaces one object, unless the table has a newer state."""
        names = [column.name for column in self.columns if not column.generated]
        listed = ", ".join(f'"{name}"' for name in names)
        marks = ", ".join("?" * len(names))
        changes = ", ".join(f'"{name}" = excluded."{name}"' for name in names[:-1] if name != "id")
        # What one selection keeps, another one that does not keep it is not to drop.
        same = f'excluded.modified = "{self.name}".modified' if self.has_modified else "0"
        changes += f', raw = CASE WHEN {same} THEN coalesce(excluded.raw, "{self.name}".raw)'
        changes += " ELSE excluded.raw END"
        newer = f' WHERE excluded.modified >= "{self.name}".modified' if self.has_modified else ""
        return (
            f'INSERT INTO "{self.name}" ({listed}) VALUES ({marks})'  # noqa: S608 - names of ours
            f" ON CONFLICT (id) DO UPDATE SET {changes}{newer}"
        )


def table_of(name: str, model: type[Any]) -> Table:
    """Return the table called *name* for the objects of *model*."""
    made: Any = _table_of
    table: Table = made(name, model)
    return table


@functools.cache
def _table_of(name: str, model: Any) -> Table:
    hints = typing.get_type_hints(model, include_extras=True)
    fields = [field.name for field in msgspec.structs.fields(model)]
    columns: list[Column] = []
    converters: list[tuple[int, Callable[[Any], Any]]] = []
    for place, field in enumerate(fields):
        plain = _plain_type(hints[field])
        converter = _converter(plain)
        if converter is not None:
            converters.append((place, converter))
        columns.append(Column(field, _declaration(field, plain)))
        if isinstance(plain, type) and issubclass(plain, msgspec.Struct):
            columns += _parts_of(field, plain, set(fields))
    columns.append(Column("raw", '"raw" TEXT'))
    return Table(name, tuple(columns), "modified" in fields, _encoder(tuple(fields), converters))


def instant_text(moment: datetime) -> str:
    """Return an aware *moment* in UTC, always with the same number of characters."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _plain_type(hint: Any) -> Any:
    """Return a field's type without annotations and without ``None``."""
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if get_origin(hint) in {typing.Union, types.UnionType}:
        rest = [part for part in get_args(hint) if part is not type(None)]
        return _plain_type(rest[0]) if len(rest) == 1 else tuple
    return hint


def _declaration(name: str, plain: Any) -> str:
    if name == "id":
        return '"id" INTEGER PRIMARY KEY'
    return f'"{name}" {_AFFINITY.get(plain, "TEXT")}'


def _parts_of(field: str, nested: type[msgspec.Struct], taken: set[str]) -> list[Column]:
    """Return the generated columns for the id and the name of a nested object."""
    has = {inner.name for inner in msgspec.structs.fields(nested)}
    return [
        Column(
            f"{field}_{part}",
            f'"{field}_{part}" {kind} GENERATED ALWAYS AS'
            f" (json_extract(\"{field}\", '$.{part}')) VIRTUAL",
            generated=True,
        )
        for part, kind in (("id", "INTEGER"), ("name", "TEXT"))
        if part in has and f"{field}_{part}" not in taken
    ]


def _converter(plain: Any) -> Callable[[Any], Any] | None:
    """Return what turns a value of a type into one that SQLite keeps, if it must be turned."""
    if plain in {int, bool, str, float}:
        return None
    if plain is datetime:
        return instant_text
    if plain is date:
        return date.isoformat
    return str if plain is Decimal else _json


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _encoder(
    fields: tuple[str, ...], converters: list[tuple[int, Callable[[Any], Any]]]
) -> Callable[[Any], tuple[Any, ...]]:
    values_of = operator.attrgetter(*fields)

    def encode(value: Any) -> tuple[Any, ...]:
        values = list(values_of(value))
        for place, convert in converters:
            if values[place] is not None:
                values[place] = convert(values[place])
        return tuple(values)

    return encode
