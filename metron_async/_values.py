"""Python values as the server reads them, or the reason why it would not.

Each function takes one value and returns its text, or raises :class:`Refused` with what was
expected. The server is no help here: it drops a filter that it does not know, or that is empty,
without a word and answers with everything; it reads a time without an offset as New York time,
and some values make it fail altogether. So whatever would not be taken as meant is refused before
it costs a request. Filters and inputs of writes share these rules.
"""

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, NoReturn, cast

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "Among",
    "Range",
    "Refused",
    "encode_bool",
    "encode_date",
    "encode_datetime",
    "encode_int",
    "encode_ints",
    "encode_moment",
    "encode_number",
    "encode_text",
    "refuse",
    "show",
    "wrong_type",
]


class Refused(Exception):  # noqa: N818 - it becomes a UsageError
    """The value cannot be sent.

    Attributes:
        expected: What would have been right.
    """

    def __init__(self, expected: str) -> None:
        super().__init__(f"expected {expected}")
        self.expected = expected


class Range(msgspec.Struct, frozen=True):
    """Bounds of a number, both included; stands in ``Annotated`` beside the type.

    Attributes:
        least: Smallest number that makes sense.
        most: Largest number that the server can hold.
    """

    least: int
    most: int


def refuse(expected: str) -> NoReturn:
    """Raise :class:`Refused`, saying what was expected."""
    raise Refused(expected) from None


def show(value: object) -> str:
    """Show a value in a message, cut to a readable length."""
    try:
        return f"{value!r:.80}"
    except ValueError:  # a whole number of thousands of digits cannot be shown
        return f"an enormous {type(value).__name__}"


def wrong_type(expected: str, value: object) -> NoReturn:
    """Refuse a value for its type."""
    if value is None:
        refuse(f"{expected}, got None; leave it out instead")
    refuse(f"{expected}, got {type(value).__name__}: {show(value)}")


class Among(msgspec.Struct, frozen=True):
    """The codes that the server takes; stands in ``Annotated`` beside the type.

    Attributes:
        choices: The enum whose values are the codes.
    """

    choices: type[Enum]

    def __call__(self, value: object) -> str:
        """Encode a member of the enum, or the plain value of one."""
        if isinstance(value, self.choices):
            return str(value.value)
        # Members of other enums, and bools, can be equal to a code and mean something else.
        if isinstance(value, self._plain) and not isinstance(value, bool | Enum):
            # 9.8 and Decimal("9.8") are not equal.
            if isinstance(value, Decimal):
                value = float(value) if value.is_finite() else math.nan
            for member in self.choices:
                if member.value == value:
                    return str(member.value)
        known = ", ".join(f"{member.name} ({member.value})" for member in self.choices)
        refuse(f"a {self.choices.__name__} or its value, one of {known}; got {show(value)}")

    @property
    def _plain(self) -> tuple[type, ...]:
        if issubclass(self.choices, str):
            return (str,)
        return (int,) if issubclass(self.choices, int) else (int, float, Decimal)


def encode_text(value: object) -> str:
    """Encode a text; blank ones and control characters are refused."""
    if not isinstance(value, str) or isinstance(value, Enum):
        wrong_type("a text (str)", value)
    if not value.strip():
        reason = "the server ignores a blank filter and answers with everything"
        refuse(f"a text that is not blank: {reason}")
    if any(character < " " or "\x7f" <= character <= "\x9f" for character in value):
        refuse(f"a text without control characters, got {show(value)}")
    try:
        value.encode()
    except UnicodeEncodeError:
        refuse("a text without lone surrogates")
    return value


def encode_bool(value: object) -> str:
    """Encode a truth value; 0 and 1 are numbers and refused."""
    if not isinstance(value, bool):
        wrong_type("True or False", value)
    return "true" if value else "false"


def _plain_int(value: object) -> int:
    # bool is an int in Python, and an enum member of something else is surely a mix-up.
    if not isinstance(value, int) or isinstance(value, bool | Enum):
        wrong_type("a whole number (int)", value)
    return value


def encode_int(value: object, bounds: Range) -> str:
    """Encode a whole number within its bounds."""
    number = _plain_int(value)
    if not bounds.least <= number <= bounds.most:
        refuse(f"{bounds.least} to {bounds.most}, got {show(number)}")
    return str(number)


def encode_ints(value: object, bounds: Range) -> str:
    """Encode one whole number or several, joined by commas.

    The order has no meaning to the server, so they are sorted and given once: the same question
    is the same URL, and finds the same entry in the cache.
    """
    if isinstance(value, list | tuple | set | frozenset):
        several = cast("Iterable[object]", value)
        numbers = {int(encode_int(number, bounds)) for number in several}
        if not numbers:
            refuse("at least one number: the server ignores an empty list")
        return ",".join(str(number) for number in sorted(numbers))
    if isinstance(value, int):
        return encode_int(value, bounds)
    wrong_type("a whole number (int) or several (list, tuple, set)", value)


def encode_number(value: object, bounds: Range) -> str:
    """Encode a number that may have decimals."""
    if not isinstance(value, int | float | Decimal) or isinstance(value, bool | Enum):
        wrong_type("a number (int, float or Decimal)", value)
    # A NaN is within no bounds; comparing a Decimal one is an error.
    if isinstance(value, Decimal) and not value.is_finite():
        refuse(f"a finite number, got {show(value)}")
    if not bounds.least <= value <= bounds.most:
        refuse(f"{bounds.least} to {bounds.most}, got {show(value)}")
    return format(Decimal(str(value)), "f")


def encode_date(value: object) -> str:
    """Encode a calendar date; a datetime is one to Python, and refused."""
    if isinstance(value, datetime):
        refuse("a date (datetime.date), got a datetime; use .date() of it")
    if not isinstance(value, date):
        wrong_type("a date (datetime.date)", value)
    return value.isoformat()


def encode_datetime(value: object) -> str:
    """Encode an instant in UTC; naive ones are refused."""
    if not isinstance(value, datetime):
        if isinstance(value, date):
            reason = "a date is no instant until a time and a time zone are added"
            refuse(f"an aware datetime, got a date: {reason}")
        wrong_type("an aware datetime (datetime.datetime)", value)
    if value.utcoffset() is None:
        reason = "the server would read it as New York time"
        refuse(
            f"an aware datetime, got a naive one: {reason}; "
            "give it a time zone, such as tzinfo=datetime.UTC"
        )
    try:
        utc = value.astimezone(UTC)
    except OverflowError:
        refuse(f"an instant that exists in UTC, got {show(value)}")
    return utc.replace(tzinfo=None).isoformat() + "Z"


def encode_moment(value: object) -> str:
    """Encode an instant, or the date of a day."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return encode_date(value)
    return encode_datetime(value)
