"""Base classes and types of filters: one ``TypedDict`` per list, one key per filter.

The keys are exactly the server's names, without ``page``. The bounds and codes in ``Annotated`` are
checked by :func:`~metron_async.filters.encode_filters` before a request is sent; type checkers and
editors see the plain types. Class docstrings describe each filter; the command line takes its help
from there.

Strings match regardless of case and accents; "part of" means that a part of the name is enough. A
row must match all filters of a call.
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
    """Filters of lists that have none."""


class ModifiedFilters(TypedDict, total=False):
    """Filters that every catalogue list has.

    Attributes:
        modified_gt: Changed after this instant; aware.
        modified_lt: Changed before this instant; aware. Older servers ignore it, so the client
            checks the rows as well.
    """

    modified_gt: datetime
    modified_lt: datetime


class NamedFilters(ModifiedFilters, total=False):
    """Filters of lists of named objects.

    Attributes:
        name: Part of the name.
    """

    name: str


class CataloguedFilters(NamedFilters, total=False):
    """Filters of lists of objects that other databases have, too.

    Attributes:
        cv_id: Comic Vine id.
        gcd_id: Grand Comics Database id.
    """

    cv_id: Id
    gcd_id: Id
