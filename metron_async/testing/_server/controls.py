"""Controls of a running fake server, and its log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metron_async.testing._data.accounts import account_of
from metron_async.testing._server.checks import require_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async.testing._server.core import Core
    from metron_async.testing._server.endpoints import Limit, Settings
    from metron_async.testing._server.wire import LoggedRequest, Wire
    from metron_async.testing.bans import Ban
    from metron_async.testing.faults import Faults
    from metron_async.testing.records import Account

__all__ = ["Controls"]


class Controls:
    """Limits, latency, faults and log of a running server."""

    settings: Settings
    accounts: dict[str, Account]
    wire: Wire
    _core: Core

    # -- how it behaves ------------------------------------------------------------------------

    @property
    def burst_limit(self) -> Limit:
        """Limit of the short window for all accounts; ``None`` for each account's own.

        A callable receives the server's steady seconds, for a limit that changes with time.
        """
        return self.settings.burst_limit

    @burst_limit.setter
    def burst_limit(self, limit: Limit) -> None:
        self.settings.burst_limit = _checked_limit("burst_limit", limit)

    @property
    def sustained_limit(self) -> Limit:
        """Limit of the long window for all accounts; ``None`` for each account's own."""
        return self.settings.sustained_limit

    @sustained_limit.setter
    def sustained_limit(self, limit: Limit) -> None:
        self.settings.sustained_limit = _checked_limit("sustained_limit", limit)

    @property
    def latency(self) -> float | tuple[float, float] | Callable[[], float | tuple[float, float]]:
        """Seconds of a round trip: a number, a range for random numbers, or a callable.

        The callable returns the seconds of a round trip, or those to the server and back.
        """
        return self.wire.latency

    @latency.setter
    def latency(
        self, latency: float | tuple[float, float] | Callable[[], float | tuple[float, float]]
    ) -> None:
        if not callable(latency):
            for seconds in latency if isinstance(latency, tuple) else (latency,):
                require_number("latency", seconds, 0.0)
        self.wire.latency = latency

    @property
    def faults(self) -> Faults:
        """Planned faults."""
        return self.wire.faults

    # -- the log -------------------------------------------------------------------------------

    @property
    def requests(self) -> list[LoggedRequest]:
        """All requests so far, in the order of their arrival."""
        return list(self.wire.log)

    @property
    def throttled(self) -> int:
        """Number of requests that were rejected with a 429."""
        return self.wire.throttled

    @property
    def bans(self) -> list[Ban]:
        """All bans so far."""
        return list(self.wire.firewall.bans)

    def reset_log(self) -> None:
        """Drop recorded requests, 429s and bans; bans in force remain."""
        self.wire.log.clear()
        self.wire.throttled = 0
        self.wire.firewall.bans.clear()

    def forgive(self) -> None:
        """Empty all throttle windows and lift all bans."""
        self._core.quotas.clear()
        self.wire.firewall.forgive()

    def spend(self, username: str, requests: int) -> None:
        """Count *requests* of *username* elsewhere, now, in both windows."""
        self._core.spend(account_of(self.accounts, username), requests)


def _checked_limit(name: str, limit: Limit) -> Limit:
    if limit is not None and not callable(limit):
        require_number(name, limit, 0)
    return limit
