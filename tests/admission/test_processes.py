"""Real processes on one directory: no lockout without a cause."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
import redis
from support import admission_worker as worker
from support.admission import admit
from support.systems import needs_posix

from metron_async.admission import Controller, Waiter
from metron_async.storage import SQLiteStorage

WORKER = Path(worker.__file__)


async def start(directory, number=1, think=0.0, close="leave"):
    return await asyncio.create_subprocess_exec(
        sys.executable, str(WORKER), str(directory), str(number), str(think), close,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip


async def lines_until(process, word):
    lines = []
    while word not in lines:
        line = (await process.stdout.readline()).decode().strip()
        assert line, f"ended after {lines}"
        lines.append(line)
    return lines


async def quota_in(directory):
    storage = SQLiteStorage(directory)
    controller = Controller(storage, account="me", address="here", credentials="x")
    quota = await controller.quota()
    controller.release(await admit(controller, Waiter(), max_wait=5))
    await controller.aclose()
    await storage.aclose()
    return quota


async def test_scripts_that_never_close_do_not_lock_the_address(tmp_path):
    for _ in range(6):
        processes = [await start(tmp_path) for _ in range(4)]
        for process in processes:
            output, _ = await process.communicate()
            assert output.decode().split() == ["sent", "settled"]
    assert (await quota_in(tmp_path)).in_flight == 0


@needs_posix
async def test_services_that_are_stopped_while_idle_leave_nothing_behind(tmp_path):
    for stop in (signal.SIGTERM, signal.SIGKILL) * 3:
        process = await start(tmp_path, close="idle")
        await lines_until(process, "settled")
        process.send_signal(stop)
        await process.wait()
    quota = await quota_in(tmp_path)
    assert quota.in_flight == 0
    assert quota.wait == 0


async def test_a_process_that_dies_in_flight_costs_what_was_in_flight(tmp_path):
    process = await start(tmp_path)
    await lines_until(process, "settled")
    for _ in range(3):
        process = await start(tmp_path, think=60.0)
        await lines_until(process, "sent")
        process.kill()
        await process.wait()
    quota = await quota_in(tmp_path)
    assert quota.in_flight == 3


@needs_posix
@pytest.mark.parametrize("kind", ["directory", "redis"])
async def test_a_process_that_is_stopped_in_flight_holds_the_others_up_for_a_lease(
    kind, tmp_path, request, monkeypatch
):
    """As when a laptop's lid is closed: its response comes after the lease, and is believed."""
    place = str(tmp_path)
    if kind == "redis":
        place = request.getfixturevalue("redis_url")
        with redis.Redis.from_url(place) as client:
            client.flushall()
    monkeypatch.setenv("LEASE", "1")
    process = await start(place, number=2, think=0.5, close="idle")
    await lines_until(process, "settled")  # the credentials are proven
    await lines_until(process, "sent")
    process.send_signal(signal.SIGSTOP)
    storage = worker.storage_at(place)
    controller = Controller(
        storage, account="me", address="here", credentials="x", rules=worker.rules()
    )
    assert (await controller.quota()).in_flight == 1
    async with asyncio.timeout(10):
        while (await controller.quota()).in_flight:  # noqa: ASYNC110 - until the lease expires
            await asyncio.sleep(0.1)
    controller.release(await admit(controller, Waiter(), max_wait=5))
    process.send_signal(signal.SIGCONT)
    await lines_until(process, "settled")
    quota = await controller.quota()
    assert (quota.in_flight, quota.burst.remaining) == (0, quota.burst.limit - 2)
    process.kill()
    await process.wait()
    await controller.aclose()
    await storage.aclose()
