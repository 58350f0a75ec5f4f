"""What a caller learns of a wait and of the quota, and the error that ends a wait."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from metron_async.admission.commands import Cause
from metron_async.admission.state import SUSTAINED
from metron_async.errors import BlockedError, RateLimitError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metron_async.admission.commands import Refusal, Reply, WindowStatus
    from metron_async.admission.state import Scope
    from metron_async.errors import MetronError
    from metron_async.types import Priority

__all__ = ["QuotaState", "Wait", "WindowState", "allowed_wait", "spoken", "wait_error"]

_UNKNOWN = 1.0  # seconds to wait where only responses are waited for


@dataclass(frozen=True, slots=True)
class Wait:
    """A wait that lies ahead.

    Attributes:
        seconds: Lower bound of the wait; 0 if only requests in flight are in the way.
        reason: ``"quota"``, or ``"guard"`` where a firewall ban is to be avoided.
        scope: The quota's window that causes the wait, or ``None``.
        limit: Requests that the window allows, or ``None``.
        detail: The cause in words.
        final: Whether the request is refused, however long its caller is willing to wait.
    """

    seconds: float
    reason: Literal["quota", "guard"]
    scope: Scope | None
    limit: int | None
    detail: str
    final: bool = False

    @classmethod
    def of(cls, refusal: Refusal, seconds: float) -> Wait:
        """Return the wait of *seconds* because of *refusal*."""
        cause, quota = refusal.cause, not refusal.cause.guard
        window = "day's" if refusal.scope == SUSTAINED else "minute's"
        return cls(
            seconds,
            "quota" if quota else "guard",
            refusal.scope if quota else None,
            refusal.limit if quota and cause is Cause.WINDOW else None,
            cause.value.format(window=window, what=refusal.what),
            cause.final,
        )


def allowed_wait(wait: Wait, max_wait: float | None) -> float:
    """Return the seconds for which a caller stays in *wait*.

    Args:
        wait: The wait.
        max_wait: Seconds that the caller has left; ``None`` to wait out the minute's window but
            never the day's.
    """
    if wait.final:
        return 0.0
    if max_wait is not None:
        return max(0.0, max_wait)
    return 0.0 if wait.scope == SUSTAINED and wait.seconds > 0 else math.inf


def wait_error(wait: Wait, left: float | None = None, path: str | None = None) -> MetronError:
    """Return the error of a caller that does not stay in *wait*.

    Args:
        wait: The wait.
        left: Seconds of it that are left; by default all of them.
        path: Path of the request.
    """
    seconds = wait.seconds if left is None else left
    seconds = seconds if seconds > 0 else _UNKNOWN
    again = f"Retry in {spoken(seconds)}"
    if wait.reason == "guard":
        message = f"Request blocked locally to avoid a firewall ban: {wait.detail}. {again}"
        return BlockedError(message, reason=wait.detail, retry_after=seconds, path=path)
    message = f"Request not sent: {wait.detail}. {again}"
    scope: Scope = wait.scope or "burst"
    return RateLimitError(message, scope=scope, retry_after=seconds, limit=wait.limit, path=path)


def spoken(seconds: float) -> str:
    """Return a duration in words, rounded up: ``"2.5 s"``, ``"3 h 12 min"``."""
    if seconds < 90:  # noqa: PLR2004
        return f"{math.ceil(seconds * 10) / 10:g} s"
    hours, minutes = divmod(math.ceil(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


@dataclass(frozen=True, slots=True)
class WindowState:
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


@dataclass(frozen=True, slots=True)
class QuotaState:
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
