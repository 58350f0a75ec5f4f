"""Imprints of publishers."""

from metron_async.models.base import Instant, Model
from metron_async.models.common import Attribution, BasicRef, NamedRow

__all__ = ["Imprint", "ImprintSummary", "ImprintWritten"]


class ImprintSummary(NamedRow, frozen=True, kw_only=True):
    """Imprint in a list."""


class _ImprintFields(Model, frozen=True, kw_only=True):
    id: int
    """Metron's id of the imprint."""
    name: str
    """Name of the imprint."""
    founded: int | None = None
    """Year in which it was founded, or ``None``."""
    desc: str = ""
    """Description, or ``""``."""
    image: str | None = None
    """URL of the logo, or ``None``."""
    cv_id: int | None = None
    """Comic Vine id, or ``None``."""
    gcd_id: int | None = None
    """Grand Comics Database id, or ``None``."""
    publisher: BasicRef | int
    resource_url: str
    """The imprint's page on the web."""
    modified: Instant
    """When the imprint was last changed; aware."""
    attribution: tuple[Attribution, ...] = ()
    """Sources of the text; empty on older servers."""


class Imprint(_ImprintFields, frozen=True, kw_only=True):
    """Imprint."""

    publisher: BasicRef
    """Publisher of the imprint."""


class ImprintWritten(_ImprintFields, frozen=True, kw_only=True):
    """Imprint as returned by a write, with ids in place of objects."""

    publisher: int
    """Id of the publisher."""
