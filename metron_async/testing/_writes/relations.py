"""The fields of writes that hold more than a word: prices, lists, ids, and pictures."""

# ruff: noqa: EM101, EM102, TRY003 - what is raised here are answers, not messages

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import msgspec

from metron_async.testing._writes.fields import Field, chars, not_null, read_decimal, refuse
from metron_async.testing._writes.forms import Upload

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["array", "image", "key", "keys", "price"]

_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF")


def price(currencies: Collection[str]) -> Field:
    """Return a field for a price: ``"3.99"`` in USD, or an amount with its currency."""

    def read(value: Any, form: bool) -> tuple[str | None, str]:
        if value is None or (form and value == ""):
            return None, ""
        currency = "USD"
        if form and isinstance(value, str) and value.lstrip().startswith("{"):
            value = _json_object(value)
        if isinstance(value, dict):
            given = cast("dict[str, Any]", value)
            currency = given.get("currency", "USD")
            if currency not in currencies:
                supported = ", ".join(currencies)
                raise refuse(f"Invalid currency '{currency}'. Supported: {supported}")
            value = given.get("amount")
        amount = read_decimal(value, 8, 2)
        # A price of nothing is stored as no price.
        return (None, "") if Decimal(amount) == 0 else (amount, currency)

    return Field(read)


def _json_object(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise refuse("A valid number is required.") from None


def array(longest: int) -> Field:
    """Return a field for a list of texts."""
    one = chars(longest, blank=False)

    def read(value: Any, form: bool) -> tuple[str, ...]:
        not_null(value)
        if not isinstance(value, list):
            raise refuse(f'Expected a list of items but got type "{type(value).__name__}".')
        return tuple(one.read(item, form) for item in cast("list[object]", value))

    return Field(read, many=True)


def _key(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        kind = type(value).__name__
        raise refuse(f"Incorrect type. Expected pk value, received {kind}.")
    try:
        return int(value)
    except ValueError:
        raise refuse("Incorrect type. Expected pk value, received str.") from None


def key(table: str, *, null: bool = False) -> Field:
    """Return a field for the id of an object of *table*."""

    def read(value: Any, form: bool) -> int | None:
        if null and (value is None or (form and value == "")):
            return None
        not_null(value)
        return _key(value)

    return Field(read, table=table)


def keys(table: str) -> Field:
    """Return a field for the ids of objects of *table*."""

    def read(value: Any, _: bool) -> tuple[int, ...]:
        not_null(value)
        if not isinstance(value, list):
            raise refuse(f'Expected a list of items but got type "{type(value).__name__}".')
        return tuple(dict.fromkeys(_key(item) for item in cast("list[object]", value)))

    return Field(read, many=True, table=table)


def image(*, null: bool = True) -> Field:
    """Return a field for a picture."""

    def read(value: Any, form: bool) -> Upload | None:
        if null and (value is None or (form and value == "")):
            return None
        not_null(value)
        if not isinstance(value, Upload):
            message = "The submitted data was not a file. Check the encoding type on the form."
            raise refuse(message)
        if not value.content:
            raise refuse("The submitted file is empty.")
        if not value.content.startswith(_MAGIC):
            message = (
                "Upload a valid image. The file you uploaded was either not an image or a "
                "corrupted image."
            )
            raise refuse(message)
        return value

    return Field(read)
