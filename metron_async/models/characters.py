"""Characters."""

from metron_async.models.common import Attribution, Instant, Model, NamedRow
from metron_async.models.creators import CreatorSummary
from metron_async.models.teams import TeamSummary
from metron_async.models.universes import UniverseSummary

__all__ = ["Character", "CharacterSummary", "CharacterWritten"]


class CharacterSummary(NamedRow, frozen=True, kw_only=True):
    """A character in a list."""


class Character(Model, frozen=True, kw_only=True):
    """A character.

    Attributes:
        id: Metron's id of the character.
        name: Name of the character.
        alias: Other names.
        desc: Description, or ``""``.
        image: URL of the image, or ``None``.
        creators: Who created it.
        teams: Teams it is or was a member of.
        universes: Where it lives.
        cv_id: Id at Comic Vine, or ``None``.
        gcd_id: Id at the Grand Comics Database, or ``None``.
        resource_url: The character's page on the web.
        modified: When the character was last changed; aware.
        attribution: Where its text was taken from; empty on older servers.
    """

    id: int
    name: str
    alias: tuple[str, ...] = ()
    desc: str = ""
    image: str | None = None
    creators: tuple[CreatorSummary, ...]
    teams: tuple[TeamSummary, ...]
    universes: tuple[UniverseSummary, ...]
    cv_id: int | None = None
    gcd_id: int | None = None
    resource_url: str
    modified: Instant
    attribution: tuple[Attribution, ...] = ()


class CharacterWritten(Model, frozen=True, kw_only=True):
    """A character as creating or updating it answers.

    Attributes:
        id: Metron's id of the character.
        name: Name of the character.
        alias: Other names.
        desc: Description, or ``""``.
        image: URL of the image, or ``None``.
        creators: Ids of who created it.
        teams: Ids of its teams.
        universes: Ids of the universes where it lives.
        cv_id: Id at Comic Vine, or ``None``.
        gcd_id: Id at the Grand Comics Database, or ``None``.
        resource_url: The character's page on the web.
        modified: When the character was last changed; aware.
        attribution: Where its text was taken from; empty on older servers.
    """

    id: int
    name: str
    alias: tuple[str, ...] = ()
    desc: str = ""
    image: str | None = None
    creators: tuple[int, ...] = ()
    teams: tuple[int, ...] = ()
    universes: tuple[int, ...] = ()
    cv_id: int | None = None
    gcd_id: int | None = None
    resource_url: str
    modified: Instant
    attribution: tuple[Attribution, ...] = ()
