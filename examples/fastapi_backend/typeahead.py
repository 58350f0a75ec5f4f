"""Suggestions while a user types, for a few requests a minute.

A Metron account has twenty requests a minute, and one user types five letters a second. Three rules
keep the requests few:

* The client sends one request for concurrent calls that need the same response, and caches it.
* A name that contains "wolf" also contains "wol". If the result for "wol" fits on one page, the
  longer words are found in it without a request.
* While the request for "wol" is in flight, "wolf" waits for it first. A user who types faster than
  the server responds costs one request instead of two.

The browser cancels its request for "wol" when the next letter is typed. The request continues, as
long as any other caller waits for it.
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
"""Letters that a request needs. Shorter words are in too many names."""


def tidied(typed: str) -> str:
    """Return *typed* in one form, without differences of case and spaces."""
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
    """Result of one query.

    Attributes:
        rows: The first page of series.
        complete: Whether there are no other pages.
        until: When it expires, in seconds of the event loop's clock.
    """

    rows: tuple[SeriesSummary, ...]
    complete: bool
    until: float


class Typeahead:
    """Suggests series while a user types.

    Args:
        metron: A view of the client for interactive calls.
        keep: Seconds for which a result is used.
        most: Maximum number of results in memory.
    """

    def __init__(self, metron: MetronView, *, keep: float = 600.0, most: int = 1000) -> None:
        # The client does not cache empty lists, but they are the most useful ones here: if no name
        # contains "xqz", no longer word needs a request.
        self._metron = metron.with_options(fresh_for=keep)
        self._keep = keep
        self._most = most
        self._known: collections.OrderedDict[str, Found] = collections.OrderedDict()
        self._asking: collections.Counter[str] = collections.Counter()

    async def suggest(self, typed: str, limit: int = 10) -> list[SeriesSummary]:
        """Return up to *limit* series for the letters typed so far.

        Raises:
            MetronError: If a request was needed and failed.
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
        """Return the longest beginning of *query* that is known or in flight, or *query*."""
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
