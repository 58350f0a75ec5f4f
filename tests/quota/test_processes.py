"""Real processes on one account, over real sockets; some of them are killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from metron_async.testing import FakeMetron

WORKER = Path(__file__).with_name("worker.py")
MINUTE = 6.0


async def run_processes(url, store, *, minutes, kill):
    """Run four workers for so many of the server's minutes; kill some on the way."""

    async def start(seconds):
        return await asyncio.create_subprocess_exec(
            sys.executable, str(WORKER), url, store, "--seconds", str(seconds),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip

    seconds = minutes * MINUTE
    workers = [await start(seconds) for _ in range(4)]
    if kill:
        # In the first burst, when requests are surely in flight; another one takes its place.
        await asyncio.sleep(MINUTE * 0.2)
        for victim in workers[:2]:
            victim.kill()
        workers.append(await start(seconds - MINUTE * 0.3))
        await asyncio.sleep(MINUTE * 1.2)
        workers[2].kill()
    return [(await worker.communicate())[0].decode().split() for worker in workers]


@pytest.fixture(params=["sqlite", "redis"])
def store(request, tmp_path):
    if request.param == "sqlite":
        return str(tmp_path / "quota.sqlite")
    return request.getfixturevalue("redis_url")


@pytest.mark.parametrize("kill", [False, True], ids=["calm", "killed"])
async def test_processes_share_one_budget(store, kill):
    fake = FakeMetron(burst_period=MINUTE)
    minutes = 2
    async with fake.serve() as url:
        out = await run_processes(url, store, minutes=minutes, kill=kill)
    assert fake.throttled == 0
    served = sum(words.count("200") for words in out)
    # The first window, and as many as come back in the rest; the dead take theirs with them.
    assert served >= (20 * minutes * 0.9 if not kill else 20)
