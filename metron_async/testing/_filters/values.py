"""How the values of filters are read: text in, a Python value out, or the server's message."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from decimal import Decimal, InvalidOperation
from typing import Any

from metron_async.testing._server.servertime import aware, local

__all__ = [
    "Reader",
    "boolean",
    "choice",
    "date",
    "moment",
    "number",
    "numbers",
    "read_moment",
    "text",
]

Reader = Callable[[str], Any]
"""Reads a value, or raises ValueError with the server's message."""


def text(value: str) -> str:
    """Read text."""
    return value


def number(value: str) -> int | Decimal:
    """Read a number; a whole one becomes an int, which is quicker to compare."""
    try:
        found = Decimal(value.strip())
    except InvalidOperation:
        msg = "Enter a number."
        raise ValueError(msg) from None
    if not found.is_finite():
        msg = "Enter a number."
        raise ValueError(msg)
    return int(found) if found == found.to_integral_value() else found


def numbers(value: str) -> frozenset[int | Decimal]:
    """Read numbers with commas between them."""
    return frozenset(number(part) for part in value.split(",") if part.strip())


def boolean(value: str) -> bool:
    """Read true or false."""
    try:
        return {"true": True, "1": True, "false": False, "0": False}[value.lower()]
    except KeyError:
        msg = f"Select a valid choice. {value} is not one of the available choices."
        raise ValueError(msg) from None


def date(value: str) -> dt.date:
    """Read a date."""
    try:
        return dt.date.fromisoformat(value.strip())
    except ValueError:
        msg = "Enter a valid date."
        raise ValueError(msg) from None


def read_moment(value: str) -> dt.datetime:
    """Read a date-time; one without an offset is New York time.

    Raises:
        ValueError: It is none.
    """
    return aware(dt.datetime.fromisoformat(value.strip()))


def moment(value: str) -> dt.datetime:
    """Read a date-time, with the message of a filter."""
    try:
        return read_moment(value)
    except ValueError:
        msg = "Enter a valid date/time."
        raise ValueError(msg) from None


def local_day(value: dt.datetime) -> dt.date:
    """Return the day of an aware datetime in New York."""
    return local(value).date()


def choice(choices: Collection[str]) -> Reader:
    """Return a reader that takes *choices* only."""

    def read(value: str) -> str:
        if value not in choices:
            msg = f"Select a valid choice. {value} is not one of the available choices."
            raise ValueError(msg)
        return value

    return read
