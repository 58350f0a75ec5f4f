"""Decides which of several issues a query means, or that it cannot be decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from metron_async.errors import MetronError  # noqa: TC001 - msgspec reads the annotations
from metron_async.matching.facts import Facts, facts_of
from metron_async.matching.hashes import HASH_LIMIT, checked_bits
from metron_async.matching.names import LOOSE, SUBTITLE
from metron_async.matching.query import ISSUE_IDS, IssueQuery
from metron_async.matching.scoring import ACCEPTED, MARGIN, Score, score_facts
from metron_async.models import Issue, IssueSummary, SeriesRef

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

__all__ = ["Candidate", "How", "Match", "Rules", "decide", "summary_of"]

How = Literal["metron_id", "cv_id", "gcd_id", "upc", "sku", "series_id", "series", "cover", "none"]
"""By what an issue was found; ``"none"`` if none was."""

_SHOWN = 10
_FLOOR = 20.0
_SAME_NAME = LOOSE * 0.97  # the least trust in a reading that joins series and title


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What it takes to decide."""

    accepted: float = ACCEPTED
    """Least score."""
    margin: float = MARGIN
    """Least lead over the next issue."""
    hash_limit: int = HASH_LIMIT
    """Largest distance of cover hashes, in bits, 0 to 64."""

    def __post_init__(self) -> None:
        checked_bits(self.hash_limit, "hash_limit")


DEFAULT_RULES = Rules()


class Candidate(msgspec.Struct, frozen=True):
    """An issue that may be meant."""

    issue: IssueSummary
    """The issue as lists show it."""
    score: Score
    """How well it fits, and why."""


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """What a query means, as far as it can be decided.

    A match is true if an issue was decided.
    """

    query: IssueQuery
    """What was asked."""
    issue: IssueSummary | None = None
    """The issue, or ``None`` if none was found or several fit."""
    detail: Issue | None = None
    """The full issue, if it was requested and the issue was decided."""
    candidates: tuple[Candidate, ...] = ()
    """Issues that may be meant, the best first; the decided one is the first."""
    how: How = "none"
    """By what the issue or the candidates were found."""
    why: str = ""
    """Why no issue was decided, or ``""``."""
    requests: int = 0
    """Requests that this match cost; a list shared by several is counted once."""
    index: int = 0
    """Place of the query among those that were given to ``match_many``."""
    error: MetronError | None = None
    """What failed, if the query could not be examined."""

    @property
    def ambiguous(self) -> bool:
        """Whether there are candidates but no decision."""
        return self.issue is None and bool(self.candidates)

    def __bool__(self) -> bool:
        return self.issue is not None


class Row(msgspec.Struct, frozen=True):
    """An issue and all that is known of it."""

    issue: IssueSummary
    facts: Facts


def row_of(issue: IssueSummary | Issue, facts: Facts | None = None) -> Row:
    """Return a row from a row of a list or from a full issue."""
    summary = summary_of(issue) if isinstance(issue, Issue) else issue
    return Row(summary, facts or facts_of(issue))


def decide(
    query: IssueQuery,
    rows: Iterable[Row],
    *,
    how: How,
    complete: bool = True,
    rules: Rules = DEFAULT_RULES,
) -> Match:
    """Return the match of a query among *rows*.

    An issue is decided if it has the least score, leads by the margin, has the series' name, and
    nothing contradicts it. Otherwise the match is ambiguous, or empty without a candidate.

    Args:
        query: What is known of a comic.
        rows: Issues that may be meant.
        how: By what they were found.
        complete: Whether these are all issues that may be meant.
        rules: What it takes to decide.
    """
    unique: Mapping[int, Row] = {row.issue.id: row for row in rows}
    ranked = sorted(
        (
            Candidate(row.issue, score_facts(query, row.facts, hash_limit=rules.hash_limit))
            for row in unique.values()
        ),
        key=_rank,
    )
    shown = tuple(found for found in ranked if found.score.value >= _FLOOR)[:_SHOWN]
    why = "no issue found"
    if shown:
        why = next(_objections(query, shown, how, complete=complete, rules=rules), "")
    return Match(
        query=query,
        issue=None if why else shown[0].issue,
        candidates=shown,
        how=how if shown else "none",
        why=why,
    )


def _rank(found: Candidate) -> tuple[float, int, int, int]:
    """Return what sorts candidates; of equal ones the older series comes first."""
    series = found.issue.series
    return (-found.score.value, series.volume, series.year_began, found.issue.id)


def _objections(
    query: IssueQuery, ranked: tuple[Candidate, ...], how: How, *, complete: bool, rules: Rules
) -> Iterator[str]:
    """Yield why the first candidate cannot be decided, the strongest reason first."""
    best = ranked[0].score
    facts = {reason.fact: reason.text for reason in best.reasons}
    if "cover_differs" in facts:
        yield facts["cover_differs"]
    if how in ISSUE_IDS and not _doubtful_id(query, best):
        return
    if best.contradicted:
        texts = [facts[fact] for fact in best.contradicted]
        yield f"the best candidate contradicts the query: {', '.join(texts)}"
    if query.number is None and not facts.keys() & {"only", "code", "cover", "date"}:
        yield "no number given, and the series has several issues"
    if not _named(best, facts.keys()):
        yield "no series of that name"
    if best.value < rules.accepted:
        yield f"too little is known: {best.value:g} of {rules.accepted:g} points"
    if not complete:
        yield "more issues may fit than were looked at"
    close = sum(1 for other in ranked if best.value - other.score.value < rules.margin)
    if close > 1:
        yield f"{close} issues fit equally well"


def _named(best: Score, facts: AbstractSet[str]) -> bool:
    """Return whether the series is known to be the right one."""
    if best.name >= _SAME_NAME or facts & {"code", "series_id"}:
        return True
    # The same cover, number and a likely name prove a series that is named otherwise.
    if {"cover", "number"} <= facts and best.name >= SUBTITLE / 2:
        return True
    return best.name >= SUBTITLE and {"number", "date"} <= facts


def _doubtful_id(query: IssueQuery, best: Score) -> bool:
    """Return whether an id leads to an issue of another name and another number."""
    if query.series is None or query.number is None:
        return False
    return best.name < SUBTITLE / 2 and "number_differs" in best.contradicted


def summary_of(issue: Issue) -> IssueSummary:
    """Return the row by which lists show a full issue."""
    series = issue.series
    return IssueSummary(
        id=issue.id,
        series=SeriesRef(
            id=series.id, name=series.name, volume=series.volume, year_began=series.year_began
        ),
        number=issue.number,
        issue_name=f"{series.name} ({series.year_began}) #{issue.number}",
        cover_date=issue.cover_date,
        store_date=issue.store_date,
        image=issue.image,
        cover_hash=issue.cover_hash,
        modified=issue.modified,
    )
