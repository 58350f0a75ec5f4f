"""Match in a mirror's file of 150,000 issues: names, wider searches, and covers.

The file is filled directly. Medians and maxima of calls after the first, which builds the index.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from metron_async.matching import IssueQuery, plan
from metron_async.matching.local import LocalMatcher
from metron_async.mirror.tables import table_of
from metron_async.models import IssueSummary, SeriesRef

if TYPE_CHECKING:
    from collections.abc import Callable

SERIES = 7_500
ISSUES = 20  # of each
WANTED_NAME = 5.0  # ms
WANTED_COVER = 50.0
WANTED_PLAN = 1_000.0
WORDS = ("Savage", "Wolf", "Amazing", "Phantom", "Night", "Star", "Iron", "Captain", "Doctor")


def fill(db: sqlite3.Connection) -> list[str]:
    """Fill the file of a mirror, and return the names of its series."""
    rng = random.Random(1)
    table = table_of("issues", IssueSummary)
    for statement in (table.create, *table.indexes, "BEGIN"):
        db.execute(statement)
    names = [f"{rng.choice(WORDS)} {rng.choice(WORDS)} {n // 5}" for n in range(SERIES)]
    now = dt.datetime.now(dt.UTC)
    for number, name in enumerate(names, 1):
        year = 1960 + number % 60
        series = SeriesRef(id=number, name=name, volume=1, year_began=year)
        for place in range(1, ISSUES + 1):
            issue = IssueSummary(
                id=number * ISSUES + place,
                series=series,
                number=str(place),
                issue_name=f"{name} #{place}",
                cover_date=dt.date(year + place // 12, place % 12 + 1, 1),
                cover_hash=f"{rng.getrandbits(64):016x}",
                modified=now,
            )
            db.execute(table.upsert, (*table.encode(issue), None))
    db.execute("COMMIT")
    return names


def timed(what: str, calls: list[Callable[[], object]], wanted: float) -> bool:
    """Print how long calls take, and return whether the median is short enough."""
    spent = []
    for call in calls:
        began = time.perf_counter()
        call()
        spent.append((time.perf_counter() - began) * 1000)
    median = statistics.median(spent)
    print(f"{what}: {median:.2f} ms, at most {max(spent):.2f} (wanted: {wanted:.0f})")
    return median <= wanted


def main() -> None:
    """Measure, and fail if it takes too long."""
    rng = random.Random(2)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "comics.db"
        with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as db:
            names = fill(db)
            matcher = LocalMatcher(db)
            some = rng.sample(names, 200)
            first = IssueQuery(series=some[0], number="1")
            timed(f"first match of {SERIES * ISSUES:,} issues", [lambda: matcher.match(first)], 1e4)
            known = [IssueQuery(series=name, number="7", year=1990) for name in some]
            near = [IssueQuery(series=f"{name.split()[0]}s", number="7") for name in some]
            hashes = [f"{rng.getrandbits(64):016x}" for _ in range(50)]
            matcher.similar_covers(hashes[0])
            good = timed("name", [lambda q=q: matcher.match(q) for q in known], WANTED_NAME)
            good &= timed("unknown name", [lambda q=q: matcher.match(q) for q in near], WANTED_NAME)
            covers = [lambda h=h: matcher.similar_covers(h) for h in hashes]
            good &= timed("cover", covers, WANTED_COVER)
    queries = [IssueQuery(series=f"Wolf {n // 7}", number=str(n % 7)) for n in range(10_000)]
    good &= timed("plan of 10,000 queries", [lambda: plan(queries)], WANTED_PLAN)
    assert good


if __name__ == "__main__":
    main()
