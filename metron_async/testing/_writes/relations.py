"""Fields of writes with structure: prices, lists, ids, and images."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from metron_async.testing._server import messages as m
from metron_async.testing._writes.fields import MISSING, Field, InvalidError, chars, field
from metron_async.testing._writes.forms import Upload

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

__all__ = ["array", "image", "key", "keys", "price"]

_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF")
_CENT = Decimal("0.01")
_TOO_MUCH = Decimal(1_000_000)


def price(currencies: Collection[str]) -> Field:
    """Return a field for a price: ``"3.99"`` in USD, or an amount with its currency.

    The server does not check the amount: text that is not a number, and a number of more than
    eight digits, are a 500. A price of 0 is stored as no price.
    """

    def read(value: Any, form: bool) -> tuple[str | None, str]:
        currency = "USD"
        if form and isinstance(value, str) and value.lstrip().startswith("{"):
            value = _json_object(value)
        if isinstance(value, dict):
            given = cast("dict[str, Any]", value)
            currency = given.get("currency", "USD")
            if currency not in currencies:
                supported = ", ".join(currencies)
                message = f"Invalid currency '{currency}'. Supported: {supported}"
                raise InvalidError(message)
            value = given.get("amount")
        try:
            amount = Decimal(str(value)).quantize(_CENT, ROUND_HALF_UP)
        except InvalidOperation:
            raise m.server_error() from None
        return (str(amount), currency) if amount else (None, "")

    whole = field(read, null=True)

    def read_any(value: Any, form: bool) -> tuple[str | None, str]:
        found: tuple[str | None, str] | None = whole.read(value, form)
        return found or (None, "")

    return Field(read_any, fits=_price_fits)


def _price_fits(stored: tuple[str | None, str]) -> bool:
    amount = Decimal(stored[0] or 0)
    return amount.is_finite() and abs(amount) < _TOO_MUCH


def _json_object(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise m.server_error() from None


def _list(value: Any) -> list[object]:
    if not isinstance(value, list):
        message = f'Expected a list of items but got type "{type(value).__name__}".'
        raise InvalidError(message)
    return cast("list[object]", value)


def array(longest: int, *, attribute: str | None = None) -> Field:
    """Return a field for a list of texts, whose errors are nested by position."""
    one = chars(longest, blank=False)

    def read(value: Any, form: bool) -> tuple[str, ...]:
        found: list[str] = []
        errors: dict[str, Any] = {}
        for position, item in enumerate(_list(value)):
            try:
                found.append(one.read(item, form))
            except InvalidError as error:
                errors[str(position)] = error.messages
        if errors:
            raise InvalidError(errors)
        return tuple(found)

    return field(read, many=True, attribute=attribute)


def _key(value: Any) -> int:
    try:
        if isinstance(value, int | str) and not isinstance(value, bool):
            return int(value)
    except ValueError:
        pass
    message = f"Incorrect type. Expected pk value, received {type(value).__name__}."
    raise InvalidError(message)


def key(table: str, *, null: bool = False) -> Field:
    """Return a field for the id of an object of *table*."""
    return field(lambda value, _: _key(value), null=null, table=table)


def keys(table: str, *, empty: bool = True) -> Field:
    """Return a field for the ids of objects of *table*."""

    def read(value: Any, _: bool) -> tuple[int, ...]:
        found = tuple(dict.fromkeys(_key(item) for item in _list(value)))
        if not found and not empty:
            message = "This list may not be empty."
            raise InvalidError(message)
        return found

    return field(read, many=True, table=table)


def image(without: Literal["keep", "clear", "refuse"]) -> Field:
    """Return a field for an image.

    Args:
        without: Effect of ``null``, an empty text or an empty file: the old image is kept, or
            cleared, or the write is refused.
    """
    effects: dict[str, Callable[[], Any]] = {
        "keep": lambda: MISSING,
        "clear": lambda: None,
        "refuse": _refuse_null,
    }

    def read(value: Any, _: bool) -> Any:
        if value is None or value == "" or (isinstance(value, Upload) and not value.content):
            return effects[without]()
        if not isinstance(value, Upload):
            message = "The submitted data was not a file. Check the encoding type on the form."
            raise InvalidError(message)
        if not value.content.startswith(_MAGIC):
            message = (
                "Upload a valid image. The file you uploaded was either not an image or a "
                "corrupted image."
            )
            raise InvalidError(message)
        return value

    return Field(read)


def _refuse_null() -> None:
    message = "This field may not be null."
    raise InvalidError(message)
