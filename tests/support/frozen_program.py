"""A program to be frozen: it reads over a real socket, with files, and prints what it found.

Run it: ``python -m nox -s frozen``. What a package loads late is what a frozen program lacks.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile

from metron_async import AsyncMetron
from metron_async.matching import IssueQuery
from metron_async.mirror import Mirror
from metron_async.testing import FakeMetron


async def main() -> None:
    fake = FakeMetron(issues=20)
    with tempfile.TemporaryDirectory() as folder:
        async with (
            fake.serve() as url,
            AsyncMetron(fake.token, base_url=url, storage=folder) as metron,
            Mirror(metron, f"{folder}/mirror.sqlite3") as mirror,
        ):
            issue = await metron.issues.get(7)
            assert await metron.issues.get(7) == issue
            query = IssueQuery.from_filename("Nightwing 007 (2016).cbz")
            match = await metron.issues.match(query)
            rows = await metron.issues.iter(series_id=issue.series.id).collect()
            report = await mirror.run("publishers")
            assert rows
            assert match is not None
            assert report is not None
            assert len(fake.requests) < 20
        shared = AsyncMetron(fake.token, base_url=url, storage="redis://127.0.0.1:1/0")
        await shared.aclose()
    sys.stdout.write(f"issue {issue.id}, {len(rows)} rows\n")


if __name__ == "__main__":
    asyncio.run(main())
