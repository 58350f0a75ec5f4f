"""Series."""

from msgspec import field

from metron_async.models.common import Attribution, BasicRef, Instant, Model, Row
from metron_async.models.kinds import Genre, SeriesType

__all__ = ["AssociatedSeries", "Series", "SeriesSummary", "SeriesWritten"]


class SeriesSummary(Row, frozen=True, kw_only=True):
    """A series in a list.

    Attributes:
        id: Metron's id of the series.
        display_name: Name with the year, such as ``"Savage Wolf (1966)"``; the API calls it
            ``series``.
        year_began: Year of the first issue.
        year_end: Year of the last issue, or ``None``.
        volume: Number of the volume.
        issue_count: Issues of it that Metron knows.
        modified: When the series was last changed; aware.
        publisher: Who publishes it; ``None`` on older servers.
        series_type: What kind of series it is; ``None`` on older servers.
        cv_id: Id at Comic Vine; ``None`` if unknown or on older servers.
        gcd_id: Id at the Grand Comics Database; ``None`` if unknown or on older servers.
    """

    id: int
    display_name: str = field(name="series")
    year_began: int
    year_end: int | None = None
    volume: int
    issue_count: int
    modified: Instant
    publisher: BasicRef | None = None
    series_type: SeriesType | None = None
    cv_id: int | None = None
    gcd_id: int | None = None


class AssociatedSeries(Row, frozen=True, kw_only=True):
    """A series that goes together with another one.

    Attributes:
        id: Metron's id of that series.
        display_name: Its name with the year; the API calls it ``series``.
    """

    id: int
    display_name: str = field(name="series")


class Series(Model, frozen=True, kw_only=True):
    """A series.

    Attributes:
        id: Metron's id of the series.
        name: Name of the series, without its year.
        sort_name: Name by which lists sort it, without an article.
        alt_names: Other names.
        language: Language code such as ``"en"``, or ``""``.
        volume: Number of the volume.
        series_type: What kind of series it is.
        status: Display word, such as ``"Ongoing"``; filters want a
            :class:`~metron_async.enums.SeriesStatus`.
        publisher: Who publishes it.
        imprint: Imprint that it appears under, or ``None``.
        year_began: Year of the first issue.
        year_end: Year of the last issue, or ``None``.
        desc: Description, or ``""``.
        issue_count: Issues of it that Metron knows.
        genres: Its genres.
        associated: Series that go together with it.
        cv_id: Id at Comic Vine, or ``None``.
        gcd_id: Id at the Grand Comics Database, or ``None``.
        resource_url: The series' page on the web.
        modified: When the series was last changed; aware.
        attribution: Where its text was taken from; empty on older servers.
    """

    id: int
    name: str
    sort_name: str
    alt_names: tuple[str, ...] = ()
    language: str = ""
    volume: int
    series_type: SeriesType
    status: str
    publisher: BasicRef
    imprint: BasicRef | None
    year_began: int
    year_end: int | None = None
    desc: str = ""
    issue_count: int
    genres: tuple[Genre, ...]
    associated: tuple[AssociatedSeries, ...]
    cv_id: int | None = None
    gcd_id: int | None = None
    resource_url: str
    modified: Instant
    attribution: tuple[Attribution, ...] = ()


class SeriesWritten(Model, frozen=True, kw_only=True):
    """A series as creating or updating it answers.

    Attributes:
        id: Metron's id of the series.
        name: Name of the series, without its year.
        sort_name: Name by which lists sort it, without an article.
        alt_names: Other names.
        language: Language code such as ``"en"``, or ``""``.
        volume: Number of the volume.
        series_type: Id of its series type.
        status: Number of its :class:`~metron_async.enums.SeriesStatus`.
        publisher: Id of its publisher.
        imprint: Id of its imprint, or ``None``.
        year_began: Year of the first issue.
        year_end: Year of the last issue, or ``None``.
        desc: Description, or ``""``.
        issue_count: Issues of it; ``None``, since the server leaves it out of this answer.
        genres: Ids of its genres.
        associated: Ids of the series that go together with it.
        cv_id: Id at Comic Vine, or ``None``.
        gcd_id: Id at the Grand Comics Database, or ``None``.
        resource_url: The series' page on the web.
        modified: When the series was last changed; aware.
        attribution: Where its text was taken from; empty on older servers.
    """

    id: int
    name: str
    sort_name: str
    alt_names: tuple[str, ...] = ()
    language: str = ""
    volume: int
    series_type: int
    status: int
    publisher: int
    imprint: int | None = None
    year_began: int
    year_end: int | None = None
    desc: str = ""
    issue_count: int | None = None
    genres: tuple[int, ...] = ()
    associated: tuple[int, ...] = ()
    cv_id: int | None = None
    gcd_id: int | None = None
    resource_url: str
    modified: Instant
    attribution: tuple[Attribution, ...] = ()
