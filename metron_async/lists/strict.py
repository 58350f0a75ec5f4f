"""Strict reading: looks at the pages of a list again until they are proven complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

from metron_async.errors import IncompleteListError, NotFoundError
from metron_async.lists.proof import Ledger, proven_by_changes
from metron_async.types import R_co, Source

if TYPE_CHECKING:
    from metron_async._engine.messages import Answer
    from metron_async.lists.sources import PageSource
    from metron_async.models import PageBody

__all__ = ["StrictReader"]


class StrictReader(Generic[R_co]):
    """Collects the evidence of one strict iteration.

    Args:
        source: Where the pages come from.

    Attributes:
        snapshot: Ids of the list at one moment, once :meth:`settle` has proven them.
    """

    def __init__(self, source: PageSource[R_co]) -> None:
        self.source: PageSource[R_co] = source.strict()
        self.snapshot: frozenset[int] = frozenset()
        self._ledger = Ledger()
        self._rows: dict[int, R_co] = {}
        self._yielded: frozenset[int] = frozenset()
        self._answers: list[tuple[int, float, bool]] = []

    @property
    def gone(self) -> int:
        """Number of rows on the pages that the proven list does not have."""
        return len(self._yielded - self.snapshot)

    def take(self, answer: Answer[PageBody[R_co]]) -> None:
        """Add a page of the first pass."""
        self._see(answer)
        self._yielded = frozenset(self._rows)

    async def settle(self, pages: int) -> list[R_co]:
        """Prove the list, and return its rows that were not on the pages.

        Args:
            pages: Number of the last page.

        Raises:
            IncompleteListError: If the list cannot be proven with as many requests again.
        """
        found = self._ledger.snapshot() if pages == 1 else await self._by_changes()
        if found is None and pages > 1:
            await self._look_again(pages)
            found = self._ledger.snapshot()
        if found is None:
            target = self.source.target
            msg = f"{target}: the list was edited while it was read. Read it again"
            raise IncompleteListError(msg, path=target)
        self.snapshot = found
        return [self._rows[number] for number in self._rows if number in found - self._yielded]

    async def _by_changes(self) -> frozenset[int] | None:
        if not self.source.traced or not all(hasattr(r, "modified") for r in self._rows.values()):
            return None
        seen = _changes(self._rows)
        counts = [count for count, _, _ in self._answers]
        fresh = all(fresh for _, _, fresh in self._answers)
        since = min(as_of for _, as_of, _ in self._answers)
        answer = await self.source.changed_since(since)
        if answer.value.next is not None or not _is_fresh(answer):
            return None
        changed: dict[int, R_co] = {row.id: row for row in answer.value.results}
        found = proven_by_changes(seen, _changes(changed), counts, fresh=fresh)
        if found is not None:
            self._rows |= changed
        return found

    async def _look_again(self, pages: int) -> None:
        """Look at all pages but the last again: that one was seen together with the count."""
        again = self.source.uncached()
        for number in range(1, pages):
            try:
                self._see(await again.fetch(number))
            except NotFoundError:
                return

    def _see(self, answer: Answer[PageBody[R_co]]) -> None:
        body, fresh = answer.value, _is_fresh(answer)
        self._answers.append((body.count, answer.as_of, fresh))
        self._ledger.see(
            [self.source.sighting(row) for row in body.results],
            body.count,
            as_of=answer.as_of,
            fresh=fresh,
        )
        self._rows |= {row.id: row for row in body.results if row.id not in self._rows}


def _is_fresh(answer: Answer[Any]) -> bool:
    """Return whether neither the client's nor the server's cache has answered."""
    origin = answer.origin
    return origin.source is Source.NETWORK and (origin.x_cache or "MISS").upper() == "MISS"


def _changes(rows: Any) -> dict[int, float]:
    return {number: row.modified.timestamp() for number, row in rows.items()}
