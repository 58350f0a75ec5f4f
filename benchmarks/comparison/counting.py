"""Work whose requests are counted, without a quota; its time at 20 a minute is computed.

A thousand details take 50 minutes on a real account, so the quota is lifted. The two runs of a job
are two processes, which share what the first has left on disk.
"""

import time
from datetime import UTC, datetime
from typing import Any

from benchmarks.comparison.contenders import Contender
from benchmarks.comparison.harness import (
    Counts,
    alone,
    change,
    counts,
    home,
    one_series,
    reset,
    server,
)
from benchmarks.comparison.peers import FOUR, HishelAsking, MokkariAsking, MokkariList

SIZE = 1000
CHANGED = [7, 123, 456, 789, 999]
TWICE = (*FOUR, MokkariAsking, HishelAsking)
KNOWN = (*FOUR, MokkariAsking, MokkariList, HishelAsking)


def minutes(requests: int) -> float:
    """Return the least time that so many requests take at 20 a minute."""
    return max(0, (requests - 1) // 20)


def line(kind: type[Contender], seen: Counts, **more: Any) -> dict[str, Any]:
    """Return one line of a table."""
    return {
        "client": kind.name,
        "requests": seen.requests,
        "not_modified": seen.not_modified,
        "minutes": minutes(seen.requests),
        **more,
    }


async def walk(kind: type[Contender], url: str, home: str, known: dict[int, Any]) -> Any:
    """Walk the series; return ``modified`` of each issue, which of them are new, and CPU time."""
    async with kind(url, home, None) as client:
        before = time.process_time()
        found = await client.walk(1, known)
        spent = time.process_time() - before
    return {one.id: one.modified for one in found}, news(found), spent


async def fetch(kind: type[Contender], url: str, home: str) -> dict[int, Any]:
    """Fetch the issues that are to be known."""
    async with kind(url, home, None) as client:
        return {one.id: one.modified for one in await client.issues(range(1, SIZE + 1))}


async def refresh(
    kind: type[Contender], url: str, home: str, since: str, known: dict[int, Any]
) -> list[int]:
    """Return those of the changed issues whose change was found."""
    async with kind(url, home, None) as client:
        return news(await client.refresh(since, known))


def news(found: Any) -> list[int]:
    """Return the ids of the issues whose change was seen."""
    return [one.id for one in found if one.desc == "changed"]


def series_twice() -> list[dict[str, Any]]:
    """Walk a series of 1,000 issues in full, twice; 5 are changed in between."""
    lines = []
    for kind in TWICE:
        with home() as directory, server(issues=1500) as fake:
            fake.tell(one_series, SIZE)
            known, _, first_cpu = alone(walk, kind, fake.url, directory, {})
            first = fake.tell(counts)
            assert len(known) == SIZE, (kind.name, len(known))
            fake.tell(change, CHANGED)
            fake.tell(reset)
            _, seen, second_cpu = alone(walk, kind, fake.url, directory, known)
            more = {"first": first.requests, "found": len(seen), "of": len(CHANGED)}
            more |= {"first_cpu": first_cpu, "second_cpu": second_cpu}
            lines.append(line(kind, fake.tell(counts), **more))
    return lines


def known_issues() -> list[dict[str, Any]]:
    """Refresh 1,000 known issues of which 5 have changed."""
    lines = []
    for kind in KNOWN:
        with home() as directory, server(issues=1500) as fake:
            known = alone(fetch, kind, fake.url, directory)
            assert len(known) == SIZE, (kind.name, len(known))
            since = datetime.now(UTC).isoformat()
            fake.tell(change, CHANGED)
            fake.tell(reset)
            seen = alone(refresh, kind, fake.url, directory, since, known)
            more = {"found": len(seen), "of": len(CHANGED)}
            lines.append(line(kind, fake.tell(counts), **more))
    return lines
