"""What both bots know about comics, and nothing about the services that they speak to.

The bots turn a command into a call of :class:`Desk`, and its answer into a message. So all that
costs requests is here, and is tested without Discord and Telegram.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import math
import re
import unicodedata
from typing import TYPE_CHECKING

from metron_async import MetronError, MetronView, Priority, RateLimitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metron_async.models import IssueSummary, PullListIssue, SeriesSummary

ROWS_A_PAGE = 100  # of the API's lists
PATIENCE = 20.0
"""Seconds that somebody in a chat is kept waiting for a place in the queue."""

KEEP_WEEK = 600.0
"""Seconds for which the week's comics are not asked for again."""


@dataclasses.dataclass(frozen=True, slots=True)
class Card:
    """One issue of a series, to be shown.

    Attributes:
        series_id: The series.
        title: Series, year and number.
        text: When it came out.
        cover: URL of the cover, or ``None``.
        position: Place in the series, from 1.
        total: Issues in the series.
    """

    series_id: int
    title: str
    text: str
    cover: str | None
    position: int
    total: int


@dataclasses.dataclass(frozen=True, slots=True)
class Week:
    """What the account's pull list brings in one week.

    Attributes:
        monday: First day.
        issues: The issues, by day and name.
    """

    monday: dt.date
    issues: tuple[PullListIssue, ...]

    @property
    def title(self) -> str:
        """The week's name."""
        return f"Comics of the week from {self.monday:%d %B %Y}"

    @property
    def lines(self) -> list[str]:
        """One line for each issue."""
        if not self.issues:
            return ["Nothing on the pull list comes out this week."]
        return [f"{issue.store_date:%a} {issue.issue_name}" for issue in self.issues]


def plain(text: str) -> str:
    """Return *text* without capitals and accents, to compare it."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())


def best_match(words: str, rows: Sequence[SeriesSummary]) -> SeriesSummary | None:
    """Return the series that is meant most likely, or ``None`` if there is none.

    The server sorts by name, and "wolf" is in "Lost Wolf" too. One that is called just so comes
    first, then one that begins so; of several the newest.
    """
    wanted = plain(words)

    def rank(row: SeriesSummary) -> tuple[bool, bool, int]:
        name = plain(row.display_name)
        bare = re.sub(r" \(\d{4}\).*$", "", name)
        return wanted in {bare, name}, name.startswith(wanted), row.year_began

    return max(rows, key=rank, default=None)


def apology(error: MetronError) -> str:
    """Return a message for the user that explains why the call failed."""
    if isinstance(error, RateLimitError):
        return (
            f"Too many questions at once. Ask me again in {max(1, math.ceil(error.retry_after))} s."
        )
    if error.retryable:
        return "Metron does not answer. Ask me again later."
    return "That did not work, and asking again will not help. I have told my keeper."


class Desk:
    """Answers questions about comics, in few requests.

    Args:
        metron: The client.
    """

    def __init__(self, metron: MetronView) -> None:
        # A user waits: before all other priorities, but for a bounded time. Turning pages reads
        # the list that was fetched for the first one, for a quarter of an hour.
        self._asked = metron.with_options(
            priority=Priority.INTERACTIVE, max_wait=PATIENCE, timeout=PATIENCE + 10, fresh_for=900
        )
        self._unasked = metron.with_options(priority=Priority.BULK)
        # What belongs to an account is not in the client's cache, but here many ask for the same.
        self._weeks: dict[dt.date, tuple[float, Week]] = {}

    async def find(self, words: str) -> SeriesSummary | None:
        """Return the series that is meant by *words*, or ``None``; one request at most."""
        page = await self._asked.series.iter(name=words).page(1)
        return best_match(words, page.rows)

    async def card(self, series_id: int, position: int = 1) -> Card | None:
        """Return the issue at *position* of a series, from 1, or ``None`` if it has none.

        One request at most for a hundred issues. A position past either end means the other end,
        as when a card is turned over.
        """
        issues = self._asked.issues.iter(series_id=series_id)
        first = await issues.page(1)
        if not first.count:
            return None
        index = (position - 1) % first.count
        number, place = divmod(index, ROWS_A_PAGE)
        rows = (first if number == 0 else await issues.page(number + 1)).rows
        row = rows[min(place, len(rows) - 1)]  # a row given twice by the server is left out
        return Card(series_id, row.issue_name, _dates(row), row.image, index + 1, total=first.count)

    async def week(self, day: dt.date, *, asked: bool = True) -> Week:
        """Return what the account's pull list brings in the week of *day*.

        Args:
            day: Any day of the week.
            asked: Whether somebody waits for it, who takes what is ten minutes old too; else it
                is fetched again, without a hurry.
        """
        monday = day - dt.timedelta(days=day.weekday())
        now = asyncio.get_running_loop().time()
        self._weeks = {key: kept for key, kept in self._weeks.items() if kept[0] > now}
        if asked and monday in self._weeks:
            return self._weeks[monday][1]
        metron = self._asked if asked else self._unasked
        issues = await metron.pull_list.issues(
            store_date_after=monday, store_date_before=monday + dt.timedelta(days=6)
        ).collect()
        issues.sort(key=lambda issue: (issue.store_date or monday, issue.issue_name))
        week = Week(monday, tuple(issues))
        self._weeks[monday] = (now + KEEP_WEEK, week)
        return week


def _dates(row: IssueSummary) -> str:
    cover = f"Cover date {row.cover_date:%B %Y}"
    return f"{cover}, on sale {row.store_date:%d %B %Y}" if row.store_date else cover
