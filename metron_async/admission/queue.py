"""The requests of one process that wait: by priority, and in order within one.

A request that may ask for an object that does not exist can be held up by the firewall's limit on
404s. The others do not queue behind it.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from metron_async.types import Priority

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator

    from metron_async.admission.commands import Refusal
    from metron_async.admission.permit import Granted

__all__ = ["LATE", "Queue", "Waiter"]

LATE = 90.0
"""Seconds at the head of BULK after which a request goes before NORMAL."""

_LONGER = 0.5  # seconds by which a wait must grow to be announced again


class Waiter:
    """One request that waits for its turn, or is about to.

    Args:
        priority: The lane.
        may_404: Whether the request may ask for an object that does not exist.
        key: Key of the response, if this process will keep it where others find it.
        since: Loop time from which on a response of another process is recent enough; by default
            when the waiting begins.
        fresh: Seconds before that in which a response that another process has cached will do.
        on_wait: Called with a refusal, and again when the wait becomes longer.

    Attributes:
        refusal: The refusal that was last announced, whose wait lies ahead.
    """

    def __init__(
        self,
        priority: Priority = Priority.NORMAL,
        *,
        may_404: bool = False,
        key: str = "",
        since: float = math.inf,
        fresh: float = 0.0,
        on_wait: Callable[[Refusal], object] | None = None,
    ) -> None:
        self.priority = priority
        self.may_404 = may_404
        self.key = key
        self.since = since
        self.fresh = fresh
        self.refusal: Refusal | None = None
        self.future: asyncio.Future[Granted]
        self.began: float = 0.0
        self.head_since: float = 0.0
        self._on_wait = on_wait
        self._until = 0.0

    def __repr__(self) -> str:
        return f"<Waiter {self.priority.name}>"

    def announce(self, refusal: Refusal, now: float) -> None:
        """Announce *refusal*, whose wait begins at the loop time *now*, if that is news."""
        longer = now + refusal.wait > self._until + _LONGER
        if self.refusal is None or longer or refusal.wait > 0:
            self.refusal = refusal
        if refusal.wait > 0 and longer:
            self._until = now + refusal.wait
            if self._on_wait is not None:
                self._on_wait(refusal)

    def fail(self, error: Exception) -> None:
        """End the wait with *error*."""
        if not self.future.done():
            self.future.set_exception(error)
            self.future.exception()  # its caller may have left

    def resolve(self, granted: Granted) -> None:
        """End the wait with what was granted."""
        self.future.set_result(granted)


class Queue:
    """The waiters of one controller."""

    def __init__(self) -> None:
        self._lanes: dict[Priority, dict[Waiter, None]] = {lane: {} for lane in Priority}

    def __len__(self) -> int:
        return sum(map(len, self._lanes.values()))

    def __contains__(self, waiter: Waiter) -> bool:
        return waiter in self._lanes[waiter.priority]

    def __iter__(self) -> Iterator[Waiter]:
        return itertools.chain.from_iterable(self._lanes.values())

    def waiting(self) -> dict[Priority, int]:
        """Return the number of waiters by priority."""
        return {priority: len(lane) for priority, lane in self._lanes.items()}

    def add(self, waiter: Waiter, now: float) -> None:
        """Put *waiter* at the end of its lane."""
        lane = self._lanes[waiter.priority]
        lane[waiter] = None
        if len(lane) == 1:
            waiter.head_since = now

    def remove(self, waiter: Waiter, now: float) -> None:
        """Take *waiter* out of its lane, if it is there."""
        lane = self._lanes[waiter.priority]
        head = next(iter(lane), None)
        lane.pop(waiter, None)
        if waiter is head and lane:
            next(iter(lane)).head_since = now

    def drain(self) -> list[Waiter]:
        """Take out all waiters, and return them."""
        waiters = list(self)
        for lane in self._lanes.values():
            lane.clear()
        return waiters

    def next(self, now: float, *, may_404: bool = True) -> Waiter | None:
        """Return the waiter that is next at the loop time *now*.

        Args:
            now: Loop time.
            may_404: Whether a request for what may not exist may be next.
        """
        heads = [
            next((each for each in lane if may_404 or not each.may_404), None)
            for lane in self._lanes.values()
        ]
        interactive, normal, bulk = heads
        if interactive is None and bulk is not None and self.is_late(bulk, now):
            return bulk
        return interactive or normal or bulk

    def is_late(self, waiter: Waiter, now: float) -> bool:
        """Return whether *waiter* is BULK that has waited long at the head of its lane."""
        head = next(iter(self._lanes[Priority.BULK]), None)
        return waiter is head and now - waiter.head_since >= LATE

    def places(self) -> Iterator[tuple[Waiter, int, int]]:
        """Iterate over the waiters, with how many are ahead in their own and in higher lanes."""
        higher = 0
        for lane in self._lanes.values():
            for own, waiter in enumerate(list(lane)):
                yield waiter, own, higher
            higher += len(lane)

    def end_of_lane(self, waiter: Waiter) -> tuple[int, int]:
        """Return the same for *waiter* alone, which has just been added."""
        higher = sum(len(self._lanes[lane]) for lane in Priority if lane < waiter.priority)
        return len(self._lanes[waiter.priority]) - 1, higher

    def until_late(self, waiter: Waiter, own: int, now: float) -> float:
        """Return the seconds until *waiter* is late at the earliest, after *own* in its lane."""
        head = next(iter(self._lanes[waiter.priority]), waiter)
        return max(0.0, head.head_since + LATE - now) + own * LATE

    def next_late(self, now: float) -> float:
        """Return the seconds until a BULK waiter is late, or infinity."""
        head = next(iter(self._lanes[Priority.BULK]), None)
        left = float("inf") if head is None else head.head_since + LATE - now
        return left if left > 0 else float("inf")
