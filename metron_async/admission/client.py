"""Between a controller and its storage: commands that finish whatever happens to their caller.

A storage on disk or across the network takes time, and a caller may be cancelled meanwhile. So
each command runs in a task of its own. Settlements run in the background and are repeated until
their lease ends, since a storage that fails must not fail a response that is there.

The client also keeps the permits that are out, and renews their leases while they are. A lease
that is no longer renewed shows the other processes that this one has died.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import math
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from metron_async.admission.codec import decision
from metron_async.admission.commands import Renew, Settle
from metron_async.admission.line import Line, line_for
from metron_async.admission.log import LONGEST_FLIGHT
from metron_async.admission.permit import Permit, settlement
from metron_async.admission.table import LIMITS, LOST, REFUSED, TIMED_OUT
from metron_async.errors import MetronError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from metron_async.admission.commands import Cause, Command, Reply
    from metron_async.admission.permit import RequestEnd
    from metron_async.admission.state import Lease, Rules
    from metron_async.storage.base import Decided, Loaded, Storage

__all__ = ["StoreClient", "loop_time"]

T = TypeVar("T")

_logger = logging.getLogger("metron_async.admission")
_REPEAT = (0.1, 5.0)  # seconds between two attempts to settle, growing
_SETTLING = 1.0  # seconds that a look at the quota waits for settlements
_RECENT = 32  # failures of this process that are remembered


def loop_time() -> float:
    """Return the time of the running event loop."""
    return asyncio.get_running_loop().time()


class StoreClient:
    """One account of one storage, as one controller uses it.

    Args:
        storage: The storage.
        names: Names of the account's and the address's state in it.
        credentials: Keyed hash of the credentials.
        rules: The rules of the windows and leases.
        changed: Called whenever a request has been settled or released.

    Attributes:
        status: The last reply that describes the windows.
        last: The last reply.
        replied: Loop time of the last reply.
        loss: The error of the last request whose response was lost.
        intercepted: Whether something in front of the API sent the last 401.
    """

    def __init__(
        self,
        storage: Storage,
        names: tuple[str, str],
        credentials: str,
        rules: Rules,
        *,
        changed: Callable[[], None],
    ) -> None:
        self.credentials = credentials
        self.rules = rules
        self.status: Reply | None = None
        self.last: Reply | None = None
        self.loss: BaseException | None = None
        self.intercepted: bool = False
        self._storage = storage
        self._names = names
        self._changed = changed
        self._permits: dict[int, Permit] = {}
        self._recent: deque[tuple[int, float]] = deque(maxlen=_RECENT)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._renewal: asyncio.TimerHandle | None = None
        self._closing = False
        self._concluding: set[asyncio.Task[None]] = set()
        self.replied: float = -math.inf

    def line(self, cause: Cause) -> Line:
        """Return the line of all accounts of this process that wait because of *cause*."""
        return line_for(self._storage, self._names[1], cause)

    @property
    def concluding(self) -> int:
        """Settlements and releases that are not stored yet."""
        return len(self._concluding)

    async def settled(self) -> None:
        """Wait for what is being settled, unless the storage takes long."""
        if self._concluding:
            await asyncio.wait(self._concluding, timeout=_SETTLING)

    @property
    def in_flight(self) -> int:
        """Permits that are out."""
        return len(self._permits)

    def flying(self) -> tuple[Lease, ...]:
        """Return the leases of the permits that are out."""
        return tuple(permit.lease for permit in self._permits.values())

    def recent(self) -> tuple[tuple[int, float], ...]:
        """Return the failures of this process, with the seconds since then."""
        now = loop_time()
        return tuple((kind, now - at) for kind, at in self._recent)

    async def apply(self, command: Command) -> Reply:
        """Carry out *command*, to its end even if the caller is cancelled.

        Raises:
            StorageError: If the storage fails.
        """
        return await asyncio.shield(self.spawn(self.transact(command)))

    async def transact(self, command: Command, since: float = math.inf) -> Reply:
        """Carry out *command* in the task of the caller.

        Args:
            command: The command.
            since: For a settlement, the loop time at which the response was received. Its age is
                taken when the storage decides, so that it is never too low: a call that began
                after that must not take the response.

        Raises:
            StorageError: If the storage fails.
        """
        clock = asyncio.get_running_loop().time

        def decide(loaded: Loaded) -> Decided[Reply]:
            asked = command
            if isinstance(asked, Settle):
                asked = msgspec.structs.replace(asked, age=max(0.0, clock() - since))
            return decision(asked, self.rules)(loaded)

        try:
            reply = await self._storage.transact(*self._names, decide)
        except MetronError:
            raise
        except Exception as error:
            _logger.exception("the storage of the quota failed")
            msg = f"Storage failed: {error!r}"
            raise StorageError(msg) from error
        self.last, self.replied = reply, loop_time()
        if reply.windows:
            self.status = reply
        return reply

    def issue(self, lease: Lease, *, first: bool) -> Permit:
        """Return the permit for *lease*, which was just granted."""
        permit = Permit(lease, loop_time(), first)
        self._permits[lease.id] = permit
        if self._renewal is None:
            self._renew_later()
        return permit

    def release(self, permit: Permit) -> None:
        """Give *permit* back in the background. A second end of a permit is ignored."""
        if self._permits.pop(permit.lease.id, None) is not None:
            self.give_back(permit.lease)

    def give_back(self, lease: Lease) -> None:
        """Give back a slot, or one that may have been granted, in the background."""
        unsent = Settle(lease=lease, credentials=self.credentials, counted=False, answered=False)
        self._conclude(lease, unsent)

    def settle(self, permit: Permit, end: RequestEnd) -> None:
        """Report *end* in the background. A second end of a permit is ignored."""
        if self._permits.pop(permit.lease.id, None) is None:
            return
        command = settlement(permit, end, self.credentials)
        now = loop_time()
        if REFUSED in command.failures:
            self.intercepted = command.intercepted
        self._recent.extend((kind, now) for kind in command.failures if kind != TIMED_OUT)
        if end.error is not None and any(
            kind & LOST or kind in LIMITS for kind in command.failures
        ):
            self.loss = end.error
        self._conclude(permit.lease, command, now if end.received is None else end.received)

    def _conclude(self, lease: Lease, command: Command, since: float = math.inf) -> None:
        task = self.spawn(self._repeat(lease, command, since))
        self._concluding.add(task)
        task.add_done_callback(self._concluded)

    def _concluded(self, task: asyncio.Task[None]) -> None:
        self._concluding.discard(task)
        self._changed()

    async def _repeat(self, lease: Lease, command: Command, since: float) -> None:
        """Carry out the last command about *lease*, until it succeeds or the lease ends."""
        began, delay = loop_time(), _REPEAT[0]
        while True:
            try:
                await self.transact(command, since)
            except asyncio.CancelledError:  # the program ends without closing its client
                with contextlib.suppress(MetronError):
                    await self.transact(command, since)
                raise
            except MetronError as error:
                if self._closing or loop_time() + delay > began + self.rules.lease:
                    _logger.warning("lease %x was not settled and will expire: %s", lease.id, error)
                    return
            else:
                return
            await asyncio.sleep(delay)
            delay = min(2 * delay, _REPEAT[1])

    def _renew_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._renewal = loop.call_later(self.rules.lease / 3, self._renew)

    def _renew(self) -> None:
        self._renewal = None
        if not self._permits:
            return
        now = loop_time()
        # A permit that its caller forgot must not be kept alive without end.
        young, old = now - self.rules.lease / 3, now - LONGEST_FLIGHT
        permits = [it for it in self._permits.values() if old < it.granted_at <= young]
        if permits:
            self.spawn(self._renew_in_storage(permits))
        self._renew_later()

    async def _renew_in_storage(self, permits: list[Permit]) -> None:
        # A storage that fails now may work again before the leases expire.
        with contextlib.suppress(MetronError):
            reply = await self.transact(Renew(tuple(permit.lease for permit in permits)))
            renewed = {lease.id: lease for lease in reply.renewed}
            for permit in permits:
                permit.lease = renewed.get(permit.lease.id, permit.lease)

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run *work* in a task that :meth:`aclose` waits for.

        It does not run in the context of the caller, which may end before.
        """
        task = asyncio.get_running_loop().create_task(work, context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def aclose(self) -> None:
        """Wait for the tasks, and renew no more."""
        self._closing = True
        if self._renewal is not None:
            self._renewal.cancel()
            self._renewal = None
        while self._tasks:
            await asyncio.wait(self._tasks)
