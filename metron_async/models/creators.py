"""Creators: writers, artists, and all other credited people."""

from datetime import date

from metron_async.models.base import Instant, Model
from metron_async.models.common import Attribution, NamedRow

__all__ = ["Creator", "CreatorSummary"]


class CreatorSummary(NamedRow, frozen=True, kw_only=True):
    """Creator in a list."""


class Creator(Model, frozen=True, kw_only=True):
    """Creator. Reads and writes return the same fields."""

    id: int
    """Metron's id of the creator."""
    name: str
    """Name of the creator."""
    birth: date | None = None
    """Date of birth, or ``None``."""
    death: date | None = None
    """Date of death, or ``None``."""
    desc: str = ""
    """Biography, or ``""``."""
    image: str | None = None
    """URL of the portrait, or ``None``."""
    alias: tuple[str, ...] = ()
    """Other names."""
    cv_id: int | None = None
    """Comic Vine id, or ``None``."""
    gcd_id: int | None = None
    """Grand Comics Database id, or ``None``."""
    resource_url: str
    """The creator's page on the web."""
    modified: Instant
    """When the creator was last changed; aware."""
    attribution: tuple[Attribution, ...] = ()
    """Sources of the text; empty on older servers."""
