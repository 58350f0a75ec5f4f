"""Universes, such as Earth 2."""

from metron_async.models.base import Instant, Model
from metron_async.models.common import Attribution, BasicRef, NamedRow

__all__ = ["Universe", "UniverseSummary", "UniverseWritten"]


class UniverseSummary(NamedRow, frozen=True, kw_only=True):
    """Universe in a list."""


class _UniverseFields(Model, frozen=True, kw_only=True):
    id: int
    """Metron's id of the universe."""
    publisher: BasicRef | int
    name: str
    """Name of the universe."""
    designation: str = ""
    """Number or label, such as ``"616"``, or ``""``."""
    desc: str = ""
    """Description, or ``""``."""
    gcd_id: int | None = None
    """Grand Comics Database id, or ``None``."""
    image: str | None = None
    """URL of the image, or ``None``."""
    resource_url: str
    """The universe's page on the web."""
    modified: Instant
    """When the universe was last changed; aware."""
    attribution: tuple[Attribution, ...] = ()
    """Sources of the text; empty on older servers."""


class Universe(_UniverseFields, frozen=True, kw_only=True):
    """Universe."""

    publisher: BasicRef
    """Publisher of its stories."""


class UniverseWritten(_UniverseFields, frozen=True, kw_only=True):
    """Universe as returned by a write, with ids in place of objects."""

    publisher: int
    """Id of the publisher."""
