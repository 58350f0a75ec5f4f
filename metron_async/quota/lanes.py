"""Who waits, and who is next: the lanes of one process, without a clock and without tasks.

INTERACTIVE goes before NORMAL before BULK, first come first served within a lane. So that nobody
starves, whoever stands at the head of a lane for longer than ``patience`` goes next.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, NamedTuple

from metron_async.types import Priority

if TYPE_CHECKING:
    import asyncio

__all__ = ["Claim", "Lanes", "Next", "Ticket"]


class Ticket:
    """A slot that was granted: send one request, then settle or release it.

    Attributes:
        lease: The number of its lease in the store.
        priority: The lane it was granted to.
        granted_at: Loop time of the grant.
    """

    __slots__ = ("granted_at", "lease", "priority")

    def __init__(self, lease: int, priority: Priority, granted_at: float) -> None:
        self.lease: int = lease
        self.priority: Priority = priority
        self.granted_at: float = granted_at

    def __repr__(self) -> str:
        return f"<Ticket {self.lease:x} {self.priority.name}>"


class Claim:
    """A place in the queue.

    Attributes:
        priority: The lane it waits in.
        head_since: Loop time at which it became the first of its lane; for the lanes only.
        paced: Whether the pacer let this BULK claim pass.
    """

    __slots__ = ("future", "head_since", "paced", "priority")

    def __init__(self, priority: Priority, future: asyncio.Future[Ticket]) -> None:
        self.priority: Priority = priority
        self.future: asyncio.Future[Ticket] = future
        self.head_since: float = 0.0
        self.paced: bool = False

    def __repr__(self) -> str:
        return f"<Claim {self.priority.name}{' granted' if self.future.done() else ''}>"


class Next(NamedTuple):
    """Who is next, and whether for having waited too long."""

    claim: Claim
    hurried: bool


class Lanes:
    """The claims that wait.

    Args:
        patience: Seconds at the head of a lane after which a claim goes before all others.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._lanes: dict[Priority, dict[Claim, None]] = {lane: {} for lane in Priority}

    def __len__(self) -> int:
        return sum(map(len, self._lanes.values()))

    def __contains__(self, claim: Claim) -> bool:
        return claim in self._lanes[claim.priority]

    def waiting(self) -> dict[Priority, int]:
        """Return the number of claims by lane."""
        return {priority: len(lane) for priority, lane in self._lanes.items()}

    def add(self, claim: Claim, now: float) -> None:
        """Put *claim* at the end of its lane."""
        lane = self._lanes[claim.priority]
        lane[claim] = None
        if len(lane) == 1:
            claim.head_since = now

    def remove(self, claim: Claim, now: float) -> None:
        """Take *claim* out of its lane."""
        lane = self._lanes[claim.priority]
        was_head = next(iter(lane), None) is claim
        lane.pop(claim, None)
        if was_head and lane:
            next(iter(lane)).head_since = now

    def drain(self) -> list[Claim]:
        """Take out all claims, and return them."""
        claims = list(itertools.chain.from_iterable(self._lanes.values()))
        for lane in self._lanes.values():
            lane.clear()
        return claims

    def next(self, now: float) -> Next | None:
        """Return the claim that is next at the time *now*."""
        heads = self._heads()
        if not heads:
            return None
        late = [head for head in heads if self._patience_left(head, now) <= 0]
        if late:
            return Next(min(late, key=lambda head: head.head_since), hurried=True)
        return Next(heads[0], hurried=False)

    def next_change(self, now: float) -> float:
        """Return in how many seconds somebody's patience ends; infinity if nobody's does."""
        left = (self._patience_left(head, now) for head in self._heads())
        return min((seconds for seconds in left if seconds > 0), default=math.inf)

    def _heads(self) -> list[Claim]:
        return [next(iter(lane)) for lane in self._lanes.values() if lane]

    def _patience_left(self, head: Claim, now: float) -> float:
        if head.priority is Priority.INTERACTIVE:
            return math.inf  # nothing goes before it that it would have to overtake
        return head.head_since + self._patience - now

    def ahead(self, claim: Claim) -> tuple[int, int]:
        """Return how many claims wait before *claim* in its own lane, and in higher ones."""
        higher = sum(len(self._lanes[lane]) for lane in Priority if lane < claim.priority)
        own = itertools.takewhile(lambda other: other is not claim, self._lanes[claim.priority])
        return sum(1 for _ in own), higher

    def due(self, claim: Claim, own: int, now: float) -> float:
        """Return in how many seconds *claim* goes before all others, with *own* before it."""
        head = next(iter(self._lanes[claim.priority]), claim)
        return max(0.0, head.head_since + self._patience - now) + own * self._patience
