"""One walk through a list: which rows are new, where to go on, and what never came.

The server's orders are not total: two pages can repeat one row and lose another although nobody
edited anything, and rows move when somebody does. So the ids given are remembered, a row given
twice by the server is passed on once, and at the end the rows given are compared with the
``count`` that was promised, at the highest: where it sinks on the way, a row that was deleted on a
page already read has moved another one out of sight. A list that comes short says so; it never
loses rows in silence. Nor can it run for ever: each page that is not the last must bring something
new, and all of them together not much more than was promised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from metron_async.errors import PaginationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metron_async.models import PageBody

__all__ = ["SeenIds", "Walk"]

_SLACK = 1000  # rows that may come beyond the promised ones: lists grow while they are read


class SeenIds:
    """A set of ids that stays small for many of them: 256 to a block of bits."""

    def __init__(self) -> None:
        self._blocks: dict[int, int] = {}

    def add(self, number: int) -> bool:
        """Remember *number*, and tell whether it is new."""
        block, bit = number >> 8, 1 << (number & 255)
        bits = self._blocks.get(block, 0)
        if bits & bit:
            return False
        self._blocks[block] = bits | bit
        return True


class Walk:
    """What one walk through a list has seen so far."""

    def __init__(self, target: str, start: int) -> None:
        self._target = target
        self._start = start
        self._seen = SeenIds()
        self._given = 0
        self._promised = 0
        self._page_size = 0
        self.last: int = start

    def take(self, number: int, body: PageBody[Any]) -> Sequence[Any]:
        """Return the rows of page *number* that are new.

        Raises:
            PaginationError: If there is none, although the list goes on, or if there are far
                more than the list promised.
        """
        fresh = [row for row in body.results if self._seen.add(row.id)]
        if not fresh and body.next is not None:
            what = "repeats rows that were given already" if body.results else "is empty"
            msg = f"Page {number} {what}, and claims that there is more: no progress"
            raise PaginationError(msg, path=self._target)
        if number == self._start and body.next is not None:
            self._page_size = len(body.results)
        self._given += len(fresh)
        self._promised = max(self._promised, body.count)
        self.last = number
        if body.next is not None and self._given > self._promised + _SLACK:
            came, promised = self._given, self._promised
            msg = f"{came} rows came where {promised} were promised, and there is to be more"
            raise PaginationError(msg, path=self._target)
        return fresh

    def following(self, number: int, body: PageBody[Any]) -> int | None:
        """Return the number of the page after *number*, or ``None`` at the end.

        Raises:
            PaginationError: If the server's ``next`` leads back, or skips pages.
        """
        if body.next is None:
            return None
        claimed = _page_of(body.next)
        if claimed != number + 1:
            msg = f"After page {number} the server leads to page {claimed}: no right way on"
            raise PaginationError(msg, path=self._target)
        return number + 1

    @property
    def missing(self) -> int:
        """Rows that were promised, and did not come."""
        if self._start > 1 and not self._page_size:
            return 0  # it began with the last page: how long the earlier ones are is not known
        before = (self._start - 1) * self._page_size
        return max(0, self._promised - before - self._given)


def _page_of(link: str) -> int | None:
    """Return the page number in the server's *link*; its host and scheme do not matter."""
    try:
        number = parse_qs(urlsplit(link).query).get("page", [""])[-1]
    except ValueError:
        return None
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None  # noqa: PLR2004
