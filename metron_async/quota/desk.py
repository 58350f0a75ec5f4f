"""Between the limiter and its store: commands that finish whatever happens to their caller.

A store on disk or across the network takes time, and its caller may be cancelled meanwhile. So
such a command runs in a task of its own and the caller only waits for it. A store in memory takes
no time, and is asked directly.

The desk also keeps the tickets that are out, and renews their leases while they are: a lease that
is no longer renewed tells the other processes that this one has died.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
from typing import TYPE_CHECKING, Any, TypeVar

from metron_async.errors import QuotaStoreError
from metron_async.quota.lanes import Ticket
from metron_async.quota.state import Release, Renew
from metron_async.quota.store import MemoryStore
from metron_async.quota.window import LONGEST_FLIGHT

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from metron_async.quota.state import Command, Reply, Rules
    from metron_async.quota.store import QuotaStore
    from metron_async.types import Priority

__all__ = ["Desk", "loop_time"]

T = TypeVar("T")

_logger = logging.getLogger("metron_async.quota")


def loop_time() -> float:
    """Return the time of the running event loop."""
    return asyncio.get_running_loop().time()


class Desk:
    """One account of one store, as one limiter uses it.

    Args:
        store: The store.
        account: The account in it.
        changed: Called whenever a ticket came back.

    Attributes:
        memory: The store, if it answers at once.
        rules: The store's rules.
    """

    def __init__(self, store: QuotaStore, account: str, changed: Callable[[], None]) -> None:
        self.memory: MemoryStore | None = store if isinstance(store, MemoryStore) else None
        self.rules: Rules = store.rules
        self._store = store
        self._account = account
        self._changed = changed
        self._tickets: dict[int, Ticket] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._renewal: asyncio.TimerHandle | None = None
        self._asking = asyncio.Lock()

    def exclusively(self) -> contextlib.AbstractAsyncContextManager[None]:
        """Keep peeks from seeing a slot as taken whose claim is still in the queue."""
        return contextlib.nullcontext() if self.memory is not None else self._asking

    def apply_now(self, command: Command) -> Reply | None:
        """Carry out *command* if the store answers at once."""
        return None if self.memory is None else self.memory.apply_now(self._account, command)

    async def apply(self, command: Command) -> Reply:
        """Carry out *command*, to its end even if the caller is cancelled.

        Raises:
            QuotaStoreError: If the store fails.
        """
        reply = self.apply_now(command)
        if reply is None:
            reply = await asyncio.shield(self.spawn(self._store.apply(self._account, command)))
        return reply

    async def conclude(self, ticket: Ticket, command: Command) -> None:
        """Carry out the last command about *ticket*; a second one is ignored."""
        task = self._start_conclusion(ticket, command)
        if task is not None:
            await asyncio.shield(task)

    def give_back(self, ticket: Ticket) -> None:
        """Release *ticket* without waiting for the store."""
        self._start_conclusion(ticket, Release(ticket.lease))

    def _start_conclusion(self, ticket: Ticket, command: Command) -> asyncio.Task[None] | None:
        if self._tickets.pop(ticket.lease, None) is None:
            return None
        if self.apply_now(command) is None:
            return self.spawn(self._conclude(command))
        self._changed()
        return None

    async def _conclude(self, command: Command) -> None:
        try:
            await self._store.apply(self._account, command)
        except QuotaStoreError as error:
            _logger.warning("a request was not settled, its lease will expire: %s", error)
        self._changed()

    def issue(self, lease: int, priority: Priority, now: float) -> Ticket:
        """Return the ticket for *lease*, which was granted at *now*."""
        ticket = self._tickets[lease] = Ticket(lease, priority, now)
        if self._renewal is None:
            self._renew_later()
        return ticket

    def others_in_flight(self, reply: Reply) -> bool:
        """Tell whether requests of other processes are, or may be, in flight."""
        return self.memory is None or reply.in_flight > len(self._tickets)

    def _renew_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._renewal = loop.call_later(self.rules.lease / 3, self._renew)

    def _renew(self) -> None:
        self._renewal = None
        # A ticket that somebody forgot must not be kept alive for ever.
        oldest = loop_time() - LONGEST_FLIGHT
        live = tuple(it.lease for it in self._tickets.values() if it.granted_at > oldest)
        if live:
            if self.apply_now(Renew(live)) is None:
                self.spawn(self._renew_in_store(Renew(live)))
            self._renew_later()

    async def _renew_in_store(self, command: Renew) -> None:
        # A store that fails now may work again before the leases expire.
        with contextlib.suppress(QuotaStoreError):
            await self._store.apply(self._account, command)

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run *work* in a task that :meth:`aclose` waits for.

        Not in the context of the caller, which may be long gone while this still runs.
        """
        task = asyncio.get_running_loop().create_task(work, context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def aclose(self) -> None:
        """Wait for what is under way, and renew no more."""
        if self._renewal is not None:
            self._renewal.cancel()
            self._renewal = None
        while self._tasks:
            await asyncio.wait(self._tasks)
