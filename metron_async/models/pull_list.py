"""A user's pull list: the series that are followed."""

from datetime import date

from msgspec import field

from metron_async.models.common import BasicRef, Instant, Model, Row, SeriesRef
from metron_async.models.kinds import SeriesType

__all__ = ["PullList", "PullListIssue", "PullListSeries", "PulledSeries"]


class PullList(Model, frozen=True, kw_only=True):
    """A user's pull list.

    Attributes:
        id: Id of the pull list.
        series_count: Series that are followed.
        series_url: URL of those series in the API.
        modified: When the list was last changed; aware.
    """

    id: int
    series_count: int
    series_url: str
    modified: Instant


class PullListIssue(Row, frozen=True, kw_only=True):
    """An issue of a series that is followed.

    Attributes:
        id: Metron's id of the issue.
        series: The series it belongs to.
        number: Number of the issue; text.
        issue_name: Series, year and number; the API calls it ``issue``.
        cover_date: Date on the cover.
        store_date: Day it goes on sale, or ``None``.
        image: URL of the cover, or ``None``.
        modified: When the issue was last changed; aware.
    """

    id: int
    series: SeriesRef
    number: str
    issue_name: str = field(name="issue")
    cover_date: date
    store_date: date | None = None
    image: str | None = None
    modified: Instant


class PulledSeries(Row, frozen=True, kw_only=True):
    """A series inside of a pull list.

    Attributes:
        id: Metron's id of the series.
        display_name: Name with the year; the API calls it ``series``.
        year_began: Year of the first issue.
        year_end: Year of the last issue, or ``None``.
        volume: Number of the volume.
        issue_count: Issues of it, or ``None``: the server leaves it out here.
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
    issue_count: int | None = None
    modified: Instant
    publisher: BasicRef | None = None
    series_type: SeriesType | None = None
    cv_id: int | None = None
    gcd_id: int | None = None


class PullListSeries(Row, frozen=True, kw_only=True):
    """A series that is followed; adding one answers it too.

    Attributes:
        id: Id of this entry, not of the series.
        series: The series.
        added_on: When it was added; aware.
    """

    id: int
    series: PulledSeries
    added_on: Instant
