"""Teams of characters."""

from metron_async.models.base import Instant, Model
from metron_async.models.common import Attribution, NamedRow
from metron_async.models.creators import CreatorSummary
from metron_async.models.universes import UniverseSummary

__all__ = ["Team", "TeamSummary", "TeamWritten"]


class TeamSummary(NamedRow, frozen=True, kw_only=True):
    """Team in a list."""


class _TeamFields(Model, frozen=True, kw_only=True):
    id: int
    """Metron's id of the team."""
    name: str
    """Name of the team."""
    desc: str = ""
    """Description, or ``""``."""
    image: str | None = None
    """URL of the image, or ``None``."""
    creators: tuple[CreatorSummary | int, ...]
    universes: tuple[UniverseSummary | int, ...]
    cv_id: int | None = None
    """Comic Vine id, or ``None``."""
    gcd_id: int | None = None
    """Grand Comics Database id, or ``None``."""
    resource_url: str
    """The team's page on the web."""
    modified: Instant
    """When the team was last changed; aware."""
    attribution: tuple[Attribution, ...] = ()
    """Sources of the text; empty on older servers."""


class Team(_TeamFields, frozen=True, kw_only=True):
    """Team."""

    creators: tuple[CreatorSummary, ...]
    """Creators of the team."""
    universes: tuple[UniverseSummary, ...]
    """Universes in which the team lives."""


class TeamWritten(_TeamFields, frozen=True, kw_only=True):
    """Team as returned by a write, with ids in place of objects."""

    creators: tuple[int, ...] = ()
    """Ids of its creators."""
    universes: tuple[int, ...] = ()
    """Ids of its universes."""
