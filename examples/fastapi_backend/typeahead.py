"""Suggestions while somebody types, for a handful of requests a minute.

A Metron account has twenty requests a minute, and one person types five letters a second. Three
things keep the two apart:

* The client asks once for callers who ask for the same thing at the same time, and keeps answers.
* What begins with "wol" is among what contains "wol". So when the answer for a beginning is
  known, and was short enough to be complete, the longer words are found in it without asking.
* When the answer for a beginning is still in flight, it is awaited before anything else is asked.
  A user who types "wolf" faster than the server responds costs one request instead of two.

The browser that asked for "wol" is gone by then: it gave up when the next letter came. That does
not matter, as any caller that waits for a request keeps it alive.
"""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from metron_async import MetronView
    from metron_async.models import SeriesSummary

SHORTEST = 3
"""Letters from which on the server is asked: shorter words are in everything."""


def tidied(typed: str) -> str:
    """Return what was typed as it is asked for: people differ in capitals and spaces."""
    return " ".join(typed.lower().split())


def plain(text: str) -> str:
    """Return *text* without capitals and accents, to compare it."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def matching(rows: Iterable[SeriesSummary], query: str) -> list[SeriesSummary]:
    """Return the series that contain every word of *query*, those that begin with it first."""
    wanted = plain(query)
    words = wanted.split()
    found = [
        (name, row)
        for row in rows
        if (name := plain(row.display_name)) and all(word in name for word in words)
    ]
    found.sort(key=lambda pair: not pair[0].startswith(wanted))  # stable: else the server's order
    return [row for _, row in found]


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """What the server answered for one query.

    Attributes:
        rows: The first page of series.
        complete: Whether there are no others.
        until: When it is too old, in seconds of the event loop's clock.
    """

    rows: tuple[SeriesSummary, ...]
    complete: bool
    until: float


class Typeahead:
    """Suggests series while somebody types.

    Args:
        metron: A view of the client for interactive calls.
        keep: Seconds for which an answer will do.
        most: Answers kept at once.
    """

    def __init__(self, metron: MetronView, *, keep: float = 600.0, most: int = 1000) -> None:
        # Empty answers are not cached by the client, but they are the most useful ones here: when
        # nothing contains "xqz", nothing that begins with it needs to be asked for.
        self._metron = metron.with_options(fresh_for=keep)
        self._keep = keep
        self._most = most
        self._known: collections.OrderedDict[str, Found] = collections.OrderedDict()
        self._asking: collections.Counter[str] = collections.Counter()

    async def suggest(self, typed: str, limit: int = 10) -> list[SeriesSummary]:
        """Return up to *limit* series for what was typed so far.

        Raises:
            MetronError: If the server had to be asked, and gave no answer.
        """
        query = tidied(typed)
        if len(query) < SHORTEST:
            return []
        beginning = self._beginning(query)
        found = await self._ask(beginning)
        if beginning != query and not found.complete:
            found = await self._ask(query)
        return matching(found.rows, query)[:limit]

    def _beginning(self, query: str) -> str:
        """Return the longest beginning of *query* worth looking at first, or all of it."""
        now = asyncio.get_running_loop().time()
        for length in range(len(query), SHORTEST - 1, -1):
            part = query[:length].rstrip()
            known = self._known.get(part)
            if part in self._asking or (known and known.complete and known.until > now):
                return part
        return query

    async def _ask(self, query: str) -> Found:
        clock = asyncio.get_running_loop().time
        known = self._known.get(query)
        if known is not None and known.until > clock():
            return known
        self._asking[query] += 1
        try:
            page = await self._metron.series.iter(name=query).page(1)
        finally:
            self._asking[query] -= 1
            if not self._asking[query]:
                del self._asking[query]
        found = Found(tuple(page.rows), not page.has_next, clock() + self._keep)
        self._known[query] = found
        self._known.move_to_end(query)
        while len(self._known) > self._most:
            self._known.popitem(last=False)
        return found
