"""Story arcs."""

from metron_async.models.base import Instant, Model
from metron_async.models.common import Attribution, NamedRow

__all__ = ["Arc", "ArcSummary"]


class ArcSummary(NamedRow, frozen=True, kw_only=True):
    """Story arc in a list."""


class Arc(Model, frozen=True, kw_only=True):
    """Story arc. Reads and writes return the same fields."""

    id: int
    """Metron's id of the arc."""
    name: str
    """Name of the arc."""
    desc: str = ""
    """Description, or ``""``."""
    image: str | None = None
    """URL of the image, or ``None``."""
    cv_id: int | None = None
    """Comic Vine id, or ``None``."""
    gcd_id: int | None = None
    """Grand Comics Database id, or ``None``."""
    resource_url: str
    """The arc's page on the web."""
    modified: Instant
    """When the arc was last changed; aware."""
    attribution: tuple[Attribution, ...] = ()
    """Sources of the text; empty on older servers."""
