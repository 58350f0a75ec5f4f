"""A user's wish list: the issues that are looked for."""

from decimal import Decimal

from metron_async.models.collection import CollectionIssue
from metron_async.models.common import Instant, Model, Row, check_amount

__all__ = ["AcquireResult", "WishList", "WishListItem", "WishListItemSummary"]


class WishList(Model, frozen=True, kw_only=True):
    """A user's wish list.

    Attributes:
        id: Id of the wish list.
        item_count: Items in it.
        items_url: URL of those items in the API.
        modified: When the list was last changed; aware.
    """

    id: int
    item_count: int
    items_url: str
    modified: Instant


class WishListItemSummary(Row, frozen=True, kw_only=True):
    """An item of a wish list in a list.

    Attributes:
        id: Id of the item, not of the issue.
        issue: The issue that is wanted.
        status: Display word, such as ``"Wanted"``; see :class:`~metron_async.enums.WishStatus`.
        priority: How much it is wanted: 1 comes first, 5 last.
        desired_grade: Condition that is looked for, 0.5 to 10.0, or ``None``.
        modified: When the item was last changed; aware.
    """

    id: int
    issue: CollectionIssue
    status: str
    priority: int
    desired_grade: float | None = None
    modified: Instant


class WishListItem(Model, frozen=True, kw_only=True):
    """An item of a wish list, as adding it answers.

    Attributes:
        id: Id of the item, not of the issue.
        issue: The issue that is wanted.
        status: Display word, such as ``"Wanted"``; see :class:`~metron_async.enums.WishStatus`.
        priority: How much it is wanted: 1 comes first, 5 last.
        desired_grade: Condition that is looked for, 0.5 to 10.0, or ``None``.
        max_price: The most to pay, or ``None``.
        max_price_currency: Code of that price's currency, or ``None``.
        notes: The owner's notes, or ``""``.
        added_on: When it was added; aware.
        modified: When the item was last changed; aware.
    """

    id: int
    issue: CollectionIssue
    status: str
    priority: int
    desired_grade: float | None = None
    max_price: Decimal | None = None
    max_price_currency: str | None
    notes: str = ""
    added_on: Instant
    modified: Instant

    def __post_init__(self) -> None:
        check_amount(self.max_price)


class AcquireResult(Model, frozen=True, kw_only=True):
    """What acquiring an item of the wish list answers.

    Attributes:
        wish_list_item_id: Id of the item in the wish list.
        collection_item_id: Id of the item in the collection.
        created: Whether the item was added to the collection by this.
        status: Display word of the wish list item's status, such as ``"Acquired"``.
    """

    wish_list_item_id: int
    collection_item_id: int
    created: bool
    status: str
