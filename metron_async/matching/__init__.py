"""From what is known of a comic to its issue: queries, scores, decisions, and the plan of a run.

Example:
    >>> from metron_async.matching import IssueQuery
    >>> query = IssueQuery(series="Savage Wolf", number="003", year=1966)
    >>> match = await metron.issues.match(query)  # doctest: +SKIP
    >>> match.issue or match.why  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metron_async._lazy import lazy

if TYPE_CHECKING:
    from metron_async.matching.covers import *
    from metron_async.matching.decide import *
    from metron_async.matching.files import *
    from metron_async.matching.hashes import *
    from metron_async.matching.local import *
    from metron_async.matching.names import *
    from metron_async.matching.numbers import *
    from metron_async.matching.planning import *
    from metron_async.matching.points import *
    from metron_async.matching.query import *
    from metron_async.matching.run import *
    from metron_async.matching.scoring import *

__all__ = [
    "ACCEPTED",
    "HASH_LIMIT",
    "MARGIN",
    "POINTS",
    "SIDECAR",
    "Candidate",
    "ComicFile",
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
    "find_comics",
    "hamming",
    "name_similarity",
    "normal_name",
    "normal_number",
    "plan",
    "read_comic",
    "same_number",
    "score",
    "write_match",
]

_HOMES = (
    "metron_async.matching.names",
    "metron_async.matching.numbers",
    "metron_async.matching.hashes",
    "metron_async.matching.points",
    "metron_async.matching.query",
    "metron_async.matching.scoring",
    "metron_async.matching.decide",
    "metron_async.matching.planning",
    "metron_async.matching.covers",
    "metron_async.matching.files",
    "metron_async.matching.run",
    "metron_async.matching.local",
)

if not TYPE_CHECKING:  # a misspelled name is an error to type checkers
    __getattr__, __dir__ = lazy(__name__, _HOMES)
