"""What is known of a comic before it is identified: :class:`IssueQuery`."""

# msgspec evaluates the annotations of structs, so they are not postponed here.
import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import msgspec

from metron_async._values import show
from metron_async.errors import UsageError
from metron_async.matching.numbers import normal_number, split_number

if TYPE_CHECKING:
    import os
    from typing import Self

__all__ = [
    "IDENTIFYING",
    "ISSUE_IDS",
    "IssueQuery",
    "Reading",
    "readings_of",
    "search_name",
    "series_hints",
]

_MAX_TEXT = 500
_MAX_ID = 2_147_483_647
_MAX_VOLUME = 32_767
_FIRST_YEAR, _LAST_YEAR = 1800, 2999
_CODE = re.compile(r"[0-9]{7,18}|[0-9]{9}[Xx]")
_HASH = re.compile(r"[0-9a-f]{16}")
_BLANKS = re.compile(r"\s+")
_YEAR_LAST = re.compile(r"^(?P<name>.*\S)\s*[(\[](?P<year>\d{4})(?:\s*-\s*\d{0,4})?[)\]]$")
_VOLUME_LAST = re.compile(
    r"^(?P<name>.*\S)\s+(?:v|vol\.?|volume)\s?(?P<volume>\d{1,4})$", re.IGNORECASE
)

_INTEGERS = {
    "metron_id": (1, _MAX_ID),
    "cv_id": (1, _MAX_ID),
    "gcd_id": (1, _MAX_ID),
    "series_id": (1, _MAX_ID),
    "year": (_FIRST_YEAR, _LAST_YEAR),
    "volume": (0, _MAX_VOLUME),
}
_TEXTS = ("sku", "series", "number", "publisher", "title")
ISSUE_IDS = ("metron_id", "cv_id", "gcd_id")
"""Fields that name one issue by themselves."""

IDENTIFYING = (*ISSUE_IDS, "upc", "sku", "series", "series_id", "cover_hash")
"""Fields of which a query must have at least one."""


class IssueQuery(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a comic: any part of it, as far as it identifies an issue.

    Values are checked and brought into one form when the query is made. Whole numbers may be
    given as strings of digits, as files have them.

    Raises:
        UsageError: If a value is invalid, or if nothing in the query identifies an issue.

    Example:
        >>> IssueQuery(series="Savage Wolf", number="003", year=1966)
        IssueQuery(series='Savage Wolf', number='003', year=1966)
    """

    metron_id: int | None = None
    """Metron's id of the issue."""
    cv_id: int | None = None
    """Id of the issue at Comic Vine."""
    gcd_id: int | None = None
    """Id of the issue at the Grand Comics Database."""
    upc: str | None = None
    """Barcode or ISBN: digits. Spaces and hyphens are removed."""
    sku: str | None = None
    """Number of the issue at its distributor."""
    series: str | None = None
    """Name of the series; a year or a volume at its end is recognized."""
    series_id: int | None = None
    """Metron's id of the series."""
    number: str | None = None
    """Number of the issue, such as ``"1"``, ``"½"`` or ``"Annual 1"``."""
    year: int | None = None
    """Year of the cover or of publication, or the year in which the series began."""
    volume: int | None = None
    """Number of the volume, or the year in which the series began."""
    publisher: str | None = None
    """Name of the publisher, or a part of it."""
    cover_date: date | None = None
    """Date on the cover."""
    store_date: date | None = None
    """Day on which the issue went on sale."""
    cover_hash: str | None = None
    """Perceptual hash of the cover: 16 hexadecimal digits."""
    title: str | None = None
    """Title of the story or of the book; may be a part of the series' name."""

    def __post_init__(self) -> None:
        for name, (least, most) in _INTEGERS.items():
            _set(self, name, _integer(name, getattr(self, name), least, most))
        for name in _TEXTS:
            _set(self, name, _text(name, getattr(self, name)))
        _set(self, "upc", _upc(self.upc))
        _set(self, "cover_hash", _hash(self.cover_hash))
        for name in ("cover_date", "store_date"):
            _check_date(name, getattr(self, name))
        if all(getattr(self, name) is None for name in IDENTIFYING):
            msg = (
                "Nothing in the query identifies an issue: expected at least one of"
                f" {', '.join(IDENTIFYING)}"
            )
            raise UsageError(msg)

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.given().items())
        return f"IssueQuery({given})"

    def given(self) -> dict[str, Any]:
        """Return the fields that are known, by name."""
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_comicinfo(cls, xml: bytes) -> "Self":
        """Read a ``ComicInfo.xml``: ids in its links and notes, series, number, dates, GTIN.

        Args:
            xml: The file's content, at most 1 MiB. Document types and entities are refused.

        Raises:
            UsageError: If it is not a ComicInfo document, or does not identify an issue.
        """
        from metron_async.matching.comicinfo import read_comicinfo  # noqa: PLC0415 - rarely used

        return cls(**read_comicinfo(xml))

    @classmethod
    def from_metroninfo(cls, xml: bytes) -> "Self":
        """Read a ``MetronInfo.xml``: ids, series, number, dates, GTIN.

        Args:
            xml: The file's content, at most 1 MiB. Document types and entities are refused.

        Raises:
            UsageError: If it is not a MetronInfo document, or does not identify an issue.
        """
        from metron_async.matching.comicinfo import read_metroninfo  # noqa: PLC0415

        return cls(**read_metroninfo(xml))

    @classmethod
    def from_filename(cls, path: "str | os.PathLike[str]") -> "Self":
        """Read the name of a file; needs the extra ``files``.

        Args:
            path: The file's name or path. The file is not opened and need not exist.

        Raises:
            UsageError: If the name does not identify an issue, or if the extra is missing.

        Example:
            >>> IssueQuery.from_filename("Savage Wolf 003 (1966) (Digital).cbz")
            IssueQuery(series='Savage Wolf', number='003', year=1966)
        """
        from metron_async.matching.filenames import read_filename  # noqa: PLC0415

        return cls(**read_filename(path))


class Reading(NamedTuple):
    """One way to understand the series and number of a query.

    Attributes:
        series: Name of the series, without a year or volume.
        number: Normal form of the number, or ``""`` if unknown.
        trust: How likely this reading is, from 0.0 to 1.0; the first reading has 1.0.
    """

    series: str
    number: str
    trust: float


def readings_of(query: IssueQuery) -> tuple[Reading, ...]:
    """Return the ways to understand a query's series and number, the most likely first.

    Annuals and specials are series of their own on Metron. A title can be the end of the name of
    a series, and it is one where a one-shot is filed under its own name.
    """
    if query.series is None:
        return (Reading("", normal_number(query.number or ""), 1.0),)
    series = series_hints(query).name
    kind, rest = split_number(query.number or "")
    number = normal_number(rest)
    found = [Reading(f"{series} {kind}" if kind else series, number, 1.0)]
    if kind:
        found.append(Reading(series, normal_number(query.number or ""), 0.98))
    if (base := search_name(query)) != series:
        found.append(Reading(base, number, 0.98))
    if query.title is not None:
        found.append(Reading(f"{series}: {query.title}", number, 0.99))
        if query.title.casefold().startswith(series.casefold()):
            found.append(Reading(query.title, number, 0.97))
    return tuple(found)


def search_name(query: IssueQuery) -> str:
    """Return the name by which the series of a query is searched.

    A year at its end is left out if it is the query's: the series may be named with or without it.
    """
    name = series_hints(query).name
    base = name.removesuffix(f" {query.year}") if query.year is not None else name
    return base.rstrip(" -,:") or name


class SeriesHints(NamedTuple):
    """What a query says about its series.

    Attributes:
        name: Name without a year or volume at its end, or ``""``.
        volume: Volume, or the year in which the series began, or ``None``.
    """

    name: str
    volume: int | None


def series_hints(query: IssueQuery) -> SeriesHints:
    """Return the name and volume of a query's series; the name may hold the volume."""
    name, volume = query.series or "", query.volume
    if found := _YEAR_LAST.match(name):
        name, year = found["name"], int(found["year"])
        volume = year if volume is None else volume
    if found := _VOLUME_LAST.match(name):
        name = found["name"]
        volume = int(found["volume"]) if volume is None else volume
    return SeriesHints(name, volume)


def _set(query: IssueQuery, name: str, value: object) -> None:
    if value is not getattr(query, name):
        msgspec.structs.force_setattr(query, name, value)


def _integer(name: str, value: Any, least: int, most: int) -> int | None:
    if isinstance(value, str) and value.strip().isdecimal() and len(value) <= len(str(most)) + 9:
        value = int(value)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return int(value)
    return _refuse(name, f"a whole number from {least} to {most}", value)


def _text(name: str, value: Any) -> str | None:
    if name == "number" and isinstance(value, int | float) and not isinstance(value, bool):
        value = f"{value:g}" if isinstance(value, float) else str(value)
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        _refuse(name, "a string that is not blank", value)
    text = _BLANKS.sub(" ", value).strip()
    if len(text) > _MAX_TEXT or (not text.isprintable() and any(map(_is_control, text))):
        _refuse(name, f"at most {_MAX_TEXT} characters without control characters", value)
    return str(text)


def _is_control(character: str) -> bool:
    return character < " " or "\x7f" <= character <= "\x9f" or "\ud800" <= character <= "\udfff"


def _upc(value: object) -> str | None:
    if value is None:
        return None
    digits = re.sub(r"[\s-]", "", value) if isinstance(value, str) else ""
    if not _CODE.fullmatch(digits):
        _refuse("upc", "7 to 18 digits as a string", value)
    return digits.upper()


def _hash(value: object) -> str | None:
    if value is None:
        return None
    text = value.strip().lower() if isinstance(value, str) else ""
    if not _HASH.fullmatch(text):
        _refuse("cover_hash", "16 hexadecimal digits as a string", value)
    return text


def _check_date(name: str, value: object) -> None:
    if value is not None and (isinstance(value, datetime) or not isinstance(value, date)):
        _refuse(name, "a datetime.date", value)


def _refuse(name: str, expected: str, value: object) -> NoReturn:
    msg = f"Invalid {name}: expected {expected}, got {show(value)}"
    raise UsageError(msg)
