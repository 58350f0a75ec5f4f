"""Accounts, and the shelves that only their owner sees: collection, pull list, wish list."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import msgspec

from metron_async.testing._data.arithmetic import DAY, mix

if TYPE_CHECKING:
    from metron_async.testing._data.catalogue import Catalogue

__all__ = ["Account", "Item", "Pull", "Read", "Shelf", "Wish", "fill_shelf"]


class Read(msgspec.Struct, kw_only=True):
    """One time an issue was read."""

    id: int
    read_date: dt.datetime
    created_on: dt.datetime


class Item(msgspec.Struct, kw_only=True):
    """An issue in a collection."""

    id: int
    issue: int
    modified: dt.datetime
    created_on: dt.datetime
    quantity: int = 1
    book_format: str = "PRINT"
    grade: float | None = None
    grading_company: str = ""
    purchase_date: dt.date | None = None
    purchase_price: str | None = None
    purchase_store: str = ""
    storage_location: str = ""
    notes: str = ""
    is_read: bool = False
    date_read: dt.datetime | None = None
    reads: list[Read] = msgspec.field(default_factory=list[Read])
    rating: int | None = None


class Pull(msgspec.Struct, kw_only=True):
    """A series on a pull list."""

    id: int
    series: int
    added_on: dt.datetime


class Wish(msgspec.Struct, kw_only=True):
    """An issue on a wish list."""

    id: int
    issue: int
    added_on: dt.datetime
    modified: dt.datetime
    status: str = "Wanted"
    priority: int = 3
    desired_grade: float | None = None
    max_price: str | None = None
    max_price_currency: str = "USD"
    notes: str = ""


class Shelf(msgspec.Struct, kw_only=True):
    """What one account owns, follows and wants. A list that was never used has no id."""

    items: dict[int, Item] = msgspec.field(default_factory=dict[int, Item])
    pulls: dict[int, Pull] = msgspec.field(default_factory=dict[int, Pull])
    wishes: dict[int, Wish] = msgspec.field(default_factory=dict[int, Wish])
    pull_id: int | None = None
    pull_modified: dt.datetime | None = None
    wish_id: int | None = None
    wish_modified: dt.datetime | None = None


class Account(msgspec.Struct, kw_only=True):
    """Who may log in.

    Attributes:
        id: Number of the user.
        username: Name for Basic authentication.
        password: Password for Basic authentication.
        tokens: Bearer tokens; one user may have several, which share one quota.
        editor: Whether this account may change the catalogue.
        may_delete: Whether it has the permission to delete, which editors do not have.
        burst: Requests a minute.
        sustained: Requests a day.
        shelf: What the account owns, follows and wants.
    """

    id: int
    username: str
    password: str
    tokens: tuple[str, ...]
    editor: bool = False
    may_delete: bool = False
    burst: int = 20
    sustained: int = 5000
    shelf: Shelf = msgspec.field(default_factory=Shelf)


def fill_shelf(shelf: Shelf, catalogue: Catalogue, ids: Numbers) -> None:
    """Give a shelf 240 comics, 12 running series and 40 wishes, or what the catalogue has."""
    begin = dt.datetime.combine(catalogue.today, dt.time(9, 30), dt.UTC) - DAY * 300
    issues = list(catalogue.tables.issue)
    for turn, issue in enumerate(issues[:240]):
        item = _item(ids, issue, turn, begin)
        shelf.items[item.id] = item
    running = [s.id for s in catalogue.tables.series.values() if s.year_end is None][:12]
    for series in running:
        pull = Pull(id=ids.take("pull"), series=series, added_on=begin)
        shelf.pulls[pull.id] = pull
    shelf.pull_id, shelf.pull_modified = ids.take("pull_list"), begin
    for turn, issue in enumerate(issues[300:340]):
        wish = Wish(
            id=ids.take("wish"),
            issue=issue,
            added_on=begin,
            modified=begin + dt.timedelta(seconds=turn, microseconds=turn + 1),
            priority=turn % 5 + 1,
        )
        shelf.wishes[wish.id] = wish
    shelf.wish_id, shelf.wish_modified = ids.take("wish_list"), begin


def _item(ids: Numbers, issue: int, turn: int, begin: dt.datetime) -> Item:
    moment = begin + dt.timedelta(seconds=turn * 61, microseconds=turn + 1)
    graded = turn % 6 == 5  # noqa: PLR2004
    item = Item(
        id=ids.take("item"),
        issue=issue,
        modified=moment,
        created_on=moment,
        quantity=1 + turn % 3 // 2,
        book_format=("DIGITAL", "DIGITAL", "PRINT", "DIGITAL", "DIGITAL", "BOTH")[turn % 6],
        grade=9.8 if graded else None,
        grading_company="CGC" if graded else "",
        purchase_date=(begin - DAY * (turn % 50)).date() if turn % 4 == 0 else None,
        purchase_price="4.99" if turn % 3 == 1 else None,
        purchase_store="Café des Comics" if turn % 4 == 0 else "",
        storage_location=f"Long Box {turn % 5}" if turn % 2 else "",
        notes="first printing" if turn % 7 == 1 else "",
    )
    if turn % 2 == 0:
        read = begin + DAY * (mix(turn) % 200)
        item.reads.append(Read(id=ids.take("read"), read_date=read, created_on=moment))
        item.is_read, item.date_read, item.rating = True, read, 1 + turn % 5
    return item


class Numbers:
    """The next id of each kind of thing that accounts own, across all accounts."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def take(self, kind: str) -> int:
        """Return an id of *kind* that was not given before."""
        self._last[kind] = self._last.get(kind, 0) + 1
        return self._last[kind]
