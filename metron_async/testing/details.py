"""How records look on their own, field for field as recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metron_async.testing import records as r
from metron_async.testing import vocabulary as v
from metron_async.testing.catalogue import series_display
from metron_async.testing.newyork import iso
from metron_async.testing.rows import Json, Rows, day

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async.testing.catalogue import Catalogue

__all__ = ["Renderer"]

_RELATED = (
    ("arcs", "arc"),
    ("characters", "character"),
    ("teams", "team"),
    ("universes", "universe"),
)


class Renderer(Rows):
    """Writes the rows and the details of one catalogue."""

    def __init__(self, catalogue: Catalogue, *, newer: bool) -> None:
        super().__init__(catalogue, newer=newer)
        self._details: dict[str, Callable[[Any, str], Json]] = {
            "arc": self._arc,
            "character": self._character,
            "creator": self._creator,
            "imprint": self._imprint,
            "issue": self._issue,
            "publisher": self._publisher,
            "reading_list": self._reading_list,
            "series": self._series,
            "team": self._team,
            "universe": self._universe,
        }

    def detail(self, kind: str, record: Any, origin: str) -> Json:
        """Return the detail of *record*, with addresses under *origin*."""
        return self._details[kind](record, origin)

    def _ending(self, kind: str, record: r.Record, origin: str) -> Json:
        """Return what every detail ends with."""
        end: Json = {
            "cv_id": record.cv_id,
            "gcd_id": record.gcd_id,
            "resource_url": f"{origin}/{kind}/{record.slug}/",
            "modified": iso(record.modified),
        }
        if self.newer:
            sources = (("CV", record.cv_id), ("GCD", record.gcd_id))
            end["attribution"] = [
                {"source": source, "url": f"https://{source.lower()}.example/{rid}/"}
                for source, rid in sources
                if rid is not None
            ]
        return end

    def _start(self, record: r.Record) -> Json:
        return {"id": record.id, "name": record.name, "desc": record.desc, "image": record.image}

    def _arc(self, arc: r.Arc, origin: str) -> Json:
        return self._start(arc) | self._ending("arc", arc, origin)

    def _publisher(self, record: r.Publisher, origin: str) -> Json:
        return (
            self._start(record)
            | {
                "alt_names": list(record.alt_names),
                "founded": record.founded,
                "country": record.country,
            }
            | self._ending("publisher", record, origin)
        )

    def _imprint(self, record: r.Imprint, origin: str) -> Json:
        return (
            self._start(record)
            | {
                "founded": record.founded,
                "publisher": self.named("publisher", record.publisher),
            }
            | self._ending("imprint", record, origin)
        )

    def _universe(self, record: r.Universe, origin: str) -> Json:
        body = (
            self._start(record)
            | {
                "publisher": self.named("publisher", record.publisher),
                "designation": record.designation,
            }
            | self._ending("universe", record, origin)
        )
        del body["cv_id"]
        return body

    def _creator(self, record: r.Creator, origin: str) -> Json:
        return (
            self._start(record)
            | {
                "birth": day(record.birth),
                "death": day(record.death),
                "alias": list(record.alias),
            }
            | self._ending("creator", record, origin)
        )

    def _team(self, record: r.Team, origin: str) -> Json:
        return (
            self._start(record)
            | {
                "creators": self.named_list("creator", record.creators),
                "universes": self.named_list("universe", record.universes),
            }
            | self._ending("team", record, origin)
        )

    def _character(self, record: r.Character, origin: str) -> Json:
        return (
            self._start(record)
            | {
                "alias": list(record.alias),
                "creators": self.named_list("creator", record.creators),
                "teams": self.named_list("team", record.teams),
                "universes": self.named_list("universe", record.universes),
            }
            | self._ending("character", record, origin)
        )

    def _series(self, series: r.Series, origin: str) -> Json:
        table = self.catalogue.tables.series
        return {
            "id": series.id,
            "name": series.name,
            "sort_name": series.sort_name,
            "alt_names": list(series.alt_names),
            "language": series.language,
            "volume": series.volume,
            "series_type": self.named("series_type", series.series_type),
            "status": v.STATUSES[series.status],
            "publisher": self.named("publisher", series.publisher),
            "imprint": self.named("imprint", series.imprint),
            "year_began": series.year_began,
            "year_end": series.year_end,
            "desc": series.desc,
            "issue_count": len(self.catalogue.issues_of_series(series.id)),
            "genres": self.terms("genre", series.genres),
            "associated": [
                {"id": rid, "series": series_display(table[rid])}
                for rid in series.associated
                if rid in table
            ],
        } | self._ending("series", series, origin)

    def _reading_list(self, record: r.ReadingList, origin: str) -> Json:
        row = self.reading_list_row(record)
        return row | {
            "desc": record.desc,
            "image": record.image,
            "list_type": v.LIST_TYPES[record.list_type],
            "attribution_source": v.ATTRIBUTIONS[record.attribution_source],
            "attribution_url": record.attribution_url,
            "previous": self.named("reading_list", record.previous),
            "next": self.named("reading_list", record.next),
            "items_url": f"{origin}/api/reading_list/{record.id}/items/",
            "resource_url": f"{origin}/reading-lists/{record.slug}/",
        }

    def issue_slug(self, issue: r.Issue) -> str:
        """Return the issue's name in addresses."""
        series = self.catalogue.tables.series[issue.series]
        return r.slug(f"{series.name} {series.year_began} {issue.number}")

    def _issue(self, issue: r.Issue, origin: str) -> Json:
        series = self.catalogue.tables.series[issue.series]
        body: Json = {
            "id": issue.id,
            "publisher": self.named("publisher", series.publisher),
            "imprint": self.named("imprint", series.imprint),
            "series": self._issue_series(series),
            "number": issue.number,
            "alt_number": issue.alt_number,
            "title": issue.title,
            "name": list(issue.names),
            "cover_date": day(issue.cover_date),
            "store_date": day(issue.store_date),
            "foc_date": day(issue.foc_date),
            "price": issue.price,
            "price_currency": issue.currency,
            "rating": self.named("rating", issue.rating),
            "sku": issue.sku,
            "isbn": issue.isbn,
            "upc": issue.upc,
            "page": issue.page,
            "desc": issue.desc,
            "image": issue.image,
            "cover_hash": issue.cover_hash,
            "average_rating": issue.average_rating,
            "rating_count": issue.rating_count,
            "credits": self._credits(issue),
            "reprints": self._reprints(issue),
            "variants": self._variants(issue),
        }
        for relation, kind in _RELATED:
            body[relation] = self.named_list(kind, self.catalogue.related(issue, relation))
        if self.newer:
            body["desc_is_solicitation"] = issue.id % 2 == 0
        body |= self._ending("issue", issue, origin)
        body["resource_url"] = f"{origin}/issue/{self.issue_slug(issue)}/"
        return body

    def _issue_series(self, series: r.Series) -> Json:
        return {
            "id": series.id,
            "name": series.name,
            "alt_names": list(series.alt_names),
            "sort_name": series.sort_name,
            "volume": series.volume,
            "year_began": series.year_began,
            "series_type": self.named("series_type", series.series_type),
            "genres": self.terms("genre", series.genres),
            "language": series.language,
        }

    def _credits(self, issue: r.Issue) -> list[Json]:
        creators = self.catalogue.tables.creator
        return [
            {
                "id": credit.creator,
                "creator": creators[credit.creator].name,
                "role": self.terms("role", credit.roles),
            }
            for credit in self.catalogue.credits(issue)
            if credit.creator in creators
        ]

    def _reprints(self, issue: r.Issue) -> list[Json]:
        table = self.catalogue.tables.issue
        return [
            {"id": rid, "issue": f"{self.series_of(table[rid].series)[1]} #{table[rid].number}"}
            for rid in issue.reprints
            if rid in table
        ]

    def _variants(self, issue: r.Issue) -> list[Json]:
        return [
            {
                "name": variant.name,
                "price": variant.price,
                "sku": variant.sku,
                "upc": variant.upc,
                "image": variant.image,
            }
            for variant in self.catalogue.variants_of(issue.id)
        ]
