"""Queries of both bots, independent of Discord and Telegram.

The bots turn a command into a call of :class:`Desk`, and its result into a message. So everything
that costs requests is here, and is tested without either service.
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
"""Seconds for which a user in a chat waits for a place in the queue."""

KEEP_WEEK = 600.0
"""Seconds for which the week's comics are not requested again."""


@dataclasses.dataclass(frozen=True, slots=True)
class Card:
    """One issue of a series, ready to be shown.

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
    """Issues on the account's pull list in one week.

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
    """Return the most likely series, or ``None`` if there are no rows.

    The server sorts by name, and "wolf" is in "Lost Wolf" too. A series with exactly this name
    comes first, then one that begins with it. Among several the newest comes first.
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
        return f"Too many requests. Try again in {max(1, math.ceil(error.retry_after))} s."
    if error.retryable:
        return "Metron does not respond. Try again later."
    return "The request failed, and trying again will not help."


class Desk:
    """Queries about comics, for few requests.

    Args:
        metron: The client.
    """

    def __init__(self, metron: MetronView) -> None:
        # A user waits: the highest priority, for a limited time. Turning pages reads the list that
        # was fetched for the first page, for a quarter of an hour.
        self._asked = metron.with_options(
            priority=Priority.INTERACTIVE, max_wait=PATIENCE, timeout=PATIENCE + 10, fresh_for=900
        )
        self._unasked = metron.with_options(priority=Priority.BULK)
        # The client does not cache private lists, but here many users request the same one.
        self._weeks: dict[dt.date, tuple[float, Week]] = {}

    async def find(self, words: str) -> SeriesSummary | None:
        """Return the most likely series for *words*, or ``None``, for one request at most."""
        page = await self._asked.series.iter(name=words).page(1)
        return best_match(words, page.rows)

    async def card(self, series_id: int, position: int = 1) -> Card | None:
        """Return the issue at *position* of a series, from 1, or ``None`` if it has none.

        It costs one request at most for a hundred issues. A position past either end continues at
        the other end.
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
        """Return the issues on the account's pull list in the week of *day*.

        Args:
            day: Any day of the week.
            asked: Whether a user waits, so that a result up to ten minutes old is returned. If
                not, the list is requested again, with the lowest priority.
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
