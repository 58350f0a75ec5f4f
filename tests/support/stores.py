"""Slow storages and caches, and some that fail on demand."""

from __future__ import annotations

import asyncio
import inspect

from metron_async.cache import MemoryCache
from metron_async.errors import StorageError
from metron_async.storage import MemoryStorage

PAUSE = 0.01  # seconds


class Slow:
    """Wraps a store: every coroutine function takes its time, before and after its work.

    Args:
        inner: The store.
        fail_at: Number of the call that fails, from 1; 0 for none, -1 for all.
        error: Makes what it fails with.
        after: Whether it fails when its work is done already.
    """

    def __init__(self, inner, *, pause=PAUSE, fail_at=0, error=None, after=False):
        self.inner = inner
        self.calls = 0
        self.dead = False
        self._pause = pause
        self.fail_at = fail_at
        self._error = error
        self._after = after

    def __getattr__(self, name):
        found = getattr(self.inner, name)
        if not inspect.iscoroutinefunction(found) or name == "aclose":
            return found

        async def taking_time(*args, **kwargs):
            self.calls += 1
            fails = self.dead or self.fail_at in {-1, self.calls}
            await asyncio.sleep(self._pause)
            if fails and not self._after:
                raise self._error()
            value = await found(*args, **kwargs)
            await asyncio.sleep(self._pause)
            if fails:
                raise self._error()
            return value

        return taking_time


def slow_storage(**how):
    return Slow(MemoryStorage(), error=lambda: StorageError("the storage is gone"), **how)


def slow_cache(**options):
    return Slow(MemoryCache(**options))
