"""The account's own comics: ``metron.collection``."""

from datetime import date, datetime
from decimal import Decimal
from typing import Unpack

from metron_async._engine.messages import Stale
from metron_async.cache import Kind
from metron_async.enums import BookFormat, Grade, GradingCompany, Rating
from metron_async.filters import CollectionFilters
from metron_async.lists.pagination import RowList
from metron_async.models import (
    CollectionAddInput,
    CollectionItem,
    CollectionStats,
    CollectionSummary,
    MissingIssue,
    MissingSeries,
    Price,
    RatingInput,
    RatingResult,
    ScrobbleInput,
    ScrobbleResult,
)
from metron_async.resources.base import Listable, Retrievable, checked_id, listing
from metron_async.resources.writable import Personal, given
from metron_async.types import Added

__all__ = ["CollectionResource"]


class CollectionResource(Retrievable[CollectionItem], Listable[CollectionSummary], Personal):
    """The account's own comics: ``metron.collection``.

    Reading an issue once more moves neither the item's ``modified`` nor its ``Last-Modified``, so
    an item is never fetched with a condition, except by an explicit ``get_if_modified``.
    """

    _path = "collection"
    _conditional = False

    @listing(CollectionFilters)
    def iter(self, **filters: Unpack[CollectionFilters]) -> RowList[CollectionSummary]:
        """Return the items that match :class:`~metron_async.filters.CollectionFilters`."""
        return self._list(CollectionFilters, filters)

    async def stats(self) -> CollectionStats:
        """Fetch the collection's totals."""
        return await self._caller.get(self._request("stats/"), CollectionStats)

    def missing_series(self) -> RowList[MissingSeries]:
        """Return the series of which the account owns some issues, but not all."""
        return self._rows(self._request("missing_series/"), MissingSeries)

    def missing_issues(self, series_id: int, /) -> RowList[MissingIssue]:
        """Return the issues of one series that the account does not own.

        Args:
            series_id: Metron's id of the series; an unknown one gives an empty list.
        """
        number = checked_id(series_id, "series_id")
        return self._rows(self._request(f"missing_issues/{number}/"), MissingIssue)

    async def add(
        self,
        issue_id: int,
        /,
        *,
        quantity: int | None = None,
        book_format: BookFormat | str | None = None,
        grade: Grade | float | Decimal | None = None,
        grading_company: GradingCompany | str | None = None,
        purchase_date: date | None = None,
        purchase_price: Decimal | Price | None = None,
        purchase_store: str | None = None,
        storage_location: str | None = None,
        notes: str | None = None,
    ) -> Added[CollectionItem]:
        """Add an issue to the collection. An existing item is not changed.

        Args:
            issue_id: Metron's id of the issue.
            quantity: Copies that are owned, 1 to 32767; by default 1.
            book_format: A :class:`~metron_async.enums.BookFormat` or its code; by default print.
            grade: Condition; a :class:`~metron_async.enums.Grade` or its number.
            grading_company: A :class:`~metron_async.enums.GradingCompany` or its code.
            purchase_date: Day it was bought.
            purchase_price: What was paid: ``Decimal`` in US dollars, or a
                :class:`~metron_async.models.Price` with its currency.
            purchase_store: Where it was bought, 255 characters.
            storage_location: Where it is kept, 255 characters.
            notes: Your notes.

        Returns:
            The item, and whether this call created it.

        Raises:
            UsageError: If a value is invalid; nothing was sent.
            MetronError: For anything else; see :mod:`metron_async.errors`.

        Example:
            >>> item, created = await metron.collection.add(31660, grade=9.8)  # doctest: +SKIP
        """
        fields = given(
            quantity=quantity,
            book_format=book_format,
            grade=grade,
            grading_company=grading_company,
            purchase_date=purchase_date,
            purchase_price=purchase_price,
            purchase_store=purchase_store,
            storage_location=storage_location,
            notes=notes,
        )
        data = CollectionAddInput(issue_id=checked_id(issue_id, "issue_id"), **fields)
        return await self._change("POST", "add/", CollectionItem, data)

    async def scrobble(
        self,
        issue_id: int,
        /,
        *,
        date_read: datetime | None = None,
        rating: Rating | int | None = None,
    ) -> Added[ScrobbleResult]:
        """Record that an issue was read. This adds it to the collection if necessary.

        Each call adds a read date and is sent at most once. If its outcome is unknown, the error
        says so. ``read_dates`` of the item then show whether the server carried it out.

        Args:
            issue_id: Metron's id of the issue.
            date_read: When it was read, aware; by default the time at which the server gets this.
            rating: Stars, a :class:`~metron_async.enums.Rating` or 1 to 5; by default left alone.

        Returns:
            The item, and whether this call added it to the collection.

        Raises:
            UsageError: If a value is invalid; nothing was sent.
            ValidationError: If the issue does not exist.
            TransportError: If the connection failed. With ``outcome_unknown`` set, the issue may
                count as read.
            MetronError: For anything else; see :mod:`metron_async.errors`.
        """
        number = checked_id(issue_id, "issue_id")
        data = ScrobbleInput(issue_id=number, **given(date_read=date_read, rating=rating))
        # An issue shows the mean of all users' ratings.
        rated = () if rating is None else (Stale("issue", Kind.DETAIL, number),)
        return await self._change("POST", "scrobble/", ScrobbleResult, data, also=rated)

    async def rate(
        self, id: int, rating: Rating | int | None, /, *, issue_id: int | None = None
    ) -> RatingResult:
        """Rate an item of the collection, or clear its rating.

        The issue shows the mean of all users' ratings, and the response does not name the issue:
        its cached detail has the mean from before, unless *issue_id* says which one to drop.

        Args:
            id: Id of the item, not of the issue.
            rating: A :class:`~metron_async.enums.Rating` or 1 to 5; ``None`` clears.
            issue_id: Id of the item's issue, if it is known. It is not sent.

        Raises:
            UsageError: If *rating* is not a number of stars, or an id is invalid; nothing was
                sent.
            NotFoundError: If the item is not in the collection.
            MetronError: For anything else; see :mod:`metron_async.errors`.
        """
        issue = None if issue_id is None else checked_id(issue_id, "issue_id")
        rated = () if issue is None else (Stale("issue", Kind.DETAIL, issue),)
        data, below = RatingInput(rating=rating), f"{checked_id(id)}/"
        return (await self._change("PATCH", below, RatingResult, data, also=rated)).item

    async def remove(self, id: int, /) -> None:
        """Remove an item from the collection, with its read dates and rating.

        Args:
            id: Id of the item, not of the issue.

        Raises:
            NotFoundError: If the item is not in the collection.
            MetronError: For anything else; see :mod:`metron_async.errors`.
        """
        await self._change("DELETE", f"{checked_id(id)}/", None)
