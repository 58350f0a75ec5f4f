"""Records of the catalogue: mutable, compact, related by id."""

from __future__ import annotations

import datetime as dt  # noqa: TC003 - msgspec resolves annotations at run time
import re
import unicodedata

import msgspec

__all__ = [
    "Arc",
    "Character",
    "Creator",
    "Credit",
    "Imprint",
    "Issue",
    "Publisher",
    "ReadingItem",
    "ReadingList",
    "Record",
    "Series",
    "Team",
    "Term",
    "Universe",
    "Variant",
    "slug",
]

_NOT_WORD = re.compile(r"[^a-z0-9]+")


def slug(text: str) -> str:
    """Return *text* in the form of URLs."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return _NOT_WORD.sub("-", plain).strip("-")


class Record(msgspec.Struct, kw_only=True):
    """Base of records: id, name, and time of the last change in UTC."""

    id: int
    name: str = ""
    modified: dt.datetime
    desc: str = ""
    image: str | None = None
    cv_id: int | None = None
    gcd_id: int | None = None
    slug: str = ""


class Term(Record, kw_only=True):
    """A term of a fixed list: a role, a series type, a content rating, a genre."""


class Arc(Record, kw_only=True):
    """A story arc."""


class Publisher(Record, kw_only=True):
    """A publisher."""

    alt_names: tuple[str, ...] = ()
    founded: int | None = None
    country: str = "US"


class Imprint(Record, kw_only=True):
    """An imprint of a publisher."""

    publisher: int
    founded: int | None = None


class Universe(Record, kw_only=True):
    """A universe of a publisher."""

    publisher: int
    designation: str = ""


class Creator(Record, kw_only=True):
    """A creator of comics."""

    birth: dt.date | None = None
    death: dt.date | None = None
    alias: tuple[str, ...] = ()


class Team(Record, kw_only=True):
    """A team of characters."""

    creators: tuple[int, ...] = ()
    universes: tuple[int, ...] = ()


class Character(Record, kw_only=True):
    """A character."""

    alias: tuple[str, ...] = ()
    creators: tuple[int, ...] = ()
    teams: tuple[int, ...] = ()
    universes: tuple[int, ...] = ()


class Series(Record, kw_only=True):
    """A series; its ``name`` does not contain the year."""

    sort_name: str
    alt_names: tuple[str, ...] = ()
    language: str = "en"
    volume: int = 1
    series_type: int
    status: int
    publisher: int
    imprint: int | None = None
    year_began: int
    year_end: int | None = None
    genres: tuple[int, ...] = ()
    associated: tuple[int, ...] = ()


class Credit(msgspec.Struct, kw_only=True):
    """The roles of a creator in an issue."""

    id: int
    creator: int
    roles: tuple[int, ...]
    modified: dt.datetime


class Variant(msgspec.Struct, kw_only=True):
    """A variant cover of an issue."""

    id: int
    issue: int
    image: str
    name: str = ""
    price: str | None = None
    currency: str = "USD"
    sku: str = ""
    upc: str = ""


class Issue(Record, kw_only=True):
    """An issue. Relations that are ``None`` follow from its id, and are computed on demand."""

    series: int
    number: str
    alt_number: str = ""
    title: str = ""
    names: tuple[str, ...] = ()
    cover_date: dt.date
    store_date: dt.date | None = None
    foc_date: dt.date | None = None
    price: str | None = None
    currency: str = ""
    rating: int = 1
    sku: str = ""
    isbn: str = ""
    upc: str = ""
    page: int | None = None
    cover_hash: str = ""
    average_rating: float | None = None
    rating_count: int = 0
    arcs: tuple[int, ...] | None = None
    characters: tuple[int, ...] | None = None
    teams: tuple[int, ...] | None = None
    universes: tuple[int, ...] | None = None
    credits: tuple[Credit, ...] | None = None
    reprints: tuple[int, ...] = ()
    desc_is_solicitation: bool = False


class ReadingItem(msgspec.Struct, kw_only=True):
    """One issue in a reading list."""

    id: int
    issue: int
    order: int
    issue_type: str = ""


class ReadingList(Record, kw_only=True):
    """A reading order, public or private."""

    user: int
    list_type: str = ""
    is_private: bool = False
    attribution_source: str = ""
    attribution_url: str = ""
    average_rating: float | None = None
    rating_count: int = 0
    previous: int | None = None
    next: int | None = None
    items: list[ReadingItem] = msgspec.field(default_factory=list[ReadingItem])
