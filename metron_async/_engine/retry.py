"""When to try again, and after how long: pure functions of plain values.

Each try costs a slot of the quota, so few are made. Reads are tried again after a broken
connection, a 5xx, or a 429; anything else would fail the same way once more. A write is tried
again only when it certainly had no effect: nothing was sent, or the throttle rejected it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metron_async.errors import DecodeError, RateLimitError, ServerError, TransportError

if TYPE_CHECKING:
    from metron_async.errors import MetronError

__all__ = ["backoff", "is_outcome_unknown", "may_retry"]

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
_RETRIED = frozenset({500, 502, 503, 504})


def may_retry(error: MetronError, *, is_read: bool) -> bool:
    """Tell whether the request that ended in *error* may be sent again.

    Args:
        error: What the last try ended in.
        is_read: Whether the request changes nothing.
    """
    if isinstance(error, RateLimitError):
        return True
    if isinstance(error, TransportError):
        return is_read or not error.outcome_unknown
    return is_read and isinstance(error, ServerError) and error.status in _RETRIED


def is_outcome_unknown(error: MetronError) -> bool:
    """Tell whether a write that ended in *error* may have been carried out all the same.

    A server that fails (5xx) may have failed after it had written, or its proxy may have lost
    patience with it; an answer that cannot be read may have told of a success.
    """
    if isinstance(error, TransportError):
        return error.outcome_unknown
    return isinstance(error, ServerError | DecodeError)


def backoff(attempt: int, error: MetronError, jitter: float) -> float:
    """Return the seconds to pause before the next try.

    Args:
        attempt: Tries made so far, from 1.
        error: What the last one ended in.
        jitter: Random number from 0 to 1, so that clients do not come back all at once.
    """
    if isinstance(error, RateLimitError):
        return 0.0  # the limiter was told, and holds the next try back for exactly long enough
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(attempt - 1, 10))
    return pause * (0.5 + jitter / 2)
