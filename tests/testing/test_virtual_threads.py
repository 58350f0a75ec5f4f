"""Virtual time stands still while a thread works."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import aiosqlite
import pytest

from metron_async.testing import run_virtual

if TYPE_CHECKING:
    from pathlib import Path


def test_a_thread_is_waited_for_although_timers_are_set() -> None:
    async def main() -> tuple[str, float]:
        loop = asyncio.get_running_loop()
        nap = asyncio.create_task(asyncio.sleep(3600))
        await asyncio.to_thread(time.sleep, 0.05)
        before = loop.time()
        assert not nap.done()
        await nap
        return "done", loop.time() - before

    assert run_virtual(main()) == ("done", 3600.0)


def test_aiosqlite_is_waited_for(tmp_path: Path) -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        asyncio.get_running_loop().call_later(3600, lambda: None)
        async with aiosqlite.connect(tmp_path / "x.db") as db:
            await db.execute("CREATE TABLE t (n)")
            for number in range(20):
                await db.execute("INSERT INTO t VALUES (?)", (number,))
            assert await db.execute_fetchall("SELECT count(*) FROM t") == [(20,)]
        return loop.time()

    assert run_virtual(main()) == 0.0


def test_a_task_that_waits_for_nothing_is_still_noticed() -> None:
    async def main() -> None:
        await asyncio.to_thread(int)
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="stands still"):
        run_virtual(main())
