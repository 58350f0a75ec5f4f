"""Forecast of what a run will cost. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import msgspec

from metron_async.admission import DEFAULT_RULES

if TYPE_CHECKING:
    from datetime import datetime

    from metron_async.admission import QuotaState

__all__ = ["DAY", "Allowance", "Plan", "forecast"]

DAY = 86_400.0
_DAY_RESERVE = DEFAULT_RULES.sustained.reserve


class Allowance(msgspec.Struct, frozen=True):
    """Requests that a run may send."""

    per_minute: int
    """Requests in any minute."""
    ready: int
    """Requests that can be sent at once."""
    per_day: int
    """Requests in any day."""
    today: int
    """Requests until the day's window is full."""
    day_opens_in: float
    """Seconds until the day's window has a free slot again."""

    @classmethod
    def of(cls, quota: QuotaState) -> Allowance:
        """Return what the quota allows at priority ``BULK``; others are slightly faster."""
        burst, day = quota.burst, quota.sustained
        reserve = math.ceil(day.limit * _DAY_RESERVE)
        return cls(
            per_minute=max(1, burst.limit - 1),
            ready=burst.remaining,  # a job that begins takes all
            per_day=max(1, day.limit - reserve),
            today=max(0, day.remaining - reserve),
            day_opens_in=day.resets_in,
        )


class Plan(msgspec.Struct, frozen=True):
    """Forecast of a run."""

    name: str
    """Name of the list."""
    filters: tuple[tuple[str, str], ...]
    """Filters as they are sent."""
    kind: Literal["full", "resume", "changes"]
    """``"full"`` for a first run, ``"resume"`` for an interrupted one, ``"changes"`` for a later
    one."""
    rows: int
    """Rows to be fetched."""
    requests: int
    """Requests that this takes, complete objects included."""
    minutes: float
    """Duration in minutes at today's quota, including the wait for further days."""
    finishes_at: datetime
    """When the run ends if it begins now; aware."""
    days: int
    """Quota days that it needs. Above 1, the run ends with the day's quota, or waits."""
    spent: int
    """Requests that the plan itself took."""


def forecast(requests: int, allowance: Allowance) -> tuple[float, int]:
    """Return the seconds that *requests* take, and the number of days they are spread over.

    Args:
        requests: Requests to be sent.
        allowance: Requests that may be sent.
    """
    if requests <= allowance.today or requests <= 0:
        return _minutes(requests - allowance.ready, allowance), 1
    rest = requests - allowance.today
    full_days, last_day = divmod(rest - 1, allowance.per_day)
    # Slots of today are free again a day later. If there are none, earlier ones become free sooner.
    begins = DAY if allowance.today else allowance.day_opens_in
    days = full_days + (2 if allowance.today else 1)
    return begins + full_days * DAY + _minutes(last_day + 1, allowance), days


def _minutes(requests: int, allowance: Allowance) -> float:
    return max(0, requests) / allowance.per_minute * 60.0
