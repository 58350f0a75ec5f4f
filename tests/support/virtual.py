"""Runs a test on virtual time: hours pass in a moment, and a task left behind is a failure."""

from __future__ import annotations

import asyncio
import functools
import inspect

from metron_async.testing import run_virtual


def virtual(main):
    """Run the coroutine *main* on virtual time; fail if it leaves a task behind."""

    async def watched():
        result = await main
        await settle()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks were left behind: {left}"
        return result

    return run_virtual(watched())


def on_virtual_time(function):
    """Run an asynchronous test on virtual time."""

    @functools.wraps(function)
    def run(*args, **kwargs):
        return virtual(function(*args, **kwargs))

    del run.__wrapped__  # pytest must not see a coroutine function
    run.__signature__ = inspect.signature(function)
    return run


async def settle(rounds=20):
    """Let everything run that can run without time passing."""
    for _ in range(rounds):
        await asyncio.sleep(0)
