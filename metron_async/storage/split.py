"""Storage for clients in memory whose network address is shared with the whole machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from metron_async.storage.base import check_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async.storage.base import Decided, Loaded
    from metron_async.storage.memory import MemoryStorage
    from metron_async.storage.sqlite import SQLiteStorage

__all__ = ["SplitStorage"]

T = TypeVar("T")


class SplitStorage:
    """Accounts in memory, and the network address's failures in the machine's file.

    The server's firewall bans an address, and with it all processes of the machine. Their
    failures are counted together, wherever a client keeps the rest.

    Args:
        memory: Storage of the accounts.
        machine: Storage of the address, whose clock serves both. It is closed with this one.
    """

    def __init__(self, memory: MemoryStorage, machine: SQLiteStorage) -> None:
        self._memory = memory
        self._machine = machine

    def __repr__(self) -> str:
        return f"SplitStorage({self._memory!r}, {self._machine!r})"

    async def transact(
        self, account: str, address: str, decide: Callable[[Loaded], Decided[T]]
    ) -> T:
        """Load two states, decide, and save: see :meth:`Storage.transact`."""
        accounts, changed = self._memory.accounts, None

        def decide_for_both(loaded: Loaded) -> Decided[T]:
            nonlocal changed
            decided = decide(loaded._replace(account=accounts.get(account)))
            changed = check_size(decided.account)
            return decided._replace(account=None)

        reply = await self._machine.transact(account, address, decide_for_both)
        # A SQLiteStorage decides, saves and returns in one step: no other task ran in between.
        if changed is not None:
            accounts[account] = changed
        return reply

    async def prepare(self) -> None:
        """Open the machine's file."""
        await self._machine.prepare()

    async def aclose(self) -> None:
        """Close the machine's file. The accounts stay in the memory."""
        await self._machine.aclose()
