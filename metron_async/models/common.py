"""Small objects nested in many models, and the page of a list."""

from datetime import date
from typing import Generic, TypeVar

import msgspec

from metron_async.models.base import Instant, Row

__all__ = [
    "AgeRating",
    "Attribution",
    "BasicRef",
    "Genre",
    "NamedRow",
    "PageBody",
    "Role",
    "SeriesRef",
    "SeriesType",
    "User",
]

T = TypeVar("T")


class PageBody(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One page of a list as the server sends it."""

    count: int
    """Number of rows in the whole list, over all pages."""
    next: str | None = None
    """Absolute URL of the next page, or ``None`` on the last."""
    previous: str | None = None
    """Absolute URL of the previous page, or ``None`` on the first."""
    results: list[T]
    """The rows of this page, in the server's order."""


class BasicRef(Row, frozen=True, kw_only=True):
    """Reference to another object."""

    id: int
    """Metron's id of the object."""
    name: str
    """Its name."""


class NamedRow(BasicRef, frozen=True, kw_only=True):
    """Row with an object's id, name and time of change.

    Nested in a detail it can be outdated: a change of that object does not change the detail.
    """

    modified: Instant
    """When the object was last changed; aware."""


class SeriesRef(BasicRef, frozen=True, kw_only=True):
    """Series of an issue, as rows of issues show it; ``name`` is without the year."""

    volume: int
    """Volume number."""
    year_began: int
    """Year of the first issue."""


class IssueRef(Row, frozen=True, kw_only=True):
    """Issue nested in another object."""

    id: int
    """Metron's id of the issue."""
    series: SeriesRef
    """Series of the issue."""
    number: str
    """Issue number; a string, such as ``"80.BEY"`` or ``"-1"``."""
    cover_date: date
    """Date on the cover."""
    store_date: date | None = None
    """Day it goes on sale, or ``None``."""


class Role(BasicRef, frozen=True, kw_only=True):
    """Role of a creator, such as ``"Writer"``."""


class SeriesType(BasicRef, frozen=True, kw_only=True):
    """Type of a series, such as ``"Limited Series"``."""


class Genre(BasicRef, frozen=True, kw_only=True):
    """Genre, such as ``"War"``."""


class AgeRating(BasicRef, frozen=True, kw_only=True):
    """Age rating of an issue, such as ``"Mature"``; the API calls it ``rating``."""


class User(Row, frozen=True, kw_only=True):
    """User of Metron."""

    id: int
    """Metron's id of the user."""
    username: str
    """The user's name."""


class Attribution(Row, frozen=True, kw_only=True):
    """Source of a record's text; older servers do not send it."""

    source: str
    """Name of the source."""
    url: str
    """Page at the source."""
