"""The server's quota: two sliding logs of request times per user.

A request is accepted by a window when fewer than ``limit`` accepted requests lie in its last
``period`` seconds. Both windows decide about every request, and each records the requests that it
accepts. So a request that one window rejects still costs a slot in the other one.

``Reset`` is when the oldest request leaves the window, and ``Retry-After`` the time until then.
When a limit has just dropped below the number of requests in the window, the header is missing.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

__all__ = ["UserQuota", "Verdict", "Window"]


class Verdict(NamedTuple):
    """Decision of one window about one request.

    Attributes:
        accepted: Whether the window has room for it.
        limit: The limit that was applied.
        remaining: Slots left, this request counted.
        oldest: Time of the oldest request in the window, or ``None`` if it is empty.
        wait: Seconds until a slot frees, or ``None`` if the server cannot compute it.
    """

    accepted: bool
    limit: int
    remaining: int
    oldest: float | None
    wait: float | None


class Window:
    """Sliding log of the requests that one window of one user accepted."""

    def __init__(self) -> None:
        self.log: deque[float] = deque()

    def ask(self, now: float, limit: int, period: float) -> Verdict:
        """Decide about a request at *now*, and record it if it is accepted.

        Args:
            now: Time of the request, in seconds.
            limit: Requests that fit into the window.
            period: Length of the window, in seconds.

        Returns:
            The verdict, from which the headers are made.
        """
        log = self.log
        while log and log[0] <= now - period:
            log.popleft()
        accepted = len(log) < limit
        wait: float | None = None
        if accepted:
            log.append(now)
        elif len(log) == limit and log:
            wait = max(0.0, log[0] + period - now)
        oldest = log[0] if log else None
        return Verdict(accepted, limit, max(0, limit - len(log)), oldest, wait)


class UserQuota:
    """Both windows of one user."""

    def __init__(self) -> None:
        self.burst: Window = Window()
        self.sustained: Window = Window()


def rate_headers(name: str, verdict: Verdict, period: float, skew: float) -> dict[str, str]:
    """Return the three headers of one window."""
    prefix = f"x-ratelimit-{name}-"
    headers = {
        prefix + "limit": str(verdict.limit),
        prefix + "remaining": str(verdict.remaining),
    }
    if verdict.oldest is not None:
        headers[prefix + "reset"] = str(math.ceil(verdict.oldest + period + skew))
    return headers


def retry_after(verdicts: tuple[Verdict, ...]) -> int | None:
    """Return the whole seconds to wait after a rejection, or ``None`` if they are unknown."""
    waits = [v.wait for v in verdicts if not v.accepted and v.wait is not None]
    return math.ceil(max(waits)) if waits else None
