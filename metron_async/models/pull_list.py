"""A user's pull list: the series that the user follows."""

from metron_async.models.base import Instant, Model, Row
from metron_async.models.issues import ListedIssue
from metron_async.models.series import PulledSeries

__all__ = ["PullList", "PullListIssue", "PullListSeries"]


class PullList(Model, frozen=True, kw_only=True):
    """A user's pull list."""

    id: int
    """Id of the pull list."""
    series_count: int
    """Number of series in it."""
    series_url: str
    """URL of these series in the API."""
    modified: Instant
    """When the pull list was last changed; aware."""


class PullListIssue(ListedIssue, frozen=True, kw_only=True):
    """Issue of a series in the pull list."""

    modified: Instant
    """When the issue was last changed; aware."""


class PullListSeries(Row, frozen=True, kw_only=True):
    """Series in a pull list, as lists and adding it return it."""

    id: int
    """Id of this entry, not of the series."""
    series: PulledSeries
    """The series."""
    added_on: Instant
    """When it was added; aware."""
