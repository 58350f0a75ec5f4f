"""Rows of lists as JSON, field for field as recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metron_async.testing._data import vocabularies as v
from metron_async.testing._data.catalogue import series_display
from metron_async.testing._server.servertime import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from metron_async.testing import records as r
    from metron_async.testing._data.catalogue import Catalogue

__all__ = ["Json", "Rows", "day", "picked"]

Json = dict[str, Any]


def day(value: Any) -> str | None:
    """Return a date as an ISO string, or ``None``."""
    return None if value is None else value.isoformat()


def picked(record: Any, *names: str) -> Json:
    """Return attributes of a record by name, as they are."""
    return {name: getattr(record, name) for name in names}


class Rows:
    """Renderer of the rows of one catalogue.

    Attributes:
        newer: Whether rows have the fields of servers after August 2026.
    """

    def __init__(self, catalogue: Catalogue, *, newer: bool) -> None:
        self.catalogue = catalogue
        self.newer = newer
        self._rows: dict[str, Callable[[Any], Json]] = {
            "issue": self.issue_row,
            "series": self.series_row,
            "reading_list": self.reading_list_row,
            "role": self.term,
            "series_type": self.term,
        }

    def rows(self, kind: str, records: Iterable[Any]) -> list[Json]:
        """Return the rows of a list of *kind*."""
        write = self._rows.get(kind, self.plain_row)
        return [write(record) for record in records]

    def plain_row(self, record: r.Record) -> Json:
        """Return the row of most lists: id, name and ``modified``."""
        return {"id": record.id, "name": record.name, "modified": iso(record.modified)}

    def term(self, record: r.Term) -> Json:
        """Return a term of a fixed list."""
        return {"id": record.id, "name": record.name}

    def named(self, kind: str, rid: int | None) -> Json | None:
        """Return id and name of a related object."""
        record = None if rid is None else self.catalogue.get(kind, rid)
        return None if record is None else {"id": record.id, "name": record.name}

    def named_list(self, kind: str, ids: Iterable[int]) -> list[Json]:
        """Return related objects that still exist as rows, sorted by name."""
        table = self.catalogue.table(kind)
        found = [table[rid] for rid in ids if rid in table]
        return [self.plain_row(record) for record in sorted(found, key=lambda one: one.name)]

    def terms(self, kind: str, ids: Iterable[int]) -> list[Json]:
        """Return related terms."""
        table = self.catalogue.table(kind)
        return [self.term(table[rid]) for rid in ids if rid in table]

    def series_of(self, rid: int) -> tuple[Json, str]:
        """Return the series of issue rows: an object, and the start of the issue's name."""
        shown: tuple[Json, str] = self.catalogue.derived("shown", rid, lambda: self._shown(rid))
        return shown

    def _shown(self, rid: int) -> tuple[Json, str]:
        series = self.catalogue.tables.series[rid]
        short: Json = {
            "id": rid,
            "name": series.name,
            "volume": series.volume,
            "year_began": series.year_began,
        }
        return short, series_display(series)

    def issue_row(self, issue: r.Issue) -> Json:
        """Return the row of an issue."""
        series, shown = self.series_of(issue.series)
        return {
            "id": issue.id,
            "series": series,
            "number": issue.number,
            "issue": f"{shown} #{issue.number}",
            "cover_date": day(issue.cover_date),
            "store_date": day(issue.store_date),
            "image": issue.image,
            "cover_hash": issue.cover_hash,
            "modified": iso(issue.modified),
        }

    def short_issue(self, rid: int, *, external: bool = False) -> Json:
        """Return an issue as a part of collections, wish lists and reading lists."""
        issue = self.catalogue.tables.issue[rid]
        row: Json = {
            "id": issue.id,
            "series": self.series_of(issue.series)[0],
            "number": issue.number,
            "cover_date": day(issue.cover_date),
            "store_date": day(issue.store_date),
        }
        if external:
            row |= {"cv_id": issue.cv_id, "gcd_id": issue.gcd_id}
        return row | {"modified": iso(issue.modified)}

    def short_series(self, series: r.Series) -> Json:
        """Return a series as a part of the pull list."""
        return {
            "id": series.id,
            "series": series_display(series),
            "year_began": series.year_began,
            "year_end": series.year_end,
            "volume": series.volume,
            "modified": iso(series.modified),
        }

    def series_row(self, series: r.Series) -> Json:
        """Return the row of a series."""
        row = self.short_series(series)
        modified = row.pop("modified")
        row["issue_count"] = len(self.catalogue.issues_of_series(series.id))
        if self.newer:
            row["publisher"] = self.named("publisher", series.publisher)
            row["series_type"] = self.named("series_type", series.series_type)
            row |= {"cv_id": series.cv_id, "gcd_id": series.gcd_id}
        return row | {"modified": modified}

    def user(self, rid: int) -> Json:
        """Return a user."""
        return {"id": rid, "username": self.catalogue.usernames(rid)}

    def reading_list_row(self, record: r.ReadingList) -> Json:
        """Return the row of a reading list: its type as a display word, its source as a code."""
        return {
            "id": record.id,
            "name": record.name,
            "slug": record.slug,
            "user": self.user(record.user),
            "list_type": v.LIST_TYPES[record.list_type],
            "is_private": record.is_private,
            "attribution_source": record.attribution_source,
            "average_rating": record.average_rating,
            "rating_count": record.rating_count,
            "modified": iso(record.modified),
        }
