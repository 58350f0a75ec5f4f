"""Matches in the file of a mirror, without a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from metron_async.matching.decide import DEFAULT_RULES, Match, Row, Rules, decide, row_of
from metron_async.matching.facts import facts_of
from metron_async.matching.hashes import bits_of, checked_bits
from metron_async.matching.index import MatchIndex
from metron_async.matching.outcomes import better, is_settled
from metron_async.matching.query import readings_of
from metron_async.models import BasicRef, IssueSummary

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from metron_async.matching.decide import How
    from metron_async.matching.query import IssueQuery

__all__ = ["LocalMatcher", "SimilarCover"]

_MOST_ISSUES = 500
_MOST_LIKE = 40
_CODES: tuple[How, ...] = ("cv_id", "gcd_id", "upc", "sku")
_COLUMNS = "id, series, number, issue_name, cover_date, store_date, image, cover_hash, modified"
_DETAIL_COLUMNS = "alt_number, publisher, collection_title, story_titles, cv_id, gcd_id, upc, sku"


class SimilarCover(msgspec.Struct, frozen=True):
    """An issue whose cover is like another one."""

    issue: IssueSummary
    """The issue."""
    distance: int
    """Bits in which the hashes differ, 0 to 64."""


class LocalMatcher:
    """Finds issues in a mirror, by the rules of :func:`~metron_async.matching.decide.decide`.

    Args:
        db: The mirror's connection. All calls belong in its thread.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._index = MatchIndex(db)

    def match(self, query: IssueQuery, rules: Rules = DEFAULT_RULES) -> Match:
        """Return what *query* means among the issues of the mirror.

        Raises:
            UsageError: If the mirror holds no issues.
        """
        self._index.refresh()
        best: Match | None = None
        for how, ids, names in self._steps(query, rules):
            rows = self._rows(ids, names)
            best = better(best, decide(query, rows, how=how, rules=rules))
            if best or (how == "series" and is_settled(best)):
                break
        return decide(query, [], how="none", rules=rules) if best is None else best

    def similar_covers(self, cover_hash: str, distance: int = 10) -> list[SimilarCover]:
        """Return the issues of the mirror with a similar cover, the most similar first.

        Args:
            cover_hash: 16 hexadecimal digits.
            distance: Most bits in which the hashes may differ, 0 to 64.

        Raises:
            UsageError: If an argument is invalid, or if the mirror holds no issues.
        """
        bits = bits_of(cover_hash)
        checked_bits(distance, "distance")
        self._index.refresh()
        found = self._index.near_covers(bits, distance)
        issues = self._issues([rid for rid, _ in found])
        return [SimilarCover(issues[rid], apart) for rid, apart in found if rid in issues]

    def _steps(
        self, query: IssueQuery, rules: Rules
    ) -> Iterable[tuple[How, Sequence[int], Mapping[int, str]]]:
        """Yield ways to find issues, the surest first, with the names that led to a series."""
        index = self._index
        if query.metron_id is not None:
            yield "metron_id", [query.metron_id], {}
        for how in _CODES:
            if (value := getattr(query, how)) is not None:
                yield how, index.by_code(how, value), {}
        readings = readings_of(query)
        numbers = {reading.number for reading in readings} - {""}
        if query.series_id is not None:
            yield "series_id", index.issues_of([query.series_id], numbers, _MOST_ISSUES), {}
        if query.series is not None:
            named = {s: r.series for r in readings for s in index.series_named(r.series)}
            yield "series", index.issues_of(named, numbers, _MOST_ISSUES), named
            like = index.series_like(readings[0].series, _MOST_LIKE)
            yield "series", index.issues_of(like, numbers, _MOST_LIKE), {}
        if query.cover_hash is not None:
            near = index.near_covers(bits_of(query.cover_hash), rules.hash_limit)
            yield "cover", [rid for rid, _ in near[:_MOST_ISSUES]], {}

    def _rows(self, ids: Sequence[int], names: Mapping[int, str]) -> list[Row]:
        issues = self._issues(ids)
        details = self._details(ids)
        only = self._index.only_issues({issue.series.id for issue in issues.values()})
        rows: list[Row] = []
        for rid, issue in issues.items():
            # A former or other name that led here counts as a name of the series.
            other = names.get(issue.series.id)
            facts = facts_of(issue, names=(other,) if other else ())
            known: dict[str, Any] = {"only": issue.series.id in only, **details.get(rid, {})}
            rows.append(row_of(issue, msgspec.structs.replace(facts, **known)))
        return rows

    def _issues(self, ids: Sequence[int]) -> dict[int, IssueSummary]:
        """Return issues by id, in the order of *ids*; unknown ones are left out."""
        found: dict[int, IssueSummary] = {}
        for batch in _batches(ids):
            marks = ", ".join("?" * len(batch))
            for values in self._db.execute(
                f"SELECT {_COLUMNS} FROM issues WHERE id IN ({marks})", batch
            ):
                fields = dict(zip(_COLUMNS.split(", "), values, strict=True))
                fields["series"] = msgspec.json.decode(fields["series"])
                fields["issue"] = fields.pop("issue_name")
                fields["cover_hash"] = fields["cover_hash"] or ""
                found[fields["id"]] = msgspec.convert(fields, IssueSummary)
        return {rid: found[rid] for rid in ids if rid in found}

    def _details(self, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Return what only full issues say, where the mirror holds them."""
        if "issue_details" not in self._index.tables:
            return {}
        found: dict[int, dict[str, Any]] = {}
        for batch in _batches(ids):
            marks = ", ".join("?" * len(batch))
            for rid, alt, publisher, title, stories, cv_id, gcd_id, upc, sku in self._db.execute(
                f"SELECT id, {_DETAIL_COLUMNS} FROM issue_details WHERE id IN ({marks})", batch
            ):
                found[rid] = {
                    "alt_number": alt or "",
                    "publisher": msgspec.json.decode(publisher, type=BasicRef).name,
                    "titles": (*filter(None, (title,)), *msgspec.json.decode(stories)),
                    "cv_id": cv_id,
                    "gcd_id": gcd_id,
                    "upc": upc or "",
                    "sku": sku or "",
                }
        return found


def _batches(ids: Sequence[int], size: int = 500) -> Iterable[Sequence[int]]:
    return (ids[place : place + size] for place in range(0, len(ids), size))
