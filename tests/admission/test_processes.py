"""Real processes on one directory: no lockout without a cause."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from metron_async.admission import Controller, Waiter
from metron_async.storage import SQLiteStorage

WORKER = Path(__file__).with_name("worker.py")


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
    controller.release(await controller.admit(Waiter(), max_wait=5))
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
