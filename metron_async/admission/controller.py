"""Admission of one account's requests, as one client in one process sees it.

:func:`metron_async.admission.decide.apply` decides what may be sent, behind a storage. The queue
decides which waiter is next, and the dispatcher when to ask. A caller that leaves is cancelled, at
any time: the engine keeps the deadlines. It never talks to the storage itself, so no command is
left half done. A slot that is granted too late goes back.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from metron_async.admission.client import StoreClient, loop_time
from metron_async.admission.commands import Cause, Peek, Refusal, Reset, Retry
from metron_async.admission.dispatcher import Dispatcher
from metron_async.admission.permit import Held, Permit, Shared
from metron_async.admission.queue import Queue, Waiter
from metron_async.admission.quota_state import QuotaState
from metron_async.admission.state import DEFAULT_RULES, FORMAT
from metron_async.admission.table import possibly_banned
from metron_async.admission.waits import wait_error
from metron_async.errors import ClosedError, StorageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metron_async.admission.permit import Granted, RequestEnd
    from metron_async.admission.state import Rules
    from metron_async.errors import MetronError
    from metron_async.storage.base import Storage
    from metron_async.types import Priority

__all__ = ["Controller"]

_HELD = (0.05, 1.0)  # seconds between looks at a request that another process makes, growing


class Controller:
    """Admit the requests of one account, none too early and none later than needed.

    It is cheap: one account of a thousand in a process holds no task, thread or timer while it is
    idle.

    Args:
        storage: Where the states are kept. It is not closed with the controller.
        account: Name of the account's state, as a hash. Controllers of the same account and
            storage share one quota.
        address: Name of the network address's state.
        credentials: Keyed hash of the credentials.
        max_in_flight: Requests of the account in flight at a time, of all processes.
        rules: The rules of the windows and leases.
        new_container: Whether the process runs in a container, over a network transport to a
            server elsewhere. See :meth:`Permit.hold`.

    Example:
        >>> controller = Controller(MemoryStorage(), account="me", address="here", credentials="x")
        >>> permit = await controller.admit(Waiter(Priority.INTERACTIVE))
        >>> ...  # send one request
        >>> controller.settle(permit, RequestEnd.answered(response.status, response.headers))
    """

    def __init__(
        self,
        storage: Storage,
        *,
        account: str,
        address: str,
        credentials: str,
        max_in_flight: int = 8,
        rules: Rules = DEFAULT_RULES,
        new_container: bool = False,
    ) -> None:
        self._queue = Queue()
        # A state of another version has another name, so that two versions can run side by side.
        names = (f"account-{FORMAT}:{account}", address)
        self._client = StoreClient(storage, names, credentials, rules, changed=self._ended)
        self._dispatcher = Dispatcher(
            self._client, self._queue, max(1, max_in_flight), new_container=new_container
        )
        self._closed = False

    def _ended(self) -> None:
        self._dispatcher.ended()

    async def admit(self, waiter: Waiter) -> Permit | Shared:
        """Wait until a request may be sent, however long that takes.

        Returns:
            The permit, or for a waiter with a key what another process has made of the same
            request.

        Raises:
            BlockedError: If sending could lead to a ban of the address.
            StorageError: If the storage fails.
            ClosedError: If the controller is closed.
        """
        waiter.began, pause = loop_time(), _HELD[0]
        while isinstance(granted := await self._wait(waiter), Held):
            await asyncio.sleep(pause)
            pause = min(2 * pause, _HELD[1])
        return granted

    async def _wait(self, waiter: Waiter) -> Granted:
        """Stand in the queue."""
        if self._closed:
            msg = "The client is closed"
            raise ClosedError(msg)
        waiter.future = asyncio.get_running_loop().create_future()
        self._queue.add(waiter, loop_time())
        self._dispatcher.added(waiter)
        try:
            await asyncio.wait({waiter.future})  # not cancelled with this
            return waiter.future.result()
        except BaseException:
            self._leave(waiter)
            raise

    def _leave(self, waiter: Waiter) -> None:
        """Give up the place of *waiter*, or what it was granted."""
        future = waiter.future
        if waiter in self._queue:
            self._queue.remove(waiter, loop_time())
        if future.done() and not future.cancelled() and future.exception() is None:
            granted = future.result()
            if isinstance(granted, Permit):
                self.release(granted)

    def overdue(self, waiter: Waiter) -> MetronError:
        """Return the error of a caller that leaves *waiter* at its deadline.

        Args:
            waiter: A waiter that was not granted anything yet.
        """
        if waiter.refusal is not None or self._client.replied >= waiter.began:
            return wait_error(waiter.refusal or Refusal(Cause.FLIGHT))
        msg = "The storage of the quota did not reply within max_wait"
        return StorageError(msg)

    def promote(self, waiter: Waiter, priority: Priority) -> None:
        """Move *waiter* to the end of a higher lane. A lower one changes nothing.

        Args:
            waiter: The waiter.
            priority: The priority of another caller that now waits for the same request.
        """
        if priority >= waiter.priority:
            return
        queued = waiter in self._queue
        if queued:
            self._queue.remove(waiter, loop_time())
        waiter.priority = priority
        if queued:
            self._queue.add(waiter, loop_time())
            self._dispatcher.added(waiter)

    def settle(self, permit: Permit, end: RequestEnd) -> None:
        """Report how a request ended, in the background. A second report is ignored.

        A storage that fails is logged and asked again until the lease ends. Then the lease
        expires, and the request counts as lost.

        Args:
            permit: The permit of the request.
            end: How it ended.
        """
        self._client.settle(permit, end)

    def release(self, permit: Permit) -> None:
        """Give back the slot of a request that was never sent, in the background.

        Args:
            permit: The permit of the request.
        """
        self._client.release(permit)

    @property
    def waiting(self) -> Mapping[Priority, int]:
        """Requests of this controller that wait, by priority."""
        return self._queue.waiting()

    @property
    def last_quota(self) -> QuotaState | None:
        """The quota after the last request, without asking the storage; ``None`` before."""
        status = self._client.status
        return None if status is None else QuotaState.of(status, self.waiting)

    async def quota(self) -> QuotaState:
        """Return the current quota state.

        Raises:
            StorageError: If the storage fails.
        """
        await self._client.settled()
        return QuotaState.of(await self._client.apply(Peek()), self.waiting)

    async def reset_quota(self) -> QuotaState:
        """Forget the limits, a spent day, and pauses, and let the next request find out.

        Raises:
            StorageError: If the storage fails.
        """
        reply = await self._client.apply(Reset())
        self._dispatcher.forget()
        return QuotaState.of(reply, self.waiting)

    async def retry_credentials(self) -> None:
        """Forget that the server refused the credentials, so that they are sent once more.

        Raises:
            StorageError: If the storage fails.
        """
        await self._client.apply(Retry(self._client.credentials))
        self._dispatcher.forget()

    def explain_timeouts(self) -> str | None:
        """Return a sentence for the error of a connect timeout, if it looks like a ban."""
        last = self._client.last
        return None if last is None else possibly_banned(last.timeouts, last.streak, last.ban_left)

    async def aclose(self) -> None:
        """Turn waiters away, and end every task. Permits may still be settled."""
        self._closed = True
        self._dispatcher.fail(ClosedError("The client was closed"))
        self._dispatcher.ring()
        await self._client.aclose()
