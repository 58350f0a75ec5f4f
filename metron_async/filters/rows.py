"""Check of rows against the filters that only newer servers know.

An older server ignores an unknown filter and returns everything. These filters compare a value with
a field of the rows, so the client can apply them. On a newer server the check removes nothing.
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
    """Return whether a row matches the filters that an older server may have ignored.

    Args:
        filters: The filters of the list, with values that
            :func:`~metron_async.filters.encode_filters` accepts.
        row: A row of that list.

    Returns:
        ``False`` if the row fails one of :data:`NEWER_FILTERS`. A row without the field (roles,
        series types) matches.
    """
    for name in NEWER_FILTERS & filters.keys():
        field, holds = _CHECKS[name]
        value = getattr(row, field, None)
        if value is not None and not holds(value, filters[name]):
            return False
    return True
