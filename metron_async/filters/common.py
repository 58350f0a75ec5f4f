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
from datetime import datetime
from decimal import Decimal
from typing import Annotated, TypedDict

from metron_async._values import Range

__all__ = [
    "CataloguedFilters",
    "Id",
    "Ids",
    "ModifiedFilters",
    "Month",
    "NamedFilters",
    "NoFilters",
    "Small",
    "Stars",
    "Year",
]

Id = Annotated[int, Range(0, 2_147_483_647)]
Ids = Annotated[int | Sequence[int] | AbstractSet[int], Range(0, 2_147_483_647)]
Small = Annotated[int, Range(0, 32_767)]
Year = Annotated[int, Range(1, 9_999)]
Month = Annotated[int, Range(1, 12)]
Stars = Annotated[int | float | Decimal, Range(0, 5)]


class NoFilters(TypedDict, total=False):
    """For lists that take no filter at all."""


class ModifiedFilters(TypedDict, total=False):
    """Filters that every catalogue list has.

    Attributes:
        modified_gt: Changed after this instant; aware.
        modified_lt: Changed before this instant; aware. Older servers ignore it, so it is
            checked on the rows as well.
    """

    modified_gt: datetime
    modified_lt: datetime


class NamedFilters(ModifiedFilters, total=False):
    """Filters of lists of things that have a name.

    Attributes:
        name: Part of the name.
    """

    name: str


class CataloguedFilters(NamedFilters, total=False):
    """Filters of lists of things that other databases know too.

    Attributes:
        cv_id: Id at Comic Vine.
        gcd_id: Id at the Grand Comics Database.
    """

    cv_id: Id
    gcd_id: Id
