"""Schemas of writes: fields, required fields, and media types."""

from __future__ import annotations

import dataclasses

from metron_async.testing._data import vocabularies as v
from metron_async.testing._writes import fields as w
from metron_async.testing._writes import relations as wr
from metron_async.testing._writes.forms import JSON_AND_FORMS, ONLY_FORMS

__all__ = ["SCHEMAS", "Schema"]

_SMALL = 32_767
_LONGEST = 255


def _is_small(number: int) -> bool:
    return number <= _SMALL


def _is_short(text: str) -> bool:
    return len(text) <= _LONGEST


_NAME = w.chars(255, blank=False)
_CV_ID = w.integer(null=True, unique="Comic Vine ID")
_GCD_ID = w.integer(null=True, unique="gcd id")
_COMMON = {
    "name": _NAME,
    "desc": w.chars(),
    "image": wr.image("keep"),
    "cv_id": _CV_ID,
    "gcd_id": _GCD_ID,
}
_WITHOUT_CV = {name: field for name, field in _COMMON.items() if name != "cv_id"}
_YEAR = w.integer(most=_SMALL, null=True)


@dataclasses.dataclass(frozen=True, slots=True)
class Schema:
    """Schema of one kind of write.

    Attributes:
        fields: The fields, by name; others are ignored.
        required: Names of the fields that must be sent.
        accepts: Media types.
        unique: Names of fields that together must be unique.
    """

    fields: dict[str, w.Field]
    required: tuple[str, ...] = ("name",)
    accepts: tuple[str, ...] = ONLY_FORMS
    unique: tuple[str, ...] = ()


_ISSUE_ID = w.integer(-_SMALL, table="issue", unknown="Issue with id {} does not exist.")
_SHORT = w.chars(fits=_is_short)
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
        _COMMON | {"image": wr.image("clear"), "founded": _YEAR, "publisher": wr.key("publisher")},
        ("name", "publisher"),
    ),
    "publisher": Schema(
        _COMMON | {"alt_names": wr.array(255), "founded": _YEAR, "country": w.choice(v.COUNTRIES)}
    ),
    "team": Schema(_COMMON | {"creators": wr.keys("creator"), "universes": wr.keys("universe")}),
    "universe": Schema(
        _WITHOUT_CV | {"publisher": wr.key("publisher"), "designation": w.chars(255)},
        ("name", "publisher", "designation"),
        unique=("publisher", "name", "designation"),
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
            "cv_id": _CV_ID,
            "gcd_id": _GCD_ID,
        },
        ("name", "sort_name", "volume", "series_type", "status", "publisher", "year_began"),
        JSON_AND_FORMS,
        ("publisher", "name", "volume", "series_type"),
    ),
    "issue": Schema(
        {
            "series": wr.key("series"),
            "number": w.chars(25, blank=False),
            "alt_number": w.chars(25),
            "title": w.chars(255),
            "name": wr.array(150, attribute="names"),
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
            "image": wr.image("refuse"),
            "arcs": wr.keys("arc"),
            "characters": wr.keys("character"),
            "teams": wr.keys("team"),
            "universes": wr.keys("universe"),
            "reprints": wr.keys("issue"),
            "desc_is_solicitation": w.boolean(),
            "cv_id": _CV_ID,
            "gcd_id": _GCD_ID,
        },
        ("series", "number", "cover_date"),
        JSON_AND_FORMS,
        ("series", "number"),
    ),
    "variant": Schema(
        {
            "issue": wr.key("issue"),
            "image": wr.image("refuse"),
            "name": w.chars(255),
            "price": wr.price(v.CURRENCIES),
            "sku": w.chars(12),
            "upc": w.chars(20),
        },
        ("issue", "image"),
        JSON_AND_FORMS,
    ),
    "credit": Schema(
        {
            "issue": wr.key("issue"),
            "creator": wr.key("creator"),
            "role": wr.keys("role", empty=False),
        },
        ("issue", "creator", "role"),
        JSON_AND_FORMS,
        ("issue", "creator"),
    ),
    "collection.add": Schema(
        {
            "issue_id": _ISSUE_ID,
            "quantity": w.integer(1, None, fits=_is_small),
            "book_format": w.choice(tuple(v.BOOK_FORMATS)),
            "grade": _GRADE,
            "grading_company": w.choice(tuple(v.GRADING_COMPANIES)),
            "purchase_date": w.date(),
            "purchase_price": _MONEY,
            "purchase_price_currency": _CURRENCY,
            "purchase_store": _SHORT,
            "storage_location": _SHORT,
            "notes": w.chars(),
        },
        ("issue_id",),
        JSON_AND_FORMS,
    ),
    "collection.rate": Schema({"rating": w.choice((1, 2, 3, 4, 5), null=True)}, (), JSON_AND_FORMS),
    "scrobble": Schema(
        {
            "issue_id": _ISSUE_ID,
            "date_read": w.moment(),
            "rating": w.integer(1, 5, null=True),
        },
        ("issue_id",),
        JSON_AND_FORMS,
    ),
    "pull_list.add": Schema({"series_id": w.integer()}, ("series_id",), JSON_AND_FORMS),
    "wish_list.add": Schema(
        {
            "issue_id": _ISSUE_ID,
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
            "purchase_store": _SHORT,
            "notes": w.chars(),
        },
        (),
        JSON_AND_FORMS,
    ),
}
