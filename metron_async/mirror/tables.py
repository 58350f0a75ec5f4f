"""Tables of a mirror: one column per field, made from the models.

Scalar fields are columns. Numbers are numbers, prices too, and booleans are 0 and 1. Dates are
``2026-11-20``. Datetimes are UTC, as ``2026-11-20T17:00:00.000000Z``, all of the same length, so
that strings compare as the datetimes do. Nested objects are JSON, with the attribute names. The id
and the name of a nested object (the series of an issue) are columns as well. These are generated,
and take no space.
"""

from __future__ import annotations

import functools
import operator
import types
import typing
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

import msgspec

from metron_async.models.base import to_plain

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Column", "Table", "datetime_text", "table_of", "unix_seconds"]

_AFFINITY = {int: "INTEGER", bool: "INTEGER", float: "REAL", Decimal: "NUMERIC"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INDEXED = ("series_id", "issue_id", "publisher_id")
_INTEGERS = range(-(2**63), 2**63)


class Column(msgspec.Struct, frozen=True):
    """A column of a table."""

    name: str
    """Name of the column."""
    declaration: str
    """Its name and type in SQL, and how it is generated."""
    generated: bool = False
    """Whether SQLite computes it."""


class Table(msgspec.Struct, frozen=True):
    """A table that holds the objects of one model."""

    name: str
    """Name of the table."""
    model: type[Any]
    """Type of the objects."""
    columns: tuple[Column, ...]
    """Its columns, ``raw`` included."""
    has_modified: bool
    """Whether the objects have a ``modified``."""
    encode: Callable[[Any], tuple[Any, ...]]
    """Converts an object into the values of its columns, ``raw`` excluded."""

    @property
    def create(self) -> str:
        """Return the statement that creates the table."""
        columns = ",\n  ".join(column.declaration for column in self.columns)
        return f'CREATE TABLE IF NOT EXISTS "{self.name}" (\n  {columns}\n)'

    @property
    def indexes(self) -> tuple[str, ...]:
        """Return the statements that create the indexes, on ids of other objects."""
        return tuple(
            f'CREATE INDEX IF NOT EXISTS "{self.name}_{column.name}"'
            f' ON "{self.name}" ("{column.name}")'
            for column in self.columns
            if column.name in _INDEXED
        )

    def upsert(self, unless: str = "0") -> str:
        """Return the statement that adds or replaces one object.

        Args:
            unless: SQL condition under which the stored state is kept.
        """
        names = [column.name for column in self.columns if not column.generated]
        listed = ", ".join(f'"{name}"' for name in names)
        marks = ", ".join("?" * len(names))
        changes = ", ".join(f'"{name}" = excluded."{name}"' for name in names[:-1] if name != "id")
        # A selection without raw=True must not drop the JSON that another selection keeps.
        same = f'excluded.modified = "{self.name}".modified' if self.has_modified else "0"
        return (
            f'INSERT INTO "{self.name}" ({listed}) VALUES ({marks})'  # noqa: S608 - our own names
            f" ON CONFLICT (id) DO UPDATE SET {changes}, raw = CASE WHEN {same}"
            f' THEN coalesce(excluded.raw, "{self.name}".raw) ELSE excluded.raw END'
            f" WHERE NOT ({unless})"
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
        converter = _converter(field, plain)
        if converter is not None:
            converters.append((place, converter))
        columns.append(Column(field, _declaration(field, plain)))
        if isinstance(plain, type) and issubclass(plain, msgspec.Struct):
            columns += _parts_of(field, plain, set(fields))
    columns.append(Column("raw", '"raw" TEXT'))
    return Table(
        name, model, tuple(columns), "modified" in fields, _encoder(tuple(fields), converters)
    )


def datetime_text(moment: datetime) -> str:
    """Return an aware datetime in UTC, always with the same number of characters.

    A datetime whose UTC form would leave the years 1 to 9999 becomes the nearest one inside.
    """
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        moment = datetime.min if moment.year == 1 else datetime.max  # noqa: DTZ901 - UTC
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def unix_seconds(moment: datetime) -> float:
    """Return an aware datetime in Unix seconds."""
    return (moment - _EPOCH).total_seconds()


def _plain_type(hint: Any) -> Any:
    """Return the type of a field without annotations and without ``None``."""
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


def _converter(field: str, plain: Any) -> Callable[[Any], Any] | None:
    """Return what converts a field's value for SQLite, or ``None`` if nothing must."""
    if plain is int:
        return functools.partial(_checked_integer, field)
    if plain in {bool, str, float}:
        return None
    if plain is datetime:
        return datetime_text
    if plain is date:
        return date.isoformat
    return str if plain is Decimal else _json


def _checked_integer(field: str, value: int) -> int:
    if value not in _INTEGERS:
        msg = f"{field} does not fit in 64 bits: {value}"
        raise ValueError(msg)
    return value


def _json(value: Any) -> str:
    return msgspec.json.encode(to_plain(value)).decode()


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
