"""Where the state of the accounts lives: the protocol of the stores, and the one in memory."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Protocol

from metron_async.quota.account import apply
from metron_async.quota.state import Rules, State, fresh_state

if TYPE_CHECKING:
    from metron_async.quota.state import Command, Reply

__all__ = ["DEFAULT_RULES", "MemoryStore", "QuotaStore", "stored_name"]

DEFAULT_RULES = Rules()


def stored_name(account: str) -> str:
    """Return the name under which a store that others can read keeps *account*."""
    return hashlib.sha256(b"metron_async quota " + account.encode()).hexdigest()[:32]


class QuotaStore(Protocol):
    """What a :class:`metron_async.quota.Limiter` needs of a store.

    A store owns the state of its accounts, and the clock. To bring your own, load the state (a
    msgspec Struct, or :func:`metron_async.quota.fresh_state`), pass it with your clock's time to
    :func:`metron_async.quota.apply`, and save it, all under one lock.
    """

    rules: Rules

    async def apply(self, account: str, command: Command) -> Reply:
        """Carry out *command* on the state of *account*, atomically.

        Args:
            account: Name of the account, which must not be stored in clear.
            command: What is asked.

        Raises:
            QuotaStoreError: If the state cannot be read or written within a few seconds. Then
                nothing may be sent.
        """
        ...

    async def aclose(self) -> None:
        """Close what the store opened itself."""
        ...


class MemoryStore:
    """Quota state in this process only, on the clock of the running event loop.

    Args:
        rules: What is known of the windows before the first response.
    """

    def __init__(self, *, rules: Rules = DEFAULT_RULES) -> None:
        self.rules = rules
        self._states: dict[str, State] = {}

    def apply_now(self, account: str, command: Command) -> Reply:
        """Carry out *command* at once; nothing here ever waits."""
        now = asyncio.get_running_loop().time()
        state = self._states.get(account)
        if state is None:
            state = self._states[account] = fresh_state(self.rules, now)
        return apply(state, self.rules, now, command)

    async def apply(self, account: str, command: Command) -> Reply:
        """Carry out *command* on the state of *account*."""
        return self.apply_now(account, command)

    async def aclose(self) -> None:
        """Do nothing: there is nothing to close."""
