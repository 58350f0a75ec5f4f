"""Fields of writes: how a value is read, and the server's message for an invalid one.

A field takes the value and whether it came in a form, and returns the value to store. Each field
has its own rule for clearing: ``null`` clears what may be null, ``""`` clears text. A form has no
``null``: there, ``""`` clears numbers and dates too.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Callable, Collection
from decimal import Decimal, InvalidOperation
from typing import Any

from metron_async.testing._server.servertime import aware, local

__all__ = [
    "MISSING",
    "Field",
    "InvalidError",
    "boolean",
    "chars",
    "choice",
    "date",
    "decimal",
    "field",
    "integer",
    "moment",
]

MISSING: Any = object()
"""Stands for a field that was not sent, or that keeps its value."""

Read = Callable[[Any, bool], Any]
_LARGEST = 2_147_483_647
_POINT_ZERO = re.compile(r"\.0*\s*$")


class InvalidError(Exception):
    """An invalid value.

    Attributes:
        messages: The server's messages: a list, or lists by position for items of a list.
    """

    def __init__(self, messages: str | dict[str, Any]) -> None:
        super().__init__(messages)
        self.messages = [messages] if isinstance(messages, str) else messages


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One field of a write.

    Attributes:
        read: Reads a value, or raises :class:`InvalidError`.
        many: Whether it holds a list.
        table: The kind of object whose id it holds.
        unknown: Message for an id that does not exist.
        attribute: Attribute of the record, where that has another name.
        unique: The server's name of the field, if no two objects of a kind may share a value.
        fits: Whether the database takes a value. The server does not check it: no is a 500.
    """

    read: Read
    many: bool = False
    table: str | None = None
    unknown: str = 'Invalid pk "{}" - object does not exist.'
    attribute: str | None = None
    unique: str | None = None
    fits: Callable[[Any], bool] | None = None


def field(read: Read, *, null: bool = False, **options: Any) -> Field:
    """Return a field that reads ``null`` itself and everything else with *read*."""

    def read_any(value: Any, form: bool) -> Any:
        if null and (value is None or (form and value == "")):
            return None
        if value is None:
            message = "This field may not be null."
            raise InvalidError(message)
        return read(value, form)

    return Field(read_any, **options)


def chars(
    longest: int | None = None, *, blank: bool = True, fits: Callable[[Any], bool] | None = None
) -> Field:
    """Return a text field."""

    def read(value: Any, _: bool) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            message = "Not a valid string."
            raise InvalidError(message)
        text = str(value).strip()
        if not text and not blank:
            message = "This field may not be blank."
            raise InvalidError(message)
        if longest is not None and len(text) > longest:
            message = f"Ensure this field has no more than {longest} characters."
            raise InvalidError(message)
        if "\0" in text:
            message = "Null characters are not allowed."
            raise InvalidError(message)
        return text

    return field(read, fits=fits)


def integer(
    least: int = 0, most: int | None = _LARGEST, *, null: bool = False, **options: Any
) -> Field:
    """Return a field for a whole number."""

    def read(value: Any, _: bool) -> int:
        try:
            number = int(_POINT_ZERO.sub("", str(value)))
        except ValueError:
            message = "A valid integer is required."
            raise InvalidError(message) from None
        if most is not None and number > most:
            message = f"Ensure this value is less than or equal to {most}."
            raise InvalidError(message)
        if number < least:
            message = f"Ensure this value is greater than or equal to {least}."
            raise InvalidError(message)
        return number

    return field(read, null=null, **options)


def choice(choices: Collection[Any], *, null: bool = False) -> Field:
    """Return a field that takes *choices* only, numbers also as text."""
    known = {str(code): code for code in choices}

    def read(value: Any, _: bool) -> Any:
        if isinstance(value, bool) or str(value) not in known:
            message = f'"{value}" is not a valid choice.'
            raise InvalidError(message)
        return known[str(value)]

    return field(read, null=null)


def boolean() -> Field:
    """Return a field for true or false."""
    known = {"true": True, "1": True, "false": False, "0": False}

    def read(value: Any, _: bool) -> bool:
        found = known.get(str(value).lower())
        if found is None:
            message = "Must be a valid boolean."
            raise InvalidError(message)
        return found

    return field(read)


def date(*, null: bool = True) -> Field:
    """Return a field for a date."""

    def read(value: Any, _: bool) -> dt.date:
        try:
            return dt.date.fromisoformat(value)
        except (TypeError, ValueError):
            raise _wrong_format(_DATE) from None

    return field(read, null=null)


def moment() -> Field:
    """Return a field for a date-time, or none; without an offset it is New York time."""

    def read(value: Any, _: bool) -> dt.datetime:
        try:
            sent = dt.datetime.fromisoformat(value.strip())
        except (AttributeError, ValueError):
            raise _wrong_format(_DATETIME) from None
        message = "Datetime value out of range."
        try:
            found = aware(sent)
            shown = local(found)
        except OverflowError:
            raise InvalidError(message) from None
        if shown.year == 1:
            raise InvalidError(message)
        return found

    return field(read, null=True)


_DATE = ("Date", "YYYY-MM-DD")
_DATETIME = ("Datetime", "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]")


def _wrong_format(names: tuple[str, str]) -> InvalidError:
    kind, pattern = names
    return InvalidError(f"{kind} has wrong format. Use one of these formats instead: {pattern}.")


def decimal(digits: int, places: int) -> Field:
    """Return a field for a decimal number, stored as text, or none."""
    before = digits - places

    def read(value: Any, _: bool) -> str:
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite():
            message = "A valid number is required."
            raise InvalidError(message)
        exponent = number.normalize().as_tuple().exponent
        if isinstance(exponent, int) and -exponent > places:
            message = f"Ensure that there are no more than {places} decimal places."
            raise InvalidError(message)
        if abs(number) >= Decimal(10) ** before:
            message = (
                f"Ensure that there are no more than {before} digits before the decimal point."
            )
            raise InvalidError(message)
        return str(number.quantize(Decimal(1).scaleb(-places)))

    return field(read, null=True)
