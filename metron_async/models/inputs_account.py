"""What every user can write: collection, scrobbles, pull list, wish list."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from msgspec import UNSET, UnsetType

from metron_async.enums import BookFormat, Grade, GradingCompany, Rating, WishPriority
from metron_async.models.inputs import Input
from metron_async.models.writable import Choice, Day, Moment, Money, Price, Text, Whole

__all__ = [
    "AcquireInput",
    "CollectionAddInput",
    "PullListAddInput",
    "RatingInput",
    "ScrobbleInput",
    "WishListAddInput",
]

Id = Annotated[int, Whole()]
# The server fails (500) on longer ones, though its schema sets no limit.
Place = Annotated[str | UnsetType | None, Text(255)]
Prose = Annotated[str | UnsetType | None, Text()]
Paid = Annotated[Decimal | Price | UnsetType | None, Money(digits=5, currency="beside")]
Condition = Annotated[Grade | float | Decimal | UnsetType | None, Choice(Grade, empty=None)]


class CollectionAddInput(Input, frozen=True, kw_only=True):
    """An issue to add to the collection.

    Attributes:
        issue_id: Metron's id of the issue.
        quantity: Copies that are owned, 1 to 32767; the server's default is 1.
        book_format: A :class:`~metron_async.enums.BookFormat` or its code; by default print.
        grade: Condition; a :class:`~metron_async.enums.Grade` or its number.
        grading_company: A :class:`~metron_async.enums.GradingCompany` or its code.
        purchase_date: Day it was bought.
        purchase_price: What was paid, 5 digits before the point; ``Decimal`` means US dollars,
            :class:`Price` has a currency.
        purchase_store: Where it was bought, 255 characters.
        storage_location: Where it is kept, 255 characters.
        notes: The owner's notes.
    """

    issue_id: Id
    quantity: Annotated[int | UnsetType, Whole(1, 32_767)] = UNSET
    book_format: Annotated[BookFormat | str | UnsetType, Choice(BookFormat)] = UNSET
    grade: Condition = UNSET
    grading_company: Annotated[
        GradingCompany | str | UnsetType | None, Choice(GradingCompany, empty="")
    ] = UNSET
    purchase_date: Annotated[date | UnsetType | None, Day(clears=True)] = UNSET
    purchase_price: Paid = UNSET
    purchase_store: Place = UNSET
    storage_location: Place = UNSET
    notes: Prose = UNSET


class ScrobbleInput(Input, frozen=True, kw_only=True):
    """An issue that was read.

    Attributes:
        issue_id: Metron's id of the issue.
        date_read: When it was read, aware; by default now.
        rating: Stars, a :class:`~metron_async.enums.Rating` or 1 to 5.
    """

    issue_id: Id
    date_read: Annotated[datetime | UnsetType | None, Moment()] = UNSET
    rating: Annotated[Rating | int | UnsetType | None, Choice(Rating, empty=None)] = UNSET


class RatingInput(Input, frozen=True, kw_only=True):
    """Stars for an item of the collection.

    Attributes:
        rating: A :class:`~metron_async.enums.Rating` or 1 to 5; ``None`` clears.
    """

    rating: Annotated[Rating | int | None, Choice(Rating, empty=None)]


class PullListAddInput(Input, frozen=True, kw_only=True):
    """A series to follow.

    Attributes:
        series_id: Metron's id of the series.
    """

    series_id: Id


class WishListAddInput(Input, frozen=True, kw_only=True):
    """An issue to look for.

    Attributes:
        issue_id: Metron's id of the issue.
        priority: How much it is wanted; a :class:`~metron_async.enums.WishPriority` or 1 (first)
            to 5; the server's default is 3.
        desired_grade: Condition to look for; a :class:`~metron_async.enums.Grade` or its number.
        max_price: The most to pay, 5 digits before the point; ``Decimal`` means US dollars,
            :class:`Price` has a currency.
        notes: The owner's notes.
    """

    issue_id: Id
    priority: Annotated[WishPriority | int | UnsetType, Choice(WishPriority)] = UNSET
    desired_grade: Condition = UNSET
    max_price: Paid = UNSET
    notes: Prose = UNSET


class AcquireInput(Input, frozen=True, kw_only=True):
    """What to note when an item of the wish list was bought.

    Attributes:
        purchase_date: Day it was bought.
        purchase_price: What was paid, 5 digits before the point; ``Decimal`` means US dollars,
            :class:`Price` has a currency.
        purchase_store: Where it was bought, 255 characters.
        notes: The owner's notes.
    """

    purchase_date: Annotated[date | UnsetType | None, Day(clears=True)] = UNSET
    purchase_price: Paid = UNSET
    purchase_store: Place = UNSET
    notes: Prose = UNSET
