"""What each list can be asked for: one ``TypedDict`` per list, one key per filter.

The keys are the server's own names, one for one; ``page`` is no filter. The bounds and codes in
``Annotated`` are checked by :func:`~metron_async.filters.encode_filters` before a request is
spent; type checkers and editors see the plain types. The annotations are evaluated when this
module is imported, since the encoder is built from them.

Texts match without regard to case and accents; "part of" means that a part of the name is enough.
Several filters in one call must all match.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, TypedDict

from metron_async.enums import (
    AttributionSource,
    BookFormat,
    Grade,
    GradingCompany,
    ListType,
    Rating,
    SeriesStatus,
)
from metron_async.filters.values import Among, Range

__all__ = [
    "ArcFilters",
    "CharacterFilters",
    "CollectionFilters",
    "CreatorFilters",
    "ImprintFilters",
    "IssueFilters",
    "NoFilters",
    "PublisherFilters",
    "PullListIssueFilters",
    "ReadingListFilters",
    "RoleFilters",
    "SeriesFilters",
    "SeriesTypeFilters",
    "TeamFilters",
    "UniverseFilters",
]

Id = Annotated[int, Range(0, 2_147_483_647)]
Ids = Annotated[int | Sequence[int] | AbstractSet[int], Range(0, 2_147_483_647)]
Small = Annotated[int, Range(0, 32_767)]
Year = Annotated[int, Range(1, 9_999)]
Month = Annotated[int, Range(1, 12)]
Stars = Annotated[int | float | Decimal, Range(0, 5)]


class NoFilters(TypedDict, total=False):
    """For lists that take no filter at all."""


class _ModifiedFilters(TypedDict, total=False):
    """Filters that every catalogue list has.

    Attributes:
        modified_gt: Changed after this instant; aware.
        modified_lt: Changed before this instant; aware. Older servers ignore it, so it is
            checked on the rows as well.
    """

    modified_gt: datetime
    modified_lt: datetime


class _NamedFilters(_ModifiedFilters, total=False):
    """Filters of lists of things that have a name.

    Attributes:
        name: Part of the name.
    """

    name: str


class _CataloguedFilters(_NamedFilters, total=False):
    """Filters of lists of things that other databases know too.

    Attributes:
        cv_id: Id at Comic Vine.
        gcd_id: Id at the Grand Comics Database.
    """

    cv_id: Id
    gcd_id: Id


class ArcFilters(_CataloguedFilters, total=False):
    """Filters of story arcs."""


class CharacterFilters(_CataloguedFilters, total=False):
    """Filters of characters."""


class CreatorFilters(_CataloguedFilters, total=False):
    """Filters of creators."""


class ImprintFilters(_CataloguedFilters, total=False):
    """Filters of imprints."""


class TeamFilters(_CataloguedFilters, total=False):
    """Filters of teams."""


class PublisherFilters(_CataloguedFilters, total=False):
    """Filters of publishers.

    Attributes:
        alt_names: Part of one of the other names.
        q: Part of the name or of one of the other names.
    """

    alt_names: str
    q: str


class UniverseFilters(_NamedFilters, total=False):
    """Filters of universes.

    Attributes:
        designation: Part of the number or label, such as ``"616"``.
    """

    designation: str


class RoleFilters(_NamedFilters, total=False):
    """Filters of roles.

    Their rows tell no ``modified``: on older servers ``modified_lt`` has no effect here.
    """


class SeriesTypeFilters(_NamedFilters, total=False):
    """Filters of series types.

    Their rows tell no ``modified``: on older servers ``modified_lt`` has no effect here.
    """


class IssueFilters(_ModifiedFilters, total=False):
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


class SeriesFilters(_CataloguedFilters, total=False):
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


class ReadingListFilters(_NamedFilters, total=False):
    """Filters of reading lists.

    Attributes:
        attribution_source: Where the list was taken from; an
            :class:`~metron_async.enums.AttributionSource` or its code.
        average_rating__gte: Least mean rating, 0 to 5 stars.
        is_private: Whether only its owner can see it.
        list_type: What the list follows; a :class:`~metron_async.enums.ListType` or its code.
        publisher: Part of the name of a publisher.
        user: Metron's id of the owner.
        username: Part of the owner's name.
    """

    attribution_source: Annotated[AttributionSource | str, Among(AttributionSource)]
    average_rating__gte: Stars
    is_private: bool
    list_type: Annotated[ListType | str, Among(ListType)]
    publisher: str
    user: Id
    username: str


class CollectionFilters(_ModifiedFilters, total=False):
    """Filters of a collection.

    A ``date_read`` is an instant; a plain date stands for its first moment in New York.

    Attributes:
        book_format: Form in which it is owned; a :class:`~metron_async.enums.BookFormat` or its
            code.
        date_read: Read at this instant.
        date_read_gt: Read after this instant.
        date_read_gte: Read at or after this instant.
        date_read_lt: Read before this instant.
        date_read_lte: Read at or before this instant.
        grade: Condition; a :class:`~metron_async.enums.Grade` or its number.
        grading_company: Who graded it; a :class:`~metron_async.enums.GradingCompany` or its code.
        is_read: Whether it was read.
        issue__series: Metron's id of the series.
        purchase_date: Bought on this day.
        purchase_date_gt: Bought after this day.
        purchase_date_gte: Bought on or after this day.
        purchase_date_lt: Bought before this day.
        purchase_date_lte: Bought on or before this day.
        purchase_store: Part of the store's name.
        rating: The owner's stars; a :class:`~metron_async.enums.Rating` or 1 to 5.
        storage_location: Part of the place where it is kept.
    """

    book_format: Annotated[BookFormat | str, Among(BookFormat)]
    date_read: date | datetime
    date_read_gt: date | datetime
    date_read_gte: date | datetime
    date_read_lt: date | datetime
    date_read_lte: date | datetime
    grade: Annotated[Grade | float | Decimal, Among(Grade)]
    grading_company: Annotated[GradingCompany | str, Among(GradingCompany)]
    is_read: bool
    issue__series: Id
    purchase_date: date
    purchase_date_gt: date
    purchase_date_gte: date
    purchase_date_lt: date
    purchase_date_lte: date
    purchase_store: str
    rating: Annotated[Rating | int, Among(Rating)]
    storage_location: str


class PullListIssueFilters(TypedDict, total=False):
    """Filters of the issues of a pull list.

    Attributes:
        store_date_after: On sale on or after this day.
        store_date_before: On sale on or before this day.
    """

    store_date_after: date
    store_date_before: date
