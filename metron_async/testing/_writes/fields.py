"""How the fields of writes are read, and what the server says when they cannot be.

A field takes what was sent, and whether that came in a form, and returns the value to store. The
rules of clearing are its own: ``null`` clears what may be null, ``""`` clears text; in a form,
where there is no ``null``, ``""`` clears numbers and dates too.
"""

# ruff: noqa: EM101, EM102, TRY003 - what is raised here are answers, not messages

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Collection
from decimal import Decimal, InvalidOperation
from typing import Any

from metron_async.testing._filters.values import read_moment

__all__ = [
    "Field",
    "chars",
    "choice",
    "date",
    "decimal",
    "integer",
    "moment",
    "not_null",
    "read_decimal",
    "refuse",
]

Read = Callable[[Any, bool], Any]
_LARGEST = 2_147_483_647


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One field of a write.

    Attributes:
        read: Reads a value, or raises ValueError with the server's message.
        many: Whether it holds a list.
        table: The kind of object whose id it holds.
        attribute: Attribute of the record, where that has another name.
    """

    read: Read
    many: bool = False
    table: str | None = None
    attribute: str | None = None


def refuse(message: str) -> ValueError:
    """Return the error for a value."""
    return ValueError(message)


def not_null(value: Any) -> None:
    """Refuse ``null``."""
    if value is None:
        raise refuse("This field may not be null.")


def chars(longest: int | None = None, *, blank: bool = True) -> Field:
    """Return a text field."""

    def read(value: Any, _: bool) -> str:
        not_null(value)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise refuse("Not a valid string.")
        text = str(value).strip()
        if not text and not blank:
            raise refuse("This field may not be blank.")
        if longest is not None and len(text) > longest:
            raise refuse(f"Ensure this field has no more than {longest} characters.")
        return text

    return Field(read)


def integer(
    least: int = 0, most: int = _LARGEST, *, null: bool = False, attribute: str | None = None
) -> Field:
    """Return a field for a whole number."""

    def read(value: Any, form: bool) -> int | None:
        if null and (value is None or (form and value == "")):
            return None
        not_null(value)
        try:
            number = int(str(value)) if not isinstance(value, bool) else None
        except ValueError:
            number = None
        if number is None:
            raise refuse("A valid integer is required.")
        if number > most:
            raise refuse(f"Ensure this value is less than or equal to {most}.")
        if number < least:
            raise refuse(f"Ensure this value is greater than or equal to {least}.")
        return number

    return Field(read, attribute=attribute)


def choice(choices: Collection[Any], *, null: bool = False) -> Field:
    """Return a field that takes *choices* only, numbers also as text."""
    known = {str(code): code for code in choices}

    def read(value: Any, form: bool) -> Any:
        if null and (value is None or (form and value == "")):
            return None
        not_null(value)
        if isinstance(value, bool) or str(value) not in known:
            raise refuse(f'"{value}" is not a valid choice.')
        return known[str(value)]

    return Field(read)


def date(*, null: bool = True) -> Field:
    """Return a field for a date."""

    def read(value: Any, form: bool) -> dt.date | None:
        if null and (value is None or (form and value == "")):
            return None
        not_null(value)
        try:
            return dt.date.fromisoformat(value)
        except (TypeError, ValueError):
            message = "Date has wrong format. Use one of these formats instead: YYYY-MM-DD."
            raise refuse(message) from None

    return Field(read)


def moment() -> Field:
    """Return a field for a date-time, or none."""

    def read(value: Any, form: bool) -> dt.datetime | None:
        if value is None or (form and value == ""):
            return None
        try:
            return read_moment(value)
        except (AttributeError, TypeError, ValueError):
            message = (
                "Datetime has wrong format. Use one of these formats instead: "
                "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
            )
            raise refuse(message) from None

    return Field(read)


def _number(value: Any) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise refuse("A valid number is required.") from None
    if isinstance(value, bool) or not number.is_finite():
        raise refuse("A valid number is required.")
    return number


def read_decimal(value: Any, digits: int, places: int) -> str:
    """Return a number as text with its decimal places.

    Raises:
        ValueError: It is none, or has too many digits.
    """
    number = _number(value)
    exponent = number.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > places:
        raise refuse(f"Ensure that there are no more than {places} decimal places.")
    if abs(number) >= Decimal(10) ** (digits - places):
        before = digits - places
        raise refuse(
            f"Ensure that there are no more than {before} digits before the decimal point."
        )
    return str(number.quantize(Decimal(1).scaleb(-places)))


def decimal(digits: int, places: int) -> Field:
    """Return a field for a decimal number, stored as text, or none."""

    def read(value: Any, form: bool) -> str | None:
        if value is None or (form and value == ""):
            return None
        return read_decimal(value, digits, places)

    return Field(read)
