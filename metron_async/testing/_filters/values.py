"""Values of filters: text in, a Python value out, or the server's message."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from decimal import Decimal, InvalidOperation
from typing import Any

from metron_async.testing._server.messages import server_error
from metron_async.testing._server.servertime import aware, local

__all__ = [
    "Reader",
    "boolean",
    "choice",
    "date",
    "local_day",
    "moment",
    "number",
    "numbers",
    "text",
    "year",
]

Reader = Callable[[str], Any]
"""Reads a value. Raises ValueError with the server's message; ``None`` means no filter."""

_ISO_DATE = len("2026-11-20")


def text(value: str) -> str:
    """Return text."""
    if "\0" in value:
        message = "Null characters are not allowed."
        raise ValueError(message)
    return value


def number(value: str) -> int | Decimal:
    """Return a number; a whole one becomes an int, which is faster to compare."""
    try:
        found = Decimal(value.strip())
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        message = "Enter a number."
        raise ValueError(message)
    return int(found) if found == found.to_integral_value() else found


def numbers(value: str) -> frozenset[int | Decimal]:
    """Return numbers that are separated by commas."""
    return frozenset(number(part) for part in value.split(",") if part.strip())


def year(value: str) -> int | Decimal:
    """Return a year.

    Raises:
        HttpError: A 500, for a year that no date can have.
    """
    found = number(value)
    if not dt.MINYEAR <= found <= dt.MAXYEAR:
        raise server_error()
    return found


def boolean(value: str) -> bool | None:
    """Return true or false; the server ignores anything else."""
    return {"true": True, "1": True, "false": False, "0": False}.get(value.lower())


def date(value: str) -> dt.date:
    """Return a date; an instant is refused."""
    value = value.strip()
    try:
        if len(value) == _ISO_DATE:
            return dt.date.fromisoformat(value)
    except ValueError:
        pass
    message = "Enter a valid date."
    raise ValueError(message)


def moment(value: str) -> dt.datetime:
    """Return a date-time; one without an offset is New York time."""
    try:
        return aware(dt.datetime.fromisoformat(value.strip()))
    except (OverflowError, ValueError):
        message = "Enter a valid date/time."
        raise ValueError(message) from None


def local_day(value: dt.datetime) -> dt.date:
    """Return the day of an aware datetime in New York."""
    return local(value).date()


def choice(choices: Collection[str]) -> Reader:
    """Return a reader that takes *choices* only."""

    def read(value: str) -> str:
        if value not in choices:
            message = f"Select a valid choice. {value} is not one of the available choices."
            raise ValueError(message)
        return value

    return read
