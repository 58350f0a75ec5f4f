"""What a caller learns of a wait, and the error that ends it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import msgspec

from metron_async.admission.commands import Cause
from metron_async.admission.state import SUSTAINED
from metron_async.errors import BlockedError, RateLimitError

if TYPE_CHECKING:
    from metron_async.admission.commands import Refusal
    from metron_async.admission.state import Scope
    from metron_async.errors import MetronError

__all__ = ["Wait", "allowed_wait", "spoken", "wait_error"]

_UNKNOWN = 1.0  # seconds to wait where only responses are waited for


class Wait(msgspec.Struct, frozen=True):
    """A wait that lies ahead.

    Attributes:
        seconds: Lower bound of the wait; 0 if only requests in flight are in the way.
        reason: ``"quota"``; ``"guard"`` where a firewall ban is to be avoided; or ``"retry"``
            before another attempt.
        scope: The quota's window that causes the wait, or ``None``.
        limit: Requests that the window allows, or ``None``.
        detail: The cause in words.
        final: Whether the request is refused, however long its caller is willing to wait.
        denied: Whether that is because the server denied access before.
    """

    seconds: float
    reason: Literal["quota", "guard", "retry"]
    scope: Scope | None
    limit: int | None
    detail: str
    final: bool = False
    denied: bool = False

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
            refusal.denied,
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
    again = f"Retry in {spoken(seconds)}" + ("" if wait.final else ", or pass a longer max_wait")
    if wait.reason == "guard":
        message = f"Request blocked locally to avoid a firewall ban: {wait.detail}. {again}"
        return BlockedError(
            message, reason=wait.detail, retry_after=seconds, denied=wait.denied, path=path
        )
    message = f"Request not sent: {wait.detail}. {again}"
    scope: Scope = wait.scope or "burst"
    return RateLimitError(message, scope=scope, retry_after=seconds, limit=wait.limit, path=path)


def spoken(seconds: float) -> str:
    """Return a duration in words, rounded up: ``"2.5 s"``, ``"3 h 12 min"``."""
    if seconds < 90:  # noqa: PLR2004
        return f"{math.ceil(seconds * 10) / 10:g} s"
    hours, minutes = divmod(math.ceil(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
