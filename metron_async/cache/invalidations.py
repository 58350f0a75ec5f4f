"""Recent invalidations, which also drop responses that arrive after them. Pure."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from metron_async.cache.entry import LATE_ARRIVAL

if TYPE_CHECKING:
    from metron_async.cache.entry import Entry, Selector

__all__ = ["Invalidations"]


class Invalidations:
    """The latest invalidations of this process."""

    def __init__(self) -> None:
        self._latest: deque[tuple[Selector, float]] = deque(maxlen=1000)

    def __len__(self) -> int:
        return len(self._latest)

    def add(self, selector: Selector, at: float) -> None:
        """Record an invalidation made *at* that wall-clock second, and drop expired ones."""
        while self._latest and abs(at - self._latest[0][1]) > LATE_ARRIVAL:
            self._latest.popleft()
        self._latest.append((selector, at))

    def drops(self, entry: Entry) -> bool:
        """Return whether *entry* was requested before an invalidation that selects it."""
        return any(selector.drops(entry, at) for selector, at in self._latest)
