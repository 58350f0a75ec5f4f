"""Single issues.

:class:`Issue` and :class:`IssueWritten` share no base: fields are encoded in the server's order,
which interleaves fields of the one with those of both, while a base's fields come first.
"""

from datetime import date
from decimal import Decimal

from msgspec import field

from metron_async.models.arcs import ArcSummary
from metron_async.models.base import Instant, Model, Row, check_amount
from metron_async.models.characters import CharacterSummary
from metron_async.models.common import (
    AgeRating,
    Attribution,
    BasicRef,
    Genre,
    SeriesRef,
    SeriesType,
)
from metron_async.models.credits import Credit
from metron_async.models.teams import TeamSummary
from metron_async.models.universes import UniverseSummary
from metron_async.models.variants import Variant

__all__ = ["Issue", "IssueSeries", "IssueSummary", "IssueWritten", "Reprint"]


class ListedIssue(Row, frozen=True, kw_only=True):
    """Fields that the rows of all lists of issues have."""

    id: int
    """Metron's id of the issue."""
    series: SeriesRef
    """Series of the issue."""
    number: str
    """Issue number; a string, such as ``"80.BEY"`` or ``"-1"``."""
    issue_name: str = field(name="issue")
    """Series, year and number, such as ``"Savage Wolf (1966) #3"``; the API calls it ``issue``."""
    cover_date: date
    """Date on the cover."""
    store_date: date | None = None
    """Day it goes on sale, or ``None``."""
    image: str | None = None
    """URL of the cover, or ``None``."""


class IssueSummary(ListedIssue, frozen=True, kw_only=True):
    """Issue in a list."""

    cover_hash: str = ""
    """Perceptual hash of the cover, 16 hexadecimal digits, or ``""``."""
    modified: Instant
    """When the issue was last changed; aware."""


class IssueSeries(Row, frozen=True, kw_only=True):
    """Series of an issue, as the issue's detail shows it."""

    id: int
    """Metron's id of the series."""
    name: str
    """Name of the series, without the year."""
    alt_names: tuple[str, ...] = ()
    """Alternative names."""
    sort_name: str
    """Name by which lists are sorted, without an article."""
    volume: int
    """Volume number."""
    year_began: int
    """Year of the first issue."""
    series_type: SeriesType
    """Type of the series."""
    genres: tuple[Genre, ...]
    """Genres."""
    language: str = ""
    """Language code such as ``"en"``, or ``""``."""


class Reprint(Row, frozen=True, kw_only=True):
    """Issue that is reprinted in another one."""

    id: int
    """Metron's id of the reprinted issue."""
    issue_name: str = field(name="issue")
    """Series, year and number of it; the API calls it ``issue``."""


class Issue(Model, frozen=True, kw_only=True):
    """Issue."""

    id: int
    """Metron's id of the issue."""
    publisher: BasicRef
    """Publisher."""
    imprint: BasicRef | None
    """Imprint under which it appeared, or ``None``."""
    series: IssueSeries
    """Series of the issue."""
    number: str
    """Issue number; a string, such as ``"80.BEY"`` or ``"-1"``."""
    alt_number: str = ""
    """Alternative number, or ``""``."""
    collection_title: str = field(name="title", default="")
    """Title of a collected edition, or ``""``; the API calls it ``title``."""
    story_titles: tuple[str, ...] = field(name="name", default=())
    """Titles of the stories in it; the API calls it ``name``."""
    cover_date: date
    """Date on the cover."""
    store_date: date | None = None
    """Day it goes on sale, or ``None``."""
    foc_date: date | None = None
    """Final order cutoff: the last day on which shops can order it, or ``None``."""
    price: Decimal | None
    """Cover price, or ``None``."""
    price_currency: str
    """Currency code of the price, such as ``"USD"``, or ``""``."""
    rating: AgeRating
    """Age rating."""
    sku: str = ""
    """Distributor's number, or ``""``."""
    isbn: str = ""
    """ISBN, or ``""``."""
    upc: str = ""
    """Barcode, or ``""``."""
    page_count: int | None = field(name="page", default=None)
    """Number of pages, or ``None``; the API calls it ``page``."""
    desc: str = ""
    """Description, or ``""``."""
    image: str | None = None
    """URL of the cover, or ``None``."""
    cover_hash: str = ""
    """Perceptual hash of the cover, 16 hexadecimal digits, or ``""``."""
    average_rating: float | None
    """Mean of the users' ratings, 1 to 5 stars, or ``None`` without ratings."""
    rating_count: int
    """Number of ratings."""
    arcs: tuple[ArcSummary, ...]
    """Story arcs that it belongs to."""
    credits: tuple[Credit, ...]
    """Creators and their roles."""
    characters: tuple[CharacterSummary, ...]
    """Characters that appear."""
    teams: tuple[TeamSummary, ...]
    """Teams that appear."""
    universes: tuple[UniverseSummary, ...]
    """Universes in which it plays."""
    reprints: tuple[Reprint, ...]
    """Issues that it reprints."""
    variants: tuple[Variant, ...]
    """Variant covers."""
    cv_id: int | None = None
    """Comic Vine id, or ``None``."""
    gcd_id: int | None = None
    """Grand Comics Database id, or ``None``."""
    resource_url: str
    """The issue's page on the web."""
    modified: Instant
    """When the issue was last changed; aware. A new credit or variant changes it, a new rating or a
    renamed creator does not."""
    desc_is_solicitation: bool | None = None
    """Whether ``desc`` is the publisher's advertisement; ``None`` on older servers."""
    attribution: tuple[Attribution, ...] = ()
    """Sources of the text; empty on older servers."""

    def __post_init__(self) -> None:
        check_amount(self.price)


class IssueWritten(Model, frozen=True, kw_only=True):
    """Issue as returned by a write, with ids in place of objects and without ``modified``."""

    id: int
    """Metron's id of the issue."""
    series: int
    """Id of its series."""
    number: str
    """Issue number; a string, such as ``"80.BEY"`` or ``"-1"``."""
    alt_number: str = ""
    """Alternative number, or ``""``."""
    collection_title: str = field(name="title", default="")
    """Title of a collected edition, or ``""``; the API calls it ``title``."""
    story_titles: tuple[str, ...] = field(name="name", default=())
    """Titles of the stories in it; the API calls it ``name``."""
    cover_date: date
    """Date on the cover."""
    store_date: date | None = None
    """Day it goes on sale, or ``None``."""
    foc_date: date | None = None
    """Final order cutoff: the last day on which shops can order it, or ``None``."""
    price: Decimal | None = None
    """Cover price, or ``None``."""
    rating: int
    """Id of its age rating."""
    sku: str = ""
    """Distributor's number, or ``""``."""
    isbn: str = ""
    """ISBN, or ``""``."""
    upc: str = ""
    """Barcode, or ``""``."""
    page_count: int | None = field(name="page", default=None)
    """Number of pages, or ``None``; the API calls it ``page``."""
    desc: str = ""
    """Description, or ``""``."""
    image: str | None = None
    """URL of the cover, or ``None``."""
    arcs: tuple[int, ...] = ()
    """Ids of its story arcs."""
    characters: tuple[int, ...] = ()
    """Ids of the characters that appear."""
    teams: tuple[int, ...] = ()
    """Ids of the teams that appear."""
    universes: tuple[int, ...] = ()
    """Ids of the universes in which it plays."""
    reprints: tuple[int, ...] = ()
    """Ids of the issues that it reprints."""
    cv_id: int | None = None
    """Comic Vine id, or ``None``."""
    gcd_id: int | None = None
    """Grand Comics Database id, or ``None``."""
    resource_url: str
    """The issue's page on the web."""
    desc_is_solicitation: bool | None = None
    """Whether ``desc`` is the publisher's advertisement; ``None`` on older servers."""

    def __post_init__(self) -> None:
        check_amount(self.price)
