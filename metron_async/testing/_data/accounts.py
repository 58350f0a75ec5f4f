"""Data of accounts: the default account's shelf, and ids."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from metron_async.testing._data.arithmetic import DAY, mix
from metron_async.testing.records import Item, Pull, Read, Wish

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metron_async.testing._data.catalogue import Catalogue
    from metron_async.testing.records import Account, Shelf

__all__ = ["Numbers", "account_of", "fill_shelf"]


def fill_shelf(shelf: Shelf, catalogue: Catalogue, ids: Numbers) -> None:
    """Fill a shelf with 240 comics, 12 running series and 40 wishes, or what the catalogue has."""
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


def account_of(accounts: Mapping[str, Account], user: str) -> Account:
    """Return the account of a user.

    Raises:
        ValueError: There is no such user.
    """
    if user not in accounts:
        msg = f"Unknown user {user!r}: expected one of {', '.join(accounts)}"
        raise ValueError(msg)
    return accounts[user]


class Numbers:
    """Ids of what accounts own, across all accounts."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def take(self, kind: str) -> int:
        """Return a new id of *kind*."""
        self._last[kind] = self._last.get(kind, 0) + 1
        return self._last[kind]
