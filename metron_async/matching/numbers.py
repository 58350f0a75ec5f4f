"""Issue numbers: one normal form for each, and the spellings that the server may have."""

from __future__ import annotations

import functools
import re
import unicodedata

__all__ = ["normal_number", "number_spellings", "same_number", "split_number"]

_FRACTIONS = {"1/2": "0.5", "1/4": "0.25", "3/4": "0.75"}
_SPELLED = {"0.5": ("½", "1/2"), "0.25": ("¼", "1/4"), "0.75": ("¾", "3/4")}
_DASHES = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
_PREFIX = re.compile(r"^(?:#|issue\b|no\.?(?=[\s\d])|nr\.?(?=[\s\d])|n[°º])\s*")
_OF = re.compile(r"\s*\(?\s*of\s+\d+\s*\)?$")
_MIXED = re.compile(r"^(\d+)[ -](1/2|1/4|3/4)$")
_COMMA = re.compile(r"^(-?\d+),(\d{1,2})$")
_THOUSANDS = re.compile(r"^\d{1,3}(?:,\d{3})+$")
_DECIMAL = re.compile(r"^(-?\d*)\.(\d+)$")
_ZEROS = re.compile(r"(?<![\d.,])0+(?=\d)")
_SUFFIX = re.compile(r"(?<=\d)[. ](?=[^\W\d_])")
_SUFFIXED = re.compile(r"^(-?[\d.]*\d)([^\W\d_].*)$")
_ZERO_PARTS = re.compile(r"^(?:0\.)+(?=\d+\.\d)")
_SPACES = re.compile(r"\s+")
_KIND = re.compile(
    r"^(?P<kind>annual|special|giant[- ]size|king[- ]size)\b[\s#]*(?P<rest>.*)$", re.IGNORECASE
)


@functools.lru_cache(maxsize=32_768)
def normal_number(number: str) -> str:
    """Return the normal form of an issue number.

    Case, leading zeros and a leading ``#`` do not matter, nor how a fraction or a minus sign is
    written, nor a point before letters. Everything else is kept: ``9-5``, ``100+``, ``b1`` and
    ``1mu`` are numbers of their own.

    Args:
        number: A number as a file, a cover or the server gives it.

    Example:
        >>> [normal_number(number) for number in ("001", "½", "1/2", "1.MU", "-01", "B01")]
        ['1', '0.5', '0.5', '1mu', '-1', 'b1']
    """
    text = unicodedata.normalize("NFKC", number).replace("\u2044", "/").casefold()
    text = _SPACES.sub(" ", _DASHES.sub("-", _spaced_fraction(number, text))).strip()
    text = _OF.sub("", _PREFIX.sub("", text)) or text
    text = "".join(_ascii_digit(character) for character in text)
    text = _SUFFIX.sub("", _ZERO_PARTS.sub("", _ZEROS.sub("", text)))
    text = _FRACTIONS.get(text, text)
    if mixed := _MIXED.match(text):
        text = mixed[1] + _FRACTIONS[mixed[2]][1:]
    text = text.replace(",", "") if _THOUSANDS.match(text) else _COMMA.sub(r"\1.\2", text)
    if decimal := _DECIMAL.match(text):
        whole, part = decimal[1], decimal[2].rstrip("0")
        whole += "" if whole not in {"", "-"} else "0"
        text = f"{whole}.{part}" if part else whole
    return "0" if text == "-0" else text


def _spaced_fraction(number: str, folded: str) -> str:
    """Return *folded*, with a space before a fraction sign: NFKC makes ``1½`` look like 11/2."""
    spaced = re.sub(r"(\d)([¼-¾])", r"\1 \2", number)
    if spaced == number:
        return folded
    return unicodedata.normalize("NFKC", spaced).replace("\u2044", "/").casefold()


def _ascii_digit(character: str) -> str:
    digit = unicodedata.digit(character, None) if not character.isascii() else None
    return character if digit is None else str(digit)


def same_number(one: str, other: str) -> bool:
    """Return whether two issue numbers have the same normal form."""
    return normal_number(one) == normal_number(other)


def number_spellings(number: str) -> tuple[str, ...]:
    """Return how the server may have an issue number, the most likely first.

    The server compares complete numbers, so each spelling is a request of its own.
    """
    plain = normal_number(number)
    if suffixed := _SUFFIXED.match(plain):
        dotted = f"{suffixed[1]}.{suffixed[2]}"
        # "80.BEY" and "1.MU", but "1a".
        return (dotted, plain) if len(suffixed[2]) > 1 else (plain, dotted)
    whole, _, part = plain.partition(".")
    signs = _SPELLED.get(f"0.{part}", ())
    if not signs or not whole.isdigit():
        return (plain,)
    return (plain, *signs) if whole == "0" else (plain, f"{whole}{signs[0]}")


def split_number(number: str) -> tuple[str, str]:
    """Return the kind of issue that a number names, and the number without it.

    Metron files annuals and specials as series of their own.

    Example:
        >>> split_number("Annual 1"), split_number("12")
        (('Annual', '1'), ('', '12'))
    """
    found = _KIND.match(number.strip())
    if found is None:
        return "", number
    return found["kind"].title(), found["rest"].strip() or "1"
