"""The clock of the fake server: wall time, or virtual time, that can be skewed and driven."""

from __future__ import annotations

import asyncio
import datetime as dt
import time

from metron_async.testing.clock import VirtualTimeLoop

__all__ = ["VIRTUAL_EPOCH", "ServerClock"]

VIRTUAL_EPOCH = dt.datetime(2026, 11, 20, 17, 0, tzinfo=dt.UTC).timestamp()
"""What the server's clock shows, in Unix seconds, when a virtual loop begins."""


class ServerClock:
    """The time as the server sees it.

    On a :class:`VirtualTimeLoop` it follows the loop, from a fixed moment on; everywhere else it
    is the wall clock. Two things can be done to it:

    Attributes:
        skew: Seconds that the shown time is off. It moves ``Date``, ``Reset`` and ``modified``, but
            not the throttle: a wrong clock that runs steadily counts as well as a right one.
    """

    def __init__(self) -> None:
        self.skew: float = 0.0
        self._ahead = 0.0

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass on the server only: windows and bans age, and the time shown moves."""
        self._ahead += seconds

    def steady(self) -> float:
        """Return the server's time without its skew, in Unix seconds: what windows go by."""
        try:
            loop: object = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        if isinstance(loop, VirtualTimeLoop):
            return VIRTUAL_EPOCH + loop.time() + self._ahead
        return time.time() + self._ahead

    def now(self) -> float:
        """Return the time the server shows, in Unix seconds."""
        return self.steady() + self.skew

    def moment(self) -> dt.datetime:
        """Return the time the server shows, as an aware datetime in UTC."""
        return dt.datetime.fromtimestamp(self.now(), dt.UTC)
