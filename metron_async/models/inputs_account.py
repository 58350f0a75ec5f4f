"""Inputs of writes to an account's own data: collection, scrobbles, pull list, wish list."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from msgspec import UNSET, UnsetType

from metron_async.enums import BookFormat, Grade, GradingCompany, Rating, WishPriority
from metron_async.models._rules import Choice, Moment, Money, Price, Whole
from metron_async.models.inputs import DayOrNone, Input, Prose, Text255

__all__ = [
    "AcquireInput",
    "CollectionAddInput",
    "PullListAddInput",
    "RatingInput",
    "ScrobbleInput",
    "WishListAddInput",
]

Id = Annotated[int, Whole()]
Paid = Annotated[Decimal | Price | UnsetType | None, Money(digits=5, currency="beside")]
Condition = Annotated[Grade | float | Decimal | UnsetType | None, Choice(Grade, empty=None)]


class CollectionAddInput(Input, frozen=True, kw_only=True):
    """Input of a new item of the collection."""

    issue_id: Id
    """Metron's id of the issue."""
    quantity: Annotated[int | UnsetType, Whole(1, 32_767)] = UNSET
    """Number of copies, 1 to 32767; the server's default is 1."""
    book_format: Annotated[BookFormat | str | UnsetType, Choice(BookFormat)] = UNSET
    """A :class:`~metron_async.enums.BookFormat` or its code; the server's default is print."""
    grade: Condition = UNSET
    """Condition; a :class:`~metron_async.enums.Grade` or its number."""
    grading_company: Annotated[
        GradingCompany | str | UnsetType | None, Choice(GradingCompany, empty="")
    ] = UNSET
    """A :class:`~metron_async.enums.GradingCompany` or its code."""
    purchase_date: DayOrNone = UNSET
    """Day of the purchase."""
    purchase_price: Paid = UNSET
    """Price that was paid, below 100,000: ``Decimal`` in US dollars, or :class:`Price`."""
    purchase_store: Text255 = UNSET
    """Store of the purchase, up to 255 characters."""
    storage_location: Text255 = UNSET
    """Place where it is stored, up to 255 characters."""
    notes: Prose = UNSET
    """The owner's notes."""


class ScrobbleInput(Input, frozen=True, kw_only=True):
    """Input of one reading of an issue."""

    issue_id: Id
    """Metron's id of the issue."""
    date_read: Annotated[datetime | UnsetType | None, Moment()] = UNSET
    """When it was read; aware. The server's default is the time of the request."""
    rating: Annotated[Rating | int | UnsetType | None, Choice(Rating, empty=None)] = UNSET
    """Stars, a :class:`~metron_async.enums.Rating` or 1 to 5."""


class RatingInput(Input, frozen=True, kw_only=True):
    """Input of a rating of an item of the collection."""

    rating: Annotated[Rating | int | None, Choice(Rating, empty=None)]
    """A :class:`~metron_async.enums.Rating` or 1 to 5; ``None`` clears."""


class PullListAddInput(Input, frozen=True, kw_only=True):
    """Input of a series to follow."""

    series_id: Id
    """Metron's id of the series."""


class WishListAddInput(Input, frozen=True, kw_only=True):
    """Input of a new item of the wish list."""

    issue_id: Id
    """Metron's id of the issue."""
    priority: Annotated[WishPriority | int | UnsetType, Choice(WishPriority)] = UNSET
    """A :class:`~metron_async.enums.WishPriority` or 1 (first) to 5; the server's default is 3."""
    desired_grade: Condition = UNSET
    """Wanted condition; a :class:`~metron_async.enums.Grade` or its number."""
    max_price: Paid = UNSET
    """Highest price to pay, below 100,000: ``Decimal`` in US dollars, or :class:`Price`."""
    notes: Prose = UNSET
    """The owner's notes."""


class AcquireInput(Input, frozen=True, kw_only=True):
    """Input of the purchase of an item of the wish list."""

    purchase_date: DayOrNone = UNSET
    """Day of the purchase."""
    purchase_price: Paid = UNSET
    """Price that was paid, below 100,000: ``Decimal`` in US dollars, or :class:`Price`."""
    purchase_store: Text255 = UNSET
    """Store of the purchase, up to 255 characters."""
    notes: Prose = UNSET
    """The owner's notes."""
