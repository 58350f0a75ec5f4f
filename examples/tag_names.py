"""What file names say about comics, and which row of a list is meant: nothing here asks anybody."""

from __future__ import annotations

import dataclasses
import datetime as dt  # noqa: TC003 - msgspec reads the annotations when it runs
import re
import unicodedata
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from metron_async.models import IssueSummary

TAGS = re.compile(r"\[(metron|cv|gcd|upc)[-: ]?(\d+)\]", re.IGNORECASE)
YEAR = re.compile(r"\((\d{4})\)")
BRACKETS = re.compile(r"\([^)]*\)|\[[^]]*\]")
NUMBERED = re.compile(
    r"^(?P<series>.*\S)\s+#?(?P<number>-?\d+(?:\.\w+)?[a-z]{0,3})$", re.IGNORECASE
)


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an issue after it was found.

    Attributes:
        issue_id: Metron's id of the issue.
        series_id: Metron's id of its series.
        series: Name of the series.
        number: Number of the issue.
        cover_date: Date on the cover.
        store_date: Day it went on sale, or ``None``.
        cover: URL of the cover, or ``None``.
        found_by: What it was found by.
    """

    issue_id: int
    series_id: int
    series: str
    number: str
    cover_date: dt.date
    store_date: dt.date | None = None
    cover: str | None = None
    found_by: str


class Sidecar(msgspec.Struct, omit_defaults=True, kw_only=True):
    """The JSON file beside a comic.

    The first fields can be written by hand, to help; the others are what came of it.

    Attributes:
        metron_id: Metron's id of the issue.
        cv_id: Comic Vine's id of it.
        gcd_id: The Grand Comics Database's id of it.
        upc: Its barcode.
        series: Name of its series.
        number: Its number.
        year: Year of its cover date, or in which its series began.
        tag: The issue, once it was found.
        details: Everything that Metron knows of it, if that was asked for.
        problem: Why it was not found.
    """

    metron_id: int | None = None
    cv_id: int | None = None
    gcd_id: int | None = None
    upc: str | None = None
    series: str | None = None
    number: str | None = None
    year: int | None = None
    tag: Tag | None = None
    details: dict[str, Any] | None = None
    problem: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Comic:
    """A file, and what is known of it before anybody is asked.

    Attributes:
        path: The file.
        sidecar: What lies beside it.
        series: Name of the series.
        number: Number of the issue, without leading zeros.
        year: Year in its name, or ``None``.
        ids: Its ids by name, the best first: ``metron``, ``cv``, ``gcd``, ``upc``.
    """

    path: Path
    sidecar: Sidecar
    series: str
    number: str
    year: int | None
    ids: dict[str, str]

    @property
    def key(self) -> str:
        """What files of one series have in common."""
        return plain(self.series)


def plain(text: str) -> str:
    """Return *text* without capitals, accents and punctuation, to compare it."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[^\w]+", " ", letters).split())


def plain_number(number: str) -> str:
    """Return *number* as Metron writes it: ``"003"`` is ``"3"``, and ``"000"`` is ``"0"``."""
    return re.sub(r"^(-?)0+(?=\d)", r"\1", number.strip())


def read_name(path: Path, sidecar: Sidecar) -> Comic:
    """Read what the name of a file says; what the sidecar says goes before it.

    Names such as these are understood: ``Savage Wolf 003 (1966) (Digital).cbz``,
    ``Savage Wolf (1966) #3.cbz``, ``Savage Wolf #3 [cv-4711].cbz``, ``Savage Wolf.cbz`` (number 1).
    """
    stem = path.stem
    ids = {name.lower(): digits for name, digits in TAGS.findall(stem)}
    own = {"metron": sidecar.metron_id, "cv": sidecar.cv_id, "gcd": sidecar.gcd_id}
    own_texts = {name: str(number) for name, number in own.items() if number is not None}
    ids |= own_texts | ({"upc": sidecar.upc} if sidecar.upc else {})
    year = YEAR.search(stem)
    rest = " ".join(BRACKETS.sub(" ", stem).replace("_", " ").split())
    numbered = NUMBERED.match(rest)
    series, number = (numbered["series"], numbered["number"]) if numbered else (rest, "1")
    return Comic(
        path,
        sidecar,
        sidecar.series or series.rstrip(" -,"),
        plain_number(sidecar.number or number),
        sidecar.year or (int(year[1]) if year else None),
        {name: ids[name] for name in ("metron", "cv", "gcd", "upc") if name in ids},
    )


def choose(comic: Comic, rows: Iterable[IssueSummary], *, same_name: bool) -> IssueSummary | None:
    """Return the row that *comic* is, or ``None`` if none is, or several could be.

    Args:
        comic: The file.
        rows: Rows of issues.
        same_name: Whether the series must be called as in the file's name. (Not if it is known
            by its id: then the file may call it as it likes.)
    """
    rows = list(rows)
    if "metron" in comic.ids:
        return next((row for row in rows if row.id == int(comic.ids["metron"])), None)
    fitting = [
        row
        for row in rows
        if plain_number(row.number).casefold() == comic.number.casefold()
        and (not same_name or plain(row.series.name) == comic.key)
    ]
    if comic.year is not None:
        # The year in a name is that of the cover, or the one in which the series began. Covers
        # are dated ahead, so the neighbors will do where there is nothing better.
        same = [row for row in fitting if _years_apart(comic.year, row) == 0]
        fitting = same or [row for row in fitting if _years_apart(comic.year, row) == 1]
    return fitting[0] if len({row.id for row in fitting}) == 1 else None


def _years_apart(year: int, row: IssueSummary) -> int:
    return min(abs(year - row.cover_date.year), abs(year - row.series.year_began))


def tag_of(row: IssueSummary, found_by: str) -> Tag:
    """Return what goes into the sidecar for *row*."""
    return Tag(
        issue_id=row.id,
        series_id=row.series.id,
        series=row.series.name,
        number=row.number,
        cover_date=row.cover_date,
        store_date=row.store_date,
        cover=row.image,
        found_by=found_by,
    )
