"""The permits that one guard holds and lends: bookkeeping without clock or store."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from metron_async._engine.guard.outcome import UNCOUNTED
from metron_async._engine.guard.state import Event, Reply, Report
from metron_async._engine.guard.table import LEASE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metron_async._engine.guard.outcome import Pass

__all__ = ["Block"]

_MOST: Final = 8  # permits that one guard asks for at most
_HOT: Final = LEASE - 2.0  # seconds for which a block is used without a report getting through


class Block:
    """Permits of one guard. Times are those of its event loop.

    Attributes:
        fresh_until: Until when the last reply of the store may be acted on.
        proven_until: Until when the credentials count as proven.
        in_flight: Permits lent.
        refusals: 401s seen: a success that left before one proves nothing.
    """

    def __init__(self) -> None:
        self.fresh_until: float = -math.inf
        self.proven_until: float = -math.inf
        self.in_flight: int = 0
        self.refusals: int = 0
        self._prone = 0  # lent to calls that can be 404s
        self._total = self._total_prone = 0  # held
        self._peak = self._peak_prone = 0
        self._probe_free = self._probing = False
        self._loans = math.inf  # until the next exchange

    @property
    def holds(self) -> bool:
        """Whether there is anything to give back."""
        return self._total > 0

    def lend(self, pass_: Pass, now: float) -> bool:
        """Give a permit to *pass_*, if there is one and it may be used."""
        if now >= self.fresh_until or self.in_flight >= self._total or self._loans <= 0:
            return False
        if pass_.may_404 and self._prone >= self._total_prone:
            return False
        if now >= self.proven_until:
            if not self._probe_free:
                return False
            self._probe_free = False
            self._probing = pass_.probe = True
        self._loans -= 1
        self.in_flight += 1
        self._prone += pass_.may_404
        self._peak = max(self._peak, self.in_flight)
        self._peak_prone = max(self._peak_prone, self._prone)
        pass_.entered = True
        pass_.refusals = self.refusals
        return True

    def take_back(self, pass_: Pass) -> None:
        """End the request of *pass_*."""
        self.in_flight -= 1
        self._prone -= pass_.may_404
        self._probing = self._probing and not pass_.probe

    def consume(self, events: Sequence[Event]) -> None:
        """Give up the permit of each request that turned into an event."""
        lost = sum(event not in UNCOUNTED for event in events)
        self._total = max(self.in_flight, self._total - lost)
        self._total_prone = max(self._prone, self._total_prone - lost)
        if Event.REFUSED in events:
            self.refusals += 1
            self.proven_until = -math.inf
            self._probe_free = False

    def shrink(self) -> None:
        """Keep only what is in flight: the store may give the rest away from now on."""
        self._total, self._total_prone, self._probe_free = self.in_flight, self._prone, False

    def report(self, base: Report, waiting: int, waiting_prone: int) -> Report:
        """Fill in what is held, and what is wanted, given the calls that wait."""
        want = min(_MOST, max(self._peak, self.in_flight + waiting))
        prone = min(_MOST, max(self._peak_prone, self._prone + waiting_prone))
        return Report(
            guard=base.guard,
            credentials=base.credentials,
            events=base.events,
            asks=base.asks,
            asks_prone=base.asks_prone,
            clear=base.clear,
            in_flight=self.in_flight,
            prone=self._prone,
            probing=self._probing,
            want=want,
            want_prone=prone,
        )

    def forget_peak(self) -> None:
        """Ask for no more than is in use, from now on."""
        self._peak, self._peak_prone = self.in_flight, self._prone

    def refill(self, reply: Reply, started: float, unseen: Sequence[Event], refusals: int) -> None:
        """Take over what the store gave.

        Args:
            reply: Its reply.
            started: When it was asked.
            unseen: Events since then, which the reply does not know.
            refusals: The value of ``refusals`` then.
        """
        refused = refusals != self.refusals
        self._total, self._total_prone = reply.total, reply.prone
        self._probe_free = reply.probe and not refused
        self._loans = reply.total - self.in_flight if reply.scarce else math.inf
        self.fresh_until = started + _HOT
        if reply.proven_for <= 0 or refused:
            self.proven_until = -math.inf
        else:
            self.proven_until = max(self.proven_until, started + reply.proven_for)
        lost = sum(event not in UNCOUNTED for event in unseen)
        self._total = max(self.in_flight, self._total - lost)
        self._total_prone = max(self._prone, self._total_prone - lost)
