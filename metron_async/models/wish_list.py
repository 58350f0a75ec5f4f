"""A user's wish list: the issues that the user wants to buy."""

from decimal import Decimal

from metron_async.models.base import Instant, Model, Record, Row, check_amount
from metron_async.models.collection import CollectionIssue

__all__ = ["AcquireResult", "WishList", "WishListItem", "WishListItemSummary"]


class WishList(Model, frozen=True, kw_only=True):
    """A user's wish list."""

    id: int
    """Id of the wish list."""
    item_count: int
    """Number of items in it."""
    items_url: str
    """URL of these items in the API."""
    modified: Instant
    """When the wish list was last changed; aware."""


class _WishFields(Record, frozen=True, kw_only=True):
    id: int
    """Id of the item, not of the issue."""
    issue: CollectionIssue
    """The wanted issue."""
    status: str
    """Display word, such as ``"Wanted"``; see :class:`~metron_async.enums.WishStatus`."""
    priority: int
    """Priority from 1 (first) to 5 (last)."""
    desired_grade: float | None = None
    """Wanted condition, 0.5 to 10.0, or ``None``."""


class WishListItemSummary(_WishFields, Row, frozen=True, kw_only=True):
    """Item of a wish list in a list."""

    modified: Instant
    """When the item was last changed; aware."""


class WishListItem(_WishFields, Model, frozen=True, kw_only=True):
    """Item of a wish list, as adding it returns it."""

    max_price: Decimal | None = None
    """Highest price to pay, or ``None``."""
    max_price_currency: str | None
    """Currency code of that price, or ``None``."""
    notes: str = ""
    """The owner's notes, or ``""``."""
    added_on: Instant
    """When the item was added; aware."""
    modified: Instant
    """When the item was last changed; aware."""

    def __post_init__(self) -> None:
        check_amount(self.max_price)


class AcquireResult(Model, frozen=True, kw_only=True):
    """Result of acquiring an item of the wish list."""

    wish_list_item_id: int
    """Id of the item in the wish list."""
    collection_item_id: int
    """Id of the item in the collection."""
    created: bool
    """Whether this added the item to the collection."""
    status: str
    """Display word of the wish list item's status, such as ``"Acquired"``."""
