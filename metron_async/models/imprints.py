"""Imprints of publishers."""

from metron_async.models.common import Attribution, BasicRef, Instant, Model, NamedRow

__all__ = ["Imprint", "ImprintSummary", "ImprintWritten"]


class ImprintSummary(NamedRow, frozen=True, kw_only=True):
    """An imprint in a list."""


class Imprint(Model, frozen=True, kw_only=True):
    """An imprint.

    Attributes:
        id: Metron's id of the imprint.
        name: Name of the imprint.
        founded: Year of the founding, or ``None``.
        desc: Description, or ``""``.
        image: URL of the logo, or ``None``.
        cv_id: Id at Comic Vine, or ``None``.
        gcd_id: Id at the Grand Comics Database, or ``None``.
        publisher: Whose imprint it is.
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
    publisher: BasicRef
    resource_url: str
    modified: Instant
    attribution: tuple[Attribution, ...] = ()


class ImprintWritten(Model, frozen=True, kw_only=True):
    """An imprint as creating or updating it answers.

    Attributes:
        id: Metron's id of the imprint.
        name: Name of the imprint.
        founded: Year of the founding, or ``None``.
        desc: Description, or ``""``.
        image: URL of the logo, or ``None``.
        cv_id: Id at Comic Vine, or ``None``.
        gcd_id: Id at the Grand Comics Database, or ``None``.
        publisher: Id of the publisher.
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
    publisher: int
    resource_url: str
    modified: Instant
    attribution: tuple[Attribution, ...] = ()
