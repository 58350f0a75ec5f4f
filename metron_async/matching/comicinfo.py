"""Reads ``ComicInfo.xml`` and ``MetronInfo.xml``, which come from anywhere, safely.

Both are read with the parser of the standard library. A document type is refused before anything
in it is evaluated, so there are no entities to expand and nothing is fetched.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, NoReturn
from xml.parsers import expat

from metron_async.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["MAX_BYTES", "read_comicinfo", "read_metroninfo"]

MAX_BYTES = 1 << 20
"""Size above which a document is refused."""

_MAX_DEPTH = 32
_MAX_ELEMENTS = 20_000
_TAGGED = re.compile(
    r"\[?\b(?P<source>metron|cv|comicvine|gcd)[- _]?(?:id)?[- :]?\s?(?P<id>\d{1,10})\b",
    re.IGNORECASE,
)
_CV_LINK = re.compile(
    r"comicvine\.(?:gamespot\.)?com/[^\s?#]*/4000-(?P<id>\d{1,10})\b", re.IGNORECASE
)
_GCD_LINK = re.compile(r"comics\.org/issue/(?P<id>\d{1,10})\b", re.IGNORECASE)
_METRON_LINK = re.compile(r"metron\.cloud/issue/(?P<id>\d{1,10})(?:/|\s|$)", re.IGNORECASE)
_ISSUE_ID = re.compile(r"\[Issue ID (?P<id>\d{1,10})\]", re.IGNORECASE)
_SOURCES = {
    "metron": "metron_id",
    "cv": "cv_id",
    "comicvine": "cv_id",
    "comic vine": "cv_id",
    "gcd": "gcd_id",
    "grand comics database": "gcd_id",
}


class Element:
    """An element of a document.

    Attributes:
        name: Its name without a namespace.
        attributes: Its attributes.
        children: Elements inside.
        pieces: Its text, in pieces.
    """

    __slots__ = ("attributes", "children", "name", "pieces")

    def __init__(self, name: str, attributes: Mapping[str, str]) -> None:
        self.name: str = name.rpartition(":")[2]
        self.attributes: Mapping[str, str] = attributes
        self.children: list[Element] = []
        self.pieces: list[str] = []

    @property
    def text(self) -> str:
        """Its text with single spaces, and without control characters."""
        characters = "".join(self.pieces)
        return " ".join("".join(c if c.isprintable() else " " for c in characters).split())

    def find(self, name: str) -> Element | None:
        """Return the first element inside with this name, or ``None``."""
        return next((child for child in self.children if child.name == name), None)

    def value(self, name: str) -> str | None:
        """Return the text of the first element inside with this name, ``None`` if blank."""
        found = self.find(name)
        return (found.text or None) if found is not None else None


def _parse(xml: bytes, root: str) -> Element:
    """Return the root of a document.

    Raises:
        UsageError: If it is too large, is not well-formed, has a document type, or has another
            root.
    """
    if not isinstance(xml, bytes | bytearray):
        msg = f"Invalid {root}: expected the document as bytes, got {type(xml).__name__}"
        raise UsageError(msg)
    if len(xml) > MAX_BYTES:
        _refuse(root, f"expected at most {MAX_BYTES} bytes, got {len(xml)}")
    try:
        top = _tree(bytes(xml), root)
    except (expat.ExpatError, LookupError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        msg = f"Invalid {root}: not well-formed XML: {error}"
        raise UsageError(msg) from error
    if top.name != root:
        _refuse(root, f"expected the root element {root}, got {top.name[:40]!r}")
    return top


def _tree(xml: bytes, root: str) -> Element:
    document = Element("", {})
    stack = [document]
    count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > _MAX_ELEMENTS or len(stack) > _MAX_DEPTH:
            _refuse(root, f"more than {_MAX_ELEMENTS} elements or {_MAX_DEPTH} levels")
        element = Element(name, attributes)
        stack[-1].children.append(element)
        stack.append(element)

    def end(_name: str) -> None:
        stack.pop()

    def characters(text: str) -> None:
        stack[-1].pieces.append(text)

    def doctype(*_: object) -> None:
        _refuse(root, "document types and entities are not allowed")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = doctype
    parser.Parse(xml, True)
    return document.children[0]


def read_comicinfo(xml: bytes) -> dict[str, Any]:
    """Return the fields of an ``IssueQuery`` that a ``ComicInfo.xml`` has.

    Raises:
        UsageError: If it is not a ComicInfo document.
    """
    top = _parse(xml, "ComicInfo")
    fields = _ids_in(" ".join(filter(None, (top.value("Web"), top.value("Notes")))))
    year, month, day = (_integer(top.value(name)) for name in ("Year", "Month", "Day"))
    format_ = (top.value("Format") or "").casefold()
    number = top.value("Number")
    if format_ == "annual" and number and "annual" not in (top.value("Series") or "").casefold():
        number = f"Annual {number}"
    fields |= {
        "series": top.value("Series"),
        "number": number,
        "year": _within(year, 1800, 2999),
        "volume": _within(_integer(top.value("Volume")), 0, 32_767),
        "publisher": top.value("Publisher"),
        "title": top.value("Title"),
        "upc": _code(top.value("GTIN")),
        "cover_date": _date(year, month, day),
    }
    return _known(fields)


def read_metroninfo(xml: bytes) -> dict[str, Any]:
    """Return the fields of an ``IssueQuery`` that a ``MetronInfo.xml`` has.

    Raises:
        UsageError: If it is not a MetronInfo document.
    """
    top = _parse(xml, "MetronInfo")
    fields: dict[str, Any] = {}
    ids = top.find("IDS")
    for element in ids.children if ids is not None else ():
        name = _SOURCES.get(element.attributes.get("source", "").casefold())
        number = _within(_integer(element.text), 1, 2_147_483_647)
        if name is not None and number is not None:
            fields.setdefault(name, number)
    series = top.find("Series")
    if series is not None:
        fields["series"] = series.value("Name")
        fields["volume"] = _within(
            _integer(series.value("Volume") or series.value("StartYear")), 0, 32_767
        )
        if "metron_id" in fields or _primary(ids) == "metron":
            # Ids of a document's series come from its main source.
            number = _within(_integer(series.attributes.get("id")), 1, 2_147_483_647)
            fields["series_id"] = number if _primary(ids) == "metron" else None
    publisher = top.find("Publisher")
    gtin = top.find("GTIN")
    cover, store = (_iso_date(top.value(name)) for name in ("CoverDate", "StoreDate"))
    stories = top.find("Stories")
    fields |= {
        "number": top.value("Number"),
        "publisher": (publisher.value("Name") or publisher.text or None) if publisher else None,
        "upc": _code((gtin.value("UPC") or gtin.value("ISBN")) if gtin else None),
        "cover_date": cover,
        "store_date": store,
        "year": cover.year if cover else None,
        "title": top.value("CollectionTitle") or (stories.value("Story") if stories else None),
    }
    return _known(fields)


def _primary(ids: Element | None) -> str:
    """Return the source to which the other ids of a MetronInfo document belong."""
    for element in ids.children if ids is not None else ():
        if element.attributes.get("primary", "").casefold() in {"true", "1"}:
            return element.attributes.get("source", "").casefold()
    return ""


def _ids_in(text: str) -> dict[str, Any]:
    """Return the ids that links and notes mention."""
    found: dict[str, Any] = {}
    patterns = (("metron_id", _METRON_LINK), ("cv_id", _CV_LINK), ("gcd_id", _GCD_LINK))
    for name, pattern in patterns:
        if match := pattern.search(text):
            found[name] = match["id"]
    for match in _TAGGED.finditer(text):
        found.setdefault(_SOURCES[match["source"].casefold()], match["id"])
    if match := _ISSUE_ID.search(text):
        # What ComicTagger and metron-tagger write; the note names the source beside it.
        lowered = text.casefold()
        if "comic vine" in lowered or "comicvine" in lowered:
            found.setdefault("cv_id", match["id"])
        elif "metron" in lowered:
            found.setdefault("metron_id", match["id"])
    return {
        name: number
        for name, text_id in found.items()
        if (number := _within(_integer(text_id), 1, 2_147_483_647)) is not None
    }


def _known(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value[:500] if isinstance(value, str) else value
        for name, value in fields.items()
        if value is not None
    }


def _integer(text: str | None) -> int | None:
    if text is None or not re.fullmatch(r"[0-9]{1,10}", text):
        return None
    return int(text)


def _within(number: int | None, least: int, most: int) -> int | None:
    return number if number is not None and least <= number <= most else None


def _code(text: str | None) -> str | None:
    digits = re.sub(r"[\s-]", "", text or "")
    return digits if re.fullmatch(r"[0-9]{7,18}|[0-9]{9}[Xx]", digits) else None


def _date(year: int | None, month: int | None, day: int | None) -> dt.date | None:
    if year is None or month is None:
        return None
    return _or_none(lambda: dt.date(year, month, day or 1))


def _iso_date(text: str | None) -> dt.date | None:
    return None if text is None else _or_none(lambda: dt.date.fromisoformat(text[:10]))


def _or_none(make: Callable[[], dt.date]) -> dt.date | None:
    try:
        return make()
    except ValueError:
        return None


def _refuse(root: str, why: str) -> NoReturn:
    msg = f"Invalid {root}: {why}"
    raise UsageError(msg)
