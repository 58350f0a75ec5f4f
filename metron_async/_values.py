"""Python values as the server reads them.

Each function takes one value and returns its string, or raises :class:`InvalidValueError`. The
server ignores a filter that it does not know, or that is empty, and returns everything. It reads a
datetime without an offset as New York time, and fails (500) on some values. A value that it would
misread is therefore refused before it costs a request. Filters and inputs of writes share these
rules.
"""

import math
import operator
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, NoReturn, cast

import msgspec

__all__ = [
    "Among",
    "InvalidValueError",
    "Range",
    "as_items",
    "encode_bool",
    "encode_date",
    "encode_datetime",
    "encode_int",
    "encode_ints",
    "encode_number",
    "encode_text",
    "expected",
    "is_storable",
    "show",
    "wrong_type",
]

# New York kept local mean time (-04:56:02) until then. The server returns older instants with that
# offset, which no client but this one may be able to read.
_FIRST_INSTANT = datetime(1883, 11, 18, 17, tzinfo=UTC)
_MOST_DECIMALS = 20


class InvalidValueError(Exception):
    """The value cannot be sent; its message says what was expected."""


class Range(msgspec.Struct, frozen=True):
    """Bounds of a number, both included; stands in ``Annotated`` beside the type."""

    least: int
    """Smallest valid number."""
    most: int
    """Largest number that the server can store."""


def expected(what: str) -> NoReturn:
    """Raise :class:`InvalidValueError`: *what* was expected."""
    message = f"expected {what}"
    raise InvalidValueError(message) from None


def show(value: object) -> str:
    """Return the ``repr`` of a value for a message, cut to 80 characters."""
    try:
        return f"{value!r:.80}"
    except Exception:  # noqa: BLE001 - a huge int, deeply nested lists, code of the value's class
        return f"{type(value).__name__} without a repr"


def wrong_type(what: str, value: object) -> NoReturn:
    """Raise :class:`InvalidValueError`, as *value* is of the wrong type."""
    if value is None:
        expected(f"{what}, got None; leave it out instead")
    expected(f"{what}, got {type(value).__name__}: {show(value)}")


class Among(msgspec.Struct, frozen=True):
    """Choice of codes; stands in ``Annotated`` beside the type."""

    choices: type[Enum]
    """The enum whose values are the codes."""

    def __call__(self, value: object) -> str:
        """Encode a member of the enum, or the plain value of one."""
        if isinstance(value, self.choices):
            return str(value.value)
        plain = self._plain(value)
        for member in self.choices:
            if member.value == plain:
                return str(member.value)
        known = ", ".join(f"{member.name} ({member.value})" for member in self.choices)
        expected(f"a {self.choices.__name__} or its value, one of {known}; got {show(value)}")

    def _plain(self, value: object) -> object:
        """Return *value* as the plain type of the codes, or ``None``."""
        # Members of other enums, and bools, can be equal to a code and mean something else.
        if isinstance(value, bool | Enum):
            return None
        if issubclass(self.choices, str):
            return value if isinstance(value, str) else None
        if issubclass(self.choices, float) and isinstance(value, float | Decimal):
            # 9.8 and Decimal("9.8") are not equal; a signaling NaN cannot be a float.
            return math.nan if isinstance(value, Decimal) and value.is_nan() else float(value)
        return _index(value)


def as_items(value: object) -> Collection[object] | None:
    """Return *value* if it is a collection of several values, such as a list, set or array."""
    if isinstance(value, Collection) and not isinstance(value, str | bytes | bytearray | Mapping):
        return cast("Collection[object]", value)
    return None


def is_storable(text: str) -> bool:
    """Return whether the server's database can store *text*: no NUL, no lone surrogates."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def encode_text(value: object) -> str:
    """Encode a string; blank ones and control characters are refused."""
    if not isinstance(value, str) or isinstance(value, Enum):
        wrong_type("a string (str)", value)
    value = str.__str__(value)  # a subclass may behave and print differently
    if not value.strip():
        reason = "the server ignores a blank filter and returns everything"
        expected(f"a string that is not blank, because {reason}")
    if any(character < " " or "\x7f" <= character <= "\x9f" for character in value):
        expected(f"a string without control characters, got {show(value)}")
    if not is_storable(value):
        expected(f"a string without lone surrogates, got {show(value)}")
    return value


def encode_bool(value: object) -> str:
    """Encode a boolean; 0 and 1 are integers and refused."""
    if not isinstance(value, bool):
        wrong_type("True or False", value)
    return "true" if value else "false"


def _index(value: Any) -> int | None:
    """Return *value* as an int if it is of an integer type, such as ``numpy.int64``."""
    # bool is an int in Python, and a member of another enum is certainly a mistake.
    if isinstance(value, bool | Enum):
        return None
    try:
        return operator.index(value)
    except Exception:  # noqa: BLE001 - code of the value's class
        return None


def encode_int(value: object, bounds: Range) -> str:
    """Encode an integer within its bounds."""
    number = _index(value)
    if number is None:
        wrong_type("a whole number (int)", value)
    if not bounds.least <= number <= bounds.most:
        expected(f"a whole number from {bounds.least} to {bounds.most}, got {show(number)}")
    return str(number)


def encode_ints(value: object, bounds: Range) -> str:
    """Encode one integer or several, joined by commas.

    Their order has no meaning to the server. They are sorted and duplicates removed, so that equal
    queries have equal URLs and share a cache entry.
    """
    several = as_items(value)
    if several is None:
        if _index(value) is None:
            wrong_type("a whole number (int) or several (list, tuple, set)", value)
        return encode_int(value, bounds)
    numbers = {int(encode_int(number, bounds)) for number in several}
    if not numbers:
        expected("at least one number, because the server ignores an empty list")
    return ",".join(str(number) for number in sorted(numbers))


def encode_number(value: object, bounds: Range) -> str:
    """Encode a number that may have decimals."""
    number = value if isinstance(value, float | Decimal) else _index(value)
    if number is None or isinstance(value, Enum):
        wrong_type("a number (int, float or Decimal)", value)
    # A NaN is outside all bounds; comparing a signaling one raises an error.
    if isinstance(number, Decimal) and not number.is_finite():
        expected(f"a finite number, got {show(value)}")
    if not bounds.least <= number <= bounds.most:
        expected(f"a number from {bounds.least} to {bounds.most}, got {show(value)}")
    exact = Decimal(str(number))
    if cast("int", exact.as_tuple().exponent) < -_MOST_DECIMALS:
        expected(f"at most {_MOST_DECIMALS} decimals, got {show(value)}")
    return format(exact, "f")


def encode_date(value: object) -> str:
    """Encode a date; a datetime is a date in Python, and refused."""
    if isinstance(value, datetime):
        expected("a date (datetime.date), got a datetime; use its .date()")
    if not isinstance(value, date):
        wrong_type("a date (datetime.date)", value)
    return date.isoformat(value)


def encode_datetime(value: object) -> str:
    """Encode an instant in UTC; naive datetimes are refused."""
    if not isinstance(value, datetime):
        if isinstance(value, date):
            expected("an aware datetime, got a date; add a time and a time zone")
        wrong_type("an aware datetime (datetime.datetime)", value)
    try:
        naive = value.utcoffset() is None
        utc = value if naive else value.astimezone(UTC)
    except Exception:  # noqa: BLE001 - code of its time zone, or out of range
        expected(f"an instant that exists in UTC, got {show(value)}")
    if naive:
        reason = "the server would read it as New York time"
        expected(
            f"an aware datetime, got a naive one: {reason}; "
            "add a time zone, such as tzinfo=datetime.UTC"
        )
    if not utc >= _FIRST_INSTANT:  # not a time at all (pandas.NaT) is not later either
        expected(f"an instant at or after {_FIRST_INSTANT:%Y-%m-%dT%H:%MZ}, got {show(value)}")
    # A subclass may print more than the server reads: pandas.Timestamp prints nanoseconds.
    return datetime.isoformat(utc.replace(tzinfo=None)) + "Z"
