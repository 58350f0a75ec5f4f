"""Jobs against the quota, in a minute of six seconds: files to tag, a reading list, a sync.

Round trips take 10 to 50 ms, which stands for 100 to 500 ms. Times are told in real minutes.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.comparison.contenders import Contender, Ours
from benchmarks.comparison.harness import (
    MINUTE,
    SCALE,
    Counts,
    add,
    alone,
    change,
    counts,
    files,
    home,
    reset,
    server,
    throttle,
)
from benchmarks.comparison.peers import MokkariAsking

FILES = 150
LISTED = 120
OLD, NEW = list(range(5, 1205, 30)), 10
NARROW: Any = {"issues": 1500, "timed": True}


def line(kind: type[Contender], seen: Counts, seconds: float, **more: Any) -> dict[str, Any]:
    """Return one line of a table; *seconds* are those that have really passed."""
    return {
        "client": kind.name,
        "requests": seen.requests,
        "throttled": seen.throttled,
        "left": seen.left,
        "bans": list(seen.bans),
        "minutes": seconds * SCALE / 60,
        **more,
    }


# -- tag files -------------------------------------------------------------------------------------


async def tag(
    kind: type[Contender], url: str, home: str, wanted: list[tuple[str, int, str]]
) -> float:
    """Find each file's issue by series and number, and fetch it in full."""
    async with kind(url, home, MINUTE) as client:
        began = time.perf_counter()
        for name, year, number in wanted:
            rows = await client.rows(
                "issue", series_name=name, series_year_began=year, number=number
            )
            assert await client.issue(rows[0].id)
        return time.perf_counter() - began


async def tag_by_series(
    kind: type[Contender], url: str, home: str, wanted: list[tuple[str, int, str]]
) -> float:
    """Do the same with one list for each series."""
    async with kind(url, home, MINUTE) as client:
        began = time.perf_counter()
        ids: list[int] = []
        for name, year in sorted({(name, year) for name, year, _ in wanted}):
            rows = await client.rows("issue", series_name=name, series_year_began=year)
            numbers = {
                number for series, first, number in wanted if (series, first) == (name, year)
            }
            ids += [row.id for row in rows if row.text.rsplit("#", 1)[1] in numbers]
        assert len(await client.issues(ids)) >= len(wanted)
        return time.perf_counter() - began


def tagging(kind: type[Contender], work: Callable[..., Any] = tag) -> dict[str, Any]:
    """Tag 150 files, and the same files again."""
    with home() as directory, server(**NARROW) as fake:
        wanted = fake.tell(files, FILES)
        seconds = alone(work, kind, fake.url, directory, wanted)
        seen = fake.tell(counts)
        fake.tell(throttle, False)
        fake.tell(reset)
        alone(work, kind, fake.url, directory, wanted)
        again = fake.tell(counts)
    result = line(kind, seen, seconds, again=again.requests)
    if work is tag_by_series:
        result["client"] += ", one list a series"
    return result


# -- import a reading list -------------------------------------------------------------------------


async def read(kind: type[Contender], url: str, home: str) -> float:
    """Fetch the items of a reading list, and each issue in full."""
    async with kind(url, home, MINUTE) as client:
        began = time.perf_counter()
        ids = await client.items(1)
        assert len(await client.issues(ids)) == LISTED
        return time.perf_counter() - began


def reading(kind: type[Contender]) -> dict[str, Any]:
    """Import a reading list of 120 items, and the same again."""
    with home() as directory, server(**NARROW) as fake:
        seconds = alone(read, kind, fake.url, directory)
        seen = fake.tell(counts)
        fake.tell(throttle, False)
        fake.tell(reset)
        alone(read, kind, fake.url, directory)
        return line(kind, seen, seconds, again=fake.tell(counts).requests)


# -- sync after a day ------------------------------------------------------------------------------


async def mirror(_kind: type[Contender], url: str, home: str, _since: str) -> tuple[float, int]:
    """Bring the mirror of all issues up to date; return how many were new or changed."""
    from metron_async.mirror import Mirror  # noqa: PLC0415 - only here

    async with Ours(url, home, MINUTE) as client:
        began = time.perf_counter()
        async with Mirror(client.metron, Path(home) / "mirror.sqlite3") as copy:
            report = await copy.run("issues", details=True)
        return time.perf_counter() - began, report.details


async def by_hand(
    kind: type[Contender], url: str, home: str, since: str | None
) -> tuple[float, int]:
    """Ask what has changed since, fetch that in full, and return how many changes were seen."""
    async with kind(url, home, MINUTE) as client:
        if since is None:  # yesterday, some of it was looked at
            await client.issues(OLD)
            return 0.0, 0
        began = time.perf_counter()
        moment = datetime.fromisoformat(since)
        rows = await client.rows("issue", modified_gt=moment)
        if isinstance(client, MokkariAsking):
            # Its cache keeps issues for a week, and has to be told to look again.
            known = dict.fromkeys([row.id for row in rows], moment - timedelta(days=1))
            found = await client.refresh(since, known)
        else:
            found = await client.issues(row.id for row in rows)
        return time.perf_counter() - began, sum(one.desc == "changed" for one in found)


def syncing(kind: type[Contender]) -> dict[str, Any]:
    """Fetch what a day has changed: 40 issues, and 10 new ones."""
    work: Any = mirror if kind is Ours else by_hand
    with home() as directory, server(**NARROW) as fake:
        fake.tell(throttle, False)
        alone(work, kind, fake.url, directory, None)
        since = datetime.now(UTC).isoformat()
        time.sleep(0.1)
        fake.tell(change, OLD)
        fake.tell(add, NEW)
        fake.tell(throttle, True)
        fake.tell(reset)
        seconds, found = alone(work, kind, fake.url, directory, since)
        return line(kind, fake.tell(counts), seconds, found=found, of=len(OLD) + NEW)
