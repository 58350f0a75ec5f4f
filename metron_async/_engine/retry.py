"""Whether to retry, and after how long: pure functions of plain values.

Each attempt costs a slot of the quota, so few are made. Reads are retried after a broken
connection, a 408, 425, 429 or 5xx; anything else would fail the same way again. A write is
retried only when it certainly had no effect: nothing was sent, or the throttle rejected it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metron_async.errors import (
    DecodeError,
    InterceptedError,
    RateLimitError,
    ServerError,
    TransportError,
)

if TYPE_CHECKING:
    from metron_async.errors import MetronError

__all__ = ["backoff", "is_outcome_unknown", "may_retry"]

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})


def may_retry(error: MetronError, *, is_read: bool) -> bool:
    """Return whether the request that ended in *error* may be sent again.

    Args:
        error: What the last attempt ended in.
        is_read: Whether the request changes nothing.
    """
    if isinstance(error, RateLimitError):
        return True
    if isinstance(error, TransportError):
        return error.retryable and (is_read or not error.outcome_unknown)
    return is_read and error.retryable and error.status in _RETRIED


def is_outcome_unknown(error: MetronError) -> bool:
    """Return whether a write that ended in *error* may have been carried out.

    A server that fails (5xx) may have failed after it had written, or its proxy may have timed
    out; a response that cannot be read may have been a success.
    """
    if isinstance(error, TransportError):
        return error.outcome_unknown
    if isinstance(error, InterceptedError) and 400 <= (error.status or 0) < 500:  # noqa: PLR2004
        return False  # refused in front of the server
    return isinstance(error, ServerError | DecodeError)


def backoff(attempt: int, error: MetronError, jitter: float) -> float:
    """Return the seconds to pause before the next attempt.

    Args:
        attempt: Attempts made so far, from 1.
        error: What the last one ended in.
        jitter: Random number from 0 to 1, so that clients do not come back all at once.
    """
    if isinstance(error, RateLimitError):
        return 0.0  # the limiter holds the next attempt back for exactly long enough
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(attempt - 1, 10))
    return pause * (0.5 + jitter / 2)
