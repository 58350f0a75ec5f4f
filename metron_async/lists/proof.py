"""Proof that a list was read completely, although it may be edited while it is read.

Pages are read one after the other. When a row on a page that was read is deleted, all later rows
move up, and the first row of the next page slips onto a page that was read before. Comparing
single pages with earlier looks at them does not find this: edits on other pages, in pairs that
leave the count as it was, can move a row out of sight and back between any two looks.

Counting does, whatever the order of the list:

    A set of rows is seen at or before a moment T, and all of them are seen again at or after T.
    Then all of them are in the list at T. If the server counts as many rows at T, the set is the
    list at T.

This holds since ids are never used again. So a second look at each page proves the first. Rows
whose ``modified`` is not after T existed at T, even if the first look missed them.

A list that shows its changes (``modified_gt``) takes one request more in place of a second look.
Deletions are the rows counted first, plus the additions, minus the rows counted last. Changed rows
that were seen before their change are not additions. If no deletion is left over, all rows that
were seen are still there, and again counting them decides.
"""

from __future__ import annotations

import bisect
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

__all__ = ["Ledger", "Sighting", "proven_by_changes"]


class Sighting(NamedTuple):
    """A row on a page.

    Attributes:
        id: Its id.
        version: A value that changes with the row, or ``None`` where rows cannot leave the list
            and come back.
        modified: Seconds of its last change, or ``None`` where a row can join the list without
            being changed.
    """

    id: int
    version: Hashable = None
    modified: float | None = None


class _Look(NamedTuple):
    as_of: float
    total: int
    fresh: bool


class Ledger:
    """Rows and counts of all looks at one list, in the order in which the responses arrived."""

    def __init__(self) -> None:
        self._looks: list[_Look] = []
        self._rows: dict[int, Sighting] = {}
        self._first: dict[int, int] = {}
        self._last: dict[int, int] = {}

    def see(self, rows: Iterable[Sighting], count: int, *, as_of: float, fresh: bool) -> None:
        """Add a response.

        Args:
            rows: The rows of the page.
            count: Rows of the whole list.
            as_of: Seconds of the server's clock that are not after the state it shows.
            fresh: Whether it shows a state after the request was sent, so not one from a cache.
        """
        look = len(self._looks)
        self._looks.append(_Look(as_of, count, fresh))
        for row in rows:
            known = self._rows.get(row.id)
            if known is None or known.version != row.version:
                self._first[row.id] = look
            self._rows[row.id] = row
            if fresh:
                self._last[row.id] = look

    def snapshot(self) -> frozenset[int] | None:
        """Return the ids of the list at the latest moment for which they are proven."""
        if len(self._looks) == 1:  # one response shows one state
            return frozenset(self._rows) if len(self._rows) == self._looks[0].total else None
        spans = {number: (self._since(number), last) for number, last in self._last.items()}
        changes = [0] * (len(self._looks) + 1)
        for since, last in spans.values():
            if since <= last:
                changes[since] += 1
                changes[last + 1] -= 1
        certain = list(accumulate(changes))
        for moment in reversed(range(len(self._looks))):
            look = self._looks[moment]
            if look.fresh and certain[moment] == look.total:
                return frozenset(n for n, (since, last) in spans.items() if since <= moment <= last)
        return None

    def _since(self, number: int) -> int:
        """Return the first look at which a row was in the list for certain."""
        first, modified = self._first[number], self._rows[number].modified
        if modified is None:
            return first
        # From there on all looks show states after the row's last change.
        earliest = list(accumulate((look.as_of for look in reversed(self._looks)), min))[::-1]
        return min(first, bisect.bisect_left(earliest, modified))


def proven_by_changes(
    seen: Mapping[int, float],
    changed: Mapping[int, float],
    counts: Sequence[int],
    *,
    fresh: bool,
) -> frozenset[int] | None:
    """Return the ids of a list at the moment of its last page, if its changes prove them.

    Args:
        seen: When each row on the pages was last changed, by id.
        changed: The same for all rows that have changed since the first page, looked at after
            the last page.
        counts: Rows of the list, as counted for each page.
        fresh: Whether all pages came past the caches of the server.
    """
    added = sum(seen.get(number) in (None, moment) for number, moment in changed.items())
    if counts[0] + added != counts[-1]:
        return None  # rows were deleted, or it is not certain that none was
    if not fresh and (added or len(set(counts)) > 1):
        return None  # pages from a cache are not in the order of time
    found = seen.keys() | changed.keys()
    return frozenset(found) if len(found) == counts[-1] else None
