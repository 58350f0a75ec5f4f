"""From what is known of a comic to its issue: queries, scores, decisions, and the plan of a run.

Example:
    >>> from metron_async.matching import IssueQuery
    >>> query = IssueQuery(series="Savage Wolf", number="003", year=1966)
    >>> match = await metron.issues.match(query)  # doctest: +SKIP
    >>> match.issue or match.why  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metron_async.lazy import load

if TYPE_CHECKING:
    from metron_async.matching.covers import cover_hash
    from metron_async.matching.decide import Candidate, How, Match, Rules
    from metron_async.matching.hashes import HASH_LIMIT, hamming
    from metron_async.matching.local import SimilarCover
    from metron_async.matching.names import name_similarity, normal_name
    from metron_async.matching.numbers import normal_number, same_number
    from metron_async.matching.planning import Group, MatchPlan, plan
    from metron_async.matching.points import POINTS, Reason
    from metron_async.matching.query import IssueQuery
    from metron_async.matching.run import MatchProgress, MatchRun
    from metron_async.matching.scoring import ACCEPTED, MARGIN, Score, score

__all__ = [
    "ACCEPTED",
    "HASH_LIMIT",
    "MARGIN",
    "POINTS",
    "Candidate",
    "Group",
    "How",
    "IssueQuery",
    "Match",
    "MatchPlan",
    "MatchProgress",
    "MatchRun",
    "Reason",
    "Rules",
    "Score",
    "SimilarCover",
    "cover_hash",
    "hamming",
    "name_similarity",
    "normal_name",
    "normal_number",
    "plan",
    "same_number",
    "score",
]

_HOMES = {
    "metron_async.matching.covers": ("cover_hash",),
    "metron_async.matching.decide": ("Candidate", "How", "Match", "Rules"),
    "metron_async.matching.hashes": ("HASH_LIMIT", "hamming"),
    "metron_async.matching.local": ("SimilarCover",),
    "metron_async.matching.names": ("name_similarity", "normal_name"),
    "metron_async.matching.numbers": ("normal_number", "same_number"),
    "metron_async.matching.planning": ("Group", "MatchPlan", "plan"),
    "metron_async.matching.points": ("POINTS", "Reason"),
    "metron_async.matching.query": ("IssueQuery",),
    "metron_async.matching.run": ("MatchProgress", "MatchRun"),
    "metron_async.matching.scoring": ("ACCEPTED", "MARGIN", "Score", "score"),
}


def __getattr__(name: str) -> object:
    return load(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
