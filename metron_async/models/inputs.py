"""What editors can write: one input per resource, for create, update and replace alike.

Every field defaults to :data:`msgspec.UNSET`, which leaves alone what is stored. ``None`` clears
whatever can be cleared; ``""`` does so for texts and ``[]`` for lists. Fields that an object cannot
do without cannot be cleared, and creating or replacing one requires them.

Names are those of the models: what one reads is what one writes.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar

import msgspec
from msgspec import UNSET, UnsetType, field

from metron_async.enums import SeriesStatus
from metron_async.models.writable import (
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
Ref = Annotated[int | UnsetType, Whole()]
OtherId = Annotated[int | UnsetType | None, Whole(clears=True)]
Small = Annotated[int | UnsetType, Whole(most=32_767)]
SmallOrNone = Annotated[int | UnsetType | None, Whole(most=32_767, clears=True)]
DayOrNone = Annotated[date | UnsetType | None, Day(clears=True)]
Ids = Annotated[Sequence[int] | UnsetType | None, Listed(Whole())]
Aliases = Annotated[Sequence[str] | UnsetType | None, Listed(Text(100, blank=False))]
AltNames = Annotated[Sequence[str] | UnsetType | None, Listed(Text(255, blank=False))]
Cover: Money = Money(currency="within", zero=False)
ImageOrNone = Annotated[Image | UnsetType | None, File()]


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """Base of everything that can be written.

    Attributes:
        takes_json: Whether the server takes it as JSON; a form is taken always.
        required: Fields that creating or replacing needs.
    """

    takes_json: ClassVar[bool] = True
    required: ClassVar[tuple[str, ...]] = ()


class ArcInput(Input, frozen=True, kw_only=True):
    """What can be written of a story arc.

    Attributes:
        name: Name of the arc, 255 characters; required to create.
        desc: Description.
        image: The image; replaces the one that is stored.
        cv_id: Id at Comic Vine.
        gcd_id: Id at the Grand Comics Database.
    """

    takes_json: ClassVar[bool] = False
    required: ClassVar[tuple[str, ...]] = ("name",)

    name: Name = UNSET
    desc: Prose = UNSET
    image: ImageOrNone = UNSET
    cv_id: OtherId = UNSET
    gcd_id: OtherId = UNSET


class CharacterInput(Input, frozen=True, kw_only=True):
    """What can be written of a character.

    Attributes:
        name: Name of the character, 255 characters; required to create.
        alias: Other names, 100 characters each.
        desc: Description.
        image: The image; replaces the one that is stored.
        creators: Ids of who created it.
        teams: Ids of its teams.
        universes: Ids of the universes where it lives.
        cv_id: Id at Comic Vine.
        gcd_id: Id at the Grand Comics Database.
    """

    takes_json: ClassVar[bool] = False
    required: ClassVar[tuple[str, ...]] = ("name",)

    name: Name = UNSET
    alias: Aliases = UNSET
    desc: Prose = UNSET
    image: ImageOrNone = UNSET
    creators: Ids = UNSET
    teams: Ids = UNSET
    universes: Ids = UNSET
    cv_id: OtherId = UNSET
    gcd_id: OtherId = UNSET


class CreatorInput(Input, frozen=True, kw_only=True):
    """What can be written of a creator.

    Attributes:
        name: Name of the creator, 255 characters; required to create.
        birth: Date of birth.
        death: Date of death.
        desc: Biography.
        image: The portrait; replaces the one that is stored.
        alias: Other names, 100 characters each.
        cv_id: Id at Comic Vine.
        gcd_id: Id at the Grand Comics Database.
    """

    takes_json: ClassVar[bool] = False
    required: ClassVar[tuple[str, ...]] = ("name",)

    name: Name = UNSET
    birth: DayOrNone = UNSET
    death: DayOrNone = UNSET
    desc: Prose = UNSET
    image: ImageOrNone = UNSET
    alias: Aliases = UNSET
    cv_id: OtherId = UNSET
    gcd_id: OtherId = UNSET


class ImprintInput(Input, frozen=True, kw_only=True):
    """What can be written of an imprint.

    Attributes:
        name: Name of the imprint, 255 characters; required to create.
        founded: Year of the founding.
        desc: Description.
        image: The logo; replaces the one that is stored.
        cv_id: Id at Comic Vine.
        gcd_id: Id at the Grand Comics Database.
        publisher: Id of the publisher; required to create.
    """

    takes_json: ClassVar[bool] = False
    required: ClassVar[tuple[str, ...]] = ("name", "publisher")

    name: Name = UNSET
    founded: SmallOrNone = UNSET
    desc: Prose = UNSET
    image: ImageOrNone = UNSET
    cv_id: OtherId = UNSET
    gcd_id: OtherId = UNSET
    publisher: Ref = UNSET


class PublisherInput(Input, frozen=True, kw_only=True):
    """What can be written of a publisher.

    Attributes:
        name: Name of the publisher, 255 characters; required to create.
        alt_names: Other names, 255 characters each.
        founded: Year of the founding.
        country: Country as ISO 3166 code of two letters, such as ``"US"``.
        desc: Description.
        image: The logo; replaces the one that is stored.
        cv_id: Id at Comic Vine.
        gcd_id: Id at the Grand Comics Database.
    """

    takes_json: ClassVar[bool] = False
    required: ClassVar[tuple[str, ...]] = ("name",)

    name: Name = UNSET
    alt_names: AltNames = UNSET
    founded: SmallOrNone = UNSET
    country: Annotated[str | UnsetType, Text(2, blank=False, pattern="[A-Z]{2}", like="US")] = UNSET
    desc: Prose = UNSET
    image: ImageOrNone = UNSET
    cv_id: OtherId = UNSET
    gcd_id: OtherId = UNSET


class TeamInput(Input, frozen=True, kw_only=True):
    """What can be written of a team.

    Attributes:
        name: Name of the team, 255 characters; required to create.
        desc: Description.
        image: The image; replaces the one that is stored.
        creators: Ids of who created it.
        universes: Ids of the universes where it lives.
        cv_id: Id at Comic Vine.
        gcd_id: Id at the Grand Comics Database.
    """

    takes_json: ClassVar[bool] = False
    required: ClassVar[tuple[str, ...]] = ("name",)

    name: Name = UNSET
    desc: Prose = UNSET
    image: ImageOrNone = UNSET
    creators: Ids = UNSET
    universes: Ids = UNSET
    cv_id: OtherId = UNSET
    gcd_id: OtherId = UNSET


class UniverseInput(Input, frozen=True, kw_only=True):
    """What can be written of a universe.

    Attributes:
        publisher: Id of the publisher; required to create.
        name: Name of the universe, 255 characters; required to create.
        designation: Its number or label, such as ``"616"``, 255 characters.
        desc: Description.
        gcd_id: Id at the Grand Comics Database.
        image: The image; replaces the one that is stored.
    """

    takes_json: ClassVar[bool] = False
    required: ClassVar[tuple[str, ...]] = ("publisher", "name")

    publisher: Ref = UNSET
    name: Name = UNSET
    designation: Annotated[str | UnsetType | None, Text(255)] = UNSET
    desc: Prose = UNSET
    gcd_id: OtherId = UNSET
    image: ImageOrNone = UNSET


class SeriesInput(Input, frozen=True, kw_only=True):
    """What can be written of a series.

    Attributes:
        name: Name of the series, without its year, 255 characters; required to create.
        sort_name: Name by which lists sort it, 255 characters; required to create.
        alt_names: Other names, 255 characters each.
        language: Language code, such as ``"en"`` or ``"pt-br"``.
        volume: Number of the volume, to 32767; required to create.
        series_type: Id of its series type; required to create.
        status: A :class:`~metron_async.enums.SeriesStatus` or its number; required to create.
        publisher: Id of its publisher; required to create.
        imprint: Id of its imprint.
        year_began: Year of the first issue; required to create.
        year_end: Year of the last issue.
        desc: Description.
        genres: Ids of its genres.
        associated: Ids of series that go together with it.
        cv_id: Id at Comic Vine.
        gcd_id: Id at the Grand Comics Database.
    """

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
    sort_name: Name = UNSET
    alt_names: AltNames = UNSET
    language: Annotated[
        str | UnsetType | None, Text(pattern="[a-z]{2,3}(-[a-z]{2,5})?", like="pt-br")
    ] = UNSET
    volume: Small = UNSET
    series_type: Ref = UNSET
    status: Annotated[SeriesStatus | int | UnsetType, Choice(SeriesStatus)] = UNSET
    publisher: Ref = UNSET
    imprint: OtherId = UNSET
    year_began: Small = UNSET
    year_end: SmallOrNone = UNSET
    desc: Prose = UNSET
    genres: Ids = UNSET
    associated: Ids = UNSET
    cv_id: OtherId = UNSET
    gcd_id: OtherId = UNSET


class IssueInput(Input, frozen=True, kw_only=True):
    """What can be written of an issue.

    Attributes:
        series: Id of its series; required to create.
        number: Number of the issue, 25 characters; required to create.
        alt_number: Another number it is known by, 25 characters.
        collection_title: Title of a collected edition, 255 characters; sent as ``title``.
        story_titles: Titles of the stories inside, 150 characters each; sent as ``name``.
        cover_date: Date on the cover; required to create.
        store_date: Day it goes on sale.
        foc_date: Final order cutoff.
        price: Cover price, as ``Decimal`` (US dollars) or :class:`Price`. The server stores 0 as
            no price, so 0 is refused.
        rating: Id of its age rating.
        sku: Distributor's number, 12 characters.
        isbn: ISBN, 13 characters.
        upc: Barcode, 20 characters.
        page_count: Number of pages, to 32767; sent as ``page``.
        desc: Description.
        image: The cover; replaces the one that is stored.
        arcs: Ids of its story arcs.
        characters: Ids of the characters that appear.
        teams: Ids of the teams that appear.
        universes: Ids of the universes it plays in.
        reprints: Ids of the issues that it reprints.
        cv_id: Id at Comic Vine.
        gcd_id: Id at the Grand Comics Database.
        desc_is_solicitation: Whether ``desc`` is the publisher's advertisement; older servers
            ignore it.
    """

    required: ClassVar[tuple[str, ...]] = ("series", "number", "cover_date")

    series: Ref = UNSET
    number: Annotated[str | UnsetType, Text(25, blank=False)] = UNSET
    alt_number: Annotated[str | UnsetType | None, Text(25)] = UNSET
    collection_title: Annotated[str | UnsetType | None, Text(255)] = field(
        name="title", default=UNSET
    )
    story_titles: Annotated[Sequence[str] | UnsetType | None, Listed(Text(150, blank=False))] = (
        field(name="name", default=UNSET)
    )
    cover_date: Annotated[date | UnsetType, Day()] = UNSET
    store_date: DayOrNone = UNSET
    foc_date: DayOrNone = UNSET
    price: Annotated[Decimal | Price | UnsetType | None, Cover] = UNSET
    rating: Ref = UNSET
    sku: Annotated[str | UnsetType | None, Text(12)] = UNSET
    isbn: Annotated[str | UnsetType | None, Text(13)] = UNSET
    upc: Annotated[str | UnsetType | None, Text(20)] = UNSET
    page_count: SmallOrNone = field(name="page", default=UNSET)
    desc: Prose = UNSET
    image: ImageOrNone = UNSET
    arcs: Ids = UNSET
    characters: Ids = UNSET
    teams: Ids = UNSET
    universes: Ids = UNSET
    reprints: Ids = UNSET
    cv_id: OtherId = UNSET
    gcd_id: OtherId = UNSET
    desc_is_solicitation: Annotated[bool | UnsetType, Flag()] = UNSET


class VariantInput(Input, frozen=True, kw_only=True):
    """What can be written of a variant cover.

    Attributes:
        image: The cover; required to create.
        name: Name of the variant, 255 characters.
        price: Price in US dollars, 6 digits before the point.
        sku: Distributor's number, 12 characters.
        upc: Barcode, 20 characters.
        issue: Id of the issue; required to create.
    """

    required: ClassVar[tuple[str, ...]] = ("image", "issue")

    image: Annotated[Image | UnsetType, File(clears=False)] = UNSET
    name: Annotated[str | UnsetType | None, Text(255)] = UNSET
    price: Annotated[Decimal | UnsetType | None, Money(digits=6, zero=False)] = UNSET
    sku: Annotated[str | UnsetType | None, Text(12)] = UNSET
    upc: Annotated[str | UnsetType | None, Text(20)] = UNSET
    issue: Ref = UNSET


class CreditInput(Input, frozen=True, kw_only=True):
    """A credit to create; they are created in bulk.

    Attributes:
        issue: Id of the issue.
        creator: Id of the creator.
        role: Ids of the roles.
    """

    issue: Annotated[int, Whole()]
    creator: Annotated[int, Whole()]
    role: Annotated[Sequence[int], Listed(Whole())]
