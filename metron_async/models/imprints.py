"""Imprints of publishers."""

from datetime import datetime

from metron_async.models.common import Attribution, BasicRef, Model, NamedRow

__all__ = ["Imprint", "ImprintSummary", "ImprintWritten"]


class ImprintSummary(NamedRow, frozen=True, kw_only=True):
    """An imprint in a list."""


class _ImprintFields(Model, frozen=True, kw_only=True):
    """What an imprint tells alike when it is read and when it is written.

    Attributes:
        id: Metron's id of the imprint.
        name: Name of the imprint.
        founded: Year of the founding, or ``None``.
        desc: Description, or ``""``.
        image: URL of the logo, or ``None``.
        cv_id: Id at Comic Vine, or ``None``.
        gcd_id: Id at the Grand Comics Database, or ``None``.
        resource_url: The imprint's page on the web.
        modified: When the imprint was last changed; aware.
        attribution: Where its text was taken from; empty on older servers.
    """

    id: int
    name: str
    founded: int | None = None
    desc: str = ""
    image: str | None = None
    cv_id: int | None = None
    gcd_id: int | None = None
    resource_url: str
    modified: datetime
    attribution: tuple[Attribution, ...] = ()


class Imprint(_ImprintFields, frozen=True, kw_only=True):
    """An imprint.

    Attributes:
        publisher: Whose imprint it is.
    """

    publisher: BasicRef


class ImprintWritten(_ImprintFields, frozen=True, kw_only=True):
    """An imprint as creating or updating it answers.

    Attributes:
        publisher: Id of the publisher.
    """

    publisher: int
