"""What each list can be asked for, typed, and how that is sent."""

from metron_async.filters.encoding import encode_filters, filter_names
from metron_async.filters.rows import NEWER_FILTERS, row_matches
from metron_async.filters.schema import (
    ArcFilters,
    CharacterFilters,
    CollectionFilters,
    CreatorFilters,
    ImprintFilters,
    IssueFilters,
    NoFilters,
    PublisherFilters,
    PullListIssueFilters,
    ReadingListFilters,
    RoleFilters,
    SeriesFilters,
    SeriesTypeFilters,
    TeamFilters,
    UniverseFilters,
)

__all__ = [
    "NEWER_FILTERS",
    "ArcFilters",
    "CharacterFilters",
    "CollectionFilters",
    "CreatorFilters",
    "ImprintFilters",
    "IssueFilters",
    "NoFilters",
    "PublisherFilters",
    "PullListIssueFilters",
    "ReadingListFilters",
    "RoleFilters",
    "SeriesFilters",
    "SeriesTypeFilters",
    "TeamFilters",
    "UniverseFilters",
    "encode_filters",
    "filter_names",
    "row_matches",
]
