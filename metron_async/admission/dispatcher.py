"""The task that asks the storage for the request that is next, only while a request waits.

It asks for the head of the queue, hands the slot over, or sleeps until asking again makes sense:
the known end of a wait, a response of our own, or a look at what other processes did. Looks that
are refused are limited to one a second, after a few quick ones.
"""

from __future__ import annotations

import logging
import random
import secrets
from typing import TYPE_CHECKING

import anyio
import msgspec

from metron_async.admission.client import loop_time
from metron_async.admission.commands import Acquire, Cause
from metron_async.admission.line import Place
from metron_async.admission.permit import Held, Shared
from metron_async.admission.state import BURST, Lease
from metron_async.admission.waits import copy_of, wait_error
from metron_async.errors import MetronError, StorageError
from metron_async.types import Priority

if TYPE_CHECKING:
    from aiolimiter import AsyncLimiter

    from metron_async.admission.client import StoreClient
    from metron_async.admission.commands import Refusal, Reply
    from metron_async.admission.queue import Queue, Waiter

__all__ = ["Dispatcher"]

_logger = logging.getLogger("metron_async.admission")

_LOOKS = (3.0, 3.0)  # quick looks, and the seconds in which as many are made later
_POLL = (0.05, 1.0)  # seconds between looks at requests of other processes, growing
_LONGEST = 15.0  # seconds: other processes may change what a storage says
_IN_LINE = 60.0  # seconds after which one that is not first in line looks in any case
_MOMENT = 0.001  # seconds: timers may fire a little early
_YIELDS = frozenset({Cause.WINDOW, Cause.PACE, Cause.PRIORITY, Cause.FLIGHT})
_OWN_ENDS = frozenset({Cause.FLIGHT, Cause.ROOM, Cause.PROBE, Cause.MISSING, Cause.PRIORITY})


class Dispatcher:
    """Serve the waiters in *queue* from the storage behind *client*.

    Args:
        client: The account in its storage.
        queue: The waiters.
        max_in_flight: Requests of the account in flight at a time.
        new_container: Whether the process runs in a container, in front of a real server.
    """

    def __init__(
        self, client: StoreClient, queue: Queue, max_in_flight: int, *, new_container: bool
    ) -> None:
        self._client = client
        self._queue = queue
        self._max_in_flight = max_in_flight
        self._new_container = new_container
        self._looks: AsyncLimiter | None = None
        self._running = False
        self._rung = False
        self._sleeping: anyio.CancelScope | None = None
        self._polls = 0
        self._refusals = 0
        self._epoch = b""
        self._refusal: Refusal | None = None
        self._refused_at = 0.0
        self._refused: Priority | None = None
        self._issued = False
        self._place = Place(self.ring, client.line)

    def added(self, waiter: Waiter) -> None:
        """Serve a new waiter, or one that has moved to another lane."""
        refusal = self._refusal
        if refusal is not None and self._sleeping is not None and not self._rung:
            covered = self._refused is not None and waiter.priority >= self._refused
            known = refusal.wait > 0 and refusal.cause is not Cause.MISSING
            if self._place.is_behind or (covered and known):
                self._announce(waiter, refusal, *self._queue.end_of_lane(waiter))
                return
        self.ring()

    def ended(self) -> None:
        """Look again after a request of our own has ended, if that can make a difference."""
        self._place.let_look()
        own = self._refusal is None or self._refusal.cause in _OWN_ENDS
        if own and not self._place.is_behind:
            self.ring()

    def ring(self) -> None:
        """Look again now, and start if nothing runs."""
        self._rung = True
        if self._sleeping is not None:
            self._sleeping.cancel()
        if not self._running and len(self._queue):
            self._running = True
            self._client.spawn(self._run())

    def fail(self, error: MetronError) -> None:
        """Turn all waiters away, each with an error of its own."""
        for waiter in self._queue.drain():
            waiter.fail(copy_of(error))

    async def _run(self) -> None:
        try:
            while len(self._queue):
                await self._serve()
        except MetronError as error:
            self.fail(error)
        except Exception as error:
            _logger.exception("the dispatcher of the quota failed")
            failure = StorageError(f"Admission failed: {error!r}")
            failure.__cause__ = error
            self.fail(failure)
        finally:
            self._running = False
            self._refusal = self._refused = None
            self._place.leave()

    async def _serve(self) -> None:
        """Ask for the next waiter; where it may only not be a 404, for the next other one."""
        self._rung = False
        refusal: Refusal | None = None
        for may_404 in (True, False):
            waiter = self._queue.next(loop_time(), may_404=may_404)
            if waiter is None:
                break
            reply = await self._ask(waiter)
            if reply.refusal is None or reply.refusal.cause is Cause.HELD:
                return
            refusal = refusal or reply.refusal
            if reply.refusal.cause is not Cause.MISSING:
                refusal = reply.refusal
                break
        if refusal is not None:
            await self._rest(refusal)

    async def _ask(self, waiter: Waiter) -> Reply:
        now = loop_time()
        late = self._queue.is_late(waiter, now)
        command = Acquire(
            lease=secrets.randbits(48),
            priority=waiter.priority,
            credentials=self._client.credentials,
            may_404=waiter.may_404,
            late=late,
            last=len(self._queue) == 1,
            max_in_flight=self._max_in_flight,
            key=waiter.key,
            waited=now - min(waiter.since, waiter.began),
            fresh=waiter.fresh,
            epoch=self._epoch,
            recent=self._client.recent(),
            intercepted=self._client.intercepted,
            flying=self._client.flying(),
        )
        try:
            reply = await self._client.transact(command)
        except MetronError:  # the storage may have saved the grant in any case
            self._client.give_back(Lease(command.lease, now, now, 0))
            raise
        self._epoch = reply.epoch
        if reply.lease is not None:
            self._hand_over(waiter, command, reply)
        elif reply.outcome is not None:
            self._finish(waiter, Shared(reply.outcome))
        elif reply.refusal is not None:
            self._turn_away(waiter, reply.refusal)
        return reply

    def _hand_over(self, waiter: Waiter, command: Acquire, reply: Reply) -> None:
        """Give a slot to *waiter*, or to the waiter that should have it now."""
        if reply.lease is None:
            return
        self._polls = self._refusals = 0
        self._refusal = self._refused = None
        self._place.leave()
        if waiter not in self._queue:
            # It has left. The slot may go to a waiter of the same kind or a higher priority.
            other = self._queue.next(loop_time(), may_404=command.may_404)
            if other is None or other.priority > command.priority or other.key or command.key:
                self._client.give_back(reply.lease)
                return
            waiter = other
        first = self._new_container and not self._issued and reply.fresh and not reply.proven
        self._issued = True
        self._finish(waiter, self._client.issue(reply.lease, first=first))

    def _finish(self, waiter: Waiter, granted: object) -> None:
        if waiter in self._queue:
            self._queue.remove(waiter, loop_time())
            waiter.resolve(granted)  # type: ignore[arg-type]

    def _turn_away(self, waiter: Waiter, refusal: Refusal) -> None:
        if refusal.cause is Cause.HELD:
            waiter.refusal = refusal
            self._finish(waiter, Held())
        elif refusal.cause.final:
            error = wait_error(refusal)
            if refusal.cause is Cause.LOST and self._client.loss is not None:
                error.__cause__ = self._client.loss
            self.fail(error)
        else:
            self._refusal, self._refused = refusal, waiter.priority
            self._refused_at = loop_time()
            for each, own, higher in self._queue.places():
                if each.may_404 or refusal.cause is not Cause.MISSING:
                    self._announce(each, refusal, own, higher)

    def _announce(self, waiter: Waiter, refusal: Refusal, own: int, higher: int) -> None:
        """Announce to *waiter* what a refusal of the head means for it, behind so many others."""
        now, period = loop_time(), self._client.rules.burst.period
        seconds = refusal.bound(own + higher, period)
        if waiter.priority is Priority.BULK and refusal.scope == BURST and refusal.cause in _YIELDS:
            # Once BULK is late it goes before NORMAL, is not spaced, and leaves no slot.
            free = msgspec.structs.replace(refusal, wait=0.0).bound(own, period)
            seconds = min(seconds, max(self._queue.until_late(waiter, own, now), free))
        seconds += self._refused_at - now
        waiter.announce(msgspec.structs.replace(refusal, wait=max(0.0, seconds)), now)

    async def _rest(self, refusal: Refusal) -> None:
        """Sleep until it makes sense to ask again."""
        last = self._client.last
        own = refusal.cause is Cause.PROBE and last is not None and last.in_flight > 0
        if self._place.take(None if own else refusal.cause):
            await self._sleep(_IN_LINE)
            return
        jitter = random.random()  # noqa: S311 - so that processes do not all ask at once
        if refusal.wait > 0:
            delay = min(refusal.wait, _LONGEST) + _MOMENT * (1 + jitter)
        elif refusal.cause is Cause.FLIGHT and not self._others_in_flight():
            delay = self._client.rules.lease
        else:
            delay = min(_POLL[0] * 1.6**self._polls, _POLL[1]) * (0.75 + jitter / 2)
            self._polls += self._polls < 10  # noqa: PLR2004 - beyond the longest
        self._refusals += 1
        limited = self._refusals > 1  # after a grant, the first refusal does not mean a wait yet
        looks = self._looks = self._looks or _limiter()
        if limited and not looks.has_capacity():
            delay = max(delay, _LOOKS[1] / _LOOKS[0])
        await self._sleep(min(delay, self._queue.next_late(loop_time()) + _MOMENT))
        if limited and looks.has_capacity():  # a look that was rung for does not wait
            await looks.acquire()

    def _others_in_flight(self) -> bool:
        last, client = self._client.last, self._client
        return last is None or last.in_flight > client.in_flight + client.concluding

    async def _sleep(self, delay: float) -> None:
        if not self._rung and len(self._queue):
            with anyio.move_on_after(delay) as self._sleeping:
                await anyio.sleep_forever()
            self._sleeping = None

    def forget(self) -> None:
        """Take nothing for known that was refused."""
        self._refusal, self._polls = None, 0
        self.ring()


def _limiter() -> AsyncLimiter:
    from aiolimiter import AsyncLimiter  # noqa: PLC0415 - takes 10 ms; needed late

    return AsyncLimiter(*_LOOKS)
