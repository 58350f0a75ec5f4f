"""Normal forms of names, and how alike two names are.

Two names of one series differ in capitals, accents, punctuation and spacing before they differ in
words. A normal form removes these differences and keeps every letter and digit, of any script.
"""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "EQUAL",
    "LOOSE",
    "SUBTITLE",
    "NameForms",
    "all_stems",
    "forms_of",
    "name_similarity",
    "normal_name",
    "search_stems",
    "search_words",
    "squashed_name",
]

EQUAL = 1.0
"""Similarity of names with equal normal forms."""

LOOSE = 0.97
"""Similarity of names that differ in articles, in "and", or in where words are separated."""

SUBTITLE = 0.8
"""Similarity of a name to the same name with a subtitle."""

_APOSTROPHES = frozenset("'`\u00b4\u2018\u2019\u201b\u2032\uff07")
# These do not decompose. The server's search spells them in the same way.
_SPELLED = str.maketrans(
    {
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "\u0131": "i",
        "ħ": "h",
    }
)
_ASCII_REST = re.compile(r"[^a-z0-9]+")
_ARTICLES = r"the|an?|le|la|les|el|los|las|der|das|het|il"
# Whitespace must follow: "A-Force" does not begin with an article.
_ARTICLE_FIRST = re.compile(rf"^\s*(?:{_ARTICLES})\s+(?=\S)", re.IGNORECASE)
_ARTICLE_LAST = re.compile(rf"(?<=\S)\s*,\s*(?:{_ARTICLES})\s*$", re.IGNORECASE)
_SEPARATOR = re.compile(r"\s*:\s+|\s+[-\u2013\u2014/]+\s+|\s*\u2014\s*")
_CANONICAL: Mapping[str, str] = {
    "doctor": "dr",
    "mister": "mr",
    "missus": "mrs",
    "saint": "st",
    "versus": "vs",
}
# Words whose spelling varies between a file and the server: they do not help a search.
_UNSEARCHED = frozenset(
    {"the", "a", "an", "and", "n", "of", "s", *_CANONICAL, *_CANONICAL.values()}
)
_BOUNDARY = re.compile(r"(?<=\d)(?=[^\W\d_])|(?<=[^\W\d_])(?=\d)")
_MAX_WORDS = 8
_STEM = 5


@functools.lru_cache(maxsize=32_768)
def normal_name(text: str) -> str:
    """Return *text* in lower case, without accents and punctuation, words separated by one space.

    ``&`` becomes ``and``, apostrophes vanish without separating, and any other punctuation
    separates words. Letters, digits and the vowel signs of every script are kept. A text of
    symbols alone keeps its symbols.

    Args:
        text: A name, such as ``"Spider-Man: Doctor's Orders"``.

    Example:
        >>> normal_name("Drystan & Esyllt's Café")
        'drystan and esyllts cafe'
    """
    if text.isascii():
        lowered = text.lower().replace("'", "").replace("`", "").replace("&", " and ")
        found = _ASCII_REST.sub(" ", lowered).strip()
        return found or "".join(text.lower().split())
    folded = unicodedata.normalize("NFKD", text.translate(_SPELLED)).casefold()
    folded = unicodedata.normalize("NFKD", folded).translate(_SPELLED)
    found = " ".join("".join(map(_plain, folded)).split())
    return found or "".join(folded.split())


@functools.lru_cache(maxsize=4_096)
def _plain(character: str) -> str:
    """Return what a decomposed, case-folded character contributes to a normal form."""
    # The accents of Latin, Greek and Cyrillic letters. Marks of other scripts are vowels.
    if "\u0300" <= character <= "\u036f" or character in _APOSTROPHES:
        return ""
    if character == "&":
        return " and "
    category = unicodedata.category(character)
    if category[0] in "LNM":
        return character
    return "" if category == "Cf" else " "


@functools.lru_cache(maxsize=32_768)
def squashed_name(text: str) -> str:
    """Return the normal form of *text* without articles at its ends, "and", and spaces.

    Common abbreviations are spelled in one way. Names that differ only in these are taken for
    spellings of one name. The key is never empty unless *text* is blank.

    Example:
        >>> squashed_name("The Amazing Spider-Man") == squashed_name("Amazing Spiderman, The")
        True
    """
    text = _ARTICLE_LAST.sub("", _ARTICLE_FIRST.sub("", text, count=1), count=1)
    words = [_CANONICAL.get(word, word) for word in normal_name(text).split()]
    return "".join([word for word in words if word != "and"] or words)


class NameForms(NamedTuple):
    """The normal forms in which two names are compared.

    Attributes:
        normal: See :func:`normal_name`.
        squashed: See :func:`squashed_name`.
        head: Squashed form of what stands before a subtitle, or ``""`` without a subtitle.
        pairs: Pairs of neighboring characters of the squashed form.
    """

    normal: str
    squashed: str
    head: str
    pairs: frozenset[str]


@functools.lru_cache(maxsize=16_384)
def forms_of(text: str) -> NameForms:
    """Return the normal forms of a name."""
    squashed = squashed_name(text)
    head, *rest = _SEPARATOR.split(text.strip(), maxsplit=1)
    padded = f" {squashed} "
    return NameForms(
        normal_name(text),
        squashed,
        squashed_name(head) if rest else "",
        frozenset(first + second for first, second in itertools.pairwise(padded)),
    )


def name_similarity(one: str, other: str) -> float:
    """Return how alike two names are, from 0.0 to 1.0; the order of the two does not matter.

    Returns:
        :data:`EQUAL` for equal normal forms, :data:`LOOSE` for equal squashed forms,
        :data:`SUBTITLE` where one name is the other with a subtitle, and less for the share of
        common pairs of characters.
    """
    a, b = forms_of(one), forms_of(other)
    if a.normal == b.normal:
        return EQUAL
    if a.squashed == b.squashed:
        return LOOSE
    if b.squashed == a.head or a.squashed == b.head:
        return SUBTITLE
    common = len(a.pairs & b.pairs)
    return 0.95 * SUBTITLE * 2 * common / (len(a.pairs) + len(b.pairs))


def search_words(name: str) -> str:
    """Return the words of *name* for a filter that wants all of them to occur.

    The server compares words as substrings, without regard to case and accents. So a search
    finds a differently spelled name when the words are cut where spellings differ: at
    punctuation, between digits and letters, and before a plural or possessive "s" whose
    apostrophe may be missing.

    Args:
        name: Name of a series.
    """
    telling = _telling(name)
    cut = [word[:-1] if len(word) > 3 and word[-1] == "s" else word for word in telling]  # noqa: PLR2004
    longest = sorted(cut, key=len, reverse=True)[:_MAX_WORDS]
    return " ".join(word for word in cut if word in longest) or name.strip()


def search_stems(name: str) -> str:
    """Return the beginnings of the two longest words of *name*, for the widest search.

    Example:
        >>> search_stems("The Amazing Spiderman")
        'amazi spide'
    """
    telling = _telling(name)
    longest = sorted(telling, key=len, reverse=True)[:2]
    return " ".join(word[:_STEM] for word in telling if word in longest) or name.strip()


def all_stems(name: str) -> set[str]:
    """Return the beginnings of all words of *name* that :func:`search_stems` can ask for."""
    return {word[:_STEM] for word in _telling(name)} or {name.strip()}


def _telling(name: str) -> list[str]:
    """Return the words that distinguish *name* from others and are spelled alike everywhere."""
    spaced = "".join(" " if character in _APOSTROPHES else character for character in name)
    words = list(dict.fromkeys(_BOUNDARY.sub(" ", normal_name(spaced)).split()))
    return [word for word in words if word not in _UNSEARCHED] or words
