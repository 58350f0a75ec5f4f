"""The rhythm of calls that can be 404s, once there were many: a leaky bucket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aiolimiter import AsyncLimiter

from metron_async._engine.guard.table import LIMITS, MISSING

if TYPE_CHECKING:
    from metron_async._engine.guard.state import Reply

__all__ = ["Rhythm"]

_BUDGET: Final = LIMITS[MISSING].ours
_PERIOD: Final = 120.0  # seconds in which the budget may be spent
_TICK: Final = 1e-3


class Rhythm:
    """Space calls that can be 404s when the machine has lately had many.

    The bucket holds ten and leaks one in twelve seconds. Every 404 of the machine is poured in;
    a call that is spaced takes its place in advance.
    """

    def __init__(self) -> None:
        self.due: bool = False
        """Whether such calls are to be spaced now."""

        self._bucket: AsyncLimiter | None = None
        self._poured = 0

    async def pour(self, reply: Reply) -> None:
        """Tell the bucket of the 404s that it does not know yet."""
        self.due = reply.recent_missing >= _BUDGET
        new = reply.missing - self._poured if self._bucket else reply.recent_missing
        self._poured = reply.missing
        if new > 0 and self._bucket is None:
            self._bucket = AsyncLimiter(_BUDGET, _PERIOD)
        for _ in range(min(new, _BUDGET)):
            if self._bucket is not None and self._bucket.has_capacity():
                await self._bucket.acquire()

    def paid(self) -> None:
        """Note that a call which took its place in advance became a 404."""
        self._poured += 1

    def delay(self, ahead: int = 0) -> float:
        """Return the seconds until the bucket has room, after *ahead* others."""
        if self._bucket is None:
            return 0.0
        return max(0.0, _level(self._bucket) + 1 + ahead - _BUDGET) * _PERIOD / _BUDGET

    async def beat(self) -> None:
        """Wait for room and take it. One caller at a time, or the order is lost."""
        if self._bucket is None:
            return
        # Its own waiting would do in real time; where the clock stands still between timers, it
        # can spin on a rest too small to move the clock.
        while not self._bucket.has_capacity():  # noqa: ASYNC110 - nothing signals a leak
            await asyncio.sleep(self.delay() + _TICK)
        await self._bucket.acquire()


def _level(bucket: AsyncLimiter) -> float:
    """Return how full a bucket is, which it only tells by yes and no."""
    low, high = 0.0, float(bucket.max_rate)
    for _ in range(24):
        middle = (low + high) / 2
        if bucket.has_capacity(bucket.max_rate - middle):
            high = middle
        else:
            low = middle
    return high
