"""Reading lists and their items."""

from metron_async.models.base import Instant, Model, Row
from metron_async.models.common import BasicRef, IssueRef, User

__all__ = ["ReadingList", "ReadingListIssue", "ReadingListItem", "ReadingListSummary"]


class ReadingListSummary(Row, frozen=True, kw_only=True):
    """Reading list in a list."""

    id: int
    """Metron's id of the reading list."""
    name: str
    """Name of the list."""
    slug: str
    """Name as URLs contain it."""
    user: User
    """Owner of the list."""
    list_type: str
    """Display word of its subject, such as ``"Event"``, or ``""``. The filter takes a
    :class:`~metron_async.enums.ListType`."""
    is_private: bool
    """Whether only its owner can see it."""
    attribution_source: str = ""
    """Code of its source, such as ``"CBRO"``, or ``""``; see
    :class:`~metron_async.enums.AttributionSource`."""
    average_rating: float | None
    """Mean of the users' ratings, 1 to 5 stars, or ``None`` without ratings."""
    rating_count: int
    """Number of ratings."""
    modified: Instant
    """When the list was last changed; aware."""


class ReadingList(Model, frozen=True, kw_only=True):
    """Reading list, without its items: they are a list of their own."""

    id: int
    """Metron's id of the reading list."""
    user: User
    """Owner of the list."""
    name: str
    """Name of the list."""
    slug: str
    """Name as URLs contain it."""
    desc: str = ""
    """Description, or ``""``."""
    image: str | None
    """URL of the image, or ``None``."""
    list_type: str
    """Display word of its subject, such as ``"Event"``, or ``""``."""
    is_private: bool
    """Whether only its owner can see it."""
    attribution_source: str
    """Display name of its source, or ``""``."""
    attribution_url: str = ""
    """Page at its source, or ``""``."""
    previous: BasicRef | None
    """Reading list to read before this one, or ``None``."""
    next: BasicRef | None
    """Reading list to read after this one, or ``None``."""
    average_rating: float | None
    """Mean of the users' ratings, 1 to 5 stars, or ``None`` without ratings."""
    rating_count: int
    """Number of ratings."""
    items_url: str
    """URL of its items in the API."""
    resource_url: str
    """The list's page on the web."""
    modified: Instant
    """When the list was last changed; aware."""


class ReadingListIssue(IssueRef, frozen=True, kw_only=True):
    """Issue in a reading list."""

    cv_id: int | None = None
    """Comic Vine id, or ``None``."""
    gcd_id: int | None = None
    """Grand Comics Database id, or ``None``."""
    modified: Instant
    """When the issue was last changed; aware."""


class ReadingListItem(Row, frozen=True, kw_only=True):
    """Item of a reading list."""

    id: int
    """Id of the item, not of the issue."""
    issue: ReadingListIssue
    """The issue to read."""
    order: int
    """Position in the list, from 0."""
    issue_type: str
    """Display word of its part in the story, or ``""``: such as ``"Prologue"``, ``"Core Issue"``,
    ``"Tie-In"`` or ``"Epilogue"``."""
