"""Teams of characters."""

from metron_async.models.common import Attribution, Instant, Model, NamedRow
from metron_async.models.creators import CreatorSummary
from metron_async.models.universes import UniverseSummary

__all__ = ["Team", "TeamSummary", "TeamWritten"]


class TeamSummary(NamedRow, frozen=True, kw_only=True):
    """A team in a list."""


class Team(Model, frozen=True, kw_only=True):
    """A team.

    Attributes:
        id: Metron's id of the team.
        name: Name of the team.
        desc: Description, or ``""``.
        image: URL of the image, or ``None``.
        creators: Who created it.
        universes: Where it lives.
        cv_id: Id at Comic Vine, or ``None``.
        gcd_id: Id at the Grand Comics Database, or ``None``.
        resource_url: The team's page on the web.
        modified: When the team was last changed; aware.
        attribution: Where its text was taken from; empty on older servers.
    """

    id: int
    name: str
    desc: str = ""
    image: str | None = None
    creators: tuple[CreatorSummary, ...]
    universes: tuple[UniverseSummary, ...]
    cv_id: int | None = None
    gcd_id: int | None = None
    resource_url: str
    modified: Instant
    attribution: tuple[Attribution, ...] = ()


class TeamWritten(Model, frozen=True, kw_only=True):
    """A team as creating or updating it answers.

    Attributes:
        id: Metron's id of the team.
        name: Name of the team.
        desc: Description, or ``""``.
        image: URL of the image, or ``None``.
        creators: Ids of who created it.
        universes: Ids of the universes where it lives.
        cv_id: Id at Comic Vine, or ``None``.
        gcd_id: Id at the Grand Comics Database, or ``None``.
        resource_url: The team's page on the web.
        modified: When the team was last changed; aware.
        attribution: Where its text was taken from; empty on older servers.
    """

    id: int
    name: str
    desc: str = ""
    image: str | None = None
    creators: tuple[int, ...] = ()
    universes: tuple[int, ...] = ()
    cv_id: int | None = None
    gcd_id: int | None = None
    resource_url: str
    modified: Instant
    attribution: tuple[Attribution, ...] = ()
