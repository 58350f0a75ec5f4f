"""Lists that can be mirrored: every list of the API whose rows have ids."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import msgspec

from metron_async import filters, models
from metron_async.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SOURCES", "Source", "checked_filters", "source_of"]


class Source(msgspec.Struct, frozen=True):
    """One list of the API."""

    name: str
    """Name of the list, of the client's namespace, and of the table."""
    path: str
    """Path below the API's root."""
    row: type[Any]
    """Type of the rows."""
    filters: type[Any]
    """``TypedDict`` of the filters."""
    detail: type[Any] | None = None
    """Type of the complete objects, or ``None`` if they cannot be mirrored."""
    by_change: bool = True
    """Whether ``modified_gt`` selects all rows that have changed. If not, each run walks the whole
    list."""
    traced: bool = True
    """Whether ``modified_gt`` selects at least the rows that were added or have moved."""

    @property
    def detail_table(self) -> str:
        """Return the name of the table of the complete objects."""
        return f"{self.path.partition('/')[0]}_details"


def _catalogued(name: str, noun: str) -> Source:
    """Return the source for one of the lists whose types have regular names."""
    detail: type[Any] = getattr(models, noun)
    row: type[Any] = getattr(models, f"{noun}Summary")
    filters_of: type[Any] = getattr(filters, f"{noun}Filters")
    path = "".join(f"_{c.lower()}" if c.isupper() else c for c in noun).lstrip("_")
    return Source(name, f"{path}/", row, filters_of, detail)


# Reading an issue once more does not change `modified` of a collection item, and the rows of wish
# list and pull list cannot be filtered by it. These lists are walked completely.
_PRIVATE = (
    Source(
        "collection",
        "collection/",
        models.CollectionSummary,
        filters.CollectionFilters,
        by_change=False,
    ),
    Source(
        "pull_list",
        "pull_list/series/",
        models.PullListSeries,
        filters.NoFilters,
        by_change=False,
        traced=False,
    ),
    Source(
        "wish_list",
        "wish_list/items/",
        models.WishListItemSummary,
        filters.NoFilters,
        by_change=False,
        traced=False,
    ),
)

_ALL = (
    _catalogued("arcs", "Arc"),
    _catalogued("characters", "Character"),
    _catalogued("creators", "Creator"),
    _catalogued("imprints", "Imprint"),
    _catalogued("issues", "Issue"),
    _catalogued("publishers", "Publisher"),
    _catalogued("reading_lists", "ReadingList"),
    _catalogued("series", "Series"),
    _catalogued("teams", "Team"),
    _catalogued("universes", "Universe"),
    Source("roles", "role/", models.Role, filters.RoleFilters),
    Source("series_types", "series_type/", models.SeriesType, filters.SeriesTypeFilters),
    *_PRIVATE,
)

SOURCES: Mapping[str, Source] = {
    source.name: source for source in sorted(_ALL, key=operator.attrgetter("name"))
}
"""Every list that can be mirrored, by its name."""


def source_of(name: str) -> Source:
    """Return the list called *name*.

    Raises:
        UsageError: If the list does not exist.
    """
    found = SOURCES.get(name)
    if found is None:
        msg = f"Unknown list {name!r}; the lists that can be mirrored are {', '.join(SOURCES)}"
        raise UsageError(msg)
    return found


def checked_filters(
    name: str, given: Mapping[str, object], *, details: bool
) -> tuple[tuple[str, str], ...]:
    """Return filters as they are sent, if such a list can be mirrored.

    Args:
        name: Name of the list.
        given: Filters as Python values.
        details: Whether the complete objects are wanted.

    Raises:
        UsageError: If the list or a filter does not exist, or if the list has no complete objects.
    """
    source = source_of(name)
    if details and source.detail is None:
        msg = f"details=True is not supported for {name}: it has no complete objects to mirror"
        raise UsageError(msg)
    return filters.encode_filters(source.filters, given)
