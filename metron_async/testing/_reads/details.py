"""Details of records as JSON, field for field as recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metron_async.testing._data import vocabularies as v
from metron_async.testing._data.catalogue import series_display
from metron_async.testing._reads.issue_details import IssueDetails
from metron_async.testing._reads.rows import Json, day, picked

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async.testing import records as r
    from metron_async.testing._data.catalogue import Catalogue

__all__ = ["Renderer"]


class Renderer(IssueDetails):
    """Renderer of the rows and the details of one catalogue."""

    def __init__(self, catalogue: Catalogue, *, newer: bool) -> None:
        super().__init__(catalogue, newer=newer)
        self._details: dict[str, Callable[[Any, str], Json]] = {
            "arc": self._arc,
            "character": self._character,
            "creator": self._creator,
            "imprint": self._imprint,
            "issue": self.issue_detail,
            "publisher": self._publisher,
            "reading_list": self._reading_list,
            "series": self._series,
            "team": self._team,
            "universe": self._universe,
        }

    def detail(self, kind: str, record: Any, origin: str) -> Json:
        """Return the detail of *record*, with URLs under *origin*."""
        return self._details[kind](record, origin)

    def _start(self, record: r.Record) -> Json:
        return picked(record, "id", "name", "desc", "image")

    def _arc(self, arc: r.Arc, origin: str) -> Json:
        return self._start(arc) | self.ending("arc", arc, origin)

    def _publisher(self, record: r.Publisher, origin: str) -> Json:
        own = picked(record, "alt_names", "founded", "country")
        return self._start(record) | own | self.ending("publisher", record, origin)

    def _imprint(self, record: r.Imprint, origin: str) -> Json:
        own = {
            "founded": record.founded,
            "publisher": self.named("publisher", record.publisher),
        }
        return self._start(record) | own | self.ending("imprint", record, origin)

    def _universe(self, record: r.Universe, origin: str) -> Json:
        own = {
            "publisher": self.named("publisher", record.publisher),
            "designation": record.designation,
        }
        body = self._start(record) | own | self.ending("universe", record, origin)
        del body["cv_id"]
        return body

    def _creator(self, record: r.Creator, origin: str) -> Json:
        own = {"birth": day(record.birth), "death": day(record.death), "alias": record.alias}
        return self._start(record) | own | self.ending("creator", record, origin)

    def _team(self, record: r.Team, origin: str) -> Json:
        own = {
            "creators": self.named_list("creator", record.creators),
            "universes": self.named_list("universe", record.universes),
        }
        return self._start(record) | own | self.ending("team", record, origin)

    def _character(self, record: r.Character, origin: str) -> Json:
        own = {
            "alias": record.alias,
            "creators": self.named_list("creator", record.creators),
            "teams": self.named_list("team", record.teams),
            "universes": self.named_list("universe", record.universes),
        }
        return self._start(record) | own | self.ending("character", record, origin)

    def _series(self, series: r.Series, origin: str) -> Json:
        table = self.catalogue.tables.series
        own = picked(series, "id", "name", "sort_name", "alt_names", "language", "volume")
        own |= picked(series, "year_began", "year_end", "desc")
        own |= {
            "series_type": self.named("series_type", series.series_type),
            "status": v.STATUSES[series.status],
            "publisher": self.named("publisher", series.publisher),
            "imprint": self.named("imprint", series.imprint),
            "issue_count": len(self.catalogue.issues_of_series(series.id)),
            "genres": self.terms("genre", series.genres),
            "associated": [
                {"id": rid, "series": series_display(table[rid])}
                for rid in series.associated
                if rid in table
            ],
        }
        return own | self.ending("series", series, origin)

    def _reading_list(self, record: r.ReadingList, origin: str) -> Json:
        row = self.reading_list_row(record)
        return row | {
            "desc": record.desc,
            "image": record.image,
            "attribution_source": v.ATTRIBUTIONS[record.attribution_source],
            "attribution_url": record.attribution_url,
            "previous": self.named("reading_list", record.previous),
            "next": self.named("reading_list", record.next),
            "items_url": f"{origin}/api/reading_list/{record.id}/items/",
            "resource_url": f"{origin}/reading-lists/{record.slug}/",
        }
