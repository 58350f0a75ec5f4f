"""How well an issue fits a query: what the facts add up to.

The points of each fact are those of :data:`~metron_async.matching.points.POINTS`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from metron_async.errors import UsageError
from metron_async.matching.facts import Facts, facts_of
from metron_async.matching.hashes import HASH_LIMIT, hamming
from metron_async.matching.names import LOOSE, name_similarity
from metron_async.matching.numbers import normal_number
from metron_async.matching.points import POINTS, Reason
from metron_async.matching.publishers import same_publisher
from metron_async.matching.query import readings_of, series_hints

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async.matching.query import IssueQuery
    from metron_async.models import Issue, IssueSummary

__all__ = [
    "ACCEPTED",
    "MARGIN",
    "Score",
    "score",
    "score_facts",
]

ACCEPTED = 60.0
"""Least score of an issue that can be decided."""

MARGIN = 5.0
"""Lead over the next issue that a decision takes."""

_WEEK = timedelta(days=7)


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
    pairs = [(query.title, title) for title in facts.titles]
    if query.series is not None:
        # More of what is known is explained by a series with the title in its name.
        joined = f"{series_hints(query).name}: {query.title}"
        pairs += [(joined, name) for name in facts.names]
    same = any(name_similarity(one, other) >= LOOSE for one, other in pairs)
    return [_reason("title", f"title {query.title}")] if same else []


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
