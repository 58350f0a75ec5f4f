"""Rows and full issues for tests that need no server."""

from __future__ import annotations

import datetime as dt

import msgspec

from metron_async.models import Issue, IssueSummary
from metron_async.models.common import SeriesRef

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def row(name="Savage Wolf", number="3", year=1966, *, id=1, **fields):
    began = fields.pop("began", year)
    cover = fields.pop("cover_date", dt.date(year, 6, 1))
    series = SeriesRef(
        id=fields.pop("series_id", 10),
        name=name,
        volume=fields.pop("volume", 1),
        year_began=began,
    )
    return IssueSummary(
        id=id,
        series=series,
        number=number,
        issue_name=f"{name} ({began}) #{number}",
        cover_date=cover,
        modified=NOW,
        **fields,
    )


def full(name="Savage Wolf", number="3", year=1966, *, id=1, **fields):
    """Return a full issue as the server would send it."""
    body = {
        "id": id,
        "publisher": {"id": 1, "name": fields.pop("publisher", "Iron Press")},
        "imprint": None,
        "series": {
            "id": 10,
            "name": name,
            "alt_names": fields.pop("alt_names", []),
            "sort_name": name,
            "volume": 1,
            "year_began": year,
            "series_type": {"id": 1, "name": "Ongoing Series"},
            "genres": [],
        },
        "number": number,
        "name": fields.pop("titles", []),
        "cover_date": f"{year}-06-01",
        "price": None,
        "price_currency": "",
        "rating": {"id": 1, "name": "Unknown"},
        "average_rating": None,
        "rating_count": 0,
        **{name: [] for name in ("arcs", "credits", "characters", "teams", "universes")},
        "reprints": [],
        "variants": [],
        "resource_url": "https://metron.cloud/issue/x/",
        "modified": NOW.isoformat(),
        **fields,
    }
    return msgspec.json.decode(msgspec.json.encode(body), type=Issue)
