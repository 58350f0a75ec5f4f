"""Reading lists and what is in them."""

from datetime import date

from metron_async.models.common import BasicRef, Instant, Model, Row, SeriesRef, User

__all__ = ["ReadingList", "ReadingListIssue", "ReadingListItem", "ReadingListSummary"]


class ReadingListSummary(Row, frozen=True, kw_only=True):
    """A reading list in a list.

    Attributes:
        id: Metron's id of the reading list.
        name: Name of the list.
        slug: Name as it stands in URLs.
        user: Whose list it is.
        list_type: Code of what it follows, such as ``"EVENT"``, or ``""``; see
            :class:`~metron_async.enums.ListType`.
        is_private: Whether only its owner can see it.
        attribution_source: Code of where it was taken from, such as ``"CBRO"``, or ``""``; see
            :class:`~metron_async.enums.AttributionSource`.
        average_rating: Mean of the users' ratings, 1 to 5 stars, or ``None`` if there are none.
        rating_count: How many users rated it.
        modified: When the list was last changed; aware.
    """

    id: int
    name: str
    slug: str
    user: User
    list_type: str
    is_private: bool
    attribution_source: str = ""
    average_rating: float | None
    rating_count: int
    modified: Instant


class ReadingList(Model, frozen=True, kw_only=True):
    """A reading list; its issues are a list of their own.

    Attributes:
        id: Metron's id of the reading list.
        user: Whose list it is.
        name: Name of the list.
        slug: Name as it stands in URLs.
        desc: Description, or ``""``.
        image: URL of the image, or ``None``.
        list_type: Display word of what it follows, such as ``"Event"``, or ``""``.
        is_private: Whether only its owner can see it.
        attribution_source: Display name of where it was taken from, or ``""``.
        attribution_url: Page it was taken from, or ``""`` as the server sends it.
        previous: Reading list to read before, or ``None``.
        next: Reading list to read after, or ``None``.
        average_rating: Mean of the users' ratings, 1 to 5 stars, or ``None`` if there are none.
        rating_count: How many users rated it.
        items_url: URL of its items in the API.
        resource_url: The list's page on the web.
        modified: When the list was last changed; aware.
    """

    id: int
    user: User
    name: str
    slug: str
    desc: str = ""
    image: str | None
    list_type: str
    is_private: bool
    attribution_source: str
    attribution_url: str = ""
    previous: BasicRef | None
    next: BasicRef | None
    average_rating: float | None
    rating_count: int
    items_url: str
    resource_url: str
    modified: Instant


class ReadingListIssue(Row, frozen=True, kw_only=True):
    """An issue inside of a reading list.

    Attributes:
        id: Metron's id of the issue.
        series: The series it belongs to.
        number: Number of the issue; text.
        cover_date: Date on the cover.
        store_date: Day it went on sale, or ``None``.
        cv_id: Id at Comic Vine, or ``None``.
        gcd_id: Id at the Grand Comics Database, or ``None``.
        modified: When the issue was last changed; aware.
    """

    id: int
    series: SeriesRef
    number: str
    cover_date: date
    store_date: date | None = None
    cv_id: int | None = None
    gcd_id: int | None = None
    modified: Instant


class ReadingListItem(Row, frozen=True, kw_only=True):
    """One place of a reading list.

    Attributes:
        id: Id of the place, not of the issue.
        issue: The issue to read.
        order: Position in the list, from 0.
        issue_type: Display word of its part in the story, such as ``"Prologue"``,
            ``"Core Issue"``, ``"Tie-In"`` or ``"Epilogue"``, or ``""``.
    """

    id: int
    issue: ReadingListIssue
    order: int
    issue_type: str
