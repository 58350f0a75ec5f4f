"""Universes, such as Earth 2."""

from metron_async.models.common import Attribution, BasicRef, Instant, Model, NamedRow

__all__ = ["Universe", "UniverseSummary", "UniverseWritten"]


class UniverseSummary(NamedRow, frozen=True, kw_only=True):
    """A universe in a list."""


class Universe(Model, frozen=True, kw_only=True):
    """A universe.

    Attributes:
        id: Metron's id of the universe.
        publisher: Who publishes its stories.
        name: Name of the universe.
        designation: Its number or label, such as ``"616"``, or ``""``.
        desc: Description, or ``""``.
        gcd_id: Id at the Grand Comics Database, or ``None``.
        image: URL of the image, or ``None``.
        resource_url: The universe's page on the web.
        modified: When the universe was last changed; aware.
        attribution: Where its text was taken from; empty on older servers.
    """

    id: int
    publisher: BasicRef
    name: str
    designation: str = ""
    desc: str = ""
    gcd_id: int | None = None
    image: str | None = None
    resource_url: str
    modified: Instant
    attribution: tuple[Attribution, ...] = ()


class UniverseWritten(Model, frozen=True, kw_only=True):
    """A universe as creating or updating it answers.

    Attributes:
        id: Metron's id of the universe.
        publisher: Id of the publisher.
        name: Name of the universe.
        designation: Its number or label, such as ``"616"``, or ``""``.
        desc: Description, or ``""``.
        gcd_id: Id at the Grand Comics Database, or ``None``.
        image: URL of the image, or ``None``.
        resource_url: The universe's page on the web.
        modified: When the universe was last changed; aware.
        attribution: Where its text was taken from; empty on older servers.
    """

    id: int
    publisher: int
    name: str
    designation: str = ""
    desc: str = ""
    gcd_id: int | None = None
    image: str | None = None
    resource_url: str
    modified: Instant
    attribution: tuple[Attribution, ...] = ()
