"""The error of a caller that a refusal turns away."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING

from metron_async.admission.commands import Cause
from metron_async.errors import BlockedError, RateLimitError

if TYPE_CHECKING:
    from metron_async.admission.commands import Refusal
    from metron_async.errors import MetronError

__all__ = ["copy_of", "spoken", "wait_error"]

_UNKNOWN = 1.0  # seconds to wait where only responses are waited for
_MOMENT = 0.001  # seconds: sums of times are rounded, and sleeping for this must be enough


def wait_error(refusal: Refusal, left: float | None = None) -> MetronError:
    """Return the error of a caller that does not stay in the wait of *refusal*.

    Args:
        refusal: Why the request is not sent.
        left: Seconds of the wait that are left; by default all of them.
    """
    cause, detail = refusal.cause, refusal.detail
    seconds = refusal.wait if left is None else left
    seconds = seconds if seconds > 0 else _UNKNOWN
    after = seconds + _MOMENT
    again = f"Retry in {spoken(seconds)}" + ("" if cause.final else ", or pass a longer max_wait")
    if cause.guard:
        message = f"Request blocked locally to avoid a firewall ban: {detail}. {again}"
        return BlockedError(message, reason=detail, retry_after=after, denied=refusal.denied)
    message, limit = f"Request not sent: {detail}. {again}", refusal.limit
    return RateLimitError(
        message,
        scope=refusal.scope,
        retry_after=after,
        limit=limit if cause is Cause.WINDOW else None,
    )


def spoken(seconds: float) -> str:
    """Return a duration in words, rounded up: ``"2.5 s"``, ``"3 h 12 min"``."""
    if seconds < 90:  # noqa: PLR2004
        return f"{math.ceil(seconds * 10) / 10:g} s"
    hours, minutes = divmod(math.ceil(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def copy_of(error: MetronError) -> MetronError:
    """Return an error for one of several callers, which must not share one traceback."""
    copied = copy.copy(error)
    copied.__cause__ = error.__cause__
    return copied.with_traceback(error.__traceback__)
