"""Filters of each list, and their encoding."""

from metron_async.filters.catalogue import (
    ArcFilters,
    CharacterFilters,
    CreatorFilters,
    ImprintFilters,
    IssueFilters,
    PublisherFilters,
    RoleFilters,
    SeriesFilters,
    SeriesTypeFilters,
    TeamFilters,
    UniverseFilters,
)
from metron_async.filters.common import NoFilters
from metron_async.filters.encoding import encode_filters, filter_names
from metron_async.filters.personal import (
    CollectionFilters,
    PullListIssueFilters,
    ReadingListFilters,
)
from metron_async.filters.rows import NEWER_FILTERS, row_matches

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
