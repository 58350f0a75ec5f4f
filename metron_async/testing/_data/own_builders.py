"""Builders of what an account owns, follows and wants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metron_async.testing import records as r
from metron_async.testing._data.accounts import account_of
from metron_async.testing._data.arguments import checked
from metron_async.testing._data.builders import CatalogueBuilders

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable
    from decimal import Decimal
    from typing import Unpack

    from metron_async.testing._data.accounts import Numbers
    from metron_async.testing._data.builders import Common

__all__ = ["OwnBuilders"]


class OwnBuilders(CatalogueBuilders):
    """Methods that add to an account's reading lists, collection, pull list and wish list."""

    accounts: dict[str, r.Account]
    _numbers: Numbers

    def add_reading_list(
        self,
        name: str,
        issues: Iterable[int] = (),
        *,
        user: str = "editor",
        list_type: str = "",
        is_private: bool = False,
        attribution_source: str = "",
        attribution_url: str = "",
        previous: int | None = None,
        next: int | None = None,
        **common: Unpack[Common],
    ) -> r.ReadingList:
        """Add a reading list.

        Args:
            name: Its name.
            issues: Ids of its issues, in their order.
            user: Name of its owner.
            list_type: Code: ``"EVENT"``, ``"CREATOR"``, ``"CHARACTERS"``, ...
            is_private: Whether only its owner sees it.
            attribution_source: Code: ``"CBRO"``, ``"CMRO"``, ...
            attribution_url: URL of the source.
            previous: Id of the reading list before it.
            next: Id of the reading list after it.
            common: Fields that most objects have; see :meth:`add_publisher`.
        """
        items = [{"issue": issue, "order": order} for order, issue in enumerate(issues)]
        first = self.catalogue.next_reading_item()
        checks = [checked(r.ReadingItem, item, self.catalogue) for item in items]
        made = self._add(
            r.ReadingList,
            common,
            name=name,
            user=account_of(self.accounts, user).id,
            list_type=list_type,
            is_private=is_private,
            attribution_source=attribution_source,
            attribution_url=attribution_url,
            previous=previous,
            next=next,
        )
        made.items = [r.ReadingItem(id=rid, **item) for rid, item in enumerate(checks, first)]
        return made

    def add_collection_item(
        self,
        issue: int,
        *,
        user: str = "reader",
        quantity: int = 1,
        book_format: str = "PRINT",
        grade: float | None = None,
        grading_company: str = "",
        purchase_date: dt.date | str | None = None,
        purchase_price: str | Decimal | None = None,
        purchase_store: str = "",
        storage_location: str = "",
        notes: str = "",
        rating: int | None = None,
        read: Iterable[dt.datetime | str] = (),
        modified: dt.datetime | str | None = None,
    ) -> r.Item:
        """Add an issue to a collection.

        Args:
            issue: Id of the issue.
            user: Name of the owner.
            quantity: Number of copies.
            book_format: Code: ``"PRINT"``, ``"DIGITAL"`` or ``"BOTH"``.
            grade: Grade from 0.5 to 10.0.
            grading_company: Code: ``"CGC"``, ``"CBCS"``, ``"PGX"`` or ``""``.
            purchase_date: Date, or an ISO string.
            purchase_price: Price, such as ``"4.99"``.
            purchase_store: Name of the store.
            storage_location: Place where it is kept.
            notes: Notes.
            rating: The owner's rating from 1 to 5.
            read: Date-times at which it was read, or an ISO string.
            modified: Date-time of the last change, or an ISO string; by default now.
        """
        shelf, now = account_of(self.accounts, user).shelf, self.clock.moment()
        own: dict[str, Any] = {
            "issue": issue,
            "quantity": quantity,
            "book_format": book_format,
            "grade": grade,
            "grading_company": grading_company,
            "purchase_date": purchase_date,
            "purchase_price": purchase_price,
            "purchase_store": purchase_store,
            "storage_location": storage_location,
            "notes": notes,
            "rating": rating,
            "modified": now if modified is None else modified,
            "created_on": now,
        }
        values = checked(r.Item, own, self.catalogue)
        dates = [checked(r.Read, {"read_date": one}, self.catalogue)["read_date"] for one in read]
        item = r.Item(id=self._numbers.take("item"), **values)
        for date in dates:
            item.reads.append(r.Read(id=self._numbers.take("read"), read_date=date, created_on=now))
        item.is_read, item.date_read = bool(dates), max(dates, default=None)
        shelf.items[item.id] = item
        return item

    def add_pull_list_series(self, series: int, *, user: str = "reader") -> r.Pull:
        """Add a series to a pull list.

        Args:
            series: Id of the series.
            user: Name of the owner.
        """
        shelf, now = account_of(self.accounts, user).shelf, self.clock.moment()
        values = checked(r.Pull, {"series": series, "added_on": now}, self.catalogue)
        pull = r.Pull(id=self._numbers.take("pull"), **values)
        shelf.pulls[pull.id] = pull
        shelf.use_pull_list(self._numbers.take, now)
        return pull

    def add_wish_list_item(
        self,
        issue: int,
        *,
        user: str = "reader",
        status: str = "Wanted",
        priority: int = 3,
        desired_grade: float | None = None,
        max_price: str | Decimal | None = None,
        max_price_currency: str = "USD",
        notes: str = "",
    ) -> r.Wish:
        """Add an issue to a wish list.

        Args:
            issue: Id of the issue.
            user: Name of the owner.
            status: ``"Wanted"`` or ``"Acquired"``.
            priority: 1 (most urgent) to 5.
            desired_grade: Grade from 0.5 to 10.0.
            max_price: Highest price, such as ``"20.00"``.
            max_price_currency: Currency of that price.
            notes: Notes.
        """
        shelf, now = account_of(self.accounts, user).shelf, self.clock.moment()
        own: dict[str, Any] = {
            "issue": issue,
            "status": status,
            "priority": priority,
            "desired_grade": desired_grade,
            "max_price": max_price,
            "max_price_currency": max_price_currency,
            "notes": notes,
            "added_on": now,
            "modified": now,
        }
        wish = r.Wish(id=self._numbers.take("wish"), **checked(r.Wish, own, self.catalogue))
        shelf.wishes[wish.id] = wish
        shelf.use_wish_list(self._numbers.take, now)
        return wish
