"""Publishers."""

from metron_async.models.base import Instant, Model
from metron_async.models.common import Attribution, NamedRow

__all__ = ["Publisher", "PublisherSummary"]


class PublisherSummary(NamedRow, frozen=True, kw_only=True):
    """Publisher in a list."""


class Publisher(Model, frozen=True, kw_only=True):
    """Publisher. Reads and writes return the same fields."""

    id: int
    """Metron's id of the publisher."""
    name: str
    """Name of the publisher."""
    alt_names: tuple[str, ...] = ()
    """Alternative names."""
    founded: int | None = None
    """Year in which it was founded, or ``None``."""
    country: str = ""
    """Two-letter ISO 3166 country code, such as ``"US"``."""
    desc: str = ""
    """Description, or ``""``."""
    image: str | None = None
    """URL of the logo, or ``None``."""
    cv_id: int | None = None
    """Comic Vine id, or ``None``."""
    gcd_id: int | None = None
    """Grand Comics Database id, or ``None``."""
    resource_url: str
    """The publisher's page on the web."""
    modified: Instant
    """When the publisher was last changed; aware."""
    attribution: tuple[Attribution, ...] = ()
    """Sources of the text; empty on older servers."""
