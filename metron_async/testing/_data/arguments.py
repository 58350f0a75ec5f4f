"""Arguments of builders and edits: checked against the records' own types, ids and choices."""

from __future__ import annotations

import datetime as dt
import functools
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, cast

import msgspec

from metron_async.testing._data import vocabularies as v
from metron_async.testing._server.servertime import aware

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from metron_async.testing._data.catalogue import Catalogue

__all__ = ["checked"]

_PRICES = {"price", "purchase_price", "max_price"}
_REFERENCES = {
    "arcs": "arc",
    "associated": "series",
    "characters": "character",
    "creator": "creator",
    "creators": "creator",
    "genres": "genre",
    "imprint": "imprint",
    "issue": "issue",
    "next": "reading_list",
    "previous": "reading_list",
    "publisher": "publisher",
    "reprints": "issue",
    "roles": "role",
    "series": "series",
    "series_type": "series_type",
    "teams": "team",
    "universes": "universe",
}
_CHOICES: dict[str, dict[str, Collection[Any]]] = {
    "Issue": {"currency": ("", *v.CURRENCIES), "rating": range(1, len(v.RATINGS) + 1)},
    "Item": {
        "book_format": v.BOOK_FORMATS,
        "grade": v.GRADES,
        "grading_company": v.GRADING_COMPANIES,
        "rating": range(1, 6),
    },
    "Publisher": {"country": v.COUNTRIES},
    "ReadingItem": {"issue_type": v.ISSUE_TYPES},
    "ReadingList": {"attribution_source": v.ATTRIBUTIONS, "list_type": v.LIST_TYPES},
    "Series": {"language": ("", *v.LANGUAGE_CODES), "status": v.STATUSES},
    "Variant": {"currency": v.CURRENCIES},
    "Wish": {
        "desired_grade": v.GRADES,
        "max_price_currency": v.CURRENCIES,
        "priority": range(1, 6),
        "status": ("Wanted", "Acquired"),
    },
}


@functools.cache
def _types(record: type[msgspec.Struct]) -> dict[str, Any]:
    return {field.name: field.type for field in msgspec.structs.fields(record)}


def checked(
    record: type[msgspec.Struct], values: Mapping[str, Any], catalogue: Catalogue
) -> dict[str, Any]:
    """Return *values* as a record stores them: dates from ISO strings, lists as tuples.

    Args:
        record: The class of the record.
        values: Values by field. Dates and date-times may be ISO strings; a date-time without an
            offset is New York time. Prices may be text or ``Decimal``.
        catalogue: The objects to which ids refer.

    Raises:
        AttributeError: The record has no such field.
        TypeError: A value has the wrong type.
        ValueError: A value is malformed, is not one of the choices, or is an unknown id.
    """
    types, found = _types(record), dict[str, Any]()
    choices = _CHOICES.get(record.__name__, {})
    for name, value in values.items():
        if name not in types:
            msg = f"{record.__name__} has no field {name!r}"
            raise AttributeError(msg)
        found[name] = stored = _stored(name, value, types[name])
        if stored is None:
            continue
        if name in choices and stored not in choices[name]:
            expected = ", ".join(repr(choice) for choice in choices[name])
            msg = f"Invalid {name}: expected one of {expected}, got {stored!r}"
            raise ValueError(msg)
        if name in _REFERENCES:
            _require_known(_REFERENCES[name], stored, catalogue)
    return found


def _stored(name: str, value: Any, annotation: Any) -> Any:
    if name in _PRICES and value is not None:
        return _price(name, value)
    if isinstance(value, str) and "datetime.datetime" in str(annotation):
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError:
            msg = f"Invalid {name}: expected ISO 8601, such as '2026-11-20T17:00Z', got {value!r}"
            raise ValueError(msg) from None
    try:
        stored = msgspec.convert(value, annotation)
    except msgspec.ValidationError as error:
        message = str(error).replace("`", "").replace("null", "None")
        if message.startswith("Expected"):
            msg = f"Invalid {name}: {message[0].lower()}{message[1:]}"
            raise TypeError(msg) from None
        msg = f"Invalid {name}: expected a date or ISO 8601, such as '2026-11-20', got {value!r}"
        raise ValueError(msg) from None
    return aware(stored) if isinstance(stored, dt.datetime) else stored


def _price(name: str, value: Any) -> str:
    if not isinstance(value, str | Decimal):
        msg = f"Invalid {name}: expected str or Decimal, got {type(value).__name__}"
        raise TypeError(msg)
    try:
        return str(Decimal(value).quantize(Decimal("0.01")))
    except InvalidOperation:
        msg = f"Invalid {name}: expected a decimal number such as '3.99', got {value!r}"
        raise ValueError(msg) from None


def _require_known(kind: str, stored: Any, catalogue: Catalogue) -> None:
    table = catalogue.table(kind)
    for rid in cast("tuple[int, ...]", stored) if isinstance(stored, tuple) else (stored,):
        if rid not in table:
            msg = f"Unknown {kind} id {rid}: add the object first, or use the id of another one"
            raise ValueError(msg)
