"""The account's quota as a user sees it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metron_async.admission.commands import Reply, WindowStatus
    from metron_async.types import Priority

__all__ = ["QuotaState", "WindowState"]


class WindowState(msgspec.Struct, frozen=True):
    """One window of the quota.

    Attributes:
        limit: Requests the window allows.
        remaining: Requests that can still be sent now. Those in flight are taken off.
        resets_in: Seconds until the next slot becomes free; 0 if none is used.
        resets_at: The same as a datetime, by this machine's clock.
        known: Whether the server gave the limit, or it is a first guess.
    """

    limit: int
    remaining: int
    resets_in: float
    resets_at: datetime
    known: bool

    @classmethod
    def of(cls, status: WindowStatus) -> WindowState:
        """Return one window of a storage's reply."""
        return cls(
            status.limit,
            max(0, status.limit - status.used),
            status.resets_in,
            datetime.now(UTC) + timedelta(seconds=status.resets_in),
            status.known,
        )


class QuotaState(msgspec.Struct, frozen=True):
    """The account's quota: both windows, requests in flight, and requests that wait.

    Attributes:
        burst: The minute's window.
        sustained: The day's window.
        in_flight: Requests of the account in flight, of all processes.
        waiting: Requests of this client that wait, by priority.
        wait: Lower bound in seconds of the wait of a request made now.
        rejected: 429s of this UTC day, of all processes that share the storage.
    """

    burst: WindowState
    sustained: WindowState
    in_flight: int
    waiting: Mapping[Priority, int]
    wait: float
    rejected: int

    @classmethod
    def of(cls, reply: Reply, waiting: Mapping[Priority, int]) -> QuotaState:
        """Return the quota in a storage's reply."""
        burst, sustained = (WindowState.of(window) for window in reply.windows)
        return cls(burst, sustained, reply.in_flight, waiting, reply.wait, reply.rejected)
