"""How careful to be beside other clients of the account, and after 429s.

The server warns an account at 100 429s a day, and later revokes its tokens. So 429s are a budget,
counted per UTC day by the server's own clock. Two things make the limiter careful: foreign
requests that grow while it watches, in either window, and 429s. For half an hour it sends one
request at a time and keeps some slots of the minute free for other clients, twice as many after
each 429. They sink again, one in a quarter of an hour.

Late in the budget, or after three 429s in a row, a pause doubles from a minute to hours.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metron_async.admission.commands import Settle
    from metron_async.admission.state import Account, Budget

__all__ = ["foreign_grew", "good", "kept_free", "note_date", "rejected", "shared"]

_DAY = 86_400.0
_SHARED_FOR = 1800.0  # seconds after the last sign of other clients
_LEAST = 4  # slots kept free beside other clients
_SINK = 900.0  # seconds in which one of them is used again
_WATCHED = 90.0  # seconds between two readings, within which growth is news
_BUDGET = 49  # 429s a day, after which nothing is sent
_EARLY = 40  # 429s a day, after which pauses begin
_STREAK = 3  # 429s in a row, after which pauses begin
_PAUSE = (60.0, 7200.0)
_WIDE_OPEN = 64


def shared(budget: Budget, now: float) -> bool:
    """Return whether other clients use the account."""
    return now - budget.foreign < _SHARED_FOR


def kept_free(budget: Budget, now: float) -> int:
    """Return how many slots of the minute are kept free for other clients."""
    sunk = int(max(0.0, now - budget.calm) // _SINK) if budget.keep else 0
    return max(_LEAST if shared(budget, now) else 0, budget.keep - sunk)


def note_date(budget: Budget, now: float, date: float) -> None:
    """Note the server's time, and begin a new count with each UTC day."""
    if date > 0:
        budget.offset = date - now
    day = int((now + budget.offset) // _DAY)
    if day != budget.day:
        budget.day, budget.rejected = day, 0


def foreign_grew(budget: Budget, now: float, heard: float) -> None:
    """Note that there are more foreign requests than at the last reading, at *heard*."""
    if now - heard < _WATCHED:
        keep = kept_free(budget, now)
        budget.foreign = now
        if keep < _LEAST:
            budget.keep, budget.calm = _LEAST, now


def good(budget: Budget, now: float) -> None:
    """Note a response with a reading that is not a 429."""
    budget.streak = 0
    careful = shared(budget, now) or budget.keep > 0
    budget.open = min(_WIDE_OPEN, 2 * budget.open) if careful else _WIDE_OPEN


def rejected(account: Account, end: Settle, *, by_day: bool) -> None:
    """Note a 429."""
    budget, now = account.budget, account.now
    budget.rejected += 1
    budget.open = 1
    if not by_day:
        budget.streak += 1
        keep = kept_free(budget, now)
        budget.foreign = now
        # Several requests in flight that are rejected together are one episode.
        if end.lease.sent > budget.calm:
            budget.keep = min(account.burst.limit - 1, max(_LEAST, 2 * keep))
            budget.calm = now
    doubled = max(budget.rejected - _EARLY, budget.streak - _STREAK)
    if budget.rejected >= _BUDGET:
        pause = _DAY - (now + budget.offset) % _DAY
    elif doubled >= 0:
        pause = min(_PAUSE[0] * math.pow(2, min(doubled, 10)), _PAUSE[1])
    else:
        return
    budget.paused_until = max(budget.paused_until, now + pause)
