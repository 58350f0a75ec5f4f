"""Mirror 100,000 issues over a real socket, bring them up to date, and survive 20 kills.

The server runs in a process of its own, with its throttle lifted. The mirror runs in another one,
so that its memory can be measured alone.
"""

from __future__ import annotations

import asyncio
import collections
import json
import os
import random
import resource
import signal
import sqlite3
import sys
import tempfile
import time
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metron_async import AsyncMetron
from metron_async.mirror import Mirror
from metron_async.mirror.tables import instant_text
from metron_async.testing import FakeMetron

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ISSUES = int(os.environ.get("BENCH_ISSUES", "100000"))
KILLS = 20
WANTED_ROWS = 300_000  # a minute
WANTED_MEMORY = 150  # MB
WANTED_REQUESTS = 3


async def serve() -> None:
    """Serve a catalogue; obey the lines on the standard input."""
    fake = FakeMetron(ISSUES, throttle=False)
    loop = asyncio.get_running_loop()
    async with fake.serve() as url:
        print(url, flush=True)
        while line := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
            if line == "change":
                for number in range(1, 51):
                    fake.touch("issue", number * (ISSUES // 50), upc=str(number))
                print("done", flush=True)
            elif line == "truth":
                issues = fake.catalogue.tables.issue.values()
                print(json.dumps({issue.id: instant_text(issue.modified) for issue in issues}))
                sys.stdout.flush()
            elif line == "requests":
                print(json.dumps([sorted(asked.params.items()) for asked in fake.requests]))
                fake.reset_log()
                sys.stdout.flush()


async def mirror(url: str, path: str) -> None:
    """Bring the mirror up to date, and print what that took."""
    async with (
        AsyncMetron("reader-token", base_url=url, storage=":memory:") as metron,
        Mirror(metron, path) as mirrored,
    ):
        began = time.perf_counter()
        report = await mirrored.run("issues")
        seconds = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = {"rows": report.rows, "requests": report.requests, "complete": report.complete}
    print(json.dumps({**found, "seconds": seconds, "memory": memory}))


async def start(*arguments: str, **pipes: Any) -> asyncio.subprocess.Process:
    """Start this program in another role."""
    return await asyncio.create_subprocess_exec(
        sys.executable, __file__, *arguments, stdout=asyncio.subprocess.PIPE, limit=2**26, **pipes
    )


class Server:
    """The server's process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def line(self) -> str:
        """Return its next line."""
        assert self.process.stdout
        return (await self.process.stdout.readline()).decode().strip()

    async def ask(self, command: str) -> str:
        """Return its answer."""
        assert self.process.stdin
        self.process.stdin.write(f"{command}\n".encode())
        return await self.line()


@asynccontextmanager
async def server() -> AsyncIterator[tuple[Server, str]]:
    """Run the server's process."""
    found = Server(await start("serve", stdin=asyncio.subprocess.PIPE))
    try:
        yield found, await found.line()
    finally:
        found.process.kill()
        await found.process.wait()


async def run(url: str, path: Path) -> dict[str, Any]:
    """Run a mirror to its end."""
    process = await start("mirror", url, str(path))
    output, _ = await process.communicate()
    found: dict[str, Any] = json.loads(output)
    return found


def held(path: Path) -> dict[str, str]:
    """Return ids and instants in the file; fails on a row that is there twice."""
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT id, modified FROM issues").fetchall()
    found = {str(number): modified for number, modified in rows}
    assert len(found) == len(rows)
    return found


async def speed(there: Server, url: str, folder: Path) -> None:
    """Measure a first run and a second one."""
    path = folder / "speed.db"
    first = await run(url, path)
    rate = first["rows"] / first["seconds"] * 60
    print(
        f"first run: {first['rows']:,} rows in {first['seconds']:.1f} s, {rate:,.0f} a minute,"
        f" {first['requests']:,} requests, {first['memory']:.0f} MB"
    )
    await there.ask("change")
    again = await run(url, path)
    print(f"second run, 50 changes: {again['requests']} requests, {again['seconds']:.2f} s")
    assert held(path) == json.loads(await there.ask("truth"))
    if ISSUES >= 100_000:
        assert rate >= WANTED_ROWS, rate
    assert first["memory"] <= WANTED_MEMORY, first
    assert again["requests"] <= WANTED_REQUESTS, again


async def kills(there: Server, url: str, folder: Path) -> None:
    """Kill runs at random moments, then let one come to its end."""
    path = folder / "kills.db"
    await there.ask("requests")
    killed = 0
    while killed < KILLS:
        process = await start("mirror", url, str(path))
        await asyncio.sleep(random.uniform(0.25, 0.45))
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        await process.communicate()
    last = await run(url, path)
    asked = collections.Counter(map(str, json.loads(await there.ask("requests"))))
    pages = {query: times for query, times in asked.items() if "modified_gt" not in query}
    twice = sum(pages.values()) - len(pages)
    same = held(path) == json.loads(await there.ask("truth"))
    print(
        f"{killed} kills: identical to the server: {same}, pages fetched twice: {twice},"
        f" last run: {last['requests']:,} requests"
    )
    assert same
    assert twice <= killed


async def main() -> None:
    """Measure everything."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        async with server() as (there, url):
            await speed(there, url, Path(folder))
            await kills(there, url, Path(folder))


if __name__ == "__main__":
    roles = {"serve": serve, "mirror": mirror}
    role = roles.get(sys.argv[1]) if len(sys.argv) > 1 else None
    asyncio.run(role(*sys.argv[2:]) if role else main())
