"""Series."""

from msgspec import field

from metron_async.models.base import Instant, Model, Row
from metron_async.models.common import Attribution, BasicRef, Genre, SeriesType

__all__ = [
    "AssociatedSeries",
    "PulledSeries",
    "Series",
    "SeriesSummary",
    "SeriesWritten",
]


class AssociatedSeries(Row, frozen=True, kw_only=True):
    """Series that is related to another one."""

    id: int
    """Metron's id of the series."""
    display_name: str = field(name="series")
    """Name with the year, such as ``"Savage Wolf (1966)"``; the API calls it ``series``."""


class _ListedSeries(AssociatedSeries, frozen=True, kw_only=True):
    year_began: int
    """Year of the first issue."""
    year_end: int | None = None
    """Year of the last issue, or ``None``."""
    volume: int
    """Volume number."""
    issue_count: int | None
    modified: Instant
    """When the series was last changed; aware."""
    publisher: BasicRef | None = None
    """Publisher; ``None`` on older servers."""
    series_type: SeriesType | None = None
    """Type of the series; ``None`` on older servers."""
    cv_id: int | None = None
    """Comic Vine id; ``None`` if unknown or on older servers."""
    gcd_id: int | None = None
    """Grand Comics Database id; ``None`` if unknown or on older servers."""


class SeriesSummary(_ListedSeries, frozen=True, kw_only=True):
    """Series in a list."""

    issue_count: int
    """Number of its issues that Metron has."""


class PulledSeries(_ListedSeries, frozen=True, kw_only=True):
    """Series in a pull list."""

    issue_count: int | None = None
    """Number of its issues; ``None``, because the server does not send it here."""


class _SeriesFields(Model, frozen=True, kw_only=True):
    id: int
    """Metron's id of the series."""
    name: str
    """Name of the series, without the year."""
    sort_name: str
    """Name by which lists are sorted, without an article."""
    alt_names: tuple[str, ...] = ()
    """Alternative names."""
    language: str = ""
    """Language code such as ``"en"``, or ``""``."""
    volume: int
    """Volume number."""
    series_type: SeriesType | int
    status: str | int
    publisher: BasicRef | int
    imprint: BasicRef | int | None
    year_began: int
    """Year of the first issue."""
    year_end: int | None = None
    """Year of the last issue, or ``None``."""
    desc: str = ""
    """Description, or ``""``."""
    issue_count: int | None
    genres: tuple[Genre | int, ...]
    associated: tuple[AssociatedSeries | int, ...]
    cv_id: int | None = None
    """Comic Vine id, or ``None``."""
    gcd_id: int | None = None
    """Grand Comics Database id, or ``None``."""
    resource_url: str
    """The series' page on the web."""
    modified: Instant
    """When the series was last changed; aware."""
    attribution: tuple[Attribution, ...] = ()
    """Sources of the text; empty on older servers."""


class Series(_SeriesFields, frozen=True, kw_only=True):
    """Series."""

    series_type: SeriesType
    """Type of the series."""
    status: str
    """Display word, such as ``"Ongoing"``. Filters take a
    :class:`~metron_async.enums.SeriesStatus`."""
    publisher: BasicRef
    """Publisher."""
    imprint: BasicRef | None
    """Imprint under which it appears, or ``None``."""
    issue_count: int
    """Number of its issues that Metron has."""
    genres: tuple[Genre, ...]
    """Genres."""
    associated: tuple[AssociatedSeries, ...]
    """Related series."""


class SeriesWritten(_SeriesFields, frozen=True, kw_only=True):
    """Series as returned by a write, with ids in place of objects."""

    series_type: int
    """Id of the series type."""
    status: int
    """Number of its :class:`~metron_async.enums.SeriesStatus`."""
    publisher: int
    """Id of the publisher."""
    imprint: int | None = None
    """Id of the imprint, or ``None``."""
    issue_count: int | None = None
    """Number of its issues; ``None``, because the server does not send it here."""
    genres: tuple[int, ...] = ()
    """Ids of the genres."""
    associated: tuple[int, ...] = ()
    """Ids of the related series."""
