"""Strict reading: a list is looked at again until it is proven complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

from metron_async.errors import NotFoundError
from metron_async.lists.proof import Ledger, all_from_the_start
from metron_async.types import R_co, Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metron_async._engine.messages import Answer
    from metron_async.lists.sources import PageSource
    from metron_async.models import PageBody

__all__ = ["StrictReader"]


class StrictReader(Generic[R_co]):
    """Collects the evidence of one strict iteration.

    Args:
        source: Where the pages come from.

    Attributes:
        snapshot: Ids of the rows of the list, once they are proven.
    """

    def __init__(self, source: PageSource[R_co]) -> None:
        self.source: PageSource[R_co] = source.strict()
        self.snapshot: frozenset[int] = frozenset()
        self._ledger = Ledger()
        self._rows: dict[int, R_co] = {}
        self._yielded: frozenset[int] = frozenset()
        self._answers: list[Answer[PageBody[R_co]]] = []
        self._spare = 1  # requests for the last page of the second pass, or for the changes

    @property
    def gone(self) -> int:
        """Number of rows on the pages that were deleted before the last page was read."""
        return len(self._yielded - self.snapshot)

    @property
    def missing(self) -> int:
        """Number of rows that the list has and that were not found for certain."""
        return max(0, self._ledger.count - len(self.snapshot))

    def take(self, answer: Answer[PageBody[R_co]]) -> None:
        """Add a page of the first pass."""
        body = answer.value
        sightings = map(self.source.sighting, body.results)
        self._ledger.see(sightings, body.count, as_of=answer.as_of, fresh=_is_fresh(answer))
        self._answers.append(answer)
        self._rows |= _by_id(body)

    async def settle(self) -> bool:
        """Look at the list again, and return whether it is proven.

        This costs at most as many requests as the pages did. One page is proven by itself.
        """
        self._yielded = frozenset(self._rows)
        if len(self._answers) > 1:
            if await self._stood_still():
                self.snapshot = self._yielded
                return True
            await self._look_again()
        self.snapshot = frozenset(self._ledger.certain)
        return self._ledger.proven

    def additional(self) -> list[R_co]:
        """Return the rows of the proven list that were not on the pages."""
        found = self.snapshot - self._yielded
        return [row for number, row in self._rows.items() if number in found]

    async def _stood_still(self) -> bool:
        """Return whether the list at the first page is proven, and no row was added since.

        The changes are not requested where they cannot prove anything.
        """
        first, last = self._answers[0], self._answers[-1]
        if not self.source.traced or not all(map(_is_fresh, self._answers)):
            return False
        if not all_from_the_start(
            _changes(self._rows),
            first=_by_id(first.value),
            as_of=first.as_of,
            counts=(first.value.count, last.value.count),
        ):
            return False
        self._spare -= 1
        body = (await self.source.changed_since(first.as_of)).value
        changed = _by_id(body)
        return changed.keys() <= self._rows.keys() and body.count == len(changed)

    async def _look_again(self) -> None:
        """Look at the pages again, until that proves the list or costs as much as the first pass.

        Rows of the last page were seen together with its count. It is looked at again for rows
        that have moved there since.
        """
        again = self.source.uncached()
        for number in range(1, len(self._answers) + self._spare):
            try:
                answer = await again.fetch(number)
            except NotFoundError:
                return
            sightings = map(self.source.sighting, answer.value.results)
            self._ledger.see_again(sightings, fresh=_is_fresh(answer))
            self._rows = _by_id(answer.value) | self._rows
            if self._ledger.proven:
                return


def _is_fresh(answer: Answer[Any]) -> bool:
    """Return whether neither the client's nor the server's cache has answered."""
    origin = answer.origin
    return origin.source is Source.NETWORK and (origin.x_cache or "").strip().upper() != "HIT"


def _by_id(body: PageBody[R_co]) -> dict[int, R_co]:
    return {row.id: row for row in body.results}


def _changes(rows: Mapping[int, Any]) -> dict[int, float]:
    return {number: row.modified.timestamp() for number, row in rows.items()}
