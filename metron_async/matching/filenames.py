"""Reads the names of comic files with comicfn2dict, from the extra ``files``.

The library splits a name well and guesses at what is left. What it guesses is corrected here
against the name itself: a series must stand in the name as one piece.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from metron_async.errors import ConfigurationError, UsageError
from metron_async.matching.names import normal_name

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

__all__ = ["read_filename"]

_SUFFIXES = {".cb7", ".cbr", ".cbt", ".cbz", ".epub", ".pdf", ".rar", ".zip"}
_TAGS = re.compile(r"\[\s*(metron|cv|gcd|upc)(?:id)?[-:_ ]\s?(\d{1,18})\s*\]", re.IGNORECASE)
_TAG_FIELDS = {"metron": "metron_id", "cv": "cv_id", "gcd": "gcd_id", "upc": "upc"}
_HEAD_ENDS = re.compile(
    r"\s#|^#|\(|\[|,\s*\d{4}-|[\s-]v(?:ol(?:ume)?)?\.?\s?\d{1,4}\b"
    r"|\s-?\d+(?:\.\w+)?(?=\s*(?:[(\[]|$))|\s\d{2,4}\s",
    re.IGNORECASE,
)
_KIND = re.compile(r"\b(annual|special)\b(?=\s*#?\d)", re.IGNORECASE)
_MIDDLE = re.compile(r"^(?P<series>.*\S)\s+-\s+(?P<number>\d{1,4})\s+-\s+(?P<title>[^(]*[^(\s])")
_PUBLISHER = re.compile(
    r"^(?:dc|marvel|image|dark horse|idw|boom!?|dynamite|valiant|oni|vertigo|archie|fantagraphics"
    r"|titan|vault|aftershock|dstlry|mad cave|ahoy|rebellion)(?: (?:comics|press|publishing))?$",
    re.IGNORECASE,
)
_YEAR_OF_SERIES = re.compile(r"\((?P<year>\d{4})\)\s*#?\d[^(]*\((?:[^()]*\b)?\d{4}\)")
_VOLUME = r"(?:\b|[_-])(?:v|vol\.?|volume|book|tome?|t)[ .]?|\("
_MAX_NAME = 1_000


def read_filename(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the fields of an ``IssueQuery`` that a file's name has.

    Args:
        path: The file's name or path. Tags such as ``[metron-123]``, ``[cv-123]``, ``[gcd-123]``
            and ``[upc-123]`` give ids.

    Raises:
        UsageError: If the name is blank or longer than 1,000 characters.
        ConfigurationError: If comicfn2dict is not installed.
    """
    try:
        from comicfn2dict import comicfn2dict  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]
    except ImportError as error:
        msg = "Reading file names needs comicfn2dict: pip install 'metron-async[files]'"
        raise ConfigurationError(msg) from error
    name = PurePath(path).name
    if not name.strip() or len(name) > _MAX_NAME:
        msg = f"Invalid file name: expected 1 to {_MAX_NAME} characters, got {len(name)}"
        raise UsageError(msg)
    fields: dict[str, Any] = {
        _TAG_FIELDS[kind.lower()]: digits for kind, digits in _TAGS.findall(name)
    }
    name = _cleaned(_TAGS.sub(" ", name))
    parsed = comicfn2dict(f"{name}.cbz") if name else {}
    return _fields(name, parsed) | fields


def _cleaned(name: str) -> str:
    """Return a name without its suffix, control characters and underscores for spaces."""
    path = PurePath(name)
    stem = path.stem if path.suffix.lower() in _SUFFIXES else name
    if " " not in stem.strip():
        stem = stem.replace("_", " ")
    stem = stem.replace("_", " ") if "__" in stem else stem
    return " ".join("".join(c if c.isprintable() else " " for c in stem).split())


def _fields(name: str, parsed: Mapping[str, Any]) -> dict[str, Any]:
    texts = {key: value for key, value in parsed.items() if isinstance(value, str)}
    series, title = texts.get("series", "").strip(" -,"), texts.get("title", "").strip(" -,")
    number = texts.get("issue")
    if number is None and (found := _MIDDLE.match(name)):
        series, number, title = found["series"], found["number"], found["title"]
    series = _whole_series(name, series, f"{title} {number or ''}")
    if (kind := _KIND.search(name)) and kind[1].casefold() not in series.casefold():
        # "Wolf v1 Annual #1": the word belongs to the name of the series.
        series = f"{series} {kind[1]}"
        title = "" if title.casefold() == kind[1].casefold() else title
    publisher = texts.get("publisher")
    if title and (f"({title})" in name or name.endswith(f"({title}")):
        # What stands in parentheses is not a title but a publisher, or the name of a scanner.
        publisher = title if publisher is None and _PUBLISHER.match(title) else publisher
        title = ""
    title = title.partition(" (")[0]
    if (found := _YEAR_OF_SERIES.search(name)) and "volume" not in texts:
        texts["volume"] = found["year"]
    fields: dict[str, Any] = {
        "series": series or number,
        "number": number,
        "title": title,
        "publisher": publisher,
    }
    if not re.search(
        rf"(?:{_VOLUME})0*{texts.get('volume', '').lstrip('0')}\b", name, re.IGNORECASE
    ):
        texts.pop("volume", None)  # a number in the title
    for key, least in (("year", 1800), ("volume", 0)):
        text = texts.get(key, "")
        if text.isascii() and text.isdigit() and least <= int(text) <= 2999:  # noqa: PLR2004
            fields[key] = int(text)
    return {key: value for key, value in fields.items() if value not in {None, ""}}


def _whole_series(name: str, series: str, rest: str) -> str:
    """Return the series as it stands in the name, where the parser cut a part out of it.

    Args:
        name: The file's name.
        series: What the parser takes for the series.
        rest: What it takes for the title and the number.
    """
    end = _HEAD_ENDS.search(name)
    head = name[: end.start()].strip(" -,") if end else ""
    own, whole = normal_name(series), normal_name(head)
    if not whole.startswith(f"{own} "):
        return series
    words = set(normal_name(rest).split())
    return series if set(whole.removeprefix(own).split()) <= words else head
