"""Perceptual hashes of covers: 64 bits as 16 hexadecimal digits."""

from __future__ import annotations

import functools

from metron_async._values import show
from metron_async.errors import UsageError

__all__ = ["HASH_LIMIT", "bits_of", "checked_bits", "hamming"]

_BITS = 64

HASH_LIMIT = 10
"""Distance up to which two cover hashes are of one cover: what metron-tagger uses."""


def hamming(one: str, other: str) -> int:
    """Return in how many of 64 bits two cover hashes differ.

    Args:
        one: 16 hexadecimal digits.
        other: The same.

    Raises:
        UsageError: If one of them is not a hash.

    Example:
        >>> hamming("00000000000000ff", "0000000000000000")
        8
    """
    return (bits_of(one) ^ bits_of(other)).bit_count()


@functools.lru_cache(maxsize=4_096)
def bits_of(text: str) -> int:
    """Return a cover hash as a number of 64 bits; raise ``UsageError`` if it is not a hash."""
    try:
        if len(text) == 16 and text.isalnum():  # noqa: PLR2004 - 64 bits
            return int(text, 16)
    except ValueError:
        pass
    msg = f"Invalid cover hash: expected 16 hexadecimal digits, got {text[:40]!r}"
    raise UsageError(msg)


def checked_bits(number: object, name: str) -> int:
    """Return the argument *name* if it can be a distance of two hashes.

    Raises:
        UsageError: If it is not a whole number from 0 to 64.
    """
    if isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= _BITS:
        return number
    msg = f"Invalid {name}: expected a whole number from 0 to 64, got {show(number)}"
    raise UsageError(msg)
