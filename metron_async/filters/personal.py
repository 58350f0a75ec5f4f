"""Filters of the lists that belong to users: reading lists, collection, pull list."""

from datetime import date
from decimal import Decimal
from typing import Annotated, TypedDict

from metron_async._values import Among
from metron_async.enums import (
    AttributionSource,
    BookFormat,
    Grade,
    GradingCompany,
    ListType,
    Rating,
)
from metron_async.filters.common import Id, ModifiedFilters, NamedFilters, Stars

__all__ = [
    "CollectionFilters",
    "PullListIssueFilters",
    "ReadingListFilters",
]


class ReadingListFilters(NamedFilters, total=False):
    """Filters of reading lists.

    Attributes:
        attribution_source: Source of the list; an
            :class:`~metron_async.enums.AttributionSource` or its code.
        average_rating__gte: Lowest mean rating, 0 to 5 stars.
        is_private: Whether only its owner can see it.
        list_type: Subject of the list; a :class:`~metron_async.enums.ListType` or its code.
        publisher: Part of the name of a publisher.
        user: Metron's id of the owner.
        username: Part of the owner's name.
    """

    attribution_source: Annotated[AttributionSource | str, Among(AttributionSource)]
    average_rating__gte: Stars
    is_private: bool
    list_type: Annotated[ListType | str, Among(ListType)]
    publisher: str
    user: Id
    username: str


class CollectionFilters(ModifiedFilters, total=False):
    """Filters of a collection.

    ``date_read`` and its variants take dates. The server compares them with the calendar day of the
    reading in New York.

    Attributes:
        book_format: Format of the copy; a :class:`~metron_async.enums.BookFormat` or its code.
        date_read: Read on this day.
        date_read_gt: Read after this day.
        date_read_gte: Read on or after this day.
        date_read_lt: Read before this day.
        date_read_lte: Read on or before this day.
        grade: Condition; a :class:`~metron_async.enums.Grade` or its number.
        grading_company: A :class:`~metron_async.enums.GradingCompany` or its code.
        is_read: Whether it was read.
        issue__series: Metron's id of the series.
        purchase_date: Bought on this day.
        purchase_date_gt: Bought after this day.
        purchase_date_gte: Bought on or after this day.
        purchase_date_lt: Bought before this day.
        purchase_date_lte: Bought on or before this day.
        purchase_store: Part of the store's name.
        rating: The owner's rating; a :class:`~metron_async.enums.Rating` or 1 to 5.
        storage_location: Part of the name of the place where it is stored.
    """

    book_format: Annotated[BookFormat | str, Among(BookFormat)]
    date_read: date
    date_read_gt: date
    date_read_gte: date
    date_read_lt: date
    date_read_lte: date
    grade: Annotated[Grade | float | Decimal, Among(Grade)]
    grading_company: Annotated[GradingCompany | str, Among(GradingCompany)]
    is_read: bool
    issue__series: Id
    purchase_date: date
    purchase_date_gt: date
    purchase_date_gte: date
    purchase_date_lt: date
    purchase_date_lte: date
    purchase_store: str
    rating: Annotated[Rating | int, Among(Rating)]
    storage_location: str


class PullListIssueFilters(TypedDict, total=False):
    """Filters of the issues of a pull list.

    Attributes:
        store_date_after: On sale on or after this day.
        store_date_before: On sale on or before this day.
    """

    store_date_after: date
    store_date_before: date
