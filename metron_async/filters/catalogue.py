"""Filters of the lists of the catalogue, which all accounts share."""

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

    Their rows tell no ``modified``: on older servers ``modified_lt`` has no effect here.
    """


class SeriesTypeFilters(NamedFilters, total=False):
    """Filters of series types.

    Their rows tell no ``modified``: on older servers ``modified_lt`` has no effect here.
    """


class IssueFilters(ModifiedFilters, total=False):
    """Filters of issues.

    Attributes:
        alt_number: Alternative number, in full.
        character_id: Metron's id of a character that appears.
        cover_date_range_after: Cover date on or after this day. Older servers ignore it, so it is
            checked on the rows as well.
        cover_date_range_before: Cover date on or before this day; checked likewise.
        cover_hash: Perceptual hash of the cover.
        cover_month: Month of the cover date, 1 to 12.
        cover_year: Year of the cover date.
        creator_id: Metron's id of a creator who is credited.
        cv_id: Id at Comic Vine.
        foc_date: Final order cutoff on this day.
        foc_date_range_after: Final order cutoff on or after this day.
        foc_date_range_before: Final order cutoff on or before this day.
        gcd_id: Id at the Grand Comics Database.
        imprint_id: Metron's id of the imprint.
        imprint_name: Part of the imprint's name.
        missing_cv_id: Whether an id at Comic Vine is missing.
        missing_gcd_id: Whether an id at the Grand Comics Database is missing.
        number: Number of the issue, in full; text, such as ``"80.BEY"``.
        publisher_id: Metron's id of the publisher.
        publisher_name: Part of the publisher's name.
        rating: Name of the age rating, such as ``"Mature"``.
        role_id: Metron's id of a role that is credited, or several ids of which one must be;
            together with ``creator_id`` that creator's role.
        series_alt_names: Part of one of the other names of the series.
        series_id: Metron's id of the series.
        series_name: Words of the name of the series, all of which must occur.
        series_q: Words of the name, or of the other names, of the series.
        series_volume: Number of the volume of the series.
        series_year_began: Year in which the series began.
        sku: Distributor's number, in full.
        store_date: On sale on this day.
        store_date_range_after: On sale on or after this day.
        store_date_range_before: On sale on or before this day.
        team_id: Metron's id of a team that appears.
        universe_id: Metron's id of a universe it plays in.
        upc: Barcode, in full.
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
        creator_id: Metron's id of a creator who is credited.
        imprint_id: Metron's id of the imprint.
        imprint_name: Part of the imprint's name.
        language: Language code, such as ``"en"`` or ``"pt-br"``.
        missing_cv_id: Whether an id at Comic Vine is missing.
        missing_gcd_id: Whether an id at the Grand Comics Database is missing.
        publisher_id: Metron's id of the publisher.
        publisher_name: Part of the publisher's name.
        q: Words of the name or of the other names.
        role_id: Metron's id of a role that is credited, or several ids of which one must be;
            together with ``creator_id`` that creator's role.
        series_type: Part of the name of the series type.
        series_type_id: Metron's id of the series type.
        status: Whether it goes on; a :class:`~metron_async.enums.SeriesStatus` or its number.
        team_id: Metron's id of a team that appears.
        universe_id: Metron's id of a universe it plays in.
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
