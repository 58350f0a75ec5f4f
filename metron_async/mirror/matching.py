"""Matching in a mirror: the part of :class:`~metron_async.mirror.Mirror` that finds issues."""

from __future__ import annotations

import abc
import asyncio
import concurrent.futures
import contextlib
import functools
import sqlite3
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from metron_async.matching.decide import Rules
from metron_async.matching.local import LocalMatcher
from metron_async.mirror.errors import mirror_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from metron_async.matching.decide import Match
    from metron_async.matching.local import SimilarCover
    from metron_async.matching.query import IssueQuery

__all__ = ["Matching"]

P = ParamSpec("P")
T = TypeVar("T")

_BUSY_TIMEOUT = 30.0


class Matching(abc.ABC):
    """Finds issues in a mirror's file without a request.

    It reads the file through a connection and in a thread of its own, so that a run that stores
    pages does not delay it, and the event loop continues.
    """

    _path: Path
    _matcher: _MatcherThread | None = None

    @abc.abstractmethod
    async def _opened(self) -> object:
        """Open the file, and refuse one that is not a mirror."""

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
        rules = Rules(hash_limit=hash_limit)
        return await (await self._matching()).run(LocalMatcher.match, query, rules)

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
        return await (await self._matching()).run(LocalMatcher.similar_covers, cover_hash, distance)

    async def _matching(self) -> _MatcherThread:
        await self._opened()
        if self._matcher is None:
            self._matcher = _MatcherThread(self._path)
        return self._matcher

    async def _close_matching(self) -> None:
        matcher, self._matcher = self._matcher, None
        if matcher is not None:
            await matcher.aclose()


class _MatcherThread:
    """Runs methods of a :class:`LocalMatcher`, one after another, in one thread.

    The loop's threads are few: matches that waited in them for each other would hold up others.

    Args:
        path: The mirror's file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._executor = concurrent.futures.ThreadPoolExecutor(1, "metron-matching")
        self._opened: tuple[sqlite3.Connection, LocalMatcher] | None = None

    async def run(
        self, method: Callable[Concatenate[LocalMatcher, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run *method* in the thread, and return its result.

        Raises:
            MirrorBusyError: If another process holds the file for too long.
            MirrorFileError: If the file cannot be read or written.
        """
        call = functools.partial(self._call, functools.partial(method, **kwargs), *args)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, call)
        except sqlite3.Error as error:
            raise mirror_error(self._path, error) from error

    def _call(self, method: Callable[..., T], *args: object) -> T:
        if self._opened is None:
            db = sqlite3.connect(self._path, timeout=_BUSY_TIMEOUT, isolation_level=None)
            self._opened = db, LocalMatcher(db)
        return method(self._opened[1], *args)

    async def aclose(self) -> None:
        """Close the connection, and end the thread."""
        with contextlib.suppress(sqlite3.Error):
            await asyncio.get_running_loop().run_in_executor(self._executor, self._close)
        self._executor.shutdown(wait=False)

    def _close(self) -> None:
        if self._opened is not None:
            self._opened[0].close()
