"""Clock of the fake server, on wall time or virtual time."""

from __future__ import annotations

import asyncio
import datetime as dt
import time

from metron_async.testing.clock import VirtualTimeLoop

__all__ = ["VIRTUAL_EPOCH", "ServerClock"]

VIRTUAL_EPOCH = dt.datetime.combine(dt.datetime.now(dt.UTC), dt.time(17), dt.UTC).timestamp()
"""The server's time in Unix seconds when a virtual loop begins.

It is in the present day, as the data of a server are that was created before the loop. Otherwise
they would be in this server's future. The hour is always the same.
"""


class ServerClock:
    """The server's time.

    On a :class:`VirtualTimeLoop` it follows the loop, from 17:00 UTC of the present day on.
    Everywhere else it is the wall clock. Tests can skew it and move it ahead.

    Attributes:
        skew: Seconds by which the shown time is wrong. It affects ``Date``, ``Reset`` and
            ``modified``, but not the throttle, which measures intervals only.
    """

    def __init__(self) -> None:
        self.skew: float = 0.0
        self._ahead = 0.0

    def advance(self, seconds: float) -> None:
        """Move the server's time ahead by *seconds*: windows, bans and the shown time."""
        self._ahead += seconds

    def steady(self) -> float:
        """Return the server's time without its skew, in Unix seconds, for windows and bans."""
        try:
            loop: object = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        if isinstance(loop, VirtualTimeLoop):
            return VIRTUAL_EPOCH + loop.time() + self._ahead
        return time.time() + self._ahead

    def now(self) -> float:
        """Return the time that the server shows, in Unix seconds."""
        return self.steady() + self.skew

    def moment(self) -> dt.datetime:
        """Return the time that the server shows, as an aware datetime in UTC."""
        return dt.datetime.fromtimestamp(self.now(), dt.UTC)
