"""Filters of the lists of the catalogue."""

from datetime import date
from typing import Annotated

from metron_async._values import Among
from metron_async.enums import SeriesStatus
from metron_async.filters.common import (
    CataloguedFilters,
    Id,
    Ids,
    ModifiedFilters,
    Month,
    NamedFilters,
    Small,
    Year,
)

__all__ = [
    "ArcFilters",
    "CharacterFilters",
    "CreatorFilters",
    "ImprintFilters",
    "IssueFilters",
    "PublisherFilters",
    "RoleFilters",
    "SeriesFilters",
    "SeriesTypeFilters",
    "TeamFilters",
    "UniverseFilters",
]


class ArcFilters(CataloguedFilters, total=False):
    """Filters of story arcs."""


class CharacterFilters(CataloguedFilters, total=False):
    """Filters of characters."""


class CreatorFilters(CataloguedFilters, total=False):
    """Filters of creators."""


class ImprintFilters(CataloguedFilters, total=False):
    """Filters of imprints."""


class TeamFilters(CataloguedFilters, total=False):
    """Filters of teams."""


class PublisherFilters(CataloguedFilters, total=False):
    """Filters of publishers.

    Attributes:
        alt_names: Part of one of the other names.
        q: Part of the name or of one of the other names.
    """

    alt_names: str
    q: str


class UniverseFilters(NamedFilters, total=False):
    """Filters of universes.

    Attributes:
        designation: Part of the number or label, such as ``"616"``.
    """

    designation: str


class RoleFilters(NamedFilters, total=False):
    """Filters of roles.

    Their rows have no ``modified``: on older servers ``modified_lt`` has no effect.
    """


class SeriesTypeFilters(NamedFilters, total=False):
    """Filters of series types.

    Their rows have no ``modified``: on older servers ``modified_lt`` has no effect.
    """


class IssueFilters(ModifiedFilters, total=False):
    """Filters of issues.

    Attributes:
        alt_number: Alternative number; the whole of it.
        character_id: Metron's id of a character that appears.
        cover_date_range_after: Cover date on or after this day. Older servers ignore it, so
            the client checks the rows as well.
        cover_date_range_before: Cover date on or before this day; see above.
        cover_hash: Perceptual hash of the cover.
        cover_month: Month of the cover date, 1 to 12.
        cover_year: Year of the cover date.
        creator_id: Metron's id of a credited creator.
        cv_id: Comic Vine id.
        foc_date: Final order cutoff on this day.
        foc_date_range_after: Final order cutoff on or after this day.
        foc_date_range_before: Final order cutoff on or before this day.
        gcd_id: Grand Comics Database id.
        imprint_id: Metron's id of the imprint.
        imprint_name: Part of the imprint's name.
        missing_cv_id: Whether the Comic Vine id is missing.
        missing_gcd_id: Whether the Grand Comics Database id is missing.
        number: Issue number, the whole of it; a string, such as ``"80.BEY"``.
        publisher_id: Metron's id of the publisher.
        publisher_name: Part of the publisher's name.
        rating: Name of the age rating, such as ``"Mature"``.
        role_id: Metron's id of a credited role, or several ids, any of which matches. Together with
            ``creator_id`` it is that creator's role.
        series_alt_names: Part of one of the other names of the series.
        series_id: Metron's id of the series.
        series_name: Words of the name of the series, all of which must occur.
        series_q: Words of the name, or of the other names, of the series.
        series_volume: Number of the volume of the series.
        series_year_began: Year in which the series began.
        sku: Distributor's number; the whole of it.
        store_date: On sale on this day.
        store_date_range_after: On sale on or after this day.
        store_date_range_before: On sale on or before this day.
        team_id: Metron's id of a team that appears.
        universe_id: Metron's id of a universe in which it plays.
        upc: Barcode; the whole of it.
        upc_starts_with: Beginning of the barcode.
    """

    alt_number: str
    character_id: Id
    cover_date_range_after: date
    cover_date_range_before: date
    cover_hash: str
    cover_month: Month
    cover_year: Year
    creator_id: Id
    cv_id: Id
    foc_date: date
    foc_date_range_after: date
    foc_date_range_before: date
    gcd_id: Id
    imprint_id: Id
    imprint_name: str
    missing_cv_id: bool
    missing_gcd_id: bool
    number: str
    publisher_id: Id
    publisher_name: str
    rating: str
    role_id: Ids
    series_alt_names: str
    series_id: Id
    series_name: str
    series_q: str
    series_volume: Small
    series_year_began: Small
    sku: str
    store_date: date
    store_date_range_after: date
    store_date_range_before: date
    team_id: Id
    universe_id: Id
    upc: str
    upc_starts_with: str


class SeriesFilters(CataloguedFilters, total=False):
    """Filters of series; ``name`` means words that must all occur.

    Attributes:
        alt_names: Part of one of the other names.
        character_id: Metron's id of a character that appears.
        creator_id: Metron's id of a credited creator.
        imprint_id: Metron's id of the imprint.
        imprint_name: Part of the imprint's name.
        language: Language code, such as ``"en"`` or ``"pt-br"``.
        missing_cv_id: Whether the Comic Vine id is missing.
        missing_gcd_id: Whether the Grand Comics Database id is missing.
        publisher_id: Metron's id of the publisher.
        publisher_name: Part of the publisher's name.
        q: Words of the name or of the other names.
        role_id: Metron's id of a credited role, or several ids, any of which matches. Together with
            ``creator_id`` it is that creator's role.
        series_type: Part of the name of the series type.
        series_type_id: Metron's id of the series type.
        status: A :class:`~metron_async.enums.SeriesStatus` or its number.
        team_id: Metron's id of a team that appears.
        universe_id: Metron's id of a universe in which it plays.
        volume: Number of the volume.
        year_began: Year in which it began.
        year_end: Year in which it ended.
    """

    alt_names: str
    character_id: Id
    creator_id: Id
    imprint_id: Id
    imprint_name: str
    language: str
    missing_cv_id: bool
    missing_gcd_id: bool
    publisher_id: Id
    publisher_name: str
    q: str
    role_id: Ids
    series_type: str
    series_type_id: Id
    status: Annotated[SeriesStatus | int, Among(SeriesStatus)]
    team_id: Id
    universe_id: Id
    volume: Small
    year_began: Small
    year_end: Small
