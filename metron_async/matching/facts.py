"""What is known of an issue, whichever place it comes from."""

from __future__ import annotations

from datetime import date  # noqa: TC003 - msgspec reads the annotations
from typing import TYPE_CHECKING

import msgspec

from metron_async.models import Issue

if TYPE_CHECKING:
    from collections.abc import Iterable

    from metron_async.models import IssueSummary

__all__ = ["Facts", "facts_of"]


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an issue, from a row of a list, the full issue, or a mirror."""

    id: int
    series_id: int
    names: tuple[str, ...]
    number: str
    volume: int
    year_began: int
    cover_date: date
    store_date: date | None = None
    cover_hash: str = ""
    alt_number: str = ""
    publisher: str | None = None
    titles: tuple[str, ...] = ()
    cv_id: int | None = None
    gcd_id: int | None = None
    upc: str = ""
    sku: str = ""
    only: bool = False
    """Whether it is known to be the only issue of its series."""


def facts_of(
    row: IssueSummary | Issue, *, names: Iterable[str] = (), publisher: str | None = None
) -> Facts:
    """Return what a row or a full issue says.

    Args:
        row: The row or issue.
        names: Other names of the series that are known.
        publisher: Name of the publisher, if the row does not have it.
    """
    facts = Facts(
        id=row.id,
        series_id=row.series.id,
        names=(row.series.name, *names),
        number=row.number,
        volume=row.series.volume,
        year_began=row.series.year_began,
        cover_date=row.cover_date,
        store_date=row.store_date,
        cover_hash=row.cover_hash,
        publisher=publisher,
    )
    if not isinstance(row, Issue):
        return facts
    return msgspec.structs.replace(
        facts,
        names=(*facts.names, *row.series.alt_names),
        alt_number=row.alt_number,
        publisher=row.publisher.name,
        titles=(*filter(None, (row.collection_title,)), *row.story_titles),
        cv_id=row.cv_id,
        gcd_id=row.gcd_id,
        upc=row.upc,
        sku=row.sku,
    )
