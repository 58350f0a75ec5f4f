"""How long a caller stays in a wait, and the error when it leaves: pure functions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from metron_async.errors import BlockedError, RateLimitError

if TYPE_CHECKING:
    from metron_async.errors import RetryLaterError
    from metron_async.types import CallOptions, Wait

__all__ = ["allowed_wait", "spoken", "wait_error"]

_LOOK = 0.5  # seconds that the guard may take to read its file, whatever max_wait is
_SOON = 1.0  # seconds until the guard can be asked again, where it is not known any better


def allowed_wait(wait: Wait, options: CallOptions, spent: float) -> float:
    """Return the seconds for which a caller stays in *wait*, having *spent* some already."""
    if options.max_wait is not None:
        least = _LOOK if wait.reason == "guard" else 0.0
        return max(least, options.max_wait - spent)
    return 0.0 if wait.scope == "sustained" else math.inf


def wait_error(wait: Wait, left: float) -> RetryLaterError:
    """Return the error for a caller that does not stay for the seconds *left* of *wait*."""
    if wait.reason == "guard":
        return BlockedError(
            "Request not sent: calls that may be 404s are spaced to avoid a firewall ban, and the"
            " wait is longer than max_wait. Pass a longer max_wait",
            reason="spaced",
            retry_after=max(_SOON, left),
            path=wait.path,
        )
    scope = wait.scope or "burst"
    window = "The day's quota is used up" if scope == "sustained" else "The quota is used up"
    return RateLimitError(
        f"{window}, and the wait is longer than max_wait allows. Retry in {spoken(left)}",
        scope=scope,
        retry_after=left,
        limit=wait.limit,
        path=wait.path,
    )


def spoken(seconds: float) -> str:
    """Return a span of time in words, rounded up: ``"2.5 s"``, ``"3 h 12 min"``."""
    if seconds < 90:  # noqa: PLR2004
        return f"{math.ceil(seconds * 10) / 10:g} s"
    hours, minutes = divmod(math.ceil(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
