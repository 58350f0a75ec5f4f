"""A selection: a list with its filters, and the state of its mirror."""

from __future__ import annotations

from typing import Any

import msgspec

from metron_async.mirror.sources import Source, source_of
from metron_async.mirror.tables import Table, table_of
from metron_async.mirror.walk import Walk

__all__ = ["SELECT", "Pairs", "Selection", "pairs_text", "selection_of"]

Pairs = tuple[tuple[str, str], ...]
"""Filters as they are sent: names and strings."""

SELECT = "SELECT id, name, filters, details, raw, watermark, updated_at, generation, walk, version"


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """A list that a mirror holds, and how far its mirror has come."""

    id: int
    """Number of the selection in the file."""
    name: str
    """Name of the list."""
    filters: Pairs
    """Filters as they are sent."""
    details: bool = False
    """Whether the complete objects are mirrored as well."""
    raw: bool = False
    """Whether rows keep the JSON that the server sent."""
    watermark: float | None = None
    """Server time, in Unix seconds, up to which all changes are stored; ``None`` before a walk has
    ended."""
    updated_at: str | None = None
    """When a run last ended, as an ISO 8601 string, or ``None``."""
    generation: int = 0
    """Highest mark that rows of this selection carry."""
    walk: Walk | None = None
    """State of the interrupted walk, or ``None``."""
    version: int = 0
    """Number of transactions so far."""

    @property
    def source(self) -> Source:
        """Return the list."""
        return source_of(self.name)

    @property
    def table(self) -> Table:
        """Return the table of its rows."""
        return table_of(self.name, self.source.row)

    @property
    def detail_table(self) -> Table:
        """Return the table of its complete objects."""
        source = self.source
        return table_of(source.detail_table, source.detail or source.row)


def pairs_text(filters: Pairs) -> str:
    """Return filters as the file stores them."""
    return msgspec.json.encode(filters).decode()


def selection_of(row: tuple[Any, ...]) -> Selection:
    """Return the selection in a row of the file."""
    values: dict[str, Any] = dict(zip(Selection.__struct_fields__, row, strict=True))
    values["filters"] = msgspec.json.decode(values["filters"], type=Pairs)
    values["details"], values["raw"] = bool(values["details"]), bool(values["raw"])
    if values["walk"] is not None:
        values["walk"] = msgspec.json.decode(values["walk"], type=Walk)
    return Selection(**values)
