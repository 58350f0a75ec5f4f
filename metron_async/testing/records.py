"""Records of the fake server, which its builders return and tests read or change."""

from __future__ import annotations

from metron_async.testing._data.own_records import Account, Item, Pull, Read, Shelf, Wish
from metron_async.testing._data.records import (
    Arc,
    Character,
    Creator,
    Credit,
    Imprint,
    Issue,
    Publisher,
    ReadingItem,
    ReadingList,
    Record,
    Series,
    Team,
    Term,
    Universe,
    Variant,
    slug,
)

__all__ = [
    "Account",
    "Arc",
    "Character",
    "Creator",
    "Credit",
    "Imprint",
    "Issue",
    "Item",
    "Publisher",
    "Pull",
    "Read",
    "ReadingItem",
    "ReadingList",
    "Record",
    "Series",
    "Shelf",
    "Team",
    "Term",
    "Universe",
    "Variant",
    "Wish",
    "slug",
]
