"""What the limiter tells its users: how long a wait will be, and how the account stands."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from metron_async.errors import RateLimitError
from metron_async.quota.state import BURST, SUSTAINED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metron_async.quota.state import Reply, Scope, WindowStatus
    from metron_async.types import Priority

__all__ = ["Estimate", "QuotaState", "WindowState", "check_wait"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """The wait for a slot.

    Attributes:
        seconds: Lower bound of the wait; 0 if only answers are waited for, or nothing.
        scope: The window that causes the wait, or ``None``.
        limit: Requests that this window allows.
    """

    seconds: float
    scope: Scope | None
    limit: int

    @classmethod
    def of(cls, reply: Reply) -> Estimate:
        """Read the wait out of a store's reply."""
        limit = reply.limits[1] if reply.scope == SUSTAINED else reply.limits[0]
        return cls(max(0.0, reply.wait), reply.scope, limit)


@dataclass(frozen=True, slots=True)
class WindowState:
    """One window, as far as is known.

    Attributes:
        limit: Requests the window allows.
        remaining: Requests that can still be sent now, those in flight already taken off.
        resets_in: Seconds until the next slot becomes free; 0 if none is used.
        resets_at: The same as a time of day, by this machine's clock.
    """

    limit: int
    remaining: int
    resets_in: float
    resets_at: datetime

    @classmethod
    def of(cls, status: WindowStatus) -> WindowState:
        """Read one window out of a store's reply."""
        return cls(
            status.limit,
            max(0, status.limit - status.used),
            status.resets_in,
            datetime.now(UTC) + timedelta(seconds=status.resets_in),
        )


@dataclass(frozen=True, slots=True)
class QuotaState:
    """The account's quota: both windows, what is in flight, and who waits.

    Attributes:
        burst: The minute's window.
        sustained: The day's window.
        in_flight: Requests of the account in flight, of all processes.
        waiting: Requests of this client that wait, by lane.
        wait: Lower bound in seconds of the wait of a request made now.
    """

    burst: WindowState
    sustained: WindowState
    in_flight: int
    waiting: Mapping[Priority, int]
    wait: float


def check_wait(estimate: Estimate, max_wait: float | None, *, overdue: bool = False) -> None:
    """Refuse a wait that is longer than the caller wants.

    Args:
        estimate: The wait that lies ahead.
        max_wait: Seconds that remain; ``None`` to wait out the minute's window but never the
            day's, ``math.inf`` to wait for anything.
        overdue: Whether the caller has waited to the end of its patience already.

    Raises:
        RateLimitError: If the wait is too long.
    """
    if max_wait is None:
        too_long = estimate.scope == SUSTAINED and estimate.seconds > 0
    else:
        too_long = estimate.seconds > max_wait
    if not too_long and not overdue:
        return
    scope = estimate.scope or BURST
    window = "day's" if scope == SUSTAINED else "minute's"
    msg = f"the {window} quota is used up; the next slot is free in {math.ceil(estimate.seconds)} s"
    raise RateLimitError(msg, scope=scope, retry_after=estimate.seconds, limit=estimate.limit)
