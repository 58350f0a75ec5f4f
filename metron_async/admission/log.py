"""The two forms in which the requests of a window are kept.

A log has one entry for requests that were received at about the same time. Its times are bounds:
no request of an entry was counted by the server before ``sent``, and none after ``stamp``. So
joining requests is always safe. They leave together, when the last of them does.

:class:`EntryLog` keeps the requests of a minute one by one, and joins neighbors only beyond
:data:`MOST`. :class:`CellLog` keeps those of a day, which may be 25,000, in cells of two minutes:
two bytes each, 1.4 KB for a day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CELL", "LONGEST_FLIGHT", "MOST", "CellLog", "Entry", "EntryLog"]

LONGEST_FLIGHT = 300.0
"""Seconds after which the lease of a request in flight is no longer renewed."""

CELL = 120.0
"""Seconds of a cell."""

MOST = 40
"""Entries of an :class:`EntryLog`, so that an account's state stays below 4 KB."""

_FULL = 0xFFFF
_UNCONFIRMED = 32  # cells with unconfirmed requests that are remembered


class Entry(msgspec.Struct, array_like=True, gc=False):
    """Requests of our own that were received at about the same time.

    Attributes:
        sent: None was counted by the server before.
        stamp: None was counted after.
        count: How many there are.
        confirmed: How many of them the server certainly counted.
    """

    sent: float
    stamp: float
    count: int
    confirmed: int


class EntryLog(msgspec.Struct, array_like=True):
    """Requests one by one, by the time at which their responses were received."""

    entries: list[Entry] = []

    def record(self, sent: float, stamp: float, confirmed: int) -> None:
        """Enter one request."""
        entries = self.entries
        place = len(entries)
        # Expired leases are found late. Everything else belongs at the end.
        while place and entries[place - 1].stamp > stamp:
            place -= 1
        entries.insert(place, Entry(sent, stamp, 1, confirmed))
        if len(entries) > MOST:
            self._join_nearest()

    def _join_nearest(self) -> None:
        entries = self.entries
        pairs = range(len(entries) - 1)
        nearest = min(pairs, key=lambda at: entries[at + 1].stamp - entries[at].stamp)
        former, latter = entries[nearest : nearest + 2]
        count, confirmed = former.count + latter.count, former.confirmed + latter.confirmed
        joined = Entry(min(former.sent, latter.sent), latter.stamp, count, confirmed)
        entries[nearest : nearest + 2] = [joined]

    def forget(self, stamp: float) -> bool:
        """Take out a request that is not confirmed, and return whether there is one."""
        for place, entry in enumerate(self.entries):
            if entry.stamp == stamp and entry.confirmed < entry.count:
                entry.count -= 1
                if not entry.count:
                    del self.entries[place]
                return True
        return False

    def drop(self, until: float) -> tuple[int, int]:
        """Let entries up to the time *until* leave; return their requests, and the confirmed."""
        gone = count = confirmed = 0
        for entry in self.entries:
            if entry.stamp > until:
                break
            gone += 1
            count += entry.count
            confirmed += entry.confirmed
        del self.entries[:gone]
        return count, confirmed

    def oldest(self) -> Iterator[Entry]:
        """Iterate from the oldest entry on."""
        return iter(self.entries)

    def newest(self) -> Iterator[Entry]:
        """Iterate from the newest entry on."""
        return reversed(self.entries)

    def shift(self, by: float) -> None:
        """Move all times by *by* seconds."""
        for entry in self.entries:
            entry.sent += by
            entry.stamp += by


class CellLog(msgspec.Struct, array_like=True):
    """Numbers of requests by cell of two minutes.

    Attributes:
        first: Number of the first cell: its time, divided by :data:`CELL`.
        cells: Requests in each cell, as numbers of two bytes.
        unconfirmed: Cell and number of requests in it that are not confirmed.
    """

    first: int = 0
    cells: bytearray = msgspec.field(default_factory=bytearray)
    unconfirmed: list[tuple[int, int]] = []

    def record(self, sent: float, stamp: float, confirmed: int) -> None:  # noqa: ARG002
        """Enter one request. A cell bounds its time of sending by :data:`LONGEST_FLIGHT`."""
        cell = int(stamp // CELL)
        if not self.cells:
            self.first = cell
        cell = max(cell, self.first)
        while self._count(cell) == _FULL:
            cell += 1
        missing = (cell - self.first + 1) * 2 - len(self.cells)
        if missing > 0:
            self.cells.extend(bytes(missing))
        self._add(cell, 1)
        if not confirmed:
            self._doubt(cell, 1)

    def forget(self, stamp: float) -> bool:
        """Take out a request that is not confirmed, and return whether there is one."""
        cell = int(stamp // CELL)
        if not any(at == cell for at, _ in self.unconfirmed):
            return False
        self._add(cell, -1)
        self._doubt(cell, -1)
        return True

    def drop(self, until: float) -> tuple[int, int]:
        """Let cells up to the time *until* leave; return their requests, and the confirmed."""
        gone = count = 0
        last = self.first + len(self.cells) // 2
        while self.first + gone < last and (self.first + gone + 1) * CELL <= until:
            count += self._count(self.first + gone)
            gone += 1
        if not gone:
            return 0, 0
        del self.cells[: gone * 2]
        self.first += gone
        doubtful = sum(number for cell, number in self.unconfirmed if cell < self.first)
        self.unconfirmed = [pair for pair in self.unconfirmed if pair[0] >= self.first]
        return count, count - min(count, doubtful)

    def oldest(self) -> Iterator[Entry]:
        """Iterate from the oldest entry on."""
        return self._entries(range(len(self.cells) // 2))

    def newest(self) -> Iterator[Entry]:
        """Iterate from the newest entry on."""
        return self._entries(range(len(self.cells) // 2 - 1, -1, -1))

    def shift(self, by: float) -> None:
        """Move all times by *by* seconds, rounded so that no request leaves too early."""
        cells = int(-(-by // CELL))
        self.first += cells
        self.unconfirmed = [(cell + cells, number) for cell, number in self.unconfirmed]

    def _entries(self, places: range) -> Iterator[Entry]:
        doubtful = dict(self.unconfirmed)
        for place in places:
            cell = self.first + place
            count = self._count(cell)
            if count:
                begin, confirmed = cell * CELL, count - doubtful.get(cell, 0)
                yield Entry(begin - LONGEST_FLIGHT, begin + CELL, count, max(0, confirmed))

    def _count(self, cell: int) -> int:
        at = (cell - self.first) * 2
        return int.from_bytes(self.cells[at : at + 2], "little")

    def _add(self, cell: int, number: int) -> None:
        at = (cell - self.first) * 2
        self.cells[at : at + 2] = (self._count(cell) + number).to_bytes(2, "little")

    def _doubt(self, cell: int, number: int) -> None:
        """Change how many requests of *cell* are not confirmed."""
        doubtful = dict(self.unconfirmed)
        doubtful[cell] = doubtful.get(cell, 0) + number
        pairs = sorted(pair for pair in doubtful.items() if pair[1] > 0)
        if len(pairs) > _UNCONFIRMED:
            # Doubted for longer than need be: never taken for certain too early.
            (_, oldest), (following, more) = pairs[:2]
            pairs[:2] = [(following, oldest + more)]
        self.unconfirmed = pairs
