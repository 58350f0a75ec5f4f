"""Proof that a list was read completely, although it may be edited while it is read.

Pages are read one after the other. When a row on a page that was read is deleted, all later rows
move up, and the first row of the next page slips onto a page that was read before. Comparing
single pages with earlier looks at them does not find this. Edits on other pages, in pairs that
leave the count as it was, can move a row out of sight and back between any two looks.

Counting does, whatever the order of the list:

    A set of rows is seen at or before a moment, and all of them are seen again at or after it.
    Then all of them are in the list at that moment. If the server counts as many rows at that
    moment, the set is the list.

This holds since ids are never used again. It is used twice:

- The moment is that of the *first* page, where rows carry ``modified``. A row that was seen later
  and not changed since was in the list then. So the first pass proves itself if no row was added,
  deleted or edited before it was read. One look at the changes finds what happened after that.
- The moment is that of the *last* page otherwise. A second look at the pages proves the first.
  Rows that only the second look has found were there if ``modified`` is not after it.

Changes alone cannot prove a list that has grown. A row that was added on a page that was read, and
deleted before the look, leaves no trace but in the count, where it can hide another deletion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

__all__ = ["Ledger", "Sighting", "all_from_the_start"]


class Sighting(NamedTuple):
    """A row on a page.

    Attributes:
        id: Its id.
        version: A value that is equal until the row is edited, or ``None`` where rows cannot
            leave the list and come back.
        modified: Seconds of its last change, or ``None`` where a row can join the list without
            being changed.
    """

    id: int
    version: object = None
    modified: float | None = None


class Ledger:
    """Rows of all looks at the pages of one list, in the order of the responses.

    Attributes:
        count: Rows of the list at the moment of the last page of the first pass.
        certain: Ids of rows that were in the list at that moment.
    """

    def __init__(self) -> None:
        self.count: int = 0
        self.certain: set[int] = set()
        self._before: dict[int, object] = {}
        self._as_of = 0.0
        self._fresh = False
        self._pages = 0

    @property
    def proven(self) -> bool:
        """Whether :attr:`certain` is the whole list."""
        return (self._fresh or self._pages == 1) and len(self.certain) == self.count

    def see(self, rows: Iterable[Sighting], count: int, *, as_of: float, fresh: bool) -> None:
        """Add a page of the first pass. The last one so far sets the moment.

        Args:
            rows: The rows of the page.
            count: Rows of the whole list.
            as_of: Seconds of the server's clock that are not after the state it shows.
            fresh: Whether it shows a state after the request was sent, so not one from a cache.
        """
        page = {row.id: row.version for row in rows}
        self._before |= page
        self.certain = set(page)
        self.count, self._as_of, self._fresh = count, as_of, fresh
        self._pages += 1

    def see_again(self, rows: Iterable[Sighting], *, fresh: bool) -> None:
        """Add a page of the second pass; see :meth:`see` for the arguments."""
        for row in rows if fresh else ():
            seen = row.id in self._before and self._before[row.id] == row.version
            if seen or (row.modified is not None and row.modified <= self._as_of):
                self.certain.add(row.id)


def all_from_the_start(
    seen: Mapping[int, float], *, first: Collection[int], as_of: float, counts: tuple[int, int]
) -> bool:
    """Return whether the rows on the pages are the list as it was at the first page.

    Args:
        seen: When each row on the pages was last changed, by id.
        first: Ids on the first page.
        as_of: Seconds of the server's clock that are not after the state of the first page.
        counts: Rows of the list, as counted for the first and for the last page. If they differ,
            the list has changed since.
    """
    there = all(number in first or moment <= as_of for number, moment in seen.items())
    return there and counts == (len(seen), len(seen))
