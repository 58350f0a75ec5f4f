"""Publishers."""

from metron_async.models.common import Attribution, Instant, Model, NamedRow

__all__ = ["Publisher", "PublisherSummary"]


class PublisherSummary(NamedRow, frozen=True, kw_only=True):
    """A publisher in a list."""


class Publisher(Model, frozen=True, kw_only=True):
    """A publisher; reads and writes answer it alike.

    Attributes:
        id: Metron's id of the publisher.
        name: Name of the publisher.
        alt_names: Other names.
        founded: Year of the founding, or ``None``.
        country: Country as ISO 3166 code of two letters, such as ``"US"``.
        desc: Description, or ``""``.
        image: URL of the logo, or ``None``.
        cv_id: Id at Comic Vine, or ``None``.
        gcd_id: Id at the Grand Comics Database, or ``None``.
        resource_url: The publisher's page on the web.
        modified: When the publisher was last changed; aware.
        attribution: Where its text was taken from; empty on older servers.
    """

    id: int
    name: str
    alt_names: tuple[str, ...] = ()
    founded: int | None = None
    country: str = ""
    desc: str = ""
    image: str | None = None
    cv_id: int | None = None
    gcd_id: int | None = None
    resource_url: str
    modified: Instant
    attribution: tuple[Attribution, ...] = ()
