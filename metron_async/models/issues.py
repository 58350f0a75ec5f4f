"""Single issues."""

from datetime import date
from decimal import Decimal

from msgspec import field

from metron_async.models.arcs import ArcSummary
from metron_async.models.characters import CharacterSummary
from metron_async.models.common import (
    Attribution,
    BasicRef,
    Instant,
    Model,
    Row,
    SeriesRef,
    check_amount,
)
from metron_async.models.credits import Credit
from metron_async.models.kinds import AgeRating, Genre, SeriesType
from metron_async.models.teams import TeamSummary
from metron_async.models.universes import UniverseSummary
from metron_async.models.variants import Variant

__all__ = ["Issue", "IssueSeries", "IssueSummary", "IssueWritten", "Reprint"]


class IssueSummary(Row, frozen=True, kw_only=True):
    """An issue in a list.

    Attributes:
        id: Metron's id of the issue.
        series: The series it belongs to.
        number: Number of the issue; text, such as ``"80.BEY"`` or ``"-1"``.
        issue_name: Series, year and number, such as ``"Savage Wolf (1966) #3"``; the API calls it
            ``issue``.
        cover_date: Date on the cover.
        store_date: Day it went on sale, or ``None``.
        image: URL of the cover, or ``None``.
        cover_hash: Perceptual hash of the cover, 16 hexadecimal digits, or ``""``.
        modified: When the issue was last changed; aware.
    """

    id: int
    series: SeriesRef
    number: str
    issue_name: str = field(name="issue")
    cover_date: date
    store_date: date | None = None
    image: str | None = None
    cover_hash: str = ""
    modified: Instant


class IssueSeries(Row, frozen=True, kw_only=True):
    """The series that an issue belongs to, as the issue tells it.

    Attributes:
        id: Metron's id of the series.
        name: Name of the series, without its year.
        alt_names: Other names.
        sort_name: Name by which lists sort it, without an article.
        volume: Number of the volume.
        year_began: Year of the first issue.
        series_type: What kind of series it is.
        genres: Its genres.
        language: Language code such as ``"en"``, or ``""``.
    """

    id: int
    name: str
    alt_names: tuple[str, ...] = ()
    sort_name: str
    volume: int
    year_began: int
    series_type: SeriesType
    genres: tuple[Genre, ...]
    language: str = ""


class Reprint(Row, frozen=True, kw_only=True):
    """An issue that is reprinted in another one.

    Attributes:
        id: Metron's id of the reprinted issue.
        issue_name: Series, year and number of it; the API calls it ``issue``.
    """

    id: int
    issue_name: str = field(name="issue")


class Issue(Model, frozen=True, kw_only=True):
    """An issue.

    Attributes:
        id: Metron's id of the issue.
        publisher: Who published it.
        imprint: Imprint that it appeared under, or ``None``.
        series: The series it belongs to.
        number: Number of the issue; text, such as ``"80.BEY"`` or ``"-1"``.
        alt_number: Another number it is known by, or ``""``.
        collection_title: Title of a collected edition, or ``""``; the API calls it ``title``.
        story_titles: Titles of the stories inside; the API calls it ``name``.
        cover_date: Date on the cover.
        store_date: Day it went on sale, or ``None``.
        foc_date: Final order cutoff: the last day on which shops could order it, or ``None``.
        price: Cover price, or ``None``.
        price_currency: Code of the price's currency, such as ``"USD"``, or ``""``.
        rating: For whom it is meant.
        sku: Distributor's number, or ``""``.
        isbn: ISBN, or ``""``.
        upc: Barcode, or ``""``.
        page_count: Number of pages, or ``None``; the API calls it ``page``.
        desc: Description, or ``""``.
        image: URL of the cover, or ``None``.
        cover_hash: Perceptual hash of the cover, 16 hexadecimal digits, or ``""``.
        average_rating: Mean of the users' ratings, 1 to 5 stars, or ``None`` if there are none.
        rating_count: How many users rated it.
        arcs: Story arcs it belongs to.
        credits: Who did what.
        characters: Characters that appear.
        teams: Teams that appear.
        universes: Universes it plays in.
        reprints: Issues that it reprints.
        variants: Its variant covers.
        cv_id: Id at Comic Vine, or ``None``.
        gcd_id: Id at the Grand Comics Database, or ``None``.
        resource_url: The issue's page on the web.
        modified: When the issue was last changed; aware. Adding a credit or a variant changes it,
            a new rating or a renamed creator does not.
        desc_is_solicitation: Whether ``desc`` is the publisher's advertisement; ``None`` on older
            servers, which do not tell it.
        attribution: Where its text was taken from; empty on older servers.
    """

    id: int
    publisher: BasicRef
    imprint: BasicRef | None
    series: IssueSeries
    number: str
    alt_number: str = ""
    collection_title: str = field(name="title", default="")
    story_titles: tuple[str, ...] = field(name="name", default=())
    cover_date: date
    store_date: date | None = None
    foc_date: date | None = None
    price: Decimal | None
    price_currency: str
    rating: AgeRating
    sku: str = ""
    isbn: str = ""
    upc: str = ""
    page_count: int | None = field(name="page", default=None)
    desc: str = ""
    image: str | None = None
    cover_hash: str = ""
    average_rating: float | None
    rating_count: int
    arcs: tuple[ArcSummary, ...]
    credits: tuple[Credit, ...]
    characters: tuple[CharacterSummary, ...]
    teams: tuple[TeamSummary, ...]
    universes: tuple[UniverseSummary, ...]
    reprints: tuple[Reprint, ...]
    variants: tuple[Variant, ...]
    cv_id: int | None = None
    gcd_id: int | None = None
    resource_url: str
    modified: Instant
    desc_is_solicitation: bool | None = None
    attribution: tuple[Attribution, ...] = ()

    def __post_init__(self) -> None:
        check_amount(self.price)


class IssueWritten(Model, frozen=True, kw_only=True):
    """An issue as creating or updating it answers. It does not tell ``modified``.

    Attributes:
        id: Metron's id of the issue.
        series: Id of its series.
        number: Number of the issue; text, such as ``"80.BEY"`` or ``"-1"``.
        alt_number: Another number it is known by, or ``""``.
        collection_title: Title of a collected edition, or ``""``; the API calls it ``title``.
        story_titles: Titles of the stories inside; the API calls it ``name``.
        cover_date: Date on the cover.
        store_date: Day it went on sale, or ``None``.
        foc_date: Final order cutoff: the last day on which shops could order it, or ``None``.
        price: Cover price, or ``None``.
        rating: Id of its age rating.
        sku: Distributor's number, or ``""``.
        isbn: ISBN, or ``""``.
        upc: Barcode, or ``""``.
        page_count: Number of pages, or ``None``; the API calls it ``page``.
        desc: Description, or ``""``.
        image: URL of the cover, or ``None``.
        arcs: Ids of its story arcs.
        characters: Ids of the characters that appear.
        teams: Ids of the teams that appear.
        universes: Ids of the universes it plays in.
        reprints: Ids of the issues that it reprints.
        cv_id: Id at Comic Vine, or ``None``.
        gcd_id: Id at the Grand Comics Database, or ``None``.
        resource_url: The issue's page on the web.
        desc_is_solicitation: Whether ``desc`` is the publisher's advertisement; ``None`` on older
            servers, which do not tell it.
    """

    id: int
    series: int
    number: str
    alt_number: str = ""
    collection_title: str = field(name="title", default="")
    story_titles: tuple[str, ...] = field(name="name", default=())
    cover_date: date
    store_date: date | None = None
    foc_date: date | None = None
    price: Decimal | None = None
    rating: int
    sku: str = ""
    isbn: str = ""
    upc: str = ""
    page_count: int | None = field(name="page", default=None)
    desc: str = ""
    image: str | None = None
    arcs: tuple[int, ...] = ()
    characters: tuple[int, ...] = ()
    teams: tuple[int, ...] = ()
    universes: tuple[int, ...] = ()
    reprints: tuple[int, ...] = ()
    cv_id: int | None = None
    gcd_id: int | None = None
    resource_url: str
    desc_is_solicitation: bool | None = None

    def __post_init__(self) -> None:
        check_amount(self.price)
