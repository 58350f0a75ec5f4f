"""Where the guards of one machine meet: the protocol, and a store for one process."""

from __future__ import annotations

import asyncio
from typing import Protocol

from metron_async._engine.guard.rules import step
from metron_async._engine.guard.state import Reply, Report, State

__all__ = ["GuardStore", "MemoryGuardStore"]


class GuardStore(Protocol):
    """Keeps what the guards know together, one :class:`State` per server, and owns the clock."""

    async def exchange(self, host: str, report: Report) -> Reply:
        """Run :func:`step` on the state of *host*, as one transaction, and return its reply.

        A store that cannot reach its state must go on with one in memory: a client without a
        guard is not an option.
        """
        ...

    async def aclose(self) -> None:
        """Let go of files and connections."""
        ...


class MemoryGuardStore:
    """What guards know, for the clients of one event loop that share this object.

    Example:
        >>> store = MemoryGuardStore()
        >>> guard = Guard(store, credentials_key="digest", host_key="https://metron.cloud")
    """

    def __init__(self) -> None:
        self._states: dict[str, State] = {}

    async def exchange(self, host: str, report: Report) -> Reply:
        """See :meth:`GuardStore.exchange`; the clock is the event loop's."""
        now = asyncio.get_running_loop().time()
        self._states[host], reply = step(self._states.get(host, State()), report, now)
        return reply

    async def aclose(self) -> None:
        """Do nothing: the state stays for the next client that is handed this object."""
