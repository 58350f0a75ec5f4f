"""Records that belong to accounts."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - msgspec resolves annotations at run time
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Account", "Item", "Pull", "Read", "Shelf", "Wish"]


class Read(msgspec.Struct, kw_only=True):
    """One reading of an issue."""

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
    """Collection, pull list and wish list of one account; a list without a use has no id."""

    items: dict[int, Item] = msgspec.field(default_factory=dict[int, Item])
    pulls: dict[int, Pull] = msgspec.field(default_factory=dict[int, Pull])
    wishes: dict[int, Wish] = msgspec.field(default_factory=dict[int, Wish])
    pull_id: int | None = None
    pull_modified: dt.datetime | None = None
    wish_id: int | None = None
    wish_modified: dt.datetime | None = None

    def use_pull_list(self, take: Callable[[str], int], now: dt.datetime) -> None:
        """Move the pull list's ``modified``; its first use gives it an id from *take*."""
        self.pull_id = self.pull_id or take("pull_list")
        self.pull_modified = now

    def use_wish_list(self, take: Callable[[str], int], now: dt.datetime) -> None:
        """Move the wish list's ``modified``; its first use gives it an id from *take*."""
        self.wish_id = self.wish_id or take("wish_list")
        self.wish_modified = now


class Account(msgspec.Struct, kw_only=True):
    """A user of the server.

    Attributes:
        id: Number of the user.
        username: Name for Basic authentication.
        password: Password for Basic authentication.
        tokens: Bearer tokens, which share one quota.
        editor: Whether this account may change the catalogue.
        may_delete: Whether it has the permission to delete, which editors do not have.
        burst: Requests per short window.
        sustained: Requests per long window.
        shelf: Collection, pull list and wish list.
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
