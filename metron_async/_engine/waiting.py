"""How long a caller stays in a wait, and what it is told when it leaves: pure functions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from metron_async.errors import BlockedError, RateLimitError

if TYPE_CHECKING:
    from metron_async.errors import MetronError
    from metron_async.types import CallOptions, Wait

__all__ = ["patience_for", "refusal_of", "spoken"]

_LOOK = 0.5  # seconds that the guard may look into its file, also for who does not want to wait


def patience_for(wait: Wait, options: CallOptions, spent: float) -> float:
    """Return the seconds that a rider is willing to stay in *wait*."""
    if options.max_wait is not None:
        least = _LOOK if wait.reason == "guard" else 0.0
        return max(least, options.max_wait - spent)
    return 0.0 if wait.scope == "sustained" else math.inf


def refusal_of(wait: Wait, left: float) -> MetronError:
    """Return the error for a rider that does not stay for the seconds *left* of *wait*."""
    if wait.reason == "guard":
        msg = "Not sent: the ban guard spaces such calls, and max_wait is over"
        return BlockedError(msg, reason="spaced", retry_after=left, path=wait.path)
    scope = wait.scope or "burst"
    which = "The day's quota is spent" if scope == "sustained" else "The quota is used up for now"
    return RateLimitError(
        f"{which}; the call could be made in {spoken(left)} at the earliest",
        scope=scope,
        retry_after=left,
        limit=wait.limit,
        path=wait.path,
    )


def spoken(seconds: float) -> str:
    """Return a span of time as one says it, rounded up: ``"2.5 s"``, ``"3 h 12 min"``."""
    if seconds < 90:  # noqa: PLR2004
        return f"{math.ceil(seconds * 10) / 10:g} s"
    hours, minutes = divmod(math.ceil(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
