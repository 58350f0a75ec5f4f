"""Walk a publisher's catalogue and print it.

Without an account it walks a made-up catalogue, served by FakeMetron in this process. With
METRON_TOKEN set, it reads from metron.cloud::

    python examples/quickstart.py
    METRON_TOKEN=... python examples/quickstart.py --publisher marvel --limit 50
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from metron_async import AsyncMetron, MetronError


def connect() -> AsyncMetron:
    """Return a client for metron.cloud if there is an account, else for a made-up server."""
    if os.environ.get("METRON_TOKEN"):
        return AsyncMetron(user_agent="metron_async-quickstart/1.0")
    from metron_async.testing import FakeMetron

    print("METRON_TOKEN is not set: this is a made-up catalogue, without any network.\n")
    fake = FakeMetron()
    return AsyncMetron(token=fake.token, transport=fake.transport())


async def walk(publisher: str, limit: int) -> None:
    """Print the issues of a publisher, and the details of one."""
    async with connect() as metron:
        issues = metron.issues.iter(publisher_name=publisher)
        total = await issues.count()
        print(f"{total} issues of publishers like {publisher!r}; the first {limit} of them:")
        rows = await issues.collect(limit=limit)
        for row in rows:
            print(f"  {row.id:>7}  {row.cover_date}  {row.issue_name}")
        if rows:
            issue = await metron.issues.get(rows[0].id)
            roles = (
                f"{credit.creator} ({', '.join(role.name for role in credit.role)})"
                for credit in issue.credits
            )
            print(f"\nThe first of them in full: {issue.series.name} #{issue.number}")
            print(f"  titles:  {'; '.join(issue.story_titles) or '-'}")
            print(f"  credits: {', '.join(roles) or '-'}")
        quota = await metron.quota()
        print(f"\n{metron.stats.requests} requests; {quota.burst.remaining} more this minute.")


def main() -> int:
    """Read the arguments, and report errors in one line."""
    parser = argparse.ArgumentParser(description="Walk a publisher's catalogue and print it.")
    parser.add_argument("--publisher", default="marvel", help="part of the publisher's name")
    parser.add_argument("--limit", type=int, default=15, help="issues to print")
    arguments = parser.parse_args()
    try:
        asyncio.run(walk(arguments.publisher, arguments.limit))
    except MetronError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
