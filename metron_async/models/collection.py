"""A user's collection: items, statistics, what is missing, and what scrobbling answers."""

from datetime import date
from decimal import Decimal

from metron_async.models.common import (
    BasicRef,
    Instant,
    Model,
    Row,
    SeriesRef,
    User,
    check_amount,
)
from metron_async.models.kinds import SeriesType

__all__ = [
    "CollectionFormatStat",
    "CollectionIssue",
    "CollectionItem",
    "CollectionStats",
    "CollectionSummary",
    "MissingIssue",
    "MissingSeries",
    "RatingResult",
    "ReadDate",
    "ScrobbleResult",
]


class CollectionIssue(Row, frozen=True, kw_only=True):
    """An issue inside of a collection or a wish list.

    Attributes:
        id: Metron's id of the issue.
        series: The series it belongs to.
        number: Number of the issue; text.
        cover_date: Date on the cover.
        store_date: Day it went on sale, or ``None``.
        modified: When the issue was last changed; aware.
    """

    id: int
    series: SeriesRef
    number: str
    cover_date: date
    store_date: date | None = None
    modified: Instant


class ReadDate(Row, frozen=True, kw_only=True):
    """One time that an issue was read.

    Attributes:
        id: Id of this entry.
        read_date: When it was read; aware.
        created_on: When that was entered; aware.
    """

    id: int
    read_date: Instant
    created_on: Instant


class CollectionSummary(Row, frozen=True, kw_only=True):
    """An item of a collection in a list.

    Attributes:
        id: Id of the item, not of the issue.
        user: Whose item it is.
        issue: The issue that is owned.
        quantity: Copies that are owned.
        book_format: Display word, such as ``"Print"``; filters want a
            :class:`~metron_async.enums.BookFormat`.
        grade: Condition from 0.5 to 10.0, or ``None``. A float, as the server sends it: the
            grades are labels of a fixed scale, and ``grade == 9.8`` holds for a float only.
        grading_company: Display name of who graded it, or ``""``.
        purchase_date: Day it was bought, or ``None``.
        is_read: Whether it was read.
        read_dates: Every time it was read.
        read_count: How often it was read.
        rating: The owner's stars, 1 to 5, or ``None``.
        modified: When the item was last changed; aware. Reading it again does not change it.
    """

    id: int
    user: User
    issue: CollectionIssue
    quantity: int
    book_format: str
    grade: float | None = None
    grading_company: str
    purchase_date: date | None = None
    is_read: bool
    read_dates: tuple[ReadDate, ...]
    read_count: int
    rating: int | None = None
    modified: Instant


class CollectionItem(Model, frozen=True, kw_only=True):
    """An item of a collection; adding one answers it too.

    Attributes:
        id: Id of the item, not of the issue.
        user: Whose item it is.
        issue: The issue that is owned.
        quantity: Copies that are owned.
        book_format: Display word, such as ``"Print"``.
        grade: Condition from 0.5 to 10.0, or ``None``; a float, as in the list.
        grading_company: Display name of who graded it, or ``""``.
        purchase_date: Day it was bought, or ``None``.
        purchase_price: What was paid, or ``None``; its currency is not told.
        purchase_store: Where it was bought, or ``""``.
        storage_location: Where it is kept, or ``""``.
        notes: The owner's notes, or ``""``.
        is_read: Whether it was read.
        date_read: When it was last read, aware, or ``None``.
        read_dates: Every time it was read.
        read_count: How often it was read.
        rating: The owner's stars, 1 to 5, or ``None``.
        resource_url: The item's page on the web.
        created_on: When it was added; aware.
        modified: When it was last changed; aware. Reading it again does not change it.
    """

    id: int
    user: User
    issue: CollectionIssue
    quantity: int
    book_format: str
    grade: float | None = None
    grading_company: str
    purchase_date: date | None = None
    purchase_price: Decimal | None = None
    purchase_store: str = ""
    storage_location: str = ""
    notes: str = ""
    is_read: bool
    date_read: Instant | None = None
    read_dates: tuple[ReadDate, ...]
    read_count: int
    rating: int | None = None
    resource_url: str
    created_on: Instant
    modified: Instant

    def __post_init__(self) -> None:
        check_amount(self.purchase_price)


class CollectionFormatStat(Row, frozen=True, kw_only=True):
    """How many items are owned in one format.

    Attributes:
        book_format: Code of the format, such as ``"PRINT"``.
        count: Items in that format.
    """

    book_format: str
    count: int


class CollectionStats(Model, frozen=True, kw_only=True):
    """Numbers about a whole collection.

    Attributes:
        total_items: Items.
        total_quantity: Copies, over all items.
        total_value: Sum of what was paid, or ``None`` where the server tells none. Amounts of
            different currencies are added as they are.
        read_count: Items that were read.
        unread_count: Items that were not.
        by_format: Items by format.
    """

    total_items: int
    total_quantity: int
    total_value: Decimal | None
    read_count: int
    unread_count: int
    by_format: tuple[CollectionFormatStat, ...]

    def __post_init__(self) -> None:
        check_amount(self.total_value)


class MissingIssue(Row, frozen=True, kw_only=True):
    """An issue that a collection lacks.

    Attributes:
        id: Metron's id of the issue.
        series: The series it belongs to.
        number: Number of the issue; text.
        cover_date: Date on the cover.
        store_date: Day it went on sale, or ``None``.
    """

    id: int
    series: SeriesRef
    number: str
    cover_date: date
    store_date: date | None = None


class MissingSeries(Row, frozen=True, kw_only=True):
    """A series of which a collection has some issues, not all.

    Attributes:
        id: Metron's id of the series.
        name: Name of the series, without its year.
        sort_name: Name by which lists sort it, without an article.
        year_began: Year of the first issue.
        year_end: Year of the last issue, or ``None``.
        publisher: Who publishes it.
        series_type: What kind of series it is.
        total_issues: Issues of the series.
        owned_issues: Issues that the collection has.
        missing_count: Issues that it lacks.
        completion_percentage: Share that it has, from 0.0 to 100.0 percent.
    """

    id: int
    name: str
    sort_name: str
    year_began: int
    year_end: int | None = None
    publisher: BasicRef
    series_type: SeriesType
    total_issues: int
    owned_issues: int
    missing_count: int
    completion_percentage: float


class ScrobbleResult(Model, frozen=True, kw_only=True):
    """What scrobbling an issue answers.

    Attributes:
        id: Id of the item in the collection.
        issue: The issue that was read.
        is_read: Whether it counts as read.
        date_read: When it was last read, aware, or ``None``.
        rating: The owner's stars, 1 to 5, or ``None``.
        created: Whether the item was added to the collection by this.
        modified: When the item was last changed; aware. Reading it again does not change it.
    """

    id: int
    issue: CollectionIssue
    is_read: bool
    date_read: Instant | None = None
    rating: int | None = None
    created: bool
    modified: Instant


class RatingResult(Model, frozen=True, kw_only=True):
    """What rating an item of the collection answers.

    Attributes:
        id: Id of the item.
        rating: Its stars now, 1 to 5, or ``None`` if cleared.
        modified: When the item was last changed; aware.
    """

    id: int
    rating: int | None = None
    modified: Instant
