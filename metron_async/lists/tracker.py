"""State of one iteration through a list: which rows are new, which page follows, what is missing.

The server's orders are not total: two pages can repeat one row and lose another although nothing
was edited. Edits move rows as well. So the ids that were seen are kept, and a repeated row is
yielded once. At the end the number of rows is compared with the highest ``count`` of any page. If
the count sinks on the way, a row was deleted on a page that was read before, and another row may
have slipped past the reader.

No list can keep a reader busy without end. Each page but the last must bring a new row, and all
pages together not many more rows than the server counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from metron_async.errors import PaginationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metron_async.models import PageBody

__all__ = ["PageTracker", "SeenIds"]

_SLACK = 1000  # rows beyond the count: lists grow while they are read


class SeenIds:
    """A set of ids that stays small for many of them: 256 to a block of bits."""

    def __init__(self) -> None:
        self._blocks: dict[int, int] = {}

    def add(self, number: int) -> bool:
        """Add *number*, and return whether it is new."""
        block, bit = number >> 8, 1 << (number & 255)
        bits = self._blocks.get(block, 0)
        if bits & bit:
            return False
        self._blocks[block] = bits | bit
        return True


class PageTracker:
    """State of one iteration through a list."""

    def __init__(self, target: str, start: int) -> None:
        self._target = target
        self._start = start
        self._seen = SeenIds()
        self._yielded = 0
        self._count = 0
        self._page_size = 0
        self.last: int = start

    def take(self, number: int, body: PageBody[Any]) -> Sequence[Any]:
        """Return the rows of page *number* that are new.

        Raises:
            PaginationError: If the page brings nothing new although it is not the last, or if
                there are many more rows than the server counts.
        """
        fresh = [row for row in body.results if self._seen.add(row.id)]
        if not fresh and body.next is not None:
            what = "repeats rows of earlier pages" if body.results else "is empty"
            msg = f"Page {number} {what} although it is not the last page"
            raise PaginationError(msg, path=self._target)
        if number == self._start and body.next is not None:
            self._page_size = len(body.results)
        self._yielded += len(fresh)
        self._count = max(self._count, body.count)
        self.last = number
        if body.next is not None and self._yielded > self._count + _SLACK:
            msg = f"The list goes on after {self._yielded} rows although it counts {self._count}"
            raise PaginationError(msg, path=self._target)
        return fresh

    def following(self, number: int, body: PageBody[Any]) -> int | None:
        """Return the number of the page after *number*, or ``None`` after the last.

        Raises:
            PaginationError: If the server's ``next`` does not name the following page.
        """
        if body.next is None:
            return None
        claimed = _page_of(body.next)
        if claimed != number + 1:
            msg = f"The server names page {claimed} as the one after page {number}"
            raise PaginationError(msg, path=self._target)
        return number + 1

    @property
    def missing(self) -> int:
        """Rows that the server counted and did not send."""
        if self._start > 1 and not self._page_size:
            return 0  # it began with the last page, so the size of a page is not known
        before = (self._start - 1) * self._page_size
        return max(0, self._count - before - self._yielded)


def _page_of(link: str) -> int | None:
    """Return the page number in the server's *link*, whatever its host and scheme."""
    try:
        number = parse_qs(urlsplit(link).query).get("page", [""])[-1]
    except ValueError:
        return None
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None  # noqa: PLR2004
