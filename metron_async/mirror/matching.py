"""Matching in a mirror: the part of :class:`~metron_async.mirror.Mirror` that finds issues."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

from metron_async.matching.decide import Rules

if TYPE_CHECKING:
    from metron_async.matching.decide import Match
    from metron_async.matching.local import SimilarCover
    from metron_async.matching.query import IssueQuery
    from metron_async.mirror.store import Store
    from metron_async.mirror.worker import Worker

__all__ = ["Matching"]


class Matching(abc.ABC):
    """Finds issues in a mirror's file, in its thread, without a request."""

    _worker: Worker

    @abc.abstractmethod
    async def _opened(self) -> Store:
        """Return the open file."""

    async def match(self, query: IssueQuery, /, *, hash_limit: int = 10) -> Match:
        """Find the issue that is meant by what is known of a comic, without a request.

        It decides as ``metron.issues.match`` does, among the issues that the mirror holds. Ids of
        other databases, codes, publishers and other names of series are known where the mirror
        holds ``issues`` and ``series`` with details.

        Args:
            query: What is known of the comic.
            hash_limit: Most bits, 0 to 64, in which the hashes of one cover may differ.

        Raises:
            UsageError: If the mirror holds no issues.
            MirrorError: If the file cannot be used.
        """
        matcher = (await self._opened()).matcher
        return await self._worker.run(matcher.match, query, Rules(hash_limit=hash_limit))

    async def similar_covers(self, cover_hash: str, distance: int = 10) -> list[SimilarCover]:
        """Return the issues with a similar cover, the most similar first, without a request.

        Args:
            cover_hash: Perceptual hash, 16 hexadecimal digits, as of
                :func:`metron_async.matching.cover_hash`.
            distance: Most bits, 0 to 64, in which the hashes may differ.

        Raises:
            UsageError: If an argument is invalid, or if the mirror holds no issues.
            MirrorError: If the file cannot be used.
        """
        matcher = (await self._opened()).matcher
        return await self._worker.run(matcher.similar_covers, cover_hash, distance)
