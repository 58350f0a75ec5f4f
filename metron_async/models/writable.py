"""What the fields of inputs accept, and how each is sent.

A rule stands in ``Annotated`` beside the type of a field. Its ``encode`` takes a Python value and
returns what JSON can hold, or raises :class:`~metron_async._values.Refused`. A form is derived from
that (see :mod:`metron_async.models.encoding`), so each limit is told in one place.

``None`` clears a field. The server wants ``null`` for numbers, dates and images, but refuses it
for texts and lists, which are cleared by ``""`` and ``[]``: so that is what ``None`` becomes there.
"""

import os
import re
from collections.abc import Sequence
from decimal import Decimal
from enum import Enum
from typing import Any, BinaryIO, Literal, Protocol, cast

import msgspec

from metron_async._values import (
    Among,
    Range,
    encode_date,
    encode_datetime,
    encode_int,
    refuse,
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


class Price(msgspec.Struct, frozen=True):
    """An amount of money with its currency; a plain ``Decimal`` stands for US dollars.

    Attributes:
        amount: The amount, with two decimals at most.
        currency: The currency, or its code.
    """

    amount: Decimal
    currency: Currency | str = Currency.USD


class Upload(msgspec.Struct, frozen=True):
    """An image to send, with the name and type that it shall have.

    Attributes:
        content: A path, the bytes, or a file that was opened in binary mode.
        name: File name to give it; by default that of the path, or ``"image"``.
        content_type: MIME type, such as ``"image/png"``; by default told from the bytes.
    """

    content: str | os.PathLike[str] | bytes | BinaryIO
    name: str | None = None
    content_type: str | None = None


Image = str | os.PathLike[str] | bytes | BinaryIO | Upload


class Rule(Protocol):
    """What a field accepts."""

    def encode(self, value: object) -> Any:
        """Return the value as JSON can hold it, or raise ``Refused``."""
        ...


class Text(msgspec.Struct, frozen=True):
    """A text.

    Attributes:
        most: Characters that the server can hold, or ``None`` if it sets no limit.
        blank: Whether it may be empty.
        pattern: What a code must look like as a whole, as a regular expression, or ``None``.
        like: An example of such a code.
    """

    most: int | None = None
    blank: bool = True
    pattern: str | None = None
    like: str = ""

    def encode(self, value: object) -> str:
        """Check the text; ``None`` becomes ``""``."""
        if value is None and self.blank:
            return ""
        if not isinstance(value, str) or isinstance(value, Enum):
            wrong_type("a text (str)", value)
        if not self.blank and not value.strip():
            refuse("a text that is not blank")
        if self.most is not None and len(value) > self.most:
            refuse(f"at most {self.most} characters, got {len(value)}")
        if self.pattern and value and not re.fullmatch(self.pattern, value):
            refuse(f"a code like {self.like!r}, got {show(value)}")
        if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
            refuse(f"a text without NUL and lone surrogates, got {show(value)}")
        return value


class Whole(msgspec.Struct, frozen=True):
    """A whole number.

    Attributes:
        least: Smallest one.
        most: Largest one that the server can hold.
        clears: Whether ``None`` clears it.
    """

    least: int = 0
    most: int = 2_147_483_647
    clears: bool = False

    def encode(self, value: object) -> int | None:
        """Check the number."""
        if value is None and self.clears:
            return None
        return int(encode_int(value, Range(self.least, self.most)))


class Choice(msgspec.Struct, frozen=True):
    """A code of a closed set, told by its enum.

    Attributes:
        choices: The enum.
        empty: What clears it: ``None``, ``""``, or ``...`` if nothing does.
    """

    choices: type[Enum]
    empty: Any = ...

    def encode(self, value: object) -> str | int | None:
        """Check the choice; ``None`` and ``""`` become what clears it."""
        if self.empty is not ... and (value is None or (value == "" and self.empty == "")):
            return cast("str | None", self.empty)
        code = Among(self.choices)(value)
        return int(code) if issubclass(self.choices, int) else code


class Listed(msgspec.Struct, frozen=True):
    """Several values; an empty list clears.

    Attributes:
        rule: What each of them must be.
    """

    rule: Rule

    def encode(self, value: object) -> list[Any]:
        """Check every value; ``None`` becomes an empty list."""
        if value is None:
            return []
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            wrong_type("a list", value)
        return [self.rule.encode(item) for item in cast("Sequence[object]", value)]


class Flag(msgspec.Struct, frozen=True):
    """True or false."""

    def encode(self, value: object) -> bool:
        """Check the flag."""
        if not isinstance(value, bool):
            wrong_type("True or False", value)
        return value


class Day(msgspec.Struct, frozen=True):
    """A calendar date.

    Attributes:
        clears: Whether ``None`` clears it.
    """

    clears: bool = False

    def encode(self, value: object) -> str | None:
        """Check the date."""
        return None if value is None and self.clears else encode_date(value)


class Moment(msgspec.Struct, frozen=True):
    """An instant; ``None`` stands for now."""

    def encode(self, value: object) -> str | None:
        """Check that the datetime is aware."""
        return None if value is None else encode_datetime(value)


class Money(msgspec.Struct, frozen=True):
    """An amount of money with two decimals; ``None`` clears it.

    Attributes:
        digits: Digits before the point that the server can hold, or ``None``.
        currency: Where the currency of a :class:`Price` goes: ``"within"`` an object together
            with the amount, ``"beside"`` it in a field of its own, ``None`` if it cannot be told.
        zero: Whether 0 is an amount; the server stores the cover price 0 as none.
    """

    digits: int | None = None
    currency: Literal["within", "beside"] | None = None
    zero: bool = True

    def encode(self, value: object) -> str | dict[str, str | float] | None:
        """Check the amount: text of a ``Decimal``, an object of a ``Price``."""
        if value is None:
            return None
        if isinstance(value, Price):
            if self.currency is None:
                refuse("a Decimal in US dollars; another currency cannot be told here")
            amount, currency = self._amount(value.amount), Among(Currency)(value.currency)
            if self.currency == "beside":
                return {"amount": amount, "currency": currency}
            # The server wants a number here. Two decimals survive as a float: it is printed with
            # the fewest digits that tell it apart, up to 15 in all, and that is checked above.
            return {"amount": float(amount), "currency": currency}
        return self._amount(value)

    def _amount(self, value: object) -> str:
        if not isinstance(value, Decimal):
            reason = "a float is not exact" if isinstance(value, float) else "no amount"
            wrong_type(f"a Decimal, such as Decimal('3.99') ({reason})", value)
        if not value.is_finite() or value < 0:
            refuse(f"an amount of 0 or more, got {show(value)}")
        if value == 0 and not self.zero:
            refuse("an amount above 0: the server stores 0 as no price, which None says clearly")
        most = 13 if self.digits is None else self.digits
        if value >= Decimal(10) ** most:
            refuse(f"at most {most} digits before the point, got {show(value)}")
        cents = value.quantize(Decimal("0.01"))
        if cents != value:
            refuse(f"at most 2 decimals, got {show(value)}")
        return str(abs(cents))


class File(msgspec.Struct, frozen=True):
    """An image; only its kind is checked here, since checking more would mean reading it.

    Attributes:
        clears: Whether ``None`` clears it.
    """

    clears: bool = True

    def encode(self, value: object) -> Image | None:
        """Check that it is something that can be read; it stays as it is."""
        if value is None and self.clears:
            return None
        content = value.content if isinstance(value, Upload) else value
        if not isinstance(content, bytes | str | os.PathLike) and not hasattr(content, "read"):
            wrong_type("an image: a path, bytes, or a file opened in binary mode", value)
        return cast("Image", value)
