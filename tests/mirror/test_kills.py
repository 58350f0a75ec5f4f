"""Real processes, killed with SIGKILL at random moments, against a server on a socket."""

from __future__ import annotations

import asyncio
import collections
import os
import random
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.mirrors import fake_metron, query, served, stored
from support.systems import needs_posix

if TYPE_CHECKING:
    from metron_async.testing import FakeMetron

pytestmark = needs_posix

PROGRAM = Path(__file__).parents[1] / "support" / "mirroring.py"
KILLS = 6


async def start(url: str, path: Path) -> asyncio.subprocess.Process:
    home = {**os.environ, "XDG_CACHE_HOME": str(path.parent)}
    return await asyncio.create_subprocess_exec(
        sys.executable, str(PROGRAM), url, str(path), env=home, stdout=asyncio.subprocess.PIPE
    )


async def kill_after_requests(
    process: asyncio.subprocess.Process, fake: FakeMetron, n: int
) -> None:
    """Kill the process when it has made so many requests, at whatever it does just then."""
    start = len(fake.requests)
    while len(fake.requests) < start + n and process.returncode is None:  # noqa: ASYNC110
        await asyncio.sleep(0.0005)
    await asyncio.sleep(random.random() * 0.01)
    if process.returncode is None:
        process.send_signal(signal.SIGKILL)
    await process.wait()


def fetches(fake: FakeMetron) -> dict[tuple[Any, ...], int]:
    counted: collections.Counter[tuple[Any, ...]] = collections.Counter()
    for asked in fake.requests:
        counted[tuple(sorted(asked.params.items()))] += 1
    return counted


async def test_killed_at_random_moments_it_ends_with_exactly_the_servers_data(
    tmp_path: Path,
) -> None:
    fake = fake_metron(6000)
    path = tmp_path / "comics.db"
    async with fake.serve() as url:
        for _ in range(KILLS):
            await kill_after_requests(await start(url, path), fake, random.randrange(1, 9))
        before = fetches(fake)
        assert sum(before.values()) - len(before) <= KILLS
        process = await start(url, path)
        output, _ = await process.communicate()
    assert process.returncode == 0, output
    counted = {k: n for k, n in fetches(fake).items() if not any(p[0] == "modified_gt" for p in k)}
    assert len(counted) == 60
    assert sum(counted.values()) - 60 <= KILLS
    assert stored(path, "issues") == await served(fake, "issues")
    assert query(path, "PRAGMA integrity_check") == [("ok",)]


async def test_killed_while_the_server_is_edited_nothing_is_lost(tmp_path: Path) -> None:
    fake = fake_metron(3000)
    path = tmp_path / "comics.db"
    async with fake.serve() as url:
        for turn in range(KILLS):
            await kill_after_requests(await start(url, path), fake, random.randrange(1, 7))
            fake.delete("issue", 100 + turn)
            fake.touch("issue", 500 + turn, upc="1")
            if turn % 2:
                fake.add_issue(1 + turn, f"99{turn}")
        process = await start(url, path)
        await process.communicate()
        assert process.returncode == 0
    truth = await served(fake, "issues")
    held = stored(path, "issues")
    assert {number: held.get(number) for number in truth} == truth
    assert set(held) - set(truth) <= set(range(100, 100 + KILLS))
