"""Encoding of the filters of a list as a query string.

A schema (a ``TypedDict``) is translated once into a table of encoders.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache, partial
from typing import Annotated, get_args, get_origin, get_type_hints
from urllib.parse import urlencode

from metron_async import _values as values
from metron_async.errors import UsageError

__all__ = ["encode_filters", "filter_names"]

MAX_QUERY = 4_000
"""Bytes of an encoded query. Common servers refuse a request line of more than 4,094."""

_BY_TYPE: dict[object, Callable[[object], str]] = {
    str: values.encode_text,
    bool: values.encode_bool,
    date: values.encode_date,
    datetime: values.encode_datetime,
}


def encode_filters(schema: type, filters: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Encode the filters of one list for its query string.

    Args:
        schema: The ``TypedDict`` of that list, such as
            :class:`~metron_async.filters.IssueFilters`.
        filters: Values by name.

    Returns:
        Pairs of name and string, sorted by name, so that equal queries have equal URLs.

    Raises:
        UsageError: A name is unknown, a value is invalid, or the query is too long. ``None`` is
            invalid, too: to the server it would be no filter, and it would return everything.

    Example:
        >>> encode_filters(IssueFilters, {"series_id": 5, "missing_cv_id": True})
        (('missing_cv_id', 'true'), ('series_id', '5'))
    """
    encoders = _encoders(schema)
    pairs: list[tuple[str, str]] = []
    for name in sorted(filters):
        encode = encoders.get(name)
        if encode is None:
            message = _unknown(name, encoders)
            raise UsageError(message)
        try:
            pairs.append((name, encode(filters[name])))
        except values.InvalidValueError as error:
            message = f"Filter {name!r}: {error}"
            raise UsageError(message) from None
    size = len(urlencode(pairs))
    if size > MAX_QUERY:
        longest = max(pairs, key=lambda pair: len(pair[1]))[0]
        message = (
            f"Filter {longest!r}: expected a query of at most {MAX_QUERY:,} bytes, got {size:,}."
            " Shorten its value, or split it over several calls"
        )
        raise UsageError(message)
    return tuple(pairs)


def filter_names(schema: type) -> frozenset[str]:
    """Return the names of all filters of one list.

    Args:
        schema: The ``TypedDict`` of that list.

    Returns:
        The names, as the server knows them.
    """
    return frozenset(_encoders(schema))


def _unknown(name: str, encoders: Mapping[str, object]) -> str:
    if name == "page":
        return "Unknown filter 'page': lists fetch their pages; use .page(n) or .pages()"
    if name in {"limit", "strict", "on_bad_row"}:
        return f"Unknown filter {name!r}: pass it to .collect({name}=...)"
    import difflib  # noqa: PLC0415 - takes a millisecond, and only mistakes need it

    close = difflib.get_close_matches(name, encoders, n=3)
    # "series" nearly always means the id, which similarity alone would not put first.
    close.sort(key=f"{name}_id".__ne__)
    if close:
        return f"Unknown filter {name!r}; did you mean {' or '.join(map(repr, close))}?"
    known = ", ".join(sorted(encoders)) or "none"
    return f"Unknown filter {name!r}; this list has: {known}"


@cache
def _encoders(schema: type) -> dict[str, Callable[[object], str]]:
    hints = get_type_hints(schema, include_extras=True)
    return {name: _encoder(hint) for name, hint in hints.items()}


def _encoder(hint: object) -> Callable[[object], str]:
    if get_origin(hint) is not Annotated:
        return _BY_TYPE[hint]
    plain, limit = get_args(hint)
    if isinstance(limit, values.Among):
        return limit
    if plain is int:
        return partial(values.encode_int, bounds=limit)
    if Decimal in get_args(plain):
        return partial(values.encode_number, bounds=limit)
    return partial(values.encode_ints, bounds=limit)
