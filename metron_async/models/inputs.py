"""Inputs of writes to the catalogue: one per resource, for create, update and replace.

Every field defaults to :data:`msgspec.UNSET`, which leaves the stored value unchanged. ``None``
clears a field that can be cleared; ``""`` does so for text and ``[]`` for lists. Names are those of
the models.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar

import msgspec
from msgspec import UNSET, UnsetType, field

from metron_async.enums import SeriesStatus
from metron_async.models._rules import (
    Choice,
    Day,
    File,
    Flag,
    Image,
    Listed,
    Money,
    Price,
    Text,
    Whole,
)

__all__ = [
    "ArcInput",
    "CharacterInput",
    "CreatorInput",
    "CreditInput",
    "ImprintInput",
    "Input",
    "IssueInput",
    "PublisherInput",
    "SeriesInput",
    "TeamInput",
    "UniverseInput",
    "VariantInput",
]

Name = Annotated[str | UnsetType, Text(255, blank=False)]
Prose = Annotated[str | UnsetType | None, Text()]
Text255 = Annotated[str | UnsetType | None, Text(255)]
Ref = Annotated[int | UnsetType, Whole()]
OtherId = Annotated[int | UnsetType | None, Whole(clears=True)]
Small = Annotated[int | UnsetType, Whole(most=32_767)]
SmallOrNone = Annotated[int | UnsetType | None, Whole(most=32_767, clears=True)]
DayOrNone = Annotated[date | UnsetType | None, Day(clears=True)]
Ids = Annotated[Sequence[int] | UnsetType | None, Listed(Whole())]
Aliases = Annotated[Sequence[str] | UnsetType | None, Listed(Text(100, blank=False))]
AltNames = Annotated[Sequence[str] | UnsetType | None, Listed(Text(255, blank=False))]
Picture = Annotated[Image | UnsetType, File()]


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all inputs of writes."""

    takes_json: ClassVar[bool] = True
    """Whether the server accepts JSON. It accepts a form for every input."""
    required: ClassVar[tuple[str, ...]] = ()
    """Fields that create and replace require."""


class _NamedInput(Input, frozen=True, kw_only=True):
    takes_json: ClassVar[bool] = False
    required: ClassVar[tuple[str, ...]] = ("name",)

    name: Name = UNSET
    """Name, up to 255 characters; required to create."""


class ArcInput(_NamedInput, frozen=True, kw_only=True):
    """Input of a story arc."""

    desc: Prose = UNSET
    """Description."""
    image: Picture = UNSET
    """Image; replaces the stored one and cannot be cleared."""
    cv_id: OtherId = UNSET
    """Comic Vine id; unique among arcs."""
    gcd_id: OtherId = UNSET
    """Grand Comics Database id; unique among arcs."""


class CharacterInput(_NamedInput, frozen=True, kw_only=True):
    """Input of a character."""

    alias: Aliases = UNSET
    """Other names, up to 100 characters each."""
    desc: Prose = UNSET
    """Description."""
    image: Picture = UNSET
    """Image; replaces the stored one and cannot be cleared."""
    creators: Ids = UNSET
    """Ids of its creators."""
    teams: Ids = UNSET
    """Ids of its teams."""
    universes: Ids = UNSET
    """Ids of its universes."""
    cv_id: OtherId = UNSET
    """Comic Vine id; unique among characters."""
    gcd_id: OtherId = UNSET
    """Grand Comics Database id; unique among characters."""


class CreatorInput(_NamedInput, frozen=True, kw_only=True):
    """Input of a creator."""

    birth: DayOrNone = UNSET
    """Date of birth."""
    death: DayOrNone = UNSET
    """Date of death."""
    desc: Prose = UNSET
    """Biography."""
    image: Picture = UNSET
    """Portrait; replaces the stored one and cannot be cleared."""
    alias: Aliases = UNSET
    """Other names, up to 100 characters each."""
    cv_id: OtherId = UNSET
    """Comic Vine id; unique among creators."""
    gcd_id: OtherId = UNSET
    """Grand Comics Database id; unique among creators."""


class ImprintInput(_NamedInput, frozen=True, kw_only=True):
    """Input of an imprint."""

    required: ClassVar[tuple[str, ...]] = ("name", "publisher")

    founded: SmallOrNone = UNSET
    """Year in which it was founded."""
    desc: Prose = UNSET
    """Description."""
    image: Annotated[Image | UnsetType | None, File(clears=True)] = UNSET
    """Logo; replaces the stored one. ``None`` clears it, which the server supports for imprints
    only."""
    cv_id: OtherId = UNSET
    """Comic Vine id; unique among imprints."""
    gcd_id: OtherId = UNSET
    """Grand Comics Database id; unique among imprints."""
    publisher: Ref = UNSET
    """Id of the publisher; required to create."""


class PublisherInput(_NamedInput, frozen=True, kw_only=True):
    """Input of a publisher."""

    alt_names: AltNames = UNSET
    """Alternative names, up to 255 characters each."""
    founded: SmallOrNone = UNSET
    """Year in which it was founded."""
    country: Annotated[str | UnsetType, Text(2, blank=False, pattern="[A-Z]{2}", like="US")] = UNSET
    """Two-letter ISO 3166 country code, such as ``"US"``."""
    desc: Prose = UNSET
    """Description."""
    image: Picture = UNSET
    """Logo; replaces the stored one and cannot be cleared."""
    cv_id: OtherId = UNSET
    """Comic Vine id; unique among publishers."""
    gcd_id: OtherId = UNSET
    """Grand Comics Database id; unique among publishers."""


class TeamInput(_NamedInput, frozen=True, kw_only=True):
    """Input of a team."""

    desc: Prose = UNSET
    """Description."""
    image: Picture = UNSET
    """Image; replaces the stored one and cannot be cleared."""
    creators: Ids = UNSET
    """Ids of its creators."""
    universes: Ids = UNSET
    """Ids of its universes."""
    cv_id: OtherId = UNSET
    """Comic Vine id; unique among teams."""
    gcd_id: OtherId = UNSET
    """Grand Comics Database id; unique among teams."""


class UniverseInput(Input, frozen=True, kw_only=True):
    """Input of a universe; publisher, name and designation together are unique."""

    takes_json: ClassVar[bool] = False
    required: ClassVar[tuple[str, ...]] = ("publisher", "name", "designation")

    publisher: Ref = UNSET
    """Id of the publisher; required to create."""
    name: Name = UNSET
    """Name, up to 255 characters; required to create."""
    designation: Text255 = UNSET
    """Number or label, such as ``"616"``, up to 255 characters. Required to create, but may be
    ``""``."""
    desc: Prose = UNSET
    """Description."""
    gcd_id: OtherId = UNSET
    """Grand Comics Database id; unique among universes."""
    image: Picture = UNSET
    """Image; replaces the stored one and cannot be cleared."""


class SeriesInput(Input, frozen=True, kw_only=True):
    """Input of a series; publisher, name, volume and series type together are unique."""

    required: ClassVar[tuple[str, ...]] = (
        "name",
        "sort_name",
        "volume",
        "series_type",
        "status",
        "publisher",
        "year_began",
    )

    name: Name = UNSET
    """Name without the year, up to 255 characters; required to create."""
    sort_name: Name = UNSET
    """Name by which lists are sorted, up to 255 characters; required to create."""
    alt_names: AltNames = UNSET
    """Alternative names, up to 255 characters each."""
    language: Annotated[
        str | UnsetType | None, Text(pattern="[a-z]{2,3}(-[a-z]{2,5})?", like="pt-br")
    ] = UNSET
    """Language code, such as ``"en"`` or ``"pt-br"``."""
    volume: Small = UNSET
    """Volume number, 0 to 32767; required to create."""
    series_type: Ref = UNSET
    """Id of the series type; required to create."""
    status: Annotated[SeriesStatus | int | UnsetType, Choice(SeriesStatus)] = UNSET
    """A :class:`~metron_async.enums.SeriesStatus` or its number; required to create."""
    publisher: Ref = UNSET
    """Id of the publisher; required to create."""
    imprint: OtherId = UNSET
    """Id of the imprint."""
    year_began: Small = UNSET
    """Year of the first issue; required to create."""
    year_end: SmallOrNone = UNSET
    """Year of the last issue."""
    desc: Prose = UNSET
    """Description."""
    genres: Ids = UNSET
    """Ids of the genres."""
    associated: Ids = UNSET
    """Ids of the related series."""
    cv_id: OtherId = UNSET
    """Comic Vine id; unique among series."""
    gcd_id: OtherId = UNSET
    """Grand Comics Database id; unique among series."""


class IssueInput(Input, frozen=True, kw_only=True):
    """Input of an issue."""

    required: ClassVar[tuple[str, ...]] = ("series", "number", "cover_date")

    series: Ref = UNSET
    """Id of the series; required to create."""
    number: Annotated[str | UnsetType, Text(25, blank=False)] = UNSET
    """Issue number, up to 25 characters; required to create."""
    alt_number: Annotated[str | UnsetType | None, Text(25)] = UNSET
    """Alternative number, up to 25 characters."""
    collection_title: Text255 = field(name="title", default=UNSET)
    """Title of a collected edition, up to 255 characters; sent as ``title``."""
    story_titles: Annotated[Sequence[str] | UnsetType | None, Listed(Text(150, blank=False))] = (
        field(name="name", default=UNSET)
    )
    """Titles of the stories in it, up to 150 characters each; sent as ``name``."""
    cover_date: Annotated[date | UnsetType, Day()] = UNSET
    """Date on the cover; required to create."""
    store_date: DayOrNone = UNSET
    """Day it goes on sale."""
    foc_date: DayOrNone = UNSET
    """Final order cutoff."""
    price: Annotated[Decimal | Price | UnsetType | None, Money(currency="within", zero=False)] = (
        UNSET
    )
    """Cover price above 0 and below 1,000,000: ``Decimal`` in US dollars, or :class:`Price`. The
    server stores 0 as no price, so 0 is refused."""
    rating: Ref = UNSET
    """Id of the age rating."""
    sku: Annotated[str | UnsetType | None, Text(12)] = UNSET
    """Distributor's number, up to 12 characters."""
    isbn: Annotated[str | UnsetType | None, Text(13)] = UNSET
    """ISBN, up to 13 characters."""
    upc: Annotated[str | UnsetType | None, Text(20)] = UNSET
    """Barcode, up to 20 characters."""
    page_count: SmallOrNone = field(name="page", default=UNSET)
    """Number of pages, 0 to 32767; sent as ``page``."""
    desc: Prose = UNSET
    """Description."""
    image: Picture = UNSET
    """Cover; replaces the stored one and cannot be cleared."""
    arcs: Ids = UNSET
    """Ids of its story arcs."""
    characters: Ids = UNSET
    """Ids of the characters that appear."""
    teams: Ids = UNSET
    """Ids of the teams that appear."""
    universes: Ids = UNSET
    """Ids of the universes in which it plays."""
    reprints: Ids = UNSET
    """Ids of the issues that it reprints."""
    cv_id: OtherId = UNSET
    """Comic Vine id; unique among issues."""
    gcd_id: OtherId = UNSET
    """Grand Comics Database id; unique among issues."""
    desc_is_solicitation: Annotated[bool | UnsetType, Flag()] = UNSET
    """Whether ``desc`` is the publisher's advertisement; older servers ignore it."""


class VariantInput(Input, frozen=True, kw_only=True):
    """Input of a variant cover."""

    required: ClassVar[tuple[str, ...]] = ("image", "issue")

    image: Picture = UNSET
    """Cover; required to create. It replaces the stored one and cannot be cleared."""
    name: Text255 = UNSET
    """Name of the variant, up to 255 characters."""
    price: Annotated[Decimal | UnsetType | None, Money(zero=False)] = UNSET
    """Price in US dollars, above 0 and below 1,000,000."""
    sku: Annotated[str | UnsetType | None, Text(12)] = UNSET
    """Distributor's number, up to 12 characters."""
    upc: Annotated[str | UnsetType | None, Text(20)] = UNSET
    """Barcode, up to 20 characters."""
    issue: Ref = UNSET
    """Id of the issue; required to create."""


class CreditInput(Input, frozen=True, kw_only=True):
    """Input of a new credit. Credits are created in bulk."""

    issue: Annotated[int, Whole()]
    """Id of the issue."""
    creator: Annotated[int, Whole()]
    """Id of the creator."""
    role: Annotated[Sequence[int], Listed(Whole(), least=1)]
    """Ids of the roles, at least one."""
