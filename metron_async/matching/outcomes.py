"""What follows from a match that decides nothing: which of two says more, and what helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from metron_async.matching.names import LOOSE
from metron_async.matching.query import IDENTIFYING, ISSUE_IDS, IssueQuery

if TYPE_CHECKING:
    from metron_async.matching.decide import Match, Rules

__all__ = ["better", "contradicting", "is_settled", "is_tied", "without_ids"]


def better(one: Match | None, other: Match) -> Match:
    """Return the match that says more: a decided one, else the one with the best candidate."""
    if one is None or bool(other) > bool(one):
        return other
    if bool(one) > bool(other):
        return one
    return other if _best(other) > _best(one) else one


def _best(match: Match) -> float:
    return match.candidates[0].score.value if match.candidates else 0.0


def without_ids(query: IssueQuery) -> IssueQuery | None:
    """Return *query* without ids of issues, ``None`` if nothing else identifies an issue."""
    rest = {name: value for name, value in query.given().items() if name not in ISSUE_IDS}
    return IssueQuery(**rest) if rest.keys() & IDENTIFYING else None


def contradicting(match: Match, by_ids: Match) -> Match:
    """Return *match*, undecided if the ids or codes of its query lead to another issue."""
    assert match.issue is not None  # noqa: S101 - it is decided
    if any(other.issue.id == match.issue.id for other in by_ids.candidates):
        return match
    other = by_ids.candidates[0].issue
    why = f"{by_ids.how} leads to {other.issue_name}, the rest to {match.issue.issue_name}"
    candidates = (*match.candidates, *by_ids.candidates)
    return msgspec.structs.replace(match, issue=None, candidates=candidates, why=why)


def is_tied(match: Match, rules: Rules) -> bool:
    """Return whether several candidates fit equally well."""
    best = match.candidates[:2]
    return len(best) > 1 and best[0].score.value - best[1].score.value < rules.margin


def is_settled(match: Match) -> bool:
    """Return whether an issue of that name and number was found, so that nothing wider helps."""
    if not match.candidates:
        return False
    best = match.candidates[0].score
    return best.name >= LOOSE and not {"number_differs", "year_differs"} & set(best.contradicted)
