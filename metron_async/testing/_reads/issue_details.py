"""Details of issues as JSON, the longest of the details."""

from __future__ import annotations

from metron_async.testing import records as r
from metron_async.testing._data.catalogue import RELATIONS
from metron_async.testing._reads.rows import Json, Rows, day, picked
from metron_async.testing._server.servertime import iso

__all__ = ["IssueDetails"]


_AS_THEY_ARE = (
    "id",
    "number",
    "alt_number",
    "title",
    "price",
    "sku",
    "isbn",
    "upc",
    "page",
    "desc",
    "image",
    "cover_hash",
    "average_rating",
    "rating_count",
)


class IssueDetails(Rows):
    """Renderer of rows and of the details of issues."""

    def ending(self, kind: str, record: r.Record, origin: str) -> Json:
        """Return the fields with which every detail ends."""
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

    def issue_slug(self, issue: r.Issue) -> str:
        """Return the issue's name in URLs."""
        series = self.catalogue.tables.series[issue.series]
        return r.slug(f"{series.name} {series.year_began} {issue.number}")

    def issue_detail(self, issue: r.Issue, origin: str) -> Json:
        """Return the detail of an issue."""
        series = self.catalogue.tables.series[issue.series]
        body = picked(issue, *_AS_THEY_ARE) | {
            "publisher": self.named("publisher", series.publisher),
            "imprint": self.named("imprint", series.imprint),
            "series": self._issue_series(series),
            "name": issue.names,
            "cover_date": day(issue.cover_date),
            "store_date": day(issue.store_date),
            "foc_date": day(issue.foc_date),
            "price_currency": issue.currency,
            "rating": self.named("rating", issue.rating),
            "credits": self._credits(issue),
            "reprints": self._reprints(issue),
            "variants": self._variants(issue),
        }
        for relation, kind in RELATIONS.items():
            body[relation] = self.named_list(kind, self.catalogue.related(issue, relation))
        if self.newer:
            body["desc_is_solicitation"] = issue.desc_is_solicitation
        body |= self.ending("issue", issue, origin)
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
            picked(variant, "name", "price", "sku", "upc", "image")
            for variant in self.catalogue.variants_of(issue.id)
        ]
