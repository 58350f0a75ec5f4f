"""Creators: writers, artists, and everybody else who is credited."""

from datetime import date

from metron_async.models.common import Attribution, Instant, Model, NamedRow

__all__ = ["Creator", "CreatorSummary"]


class CreatorSummary(NamedRow, frozen=True, kw_only=True):
    """A creator in a list."""


class Creator(Model, frozen=True, kw_only=True):
    """A creator; reads and writes answer it alike.

    Attributes:
        id: Metron's id of the creator.
        name: Name of the creator.
        birth: Date of birth, or ``None``.
        death: Date of death, or ``None``.
        desc: Biography, or ``""``.
        image: URL of the portrait, or ``None``.
        alias: Other names.
        cv_id: Id at Comic Vine, or ``None``.
        gcd_id: Id at the Grand Comics Database, or ``None``.
        resource_url: The creator's page on the web.
        modified: When the record was last changed; aware.
        attribution: Where its text was taken from; empty on older servers.
    """

    id: int
    name: str
    birth: date | None = None
    death: date | None = None
    desc: str = ""
    image: str | None = None
    alias: tuple[str, ...] = ()
    cv_id: int | None = None
    gcd_id: int | None = None
    resource_url: str
    modified: Instant
    attribution: tuple[Attribution, ...] = ()
