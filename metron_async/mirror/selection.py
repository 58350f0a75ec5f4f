"""A selection: a list with its filters, and how far a mirror has come with it."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec

from metron_async.mirror.plan import Walk
from metron_async.mirror.sources import Source, source_of
from metron_async.mirror.tables import Table, table_of

__all__ = ["SELECT", "Pairs", "Selection", "pairs_text", "selection_of"]

Pairs = tuple[tuple[str, str], ...]
"""Filters as they are sent: names and texts."""

SELECT = "SELECT id, name, filters, details, raw, watermark, updated_at, generation, walk, version"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A list that a mirror holds, and how far it has come.

    Attributes:
        id: Its number in the file.
        name: Name of the list.
        filters: Its filters as they are sent.
        details: Whether the objects are mirrored in full as well.
        raw: Whether rows keep the JSON that they were made from.
        watermark: Moment up to which all changes are known, in seconds of the server's clock;
            ``None`` before a walk has come to its end.
        updated_at: When a run last came to its end, or ``None``.
        generation: The last mark given.
        walk: The walk that was broken off, or ``None``.
        version: Counts the transactions.
    """

    id: int
    name: str
    filters: Pairs
    details: bool = False
    raw: bool = False
    watermark: float | None = None
    updated_at: str | None = None
    generation: int = 0
    walk: Walk | None = None
    version: int = 0

    @property
    def source(self) -> Source:
        """What list it is."""
        return source_of(self.name)

    @property
    def table(self) -> Table:
        """Where its rows are."""
        return table_of(self.name, self.source.row)


def pairs_text(filters: Pairs) -> str:
    """Return filters as the file keeps them."""
    return msgspec.json.encode(filters).decode()


def selection_of(row: tuple[Any, ...]) -> Selection:
    """Return the selection that a row of the file holds."""
    number, name, filters, details, raw, watermark, updated_at, generation, walk, version = row
    return Selection(
        id=number,
        name=name,
        filters=msgspec.json.decode(filters, type=Pairs),
        details=bool(details),
        raw=bool(raw),
        watermark=watermark,
        updated_at=updated_at,
        generation=generation,
        walk=None if walk is None else msgspec.json.decode(walk, type=Walk),
        version=version,
    )
