"""What a run will cost, told before it starts. Pure."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Literal

from metron_async.quota import DEFAULT_RULES

if TYPE_CHECKING:
    from datetime import datetime

    from metron_async.quota import QuotaState

__all__ = ["DAY", "Allowance", "Plan", "forecast"]

DAY = 86_400.0
_DAY_RESERVE = DEFAULT_RULES.sustained.reserve


@dataclasses.dataclass(frozen=True, slots=True)
class Allowance:
    """What the account may send, as far as bulk work is concerned.

    Attributes:
        per_minute: Requests in any minute.
        ready: Requests that can be sent at once.
        per_day: Requests in any day.
        today: Requests that can be sent before the day's window is full.
        day_opens_in: Seconds until the day's window has a free slot again.
    """

    per_minute: int
    ready: int
    per_day: int
    today: int
    day_opens_in: float

    @classmethod
    def of(cls, quota: QuotaState) -> Allowance:
        """Read it from the state of the quota; the lane BULK leaves something to the others."""
        burst, day = quota.burst, quota.sustained
        reserve = math.ceil(day.limit * _DAY_RESERVE)
        return cls(
            per_minute=max(1, burst.limit - 1),
            ready=max(0, min(burst.remaining - 1, burst.limit // 2)),
            per_day=max(1, day.limit - reserve),
            today=max(0, day.remaining - reserve),
            day_opens_in=day.resets_in,
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What a run will cost.

    Attributes:
        name: Name of the list.
        filters: Its filters as they are sent.
        kind: ``"full"`` for a first run, ``"resume"`` for one that was broken off, ``"changes"``
            for a later one.
        rows: Rows to be fetched.
        requests: Requests that this takes, details included.
        minutes: How long it takes at today's quota, waiting for further days included.
        finishes_at: When it will be done if it is started now; aware.
        days: Quota days that it needs; above 1, the run ends with the day's quota, or waits.
        spent: Requests that making the plan took.
    """

    name: str
    filters: tuple[tuple[str, str], ...]
    kind: Literal["full", "resume", "changes"]
    rows: int
    requests: int
    minutes: float
    finishes_at: datetime
    days: int
    spent: int


def forecast(requests: int, allowance: Allowance) -> tuple[float, int]:
    """Return the seconds that so many requests take, and the days they are spread over.

    Args:
        requests: Requests to be sent.
        allowance: What may be sent.
    """
    if requests <= allowance.today or requests <= 0:
        return _minutes(requests - allowance.ready, allowance), 1
    rest = requests - allowance.today
    full_days, last_day = divmod(rest - 1, allowance.per_day)
    # What is sent today comes back a day later; if nothing can be, what was sent before does.
    begins = DAY if allowance.today else allowance.day_opens_in
    days = full_days + (2 if allowance.today else 1)
    return begins + full_days * DAY + _minutes(last_day + 1, allowance), days


def _minutes(requests: int, allowance: Allowance) -> float:
    return max(0, requests) / allowance.per_minute * 60.0
