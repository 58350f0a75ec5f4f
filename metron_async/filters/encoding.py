"""Turn the keywords of a list into its query string, or say what is wrong with them.

A schema (a ``TypedDict``) is translated once into a table of encoders and then only looked up.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache, partial
from typing import Annotated, get_args, get_origin, get_type_hints

from metron_async import _values as values
from metron_async.errors import UsageError

__all__ = ["encode_filters", "filter_names"]

_BY_TYPE: dict[object, Callable[[object], str]] = {
    str: values.encode_text,
    bool: values.encode_bool,
    date: values.encode_date,
    datetime: values.encode_datetime,
    date | datetime: values.encode_moment,
}


def encode_filters(schema: type, filters: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Encode the filters of one list for its query string.

    Args:
        schema: The ``TypedDict`` of that list, such as
            :class:`~metron_async.filters.IssueFilters`.
        filters: Values by name.

    Returns:
        Pairs of name and text, sorted by name, so that equal questions make equal URLs.

    Raises:
        UsageError: A name is unknown, or a value is not what its filter takes. ``None`` is no
            way to say "not filtered": the server would answer with everything, which is rarely
            what somebody wanted whose variable happened to be ``None``.

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
        except values.Refused as refused:
            message = f"filter {name!r}: {refused}"
            raise UsageError(message) from None
    return tuple(pairs)


def filter_names(schema: type) -> frozenset[str]:
    """Tell the names of all filters of one list.

    Args:
        schema: The ``TypedDict`` of that list.

    Returns:
        The names, as the server knows them.
    """
    return frozenset(_encoders(schema))


def _unknown(name: str, encoders: Mapping[str, object]) -> str:
    if name == "page":
        return "unknown filter 'page': a list is paged by itself; ask it for .page(n) or .pages()"
    import difflib  # noqa: PLC0415 - costs a millisecond, and is needed by mistakes only

    close = difflib.get_close_matches(name, encoders, n=3)
    # "series" or "publisher" nearly always means the id; resemblance alone would not put it first.
    close.sort(key=f"{name}_id".__ne__)
    if close:
        return f"unknown filter {name!r}; did you mean {' or '.join(map(repr, close))}?"
    known = ", ".join(sorted(encoders)) or "none"
    return f"unknown filter {name!r}; this list knows: {known}"


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
