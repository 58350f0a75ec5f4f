"""How well an issue fits a query: evidence, points and reasons.

Each fact that both sides know adds or removes points, documented in :data:`POINTS`. Facts that
one side does not know change nothing. So more agreement never lowers a score.

| fact | agrees | disagrees |
|---|---|---|
| Metron's, Comic Vine's or GCD's id | 100 | -100 |
| UPC, SKU | 80 | 0: a variant cover has its own |
| series' id | 40 | -80 |
| name of the series | 40 x similarity | 0 at least |
| number | 30 | -60 |
| no number given | 25 for the only issue of its series, 4 for number 1 | 0 |
| year | 15 cover, 14 sale, 8 off by one or start of the series | -25 |
| volume | 10; also as the year in which the series began | -12 |
| cover date | 10 same day, 6 same month | 0 |
| day of sale | 10 same day, 6 within a week | 0 |
| publisher | 6 | -20 |
| cover hash | 25 at distance 0, 5 at the limit | -10 beyond, and never decided |
| title | 5 | 0 |

An issue with equal name and number and nothing against it has 70 points. :data:`ACCEPTED` is the
least score that can be decided, and :data:`MARGIN` the lead over the next issue that it takes.
"""

from __future__ import annotations

import functools
from datetime import date, timedelta
from typing import TYPE_CHECKING

import msgspec

from metron_async.errors import UsageError
from metron_async.matching.names import LOOSE, name_similarity, normal_name
from metron_async.matching.numbers import normal_number
from metron_async.matching.query import readings_of, series_hints
from metron_async.models import Issue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from metron_async.matching.query import IssueQuery
    from metron_async.models import IssueSummary

__all__ = [
    "ACCEPTED",
    "HASH_LIMIT",
    "MARGIN",
    "POINTS",
    "Facts",
    "Reason",
    "Score",
    "bits_of",
    "facts_of",
    "hamming",
    "score",
    "score_facts",
]

POINTS: dict[str, float] = {
    "id": 100,
    "id_differs": -100,
    "code": 80,
    "series_id": 40,
    "series_id_differs": -80,
    "name": 40,
    "number": 30,
    "number_differs": -60,
    "only": 25,
    "first": 4,
    "cover_year": 15,
    "store_year": 14,
    "near_year": 8,
    "year_differs": -25,
    "volume": 10,
    "volume_differs": -12,
    "date": 10,
    "near_date": 6,
    "publisher": 6,
    "publisher_differs": -20,
    "cover": 25,
    "cover_at_limit": 5,
    "cover_differs": -10,
    "title": 5,
}
"""Points by fact, as in the table at the top of :mod:`metron_async.matching.scoring`."""

ACCEPTED = 60.0
"""Least score of an issue that can be decided."""

MARGIN = 5.0
"""Lead over the next issue that a decision takes."""

HASH_LIMIT = 10
"""Distance up to which two cover hashes are of one cover: what metron-tagger uses."""

_WEEK = timedelta(days=7)


class Reason(msgspec.Struct, frozen=True):
    """One fact that changed a score."""

    fact: str
    """Name of the fact in :data:`POINTS`."""
    points: float
    """Points that it added, or removed if negative."""
    text: str
    """The fact in words, such as ``"number 3"``."""


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """How well an issue fits a query."""

    value: float
    """Sum of the points."""
    reasons: tuple[Reason, ...] = ()
    """What the sum is made of."""
    name: float = 1.0
    """Similarity of the series' names, from 0.0 to 1.0."""
    contradicted: tuple[str, ...] = ()
    """Facts that rule a decision out, such as ``"number_differs"``."""

    def __str__(self) -> str:
        reasons = ", ".join(f"{reason.text} {reason.points:+g}" for reason in self.reasons)
        return f"{self.value:g} ({reasons})"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an issue, from a row of a list, the full issue, or a mirror."""

    id: int
    series_id: int
    names: tuple[str, ...]
    number: str
    volume: int
    year_began: int
    cover_date: date
    store_date: date | None = None
    cover_hash: str = ""
    alt_number: str = ""
    publisher: str | None = None
    titles: tuple[str, ...] = ()
    cv_id: int | None = None
    gcd_id: int | None = None
    upc: str = ""
    sku: str = ""
    only: bool = False
    """Whether it is known to be the only issue of its series."""


def facts_of(
    row: IssueSummary | Issue, *, names: Iterable[str] = (), publisher: str | None = None
) -> Facts:
    """Return what a row or a full issue says.

    Args:
        row: The row or issue.
        names: Other names of the series that are known.
        publisher: Name of the publisher, if the row does not have it.
    """
    facts = Facts(
        id=row.id,
        series_id=row.series.id,
        names=(row.series.name, *names),
        number=row.number,
        volume=row.series.volume,
        year_began=row.series.year_began,
        cover_date=row.cover_date,
        store_date=row.store_date,
        cover_hash=row.cover_hash,
        publisher=publisher,
    )
    if not isinstance(row, Issue):
        return facts
    return msgspec.structs.replace(
        facts,
        names=(*facts.names, *row.series.alt_names),
        alt_number=row.alt_number,
        publisher=row.publisher.name,
        titles=(*filter(None, (row.collection_title,)), *row.story_titles),
        cv_id=row.cv_id,
        gcd_id=row.gcd_id,
        upc=row.upc,
        sku=row.sku,
    )


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


def score(query: IssueQuery, row: IssueSummary | Issue, *, hash_limit: int = HASH_LIMIT) -> Score:
    """Return how well an issue fits a query, with the reasons.

    Args:
        query: What is known of a comic.
        row: A row of a list, or the full issue, which says more.
        hash_limit: Distance up to which two cover hashes are of one cover, 0 to 64.

    Example:
        >>> str(score(IssueQuery(series="Savage Wolf", number="3"), row))  # doctest: +SKIP
        '70 (series Savage Wolf +40, number 3 +30)'
    """
    return score_facts(query, facts_of(row), hash_limit=hash_limit)


def score_facts(query: IssueQuery, facts: Facts, *, hash_limit: int = HASH_LIMIT) -> Score:
    """Do the same as :func:`score` for facts."""
    name, reasons = _name_and_number(query, facts)
    for rule in _RULES:
        reasons += rule(query, facts)
    reasons += _cover(query, facts, hash_limit)
    known = [reason for reason in reasons if reason.points]
    return Score(
        value=round(sum(reason.points for reason in known), 2),
        reasons=tuple(known),
        name=name,
        contradicted=tuple(r.fact for r in known if r.fact in _CONTRADICTIONS),
    )


_CONTRADICTIONS = frozenset(
    {"id_differs", "series_id_differs", "number_differs", "year_differs", "cover_differs"}
)


def _reason(fact: str, text: str, share: float = 1.0) -> Reason:
    return Reason(fact, round(POINTS[fact] * share, 2), text)


def _name_and_number(query: IssueQuery, facts: Facts) -> tuple[float, list[Reason]]:
    """Return the similarity of the names and the reasons, by the reading that fits best."""
    numbers = {normal_number(number) for number in (facts.number, facts.alt_number) if number}
    best: tuple[float, float, list[Reason]] | None = None
    for reading in readings_of(query):
        reasons: list[Reason] = []
        name = 0.0
        if reading.series:
            name = max(name_similarity(reading.series, other) for other in facts.names)
            name *= reading.trust
            reasons.append(_reason("name", f"series {facts.names[0]}", name))
        if not reading.number:
            if facts.only:
                reasons.append(_reason("only", "the only issue of its series"))
            elif "1" in numbers and reading.series:
                reasons.append(_reason("first", "no number given, the first of its series"))
        elif reading.number in numbers:
            reasons.append(_reason("number", f"number {facts.number}"))
        else:
            reasons.append(_reason("number_differs", f"number {facts.number} for {reading.number}"))
        total = sum(reason.points for reason in reasons)
        if best is None or total > best[0]:
            best = total, name, reasons
    assert best is not None  # noqa: S101 - there is always one reading
    if query.series is None or query.series_id == facts.series_id:
        return 1.0, best[2]
    return best[1], best[2]


def _ids(query: IssueQuery, facts: Facts) -> list[Reason]:
    pairs = (
        ("Metron", query.metron_id, facts.id),
        ("Comic Vine", query.cv_id, facts.cv_id),
        ("GCD", query.gcd_id, facts.gcd_id),
    )
    found = [
        _reason("id" if asked == own else "id_differs", f"{source} id {own}")
        for source, asked, own in pairs
        if asked is not None and own is not None
    ]
    if query.series_id is not None:
        same = query.series_id == facts.series_id
        found.append(
            _reason("series_id" if same else "series_id_differs", f"series id {facts.series_id}")
        )
    return found


def _codes(query: IssueQuery, facts: Facts) -> list[Reason]:
    pairs = (("UPC", query.upc, facts.upc), ("SKU", query.sku, facts.sku))
    return [
        _reason("code", f"{kind} {own}")
        for kind, asked, own in pairs
        if asked is not None and own and asked.casefold() == own.casefold()
    ]


def _year(query: IssueQuery, facts: Facts) -> list[Reason]:
    """Judge the year; covers are dated ahead, so the year before can be that of the sale."""
    year = query.year
    if year is None:
        return []
    cover, store = facts.cover_date.year, facts.store_date.year if facts.store_date else None
    if year == cover:
        return [_reason("cover_year", f"cover of {cover}")]
    if year == store:
        return [_reason("store_year", f"on sale in {store}")]
    if abs(cover - year) == 1:
        return [_reason("near_year", f"cover of {cover}, a year off")]
    if year == facts.year_began:
        return [_reason("near_year", f"series began in {year}")]
    return [_reason("year_differs", f"cover of {cover}")]


def _volume(query: IssueQuery, facts: Facts) -> list[Reason]:
    volume = series_hints(query).volume
    if volume is None:
        return []
    if volume in {facts.volume, facts.year_began}:
        return [_reason("volume", f"volume {volume}")]
    if query.number is not None and normal_number(query.number) == str(volume):
        return []  # the number of a book, given as its volume
    return [_reason("volume_differs", f"volume {facts.volume} for {volume}")]


def _dates(query: IssueQuery, facts: Facts) -> list[Reason]:
    found: list[Reason] = []
    if (asked := query.cover_date) is not None:
        own = facts.cover_date
        if asked == own:
            found.append(_reason("date", f"cover date {own}"))
        elif (asked.year, asked.month) == (own.year, own.month):
            found.append(_reason("near_date", f"cover date {own}"))
    if query.store_date is not None and facts.store_date is not None:
        apart = abs(query.store_date - facts.store_date)
        if not apart:
            found.append(_reason("date", f"on sale {facts.store_date}"))
        elif apart <= _WEEK:
            found.append(_reason("near_date", f"on sale {facts.store_date}"))
    return found


def _publisher(query: IssueQuery, facts: Facts) -> list[Reason]:
    if query.publisher is None or facts.publisher is None:
        return []
    same = same_publisher(query.publisher, facts.publisher)
    fact = "publisher" if same else "publisher_differs"
    return [_reason(fact, f"publisher {facts.publisher}")]


def _title(query: IssueQuery, facts: Facts) -> list[Reason]:
    if query.title is None:
        return []
    best = max((name_similarity(query.title, title) for title in facts.titles), default=0.0)
    return [_reason("title", f"title {query.title}")] if best >= LOOSE else []


def _cover(query: IssueQuery, facts: Facts, limit: int) -> list[Reason]:
    if query.cover_hash is None or not facts.cover_hash:
        return []
    try:
        distance = hamming(query.cover_hash, facts.cover_hash)
    except UsageError:
        return []  # the server's hash is damaged
    if distance > limit:
        return [_reason("cover_differs", f"cover {distance} bits off, over the limit of {limit}")]
    most, least = POINTS["cover"], POINTS["cover_at_limit"]
    points = most - (most - least) * distance / max(1, limit)
    return [Reason("cover", round(points, 2), f"cover {distance} bits off")]


_RULES: tuple[Callable[[IssueQuery, Facts], list[Reason]], ...] = (
    _ids,
    _codes,
    _year,
    _volume,
    _dates,
    _publisher,
    _title,
)

_PUBLISHING = frozenset(
    {
        *("comics", "comic", "press", "publishing", "publications", "entertainment", "studios"),
        *("studio", "inc", "ltd", "group", "books", "the", "of"),
    }
)


def publisher_core(name: str) -> str:
    """Return the words of a publisher's name that tell it from others, such as ``"dc"``."""
    words = normal_name(name).split()
    return " ".join([word for word in words if word not in _PUBLISHING] or words)


def same_publisher(one: str, other: str) -> bool:
    """Return whether two names of publishers mean the same one, as far as words can tell."""
    a, b = publisher_core(one).split(), publisher_core(other).split()
    short, long = sorted((a, b), key=len)
    return long[: len(short)] == short
