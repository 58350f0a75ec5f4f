"""The issues that the account wants: ``metron.wish_list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metron_async.models import (
    AcquireInput,
    AcquireResult,
    WishList,
    WishListAddInput,
    WishListItem,
    WishListItemSummary,
)
from metron_async.resources.account_lists import AccountList
from metron_async.resources.base import checked_id
from metron_async.resources.staleness import of_account
from metron_async.resources.writable import given

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from metron_async.enums import Grade, WishPriority
    from metron_async.lists.pagination import RowList
    from metron_async.models import Price
    from metron_async.types import Added

__all__ = ["WishListResource"]


class WishListResource(AccountList[WishList]):
    """The issues that the account wants: ``metron.wish_list``."""

    _path = "wish_list"

    def items(self) -> RowList[WishListItemSummary]:
        """Return the items of the wish list."""
        return self._rows(self._request("items/"), WishListItemSummary)

    async def add(
        self,
        issue_id: int,
        /,
        *,
        priority: WishPriority | int | None = None,
        desired_grade: Grade | float | Decimal | None = None,
        max_price: Decimal | Price | None = None,
        notes: str | None = None,
    ) -> Added[WishListItem]:
        """Add an issue to the wish list. An existing item is not changed.

        Args:
            issue_id: Metron's id of the issue.
            priority: How much it is wanted: 1 comes first, 5 last; by default 3.
            desired_grade: Condition to look for; a :class:`~metron_async.enums.Grade` or its
                number.
            max_price: The most to pay: ``Decimal`` in US dollars, or a
                :class:`~metron_async.models.Price` with its currency.
            notes: Your notes.

        Returns:
            The item, and whether this call created it.

        Raises:
            UsageError: If a value is invalid; nothing was sent.
            MetronError: For anything else; see :mod:`metron_async.errors`.
        """
        fields = given(
            priority=priority, desired_grade=desired_grade, max_price=max_price, notes=notes
        )
        data = WishListAddInput(issue_id=checked_id(issue_id, "issue_id"), **fields)
        return await self._change("POST", "items/add/", WishListItem, data)

    async def acquire(
        self,
        item_id: int,
        /,
        *,
        purchase_date: date | None = None,
        purchase_price: Decimal | Price | None = None,
        purchase_store: str | None = None,
        notes: str | None = None,
    ) -> AcquireResult:
        """Record that an item was bought. This adds its issue to the collection.

        Args:
            item_id: Id of the item, not of the issue.
            purchase_date: Day it was bought.
            purchase_price: What was paid: ``Decimal`` in US dollars, or a
                :class:`~metron_async.models.Price` with its currency.
            purchase_store: Where it was bought, 255 characters.
            notes: Your notes.

        Returns:
            The ids of both items, and whether this call added the issue to the collection.

        Raises:
            UsageError: If a value is invalid; nothing was sent.
            NotFoundError: If the item is not on the wish list.
            MetronError: For anything else; see :mod:`metron_async.errors`.
        """
        data = AcquireInput(
            **given(
                purchase_date=purchase_date,
                purchase_price=purchase_price,
                purchase_store=purchase_store,
                notes=notes,
            )
        )
        path = f"items/{checked_id(item_id, 'item_id')}/acquire/"
        also = of_account("collection")
        return (await self._change("POST", path, AcquireResult, data, also=also)).item

    async def remove(self, item_id: int, /) -> None:
        """Remove an item from the wish list.

        Args:
            item_id: Id of the item, not of the issue.

        Raises:
            NotFoundError: If the item is not on the wish list.
            MetronError: For anything else; see :mod:`metron_async.errors`.
        """
        number = checked_id(item_id, "item_id")
        await self._change("DELETE", f"items/{number}/remove/", None)
