"""What each write takes: fields, which of them are required, and media types."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from metron_async.testing._data import vocabularies as v
from metron_async.testing._server import messages as m
from metron_async.testing._writes import fields as w
from metron_async.testing._writes import relations as wr
from metron_async.testing._writes.forms import JSON_AND_FORMS, MISSING, ONLY_FORMS

if TYPE_CHECKING:
    from metron_async.testing._data.catalogue import Catalogue
    from metron_async.testing._writes.forms import Input

__all__ = ["SCHEMAS", "Schema", "check", "checked"]

_SMALL = 32_767
_NAME = w.chars(255, blank=False)
_COMMON = {
    "name": _NAME,
    "desc": w.chars(),
    "image": wr.image(),
    "cv_id": w.integer(null=True),
    "gcd_id": w.integer(null=True),
}
_WITHOUT_CV = {name: field for name, field in _COMMON.items() if name != "cv_id"}
_YEAR = w.integer(most=_SMALL, null=True)


@dataclasses.dataclass(frozen=True, slots=True)
class Schema:
    """What one kind of write takes.

    Attributes:
        fields: The fields, by name; others are ignored.
        required: Names of those that must be sent.
        accepts: Media types.
        unique: Names of fields that together must be unique.
    """

    fields: dict[str, w.Field]
    required: tuple[str, ...] = ("name",)
    accepts: tuple[str, ...] = ONLY_FORMS
    unique: tuple[str, ...] = ()


_GRADE = w.decimal(3, 1)
_MONEY = w.decimal(7, 2)
_CURRENCY = w.choice(v.CURRENCIES)

SCHEMAS: dict[str, Schema] = {
    "arc": Schema(_COMMON),
    "character": Schema(
        _COMMON
        | {
            "alias": wr.array(100),
            "creators": wr.keys("creator"),
            "teams": wr.keys("team"),
            "universes": wr.keys("universe"),
        }
    ),
    "creator": Schema(_COMMON | {"birth": w.date(), "death": w.date(), "alias": wr.array(100)}),
    "imprint": Schema(
        _COMMON | {"founded": _YEAR, "publisher": wr.key("publisher")}, ("name", "publisher")
    ),
    "publisher": Schema(
        _COMMON | {"alt_names": wr.array(255), "founded": _YEAR, "country": w.choice(v.COUNTRIES)}
    ),
    "team": Schema(_COMMON | {"creators": wr.keys("creator"), "universes": wr.keys("universe")}),
    "universe": Schema(
        _WITHOUT_CV | {"publisher": wr.key("publisher"), "designation": w.chars(255)},
        ("name", "publisher"),
    ),
    "series": Schema(
        {
            "name": _NAME,
            "sort_name": _NAME,
            "alt_names": wr.array(255),
            "language": w.choice(("", *v.LANGUAGE_CODES)),
            "volume": w.integer(most=_SMALL),
            "series_type": wr.key("series_type"),
            "status": w.choice(tuple(v.STATUSES)),
            "publisher": wr.key("publisher"),
            "imprint": wr.key("imprint", null=True),
            "year_began": w.integer(most=_SMALL),
            "year_end": _YEAR,
            "desc": w.chars(),
            "genres": wr.keys("genre"),
            "associated": wr.keys("series"),
            "cv_id": w.integer(null=True),
            "gcd_id": w.integer(null=True),
        },
        ("name", "sort_name", "volume", "series_type", "publisher", "year_began"),
        JSON_AND_FORMS,
    ),
    "issue": Schema(
        {
            "series": wr.key("series"),
            "number": w.chars(25, blank=False),
            "alt_number": w.chars(25),
            "title": w.chars(255),
            "name": dataclasses.replace(wr.array(150), attribute="names"),
            "cover_date": w.date(null=False),
            "store_date": w.date(),
            "foc_date": w.date(),
            "price": wr.price(v.CURRENCIES),
            "rating": wr.key("rating"),
            "sku": w.chars(12),
            "isbn": w.chars(13),
            "upc": w.chars(20),
            "page": w.integer(most=_SMALL, null=True),
            "desc": w.chars(),
            "image": wr.image(),
            "arcs": wr.keys("arc"),
            "characters": wr.keys("character"),
            "teams": wr.keys("team"),
            "universes": wr.keys("universe"),
            "reprints": wr.keys("issue"),
            "cv_id": w.integer(null=True),
            "gcd_id": w.integer(null=True),
        },
        ("series", "number", "cover_date"),
        JSON_AND_FORMS,
        ("series", "number"),
    ),
    "variant": Schema(
        {
            "issue": wr.key("issue"),
            "image": wr.image(null=False),
            "name": w.chars(255),
            "price": wr.price(v.CURRENCIES),
            "sku": w.chars(12),
            "upc": w.chars(20),
        },
        ("issue", "image"),
        JSON_AND_FORMS,
    ),
    "credit": Schema(
        {"issue": wr.key("issue"), "creator": wr.key("creator"), "role": wr.keys("role")},
        ("issue", "creator", "role"),
        JSON_AND_FORMS,
        ("issue", "creator"),
    ),
    "collection.add": Schema(
        {
            "issue_id": w.integer(least=-_SMALL),
            "quantity": w.integer(least=1),
            "book_format": w.choice(tuple(v.BOOK_FORMATS)),
            "grade": _GRADE,
            "grading_company": w.choice(tuple(v.GRADING_COMPANIES)),
            "purchase_date": w.date(),
            "purchase_price": _MONEY,
            "purchase_price_currency": _CURRENCY,
            "purchase_store": w.chars(),
            "storage_location": w.chars(),
            "notes": w.chars(),
        },
        ("issue_id",),
        JSON_AND_FORMS,
    ),
    "collection.rate": Schema({"rating": w.choice((1, 2, 3, 4, 5), null=True)}, (), JSON_AND_FORMS),
    "scrobble": Schema(
        {
            "issue_id": w.integer(least=-_SMALL),
            "date_read": w.moment(),
            "rating": w.integer(1, 5, null=True),
        },
        ("issue_id",),
        JSON_AND_FORMS,
    ),
    "pull_list.add": Schema({"series_id": w.integer()}, ("series_id",), JSON_AND_FORMS),
    "wish_list.add": Schema(
        {
            "issue_id": w.integer(least=-_SMALL),
            "priority": w.integer(1, 5),
            "desired_grade": _GRADE,
            "max_price": _MONEY,
            "max_price_currency": _CURRENCY,
            "notes": w.chars(),
        },
        ("issue_id",),
        JSON_AND_FORMS,
    ),
    "wish_list.acquire": Schema(
        {
            "purchase_date": w.date(),
            "purchase_price": _MONEY,
            "purchase_price_currency": _CURRENCY,
            "purchase_store": w.chars(),
            "notes": w.chars(),
        },
        (),
        JSON_AND_FORMS,
    ),
}


def check(
    schema: Schema, sent: Input, catalogue: Catalogue, *, partial: bool = False
) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Read what was sent.

    Args:
        schema: What may be sent.
        sent: What was sent.
        catalogue: Where ids must exist.
        partial: Whether required fields may be missing, as in a PATCH.

    Returns:
        The values by field, and the server's messages by field: one of them is empty.
    """
    values: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    for name, field in schema.fields.items():
        raw = sent.get_list(name) if field.many else sent.get(name)
        if raw is MISSING:
            if name in schema.required and not partial:
                message = "No file was submitted." if name == "image" else _REQUIRED
                errors[name] = [message]
            continue
        try:
            value = field.read(raw, sent.form)
            _exists(field, value, catalogue)
        except ValueError as error:
            errors[name] = [str(error)]
        else:
            values[name] = value
    return values, errors


_REQUIRED = "This field is required."


def _exists(field: w.Field, value: Any, catalogue: Catalogue) -> None:
    if field.table is None or value is None:
        return
    table = catalogue.table(field.table)
    ids: Any = value if field.many else (value,)
    for rid in ids:
        if rid not in table:
            message = f'Invalid pk "{rid}" - object does not exist.'
            raise w.refuse(message)


def checked(
    schema: Schema, sent: Input, catalogue: Catalogue, *, partial: bool = False
) -> dict[str, Any]:
    """Read what was sent.

    Raises:
        HttpError: A 400 with messages by field.
    """
    values, errors = check(schema, sent, catalogue, partial=partial)
    if errors:
        raise m.invalid(errors)
    return values
