"""Plans how many queries are asked together, before anything is sent.

Queries whose series have one name form a group. A group of three or more shares lists: one
request finds the series of that name, and each list of issues costs one request per 100 issues.
Smaller groups are asked query by query, which costs one request each in most cases.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import msgspec

from metron_async.matching.names import squashed_name
from metron_async.matching.query import series_hints

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metron_async.matching.query import IssueQuery

__all__ = ["LIST_FROM", "ROWS_A_PAGE", "Group", "MatchPlan", "pages_of", "plan"]

ROWS_A_PAGE = 100
"""Rows of one page of issues or series."""

LIST_FROM = 3
"""Queries from which a group shares lists: the series, and one page of its issues."""

_LIST_COST = 2
_WIDEST = 6


class Group(msgspec.Struct, frozen=True):
    """Queries that are answered together."""

    way: Literal["id", "number", "list"]
    """``"id"``: by ids or codes alone; ``"number"``: query by query; ``"list"``: shared lists."""
    name: str
    """Name of the series as the first query has it, or ``""``."""
    indexes: tuple[int, ...]
    """Places of its queries in the sequence."""

    @property
    def requests(self) -> int:
        """Requests that the group takes if nothing of it is cached."""
        return _LIST_COST if self.way == "list" else len(self.indexes)

    @property
    def at_most(self) -> int:
        """Requests that it takes if each query needs the widest search."""
        return _LIST_COST * self.requests + _WIDEST * len(self.indexes)


class MatchPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What matching many queries costs, known before the first request.

    A series with more than 100 issues costs more than planned; a query that is not found where
    it is expected, too. What the cache holds costs less.
    """

    queries: int
    """Number of queries."""
    groups: tuple[Group, ...]
    """Queries that are answered together, the cheapest per query first."""
    details: int = 0
    """Requests for full issues, if ``details=True``: one for each query that is decided."""

    @property
    def requests(self) -> int:
        """Requests that it takes if each query is found where it is expected."""
        return sum(group.requests for group in self.groups) + self.details

    @property
    def at_most(self) -> int:
        """Upper bound of the requests for queries of series that are walked no further."""
        return sum(group.at_most for group in self.groups) + self.details

    def __str__(self) -> str:
        shared = sum(len(group.indexes) for group in self.groups if group.way == "list")
        return f"queries: {self.queries}, by lists: {shared}; requests: about {self.requests}"


def plan(queries: Sequence[IssueQuery], *, details: bool = False) -> MatchPlan:
    """Return how *queries* are best asked.

    Args:
        queries: What is known of each comic; 10,000 take less than a second.
        details: Whether full issues are wanted, too.

    Example:
        >>> plan([IssueQuery(series="Savage Wolf", number=str(n)) for n in range(1, 11)]).requests
        2
    """
    members: dict[tuple[str, int], list[int]] = {}
    alone: list[Group] = []
    for index, query in enumerate(queries):
        if query.series is None and query.series_id is None:
            alone.append(Group("id", "", (index,)))
        else:
            members.setdefault(_key(query), []).append(index)
    groups = [
        Group(
            _way([queries[index] for index in indexes]),
            queries[indexes[0]].series or "",
            tuple(indexes),
        )
        for indexes in members.values()
    ]
    groups.sort(key=_order)
    # Metron's own id is searched for by fetching the full issue.
    detailed = sum(1 for q in queries if q.metron_id is None or q.series is not None)
    return MatchPlan(
        queries=len(queries), groups=(*groups, *alone), details=detailed if details else 0
    )


def _key(query: IssueQuery) -> tuple[str, int]:
    """Return what the queries of one group have in common."""
    if query.series is None:
        return "", query.series_id or 0
    return squashed_name(series_hints(query).name), 0


def _way(queries: Sequence[IssueQuery]) -> Literal["number", "list"]:
    # Without a number it takes the series to know whether it has a single issue.
    numberless = any(query.number is None for query in queries)
    return "list" if len(queries) >= LIST_FROM or numberless else "number"


def _order(group: Group) -> tuple[float, int]:
    return group.requests / len(group.indexes), group.indexes[0]


def pages_of(rows: int) -> int:
    """Return how many pages a list of *rows* has, at least 1."""
    return max(1, math.ceil(rows / ROWS_A_PAGE))
