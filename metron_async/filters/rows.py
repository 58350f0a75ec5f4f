"""Check on the rows the filters that only newer servers know.

An older server ignores what it does not know, without a word, and answers with everything. These
filters compare a value with a field that every row tells, so they can be made good here; on a
newer server the check finds nothing to do.
"""

from collections.abc import Callable, Mapping
from operator import ge, le, lt
from typing import Any

__all__ = ["NEWER_FILTERS", "row_matches"]

_CHECKS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "modified_lt": ("modified", lt),
    "cover_date_range_after": ("cover_date", ge),
    "cover_date_range_before": ("cover_date", le),
}

#: Filters that servers up to August 2026 ignore.
NEWER_FILTERS: frozenset[str] = frozenset(_CHECKS)


def row_matches(filters: Mapping[str, object], row: object) -> bool:
    """Tell whether a row passes those filters that an older server may have ignored.

    Args:
        filters: The filters of the list, as they were given; ones that
            :func:`~metron_async.filters.encode_filters` accepts.
        row: A row of that list.

    Returns:
        ``False`` if one of :data:`NEWER_FILTERS` is among the filters and the row fails it. A row
        that does not tell the field in question (roles, series types) passes.
    """
    for name in NEWER_FILTERS & filters.keys():
        field, holds = _CHECKS[name]
        value = getattr(row, field, None)
        if value is not None and not holds(value, filters[name]):
            return False
    return True
