"""Print this week's comics of a publisher as a table.

Without an account it reads from a made-up server in this process. With METRON_TOKEN set, it reads
from metron.cloud::

    python examples/weekly_releases.py
    METRON_TOKEN=... python examples/weekly_releases.py --publisher image --weeks-ahead 1
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import os
import sys
from typing import TYPE_CHECKING

from metron_async import AsyncMetron, MetronError, Priority

if TYPE_CHECKING:
    from collections.abc import Iterable

    from metron_async.models import IssueSummary


def connect() -> AsyncMetron:
    """Return a client for metron.cloud if there is an account, else for a made-up server."""
    if os.environ.get("METRON_TOKEN"):
        return AsyncMetron(
            user_agent="metron_async-weekly/1.0", priority=Priority.INTERACTIVE, max_wait=30
        )
    from metron_async.testing import FakeMetron

    print("METRON_TOKEN is not set: these comics are made up.\n")
    fake = FakeMetron()
    return AsyncMetron(token=fake.token, transport=fake.transport())


def week_of(day: dt.date) -> tuple[dt.date, dt.date]:
    """Return Monday and Sunday of the week of *day*."""
    monday = day - dt.timedelta(days=day.weekday())
    return monday, monday + dt.timedelta(days=6)


def table(rows: Iterable[IssueSummary]) -> str:
    """Lay out *rows* by day, series and number."""
    cells = sorted(
        (f"{row.store_date:%a %d %b}" if row.store_date else "", row.series.name, f"#{row.number}")
        for row in rows
    )
    if not cells:
        return "  nothing"
    day_width, name_width = (max(len(line[column]) for line in cells) for column in (0, 1))
    return "\n".join(
        f"  {day:{day_width}}  {name:{name_width}}  {number}" for day, name, number in cells
    )


async def releases(publisher: str, day: dt.date) -> None:
    """Print the issues that *publisher* releases in the week of *day*."""
    monday, sunday = week_of(day)
    async with connect() as metron:
        rows = await metron.issues.iter(
            publisher_name=publisher,
            store_date_range_after=monday,
            store_date_range_before=sunday,
        ).collect()
        print(f"{publisher.title()} from {monday:%d %B} to {sunday:%d %B %Y}: {len(rows)} comics")
        print(table(rows))
        print(f"\n{metron.stats.requests} request(s)")


def main() -> int:
    """Read the arguments, and report errors in one line."""
    parser = argparse.ArgumentParser(description="Print this week's comics of a publisher.")
    parser.add_argument("--publisher", default="marvel", help="part of the publisher's name")
    parser.add_argument("--weeks-ahead", type=int, default=0, help="0 for this week")
    arguments = parser.parse_args()
    day = dt.datetime.now(tz=dt.UTC).date() + dt.timedelta(weeks=arguments.weeks_ahead)
    try:
        asyncio.run(releases(arguments.publisher, day))
    except MetronError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
