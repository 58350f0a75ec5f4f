"""Storage in the memory of this process."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, TypeVar

from metron_async.storage.base import States

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async.storage.base import Decided, Loaded

__all__ = ["MemoryStorage"]

T = TypeVar("T")


class MemoryStorage:
    """Storage in the memory of this process, for all clients that are given the same object.

    The clock is the one of the running event loop. The state ends with the object. Clients in
    event loops of several threads may share one.

    Example:
        >>> storage = MemoryStorage()
        >>> first = AsyncMetron("token", storage=storage)
        >>> second = AsyncMetron("token", storage=storage)
    """

    def __init__(self) -> None:
        self._states = States()
        self._saved: dict[str, bytes] = {}
        self.accounts: dict[str, bytes] = {}
        """Accounts of clients whose address is in the machine's file: see `SplitStorage`."""
        self._lock = threading.Lock()
        self._last = self._offset = 0.0

    def __repr__(self) -> str:
        return "MemoryStorage()"

    async def transact(
        self, account: str, address: str, decide: Callable[[Loaded], Decided[T]]
    ) -> T:
        """Load two states, decide, and save: see :meth:`Storage.transact`."""
        return self.transact_at(self._read_clock(), account, address, decide, self._states)

    def transact_at(
        self,
        now: float,
        account: str,
        address: str,
        decide: Callable[[Loaded], Decided[T]],
        states: States,
    ) -> T:
        """Carry out a transaction at the time *now*, without waiting."""
        with self._lock:
            saved = self._saved
            loaded = states.load(address, saved.get(account), saved.get(address), now)
            decided = decide(loaded)
            for name, state in zip((account, address), states.pack(loaded, decided), strict=True):
                if state is not None:
                    saved[name] = state
            return states.keep(address, loaded, decided)

    async def aclose(self) -> None:
        """Do nothing: the state stays for the next client with this object."""

    def _read_clock(self) -> float:
        now = asyncio.get_running_loop().time() + self._offset
        if now < self._last:  # another loop, whose time began later
            self._offset += self._last - now
            now = self._last
        self._last = now
        return now
