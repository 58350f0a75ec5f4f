"""A user's collection: items, statistics, missing issues, and results of writes."""

from datetime import date
from decimal import Decimal

from metron_async.models.base import Instant, Model, Record, Row, check_amount
from metron_async.models.common import BasicRef, IssueRef, SeriesType, User

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


class CollectionIssue(IssueRef, frozen=True, kw_only=True):
    """Issue in a collection or a wish list."""

    modified: Instant
    """When the issue was last changed; aware."""


class ReadDate(Row, frozen=True, kw_only=True):
    """One reading of an issue."""

    id: int
    """Id of this entry."""
    read_date: Instant
    """When the issue was read; aware."""
    created_on: Instant
    """When the entry was made; aware."""


class _ItemFields(Record, frozen=True, kw_only=True):
    id: int
    """Id of the item, not of the issue."""
    user: User
    """Owner of the item."""
    issue: CollectionIssue
    """The owned issue."""
    quantity: int
    """Number of owned copies."""
    book_format: str
    """Display word, such as ``"Print"``. Filters take a :class:`~metron_async.enums.BookFormat`."""
    grade: float | None = None
    """Condition from 0.5 to 10.0, or ``None``. It is a float, as the server sends it: grades are
    labels of a fixed scale, and ``grade == 9.8`` is true for a float only."""
    grading_company: str
    """Display name of the grading company, or ``""``."""
    purchase_date: date | None = None
    """Day of the purchase, or ``None``."""


class CollectionSummary(_ItemFields, Row, frozen=True, kw_only=True):
    """Item of a collection in a list."""

    is_read: bool
    """Whether the issue was read."""
    read_dates: tuple[ReadDate, ...]
    """All its readings."""
    read_count: int
    """Number of its readings."""
    rating: int | None = None
    """The owner's rating, 1 to 5 stars, or ``None``."""
    modified: Instant
    """When the item was last changed; aware. A further reading does not change it."""


class CollectionItem(_ItemFields, Model, frozen=True, kw_only=True):
    """Item of a collection, as getting and adding it return it."""

    purchase_price: Decimal | None = None
    """Price that was paid, or ``None``. The server does not send its currency."""
    purchase_store: str = ""
    """Store of the purchase, or ``""``."""
    storage_location: str = ""
    """Place where it is stored, or ``""``."""
    notes: str = ""
    """The owner's notes, or ``""``."""
    is_read: bool
    """Whether the issue was read."""
    date_read: Instant | None = None
    """When it was last read; aware, or ``None``."""
    read_dates: tuple[ReadDate, ...]
    """All its readings."""
    read_count: int
    """Number of its readings."""
    rating: int | None = None
    """The owner's rating, 1 to 5 stars, or ``None``."""
    resource_url: str
    """The item's page on the web."""
    created_on: Instant
    """When the item was added; aware."""
    modified: Instant
    """When the item was last changed; aware. A further reading does not change it."""

    def __post_init__(self) -> None:
        check_amount(self.purchase_price)


class CollectionFormatStat(Row, frozen=True, kw_only=True):
    """Number of items in one format."""

    book_format: str
    """Code of the format, such as ``"PRINT"``."""
    count: int
    """Number of items in that format."""


class CollectionStats(Model, frozen=True, kw_only=True):
    """Totals of a collection."""

    total_items: int
    """Number of items."""
    total_quantity: int
    """Number of copies, over all items."""
    total_value: Decimal | None
    """Sum of the prices paid, or ``None`` if the server sends none. Amounts of different currencies
    are added without conversion."""
    read_count: int
    """Number of items that were read."""
    unread_count: int
    """Number of items that were not read."""
    by_format: tuple[CollectionFormatStat, ...]
    """Number of items by format."""

    def __post_init__(self) -> None:
        check_amount(self.total_value)


class MissingIssue(IssueRef, frozen=True, kw_only=True):
    """Issue that is missing in a collection."""


class MissingSeries(Row, frozen=True, kw_only=True):
    """Series of which a collection has some issues, but not all."""

    id: int
    """Metron's id of the series."""
    name: str
    """Name of the series, without the year."""
    sort_name: str
    """Name by which lists are sorted, without an article."""
    year_began: int
    """Year of the first issue."""
    year_end: int | None = None
    """Year of the last issue, or ``None``."""
    publisher: BasicRef
    """Publisher."""
    series_type: SeriesType
    """Type of the series."""
    total_issues: int
    """Number of issues of the series."""
    owned_issues: int
    """Number of issues in the collection."""
    missing_count: int
    """Number of issues not in the collection."""
    completion_percentage: float
    """Share of the issues in the collection, 0.0 to 100.0 percent."""


class ScrobbleResult(Model, frozen=True, kw_only=True):
    """Result of scrobbling an issue."""

    id: int
    """Id of the item in the collection."""
    issue: CollectionIssue
    """The issue that was read."""
    is_read: bool
    """Whether the issue counts as read."""
    date_read: Instant | None = None
    """When it was last read; aware, or ``None``."""
    rating: int | None = None
    """The owner's rating, 1 to 5 stars, or ``None``."""
    created: bool
    """Whether this added the item to the collection."""
    modified: Instant
    """When the item was last changed; aware. A further reading does not change it."""


class RatingResult(Model, frozen=True, kw_only=True):
    """Result of rating an item of the collection."""

    id: int
    """Id of the item."""
    rating: int | None = None
    """The new rating, 1 to 5 stars, or ``None`` if cleared."""
    modified: Instant
    """When the item was last changed; aware."""
