"""Story arcs."""

from metron_async.models.common import Attribution, Instant, Model, NamedRow

__all__ = ["Arc", "ArcSummary"]


class ArcSummary(NamedRow, frozen=True, kw_only=True):
    """A story arc in a list."""


class Arc(Model, frozen=True, kw_only=True):
    """A story arc; reads and writes answer it alike.

    Attributes:
        id: Metron's id of the arc.
        name: Name of the arc.
        desc: Description, or ``""``.
        image: URL of the image, or ``None``.
        cv_id: Id at Comic Vine, or ``None``.
        gcd_id: Id at the Grand Comics Database, or ``None``.
        resource_url: The arc's page on the web.
        modified: When the arc was last changed; aware.
        attribution: Where its text was taken from; empty on older servers.
    """

    id: int
    name: str
    desc: str = ""
    image: str | None = None
    cv_id: int | None = None
    gcd_id: int | None = None
    resource_url: str
    modified: Instant
    attribution: tuple[Attribution, ...] = ()
