"""A catalogue for names of real files: the issues that they mean, and decoys around each."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from pathlib import Path
from typing import NamedTuple

from metron_async import AsyncMetron
from metron_async.matching.client import ClientSource
from metron_async.matching.query import IssueQuery
from metron_async.matching.run import MatchRun
from metron_async.testing import FakeMetron
from metron_async.testing import records as r

DATA = Path(__file__).parent.parent / "data" / "filenames.json"


class Known(NamedTuple):
    """A file of the corpus, and the issue that it means."""

    file: str
    fields: dict[str, str]
    issue: int
    certain: bool


def corpus() -> list[dict[str, str]]:
    return json.loads(DATA.read_text(encoding="utf-8"))["files"]


def query_of(fields):
    return IssueQuery(**{key: value for key, value in fields.items() if key != "file"})


class Shop:
    """Fills a fake server with series and issues."""

    def __init__(self, fake=None, **options):
        options.setdefault("throttle", False)
        options.setdefault("issues", 600)
        self.fake = FakeMetron(**options) if fake is None else fake

    def publisher(self, name):
        for known in self.fake.catalogue.tables.publisher.values():
            if known.name == name:
                return known.id
        rid = self.fake.catalogue.next_id("publisher")
        record = r.Publisher(id=rid, name=name, modified=self.fake.clock.moment())
        self.fake.catalogue.add("publisher", record)
        return rid

    def series(self, name, began=2000, *, volume=1, publisher="Decoy House", **fields):
        rid = self.fake.catalogue.next_id("series")
        record = r.Series(
            id=rid,
            name=name,
            sort_name=name.removeprefix("The "),
            volume=volume,
            series_type=fields.pop("series_type", 1),
            status=fields.pop("status", 4),
            publisher=self.publisher(publisher),
            year_began=began,
            modified=self.fake.clock.moment(),
            **fields,
        )
        self.fake.catalogue.add("series", record)
        return rid

    def issue(self, series, number, cover, **fields):
        if isinstance(cover, int):
            cover = dt.date(cover, 6, 1)
        return self.fake.add_issue(series, str(number), cover_date=cover, **fields).id

    def run_of(self, name, began, numbers, **fields):
        """Add a series that brings out an issue a month."""
        series = self.series(name, began, **fields)
        for place, number in enumerate(numbers):
            month = dt.date(began + place // 12, place % 12 + 1, 1)
            self.issue(series, number, month)
        return series


def stock(shop, files):
    """Add the issues that *files* mean, with at least 20 decoys each."""
    found = {}
    for fields in files:
        key = (fields["series"], fields["number"], fields.get("year"), fields.get("volume"))
        if key not in found:
            found[key] = add_file(shop, fields)
        yield found[key]._replace(file=fields["file"], fields=fields)


def add_file(shop, fields):
    name, number = fields["series"], fields["number"]
    year = int(fields.get("year", 1995))
    volume = int(fields.get("volume", 1))
    began = volume if volume > 1000 else year
    own = shop.series(
        name,
        began,
        volume=1 if volume > 1000 else volume,
        publisher={"DC": "DC Comics"}.get(fields.get("publisher"), fields.get("publisher", "Own")),
    )
    for other in ("1001b", "1002b", "1003b", "1004b", "1005b"):
        shop.issue(own, other, year)
    issue = shop.issue(own, number, year, names=(fields.get("title", "A Story"),))
    told = bool({"year", "volume", "publisher"} & fields.keys())
    if told:
        for offset in (-30, -21, -12, -7, -4, 4, 7, 13):
            other = shop.series(name, began + offset, volume=volume % 1000 + 40 + offset)
            shop.issue(other, number, year + offset)
    for pattern in NEAR:
        other = shop.series(pattern.format(name), began)
        shop.issue(other, number, year)
    return Known(fields["file"], fields, issue, certain=told)


NEAR = [
    "{} Unlimited",
    "All-New {}",
    "{}s",
    "Young {}",
    "{} and Friends",
    "Ultimate {}",
    "{} Adventures",
    "{}: Special",
    "Mega{}",
    "{} 2",
    "X{}",
    "{} Quarterly",
    "The Last {}",
]


@contextlib.asynccontextmanager
async def source_of(fake, **options):
    """Open a client of *fake* and yield what matching asks."""
    options.setdefault("cache", None)
    async with AsyncMetron(token=fake.token, transport=fake.transport(), **options) as metron:
        yield ClientSource(metron.issues, metron.series, metron.origin_of)


def stock_cases(shop, cases):
    """Add the issues that *cases* mean, with decoys, and return their ids."""
    series = {}
    for case in cases:
        key = (case.series, case.began, case.volume)
        if key not in series:
            series[key] = shop.series(
                case.series,
                case.began,
                volume=case.volume,
                alt_names=(case.alt,) if case.alt else (),
            )
            for offset in (-25, -14, -6, 7) if f"({case.cover}" in case.file else ():
                other = shop.series(
                    case.series, case.began + offset, volume=case.volume + 50 + offset
                )
                shop.issue(other, case.number, case.cover + offset)
            for pattern in NEAR:
                other = shop.series(pattern.format(case.series), case.began)
                shop.issue(other, case.number, case.cover)
            for number in () if case.alone else ("501", "502", "503", "504"):
                shop.issue(series[key], number, case.cover)
    return [
        shop.issue(series[case.series, case.began, case.volume], case.number, case.cover)
        for case in cases
    ]


async def match_all(fake, queries, **options):
    async with source_of(fake) as source:
        return await MatchRun(source, queries, **options).collect()


LENGTHS = {
    "Amazing Phantom": (12, 1),
    "Savage Wolf": (60, 20),
    "Mighty Beacon: Dawn": (100, 50),
    "Night & Day": (40, 10),
    "The Iron Clad": (250, 120),
    "X-Factor Nine": (30, 5),
    "Zero Hour": (10, 1),
    "Captain Cosmos": (99, 60),
    "Doctor Blade": (20, 8),
    "Silent City": (15, 3),
    "Red Sparrow": (130, 90),
    "Galaxy Rangers": (50, 11),
    "Tomb of Terror": (24, 9),
    "Witch's Brew": (18, 7),
    "Star Kids": (300, 200),
}
"""Fifteen series: how many issues each has, and the first of the ten that are on the disk."""


def library(shop=None):
    """Return a shop with 150 issues of fifteen series among decoys, queries and right ids."""
    shop = shop or Shop()
    queries, wanted = [], []
    for place, (name, (length, first)) in enumerate(LENGTHS.items()):
        series = shop.run_of(name, 1990 + place, range(1, length + 1))
        shop.run_of(name, 1970 + place, range(1, 13), volume=9)
        for pattern in NEAR:
            shop.run_of(pattern.format(name), 1990 + place, range(1, 9))
        issues = {i.number: i for i in shop.fake.catalogue.issues_of_series(series)}
        spelled = name.replace(":", " -").replace("'", "")
        for number in range(first, first + 10):
            issue = issues[str(number)]
            wanted.append(issue.id)
            queries.append(
                IssueQuery(series=spelled, number=f"{number:03}", year=issue.cover_date.year)
            )
    return shop, queries, wanted
