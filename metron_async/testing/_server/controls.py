"""Controls of a running fake server, and its log."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async.testing._server.core import Core
    from metron_async.testing._server.endpoints import Limit, Settings
    from metron_async.testing._server.wire import Asked, Wire
    from metron_async.testing.bans import Ban
    from metron_async.testing.faults import Faults
    from metron_async.testing.records import Account

__all__ = ["Controls"]


class Controls:
    """The running server's limits, latency, faults and log."""

    settings: Settings
    accounts: dict[str, Account]
    wire: Wire
    _core: Core

    # -- how it behaves ------------------------------------------------------------------------

    @property
    def burst_limit(self) -> Limit:
        """Limit of the short window for everybody; ``None``: each account's own.

        A callable gets the server's steady seconds: a limit that floats with the time.
        """
        return self.settings.burst_limit

    @burst_limit.setter
    def burst_limit(self, limit: Limit) -> None:
        self.settings.burst_limit = limit

    @property
    def sustained_limit(self) -> Limit:
        """Limit of the long window for everybody; ``None``: each account's own."""
        return self.settings.sustained_limit

    @sustained_limit.setter
    def sustained_limit(self, limit: Limit) -> None:
        self.settings.sustained_limit = limit

    @property
    def latency(self) -> float | tuple[float, float] | Callable[[], float | tuple[float, float]]:
        """Seconds a round trip takes: a number, a range to choose from, or a callable.

        The callable returns the seconds of a round trip, or those up and those down.
        """
        return self.wire.latency

    @latency.setter
    def latency(
        self, latency: float | tuple[float, float] | Callable[[], float | tuple[float, float]]
    ) -> None:
        self.wire.latency = latency

    @property
    def faults(self) -> Faults:
        """What is to go wrong."""
        return self.wire.faults

    # -- what it was asked ---------------------------------------------------------------------

    @property
    def requests(self) -> list[Asked]:
        """All requests so far, in the order in which they reached the server."""
        return list(self.wire.log)

    @property
    def throttled(self) -> int:
        """How many requests were answered with a 429."""
        return self.wire.throttled

    @property
    def bans(self) -> list[Ban]:
        """All bans so far."""
        return list(self.wire.firewall.bans)

    def reset_log(self) -> None:
        """Forget requests, 429s and bans that were recorded; bans in force stay."""
        self.wire.log.clear()
        self.wire.throttled = 0
        self.wire.firewall.bans.clear()

    def forgive(self) -> None:
        """Empty all throttle windows and lift all bans."""
        self._core.quotas.clear()
        self.wire.firewall.forgive()

    def spend(self, username: str, requests: int) -> None:
        """Let *username* spend requests elsewhere, now, in both windows."""
        account = self.accounts[username]
        self._core.spend(account, requests)
