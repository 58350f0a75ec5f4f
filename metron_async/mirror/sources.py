"""What can be mirrored: every list of the API that has an id for each row."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from metron_async import filters, models
from metron_async.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SOURCES", "Source", "checked_filters", "source_of"]


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """One list of the API.

    Attributes:
        name: Its name: that of the client's namespace, and of the table.
        path: Its path below the API's root.
        row: Type of its rows.
        filters: ``TypedDict`` of its filters.
        detail: Type of the objects in full, or ``None`` if there are none to mirror.
        by_change: Whether ``modified_gt`` tells all that has changed. Where it does not, each run
            walks the whole list.
    """

    name: str
    path: str
    row: type[Any]
    filters: type[Any]
    detail: type[Any] | None = None
    by_change: bool = True

    @property
    def detail_table(self) -> str:
        """Name of the table of the objects in full."""
        return f"{self.path.partition('/')[0]}_details"


# Reading an issue once more does not move the `modified` of a collection's item, and the rows of
# wish list and pull list cannot be asked for by change at all: these are walked in full.
SOURCES: Mapping[str, Source] = {
    source.name: source
    for source in (
        Source("arcs", "arc/", models.ArcSummary, filters.ArcFilters, models.Arc),
        Source(
            "characters",
            "character/",
            models.CharacterSummary,
            filters.CharacterFilters,
            models.Character,
        ),
        Source(
            "collection",
            "collection/",
            models.CollectionSummary,
            filters.CollectionFilters,
            by_change=False,
        ),
        Source(
            "creators", "creator/", models.CreatorSummary, filters.CreatorFilters, models.Creator
        ),
        Source(
            "imprints", "imprint/", models.ImprintSummary, filters.ImprintFilters, models.Imprint
        ),
        Source("issues", "issue/", models.IssueSummary, filters.IssueFilters, models.Issue),
        Source(
            "publishers",
            "publisher/",
            models.PublisherSummary,
            filters.PublisherFilters,
            models.Publisher,
        ),
        Source(
            "pull_list",
            "pull_list/series/",
            models.PullListSeries,
            filters.NoFilters,
            by_change=False,
        ),
        Source(
            "reading_lists",
            "reading_list/",
            models.ReadingListSummary,
            filters.ReadingListFilters,
            models.ReadingList,
        ),
        Source("roles", "role/", models.Role, filters.RoleFilters),
        Source("series", "series/", models.SeriesSummary, filters.SeriesFilters, models.Series),
        Source("series_types", "series_type/", models.SeriesType, filters.SeriesTypeFilters),
        Source("teams", "team/", models.TeamSummary, filters.TeamFilters, models.Team),
        Source(
            "universes",
            "universe/",
            models.UniverseSummary,
            filters.UniverseFilters,
            models.Universe,
        ),
        Source(
            "wish_list",
            "wish_list/items/",
            models.WishListItemSummary,
            filters.NoFilters,
            by_change=False,
        ),
    )
}
"""Every list that can be mirrored, by its name."""


def source_of(name: str) -> Source:
    """Return the list called *name*.

    Raises:
        UsageError: If there is no such list.
    """
    found = SOURCES.get(name)
    if found is None:
        msg = f"There is no list {name!r} to mirror; there are {', '.join(sorted(SOURCES))}"
        raise UsageError(msg)
    return found


def checked_filters(
    name: str, given: Mapping[str, object], *, details: bool
) -> tuple[tuple[str, str], ...]:
    """Return filters as they are sent, if such a list can be mirrored.

    Args:
        name: Name of the list.
        given: Its filters as Python values.
        details: Whether the objects are wanted in full.

    Raises:
        UsageError: If there is no such list or filter, or if it has no objects in full.
    """
    source = source_of(name)
    if details and source.detail is None:
        msg = f"{name} has no objects in full to mirror"
        raise UsageError(msg)
    return filters.encode_filters(source.filters, given)
