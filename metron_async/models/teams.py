"""Teams of characters."""

from datetime import datetime

from metron_async.models.common import Attribution, Model, NamedRow
from metron_async.models.creators import CreatorSummary
from metron_async.models.universes import UniverseSummary

__all__ = ["Team", "TeamSummary", "TeamWritten"]


class TeamSummary(NamedRow, frozen=True, kw_only=True):
    """A team in a list."""


class _TeamFields(Model, frozen=True, kw_only=True):
    """What a team tells alike when it is read and when it is written.

    Attributes:
        id: Metron's id of the team.
        name: Name of the team.
        desc: Description, or ``""``.
        image: URL of the image, or ``None``.
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
    cv_id: int | None = None
    gcd_id: int | None = None
    resource_url: str
    modified: datetime
    attribution: tuple[Attribution, ...] = ()


class Team(_TeamFields, frozen=True, kw_only=True):
    """A team.

    Attributes:
        creators: Who created it.
        universes: Where it lives.
    """

    creators: tuple[CreatorSummary, ...]
    universes: tuple[UniverseSummary, ...]


class TeamWritten(_TeamFields, frozen=True, kw_only=True):
    """A team as creating or updating it answers.

    Attributes:
        creators: Ids of who created it.
        universes: Ids of the universes where it lives.
    """

    creators: tuple[int, ...] = ()
    universes: tuple[int, ...] = ()
