"""Rules for the fields of inputs: what each accepts, and how it is sent.

A rule stands in ``Annotated`` beside the type of a field. Its ``encode`` takes a Python value and
returns what JSON can hold, or raises :class:`~metron_async._values.InvalidValueError`. A form is
derived from that (see :mod:`metron_async.models._encoding`), so each limit is defined once.

``None`` clears a field. The server expects ``null`` for numbers, dates and images, but refuses it
for text and lists, which ``""`` and ``[]`` clear. ``None`` is therefore sent as those.
"""

import os
import re
from decimal import Context, Decimal
from enum import Enum
from typing import Any, BinaryIO, Literal, Protocol, cast

import msgspec

from metron_async._values import (
    Among,
    Range,
    as_items,
    encode_date,
    encode_datetime,
    encode_int,
    expected,
    is_storable,
    show,
    wrong_type,
)
from metron_async.enums import Currency

__all__ = [
    "Choice",
    "Day",
    "File",
    "Flag",
    "Image",
    "Listed",
    "Moment",
    "Money",
    "Price",
    "Rule",
    "Text",
    "Upload",
    "Whole",
]

_EXACT = Context(prec=50)  # the program's own context may round, or trap rounding


class Price(msgspec.Struct, frozen=True):
    """Amount of money with its currency. A plain ``Decimal`` stands for US dollars."""

    amount: Decimal
    """The amount, with at most two decimals."""
    currency: Currency | str = Currency.USD
    """The currency, or its code."""


class Upload(msgspec.Struct, frozen=True):
    """Image to send, with a file name and a type."""

    content: str | os.PathLike[str] | bytes | BinaryIO
    """A path, the bytes, or a file opened in binary mode."""
    name: str | None = None
    """File name to send; by default that of the path, or ``"image"``."""
    content_type: str | None = None
    """MIME type, such as ``"image/png"``; by default detected from the bytes."""


Image = str | os.PathLike[str] | bytes | BinaryIO | Upload


class Rule(Protocol):
    """Rule for the value of a field."""

    def encode(self, value: object) -> Any:
        """Return the value as JSON can hold it, or raise ``InvalidValueError``."""
        ...


class Text(msgspec.Struct, frozen=True):
    """Rule for a string; ``None`` is sent as ``""`` where it may be blank."""

    most: int | None = None
    """Number of characters that the server can store, or ``None`` for any."""
    blank: bool = True
    """Whether it may be empty."""
    pattern: str | None = None
    """Regular expression that a code must match as a whole, or ``None``."""
    like: str = ""
    """Example of such a code."""

    def encode(self, value: object) -> str:
        """Return the string."""
        if value is None and self.blank:
            return ""
        if not isinstance(value, str) or isinstance(value, Enum):
            wrong_type("a string (str)", value)
        value = str.__str__(value)  # a subclass may behave and print differently
        if not self.blank and not value.strip():
            expected("a string that is not blank")
        if self.most is not None and len(value) > self.most:
            expected(f"at most {self.most} characters, got {len(value)}")
        if self.pattern and value and not re.fullmatch(self.pattern, value):
            expected(f"a code like {self.like!r}, got {show(value)}")
        if not is_storable(value):
            expected(f"a string without NUL and lone surrogates, got {show(value)}")
        return value


class Whole(msgspec.Struct, frozen=True):
    """Rule for an integer."""

    least: int = 0
    """Smallest valid integer."""
    most: int = 2_147_483_647
    """Largest integer that the server can store."""
    clears: bool = False
    """Whether ``None`` clears it."""

    def encode(self, value: object) -> int | None:
        """Return the integer."""
        if value is None and self.clears:
            return None
        return int(encode_int(value, Range(self.least, self.most)))


class Choice(msgspec.Struct, frozen=True):
    """Rule for a code of an enum."""

    choices: type[Enum]
    """The enum."""
    empty: Any = ...
    """What clears it: ``None``, ``""``, or ``...`` if nothing does."""

    def encode(self, value: object) -> str | int | None:
        """Return the code; ``None`` and ``""`` become what clears it."""
        blank = self.empty == "" and isinstance(value, str) and not value
        if self.empty is not ... and (value is None or blank):
            return cast("str | None", self.empty)
        code = Among(self.choices)(value)
        return int(code) if issubclass(self.choices, int) else code


class Listed(msgspec.Struct, frozen=True):
    """Rule for several values; ``None`` is sent as an empty list."""

    rule: Rule
    """Rule for each value."""
    least: int = 0
    """Smallest valid number of values."""

    def encode(self, value: object) -> list[Any]:
        """Return the list."""
        items = () if value is None and not self.least else as_items(value)
        if items is None:
            wrong_type("a list", value)
        if len(items) < self.least:
            expected(f"a list of at least {self.least}, got an empty one")
        return [self.rule.encode(item) for item in items]


class Flag(msgspec.Struct, frozen=True):
    """Rule for a boolean."""

    def encode(self, value: object) -> bool:
        """Return the boolean."""
        if not isinstance(value, bool):
            wrong_type("True or False", value)
        return value


class Day(msgspec.Struct, frozen=True):
    """Rule for a date."""

    clears: bool = False
    """Whether ``None`` clears it."""

    def encode(self, value: object) -> str | None:
        """Return the date in ISO format."""
        return None if value is None and self.clears else encode_date(value)


class Moment(msgspec.Struct, frozen=True):
    """Rule for an aware datetime; ``None`` stands for the time of the request."""

    def encode(self, value: object) -> str | None:
        """Return the datetime in UTC, in ISO format."""
        return None if value is None else encode_datetime(value)


class Money(msgspec.Struct, frozen=True):
    """Rule for an amount of money with two decimals; ``None`` clears it."""

    digits: int = 6
    """Digits before the point that the server can store."""
    currency: Literal["within", "beside"] | None = None
    """Where the currency of a :class:`Price` goes: ``"within"`` an object together with the amount,
    ``"beside"`` it in a field of its own, or ``None`` where only US dollars are accepted."""
    zero: bool = True
    """Whether 0 is valid. The server stores a cover price of 0 as no price."""

    def encode(self, value: object) -> str | dict[str, str | float] | None:
        """Return the string of a ``Decimal``, or the object of a ``Price``."""
        if value is None:
            return None
        if not isinstance(value, Price):
            return self._amount(value)
        if self.currency is None:
            expected("a Decimal in US dollars, because no other currency can be sent here")
        amount, currency = self._amount(value.amount), Among(Currency)(value.currency)
        # Within the object the server expects a number. Up to 15 digits survive as a float.
        number = amount if self.currency == "beside" else float(amount)
        return {"amount": number, "currency": currency}

    def _amount(self, value: object) -> str:
        if not isinstance(value, Decimal):
            reason = " because a float is not exact" if isinstance(value, float) else ""
            wrong_type(f"a Decimal, such as Decimal('3.99'){reason}", value)
        if not value.is_finite() or value < 0:
            expected(f"an amount of 0 or more, got {show(value)}")
        if value == 0 and not self.zero:
            expected("an amount above 0: the server stores 0 as no price, use None for that")
        if value >= 10**self.digits:
            expected(f"an amount below {10**self.digits:,}, got {show(value)}")
        cents = value.quantize(Decimal("0.01"), context=_EXACT)
        if cents != value:
            expected(f"at most 2 decimals, got {show(value)}")
        return str(cents.copy_abs())


class File(msgspec.Struct, frozen=True):
    """Rule for an image. It checks the type only; the client reads the image before sending."""

    clears: bool = False
    """Whether ``None`` clears it."""

    def encode(self, value: object) -> Image | None:
        """Return the image as it is."""
        what = "an image: a path, bytes, or a file opened in binary mode"
        if value is None:
            if not self.clears:
                expected(
                    f"{what}, got None. The server cannot clear an image here, only replace it"
                )
            return None
        content = value.content if isinstance(value, Upload) else value
        if not isinstance(content, bytes | str | os.PathLike) and not hasattr(content, "read"):
            wrong_type(what, value)
        return cast("Image", value)
