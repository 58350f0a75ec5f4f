"""Characters."""

from metron_async.models.base import Instant, Model
from metron_async.models.common import Attribution, NamedRow
from metron_async.models.creators import CreatorSummary
from metron_async.models.teams import TeamSummary
from metron_async.models.universes import UniverseSummary

__all__ = ["Character", "CharacterSummary", "CharacterWritten"]


class CharacterSummary(NamedRow, frozen=True, kw_only=True):
    """Character in a list."""


class _CharacterFields(Model, frozen=True, kw_only=True):
    id: int
    """Metron's id of the character."""
    name: str
    """Name of the character."""
    alias: tuple[str, ...] = ()
    """Other names."""
    desc: str = ""
    """Description, or ``""``."""
    image: str | None = None
    """URL of the image, or ``None``."""
    creators: tuple[CreatorSummary | int, ...]
    teams: tuple[TeamSummary | int, ...]
    universes: tuple[UniverseSummary | int, ...]
    cv_id: int | None = None
    """Comic Vine id, or ``None``."""
    gcd_id: int | None = None
    """Grand Comics Database id, or ``None``."""
    resource_url: str
    """The character's page on the web."""
    modified: Instant
    """When the character was last changed; aware."""
    attribution: tuple[Attribution, ...] = ()
    """Sources of the text; empty on older servers."""


class Character(_CharacterFields, frozen=True, kw_only=True):
    """Character."""

    creators: tuple[CreatorSummary, ...]
    """Creators of the character."""
    teams: tuple[TeamSummary, ...]
    """Teams that the character is or was a member of."""
    universes: tuple[UniverseSummary, ...]
    """Universes in which the character lives."""


class CharacterWritten(_CharacterFields, frozen=True, kw_only=True):
    """Character as returned by a write, with ids in place of objects."""

    creators: tuple[int, ...] = ()
    """Ids of its creators."""
    teams: tuple[int, ...] = ()
    """Ids of its teams."""
    universes: tuple[int, ...] = ()
    """Ids of its universes."""
