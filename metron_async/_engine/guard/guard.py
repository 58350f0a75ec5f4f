"""The guard of one client: asks the store, waits where that helps, and refuses where it must.

:mod:`.rules` explains what is counted and why that is enough. A guard holds a block of permits
and lends them to requests. As long as it has one free, and the credentials are proven, letting a
request through costs a few comparisons. Everything else is an *exchange* with the store: report
all that happened, get a new block. These rules keep the block honest:

- Exchanges of one guard run one at a time, each in a task of its own, so that a caller who leaves
  does not lose what was to be reported.
- While an exchange is under way, the block shrinks to what is in flight: the store is about to
  be told so, and may give the rest to somebody else.
- A request that turned into an event takes its permit along: the block shrinks by one.
- The call that an exchange asked for takes its permit before the next exchange begins.

Calls that have to wait stand in line at one of two *doors*, one for those that can be 404s and
one for the others, so that walking lists never queues behind objects that do not exist.

Beyond ten 404s in two minutes, calls that can be 404s are spaced by :mod:`.rhythm`, as many as
leave the window meanwhile. That is only a rhythm; that no ban is possible rests on the permits.
"""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
from typing import TYPE_CHECKING, Final

from metron_async._engine.guard.block import Block
from metron_async._engine.guard.outcome import Outcome, Pass, blocked, events_of, proves
from metron_async._engine.guard.rhythm import Rhythm
from metron_async._engine.guard.state import Event, Reply, Report, Wait
from metron_async._engine.guard.table import MISSING, PROOF, RENEW, possibly_banned

if TYPE_CHECKING:
    from metron_async._engine.guard.store import GuardStore

__all__ = ["Guard"]

_logger = logging.getLogger("metron_async.guard")
_LOOK: Final = 0.1  # seconds that even a caller without patience has for a look at the store
_RETELL: Final = PROOF / 10  # seconds after which it is worth telling that all is still well
_UNKNOWN: Final = 1.0  # what is promised where nobody can tell


class Guard:
    """Keep one client from getting its address banned.

    Args:
        store: Where the guards of this machine meet. It is not closed by the guard.
        credentials_key: Keyed hash of the credentials; the guard never sees them.
        host_key: Names the server, such as its origin.

    Example:
        >>> pass_ = await guard.admit(may_404=True, max_wait=None)
        >>> # ... send the request ...
        >>> await guard.observe(pass_, Outcome.answered(200))
    """

    def __init__(self, store: GuardStore, *, credentials_key: str, host_key: str) -> None:
        self._store = store
        self._key = credentials_key
        self._host = host_key
        self._name = secrets.token_hex(8)
        self._block = Block()
        self._rhythm = Rhythm()
        self._reply = Reply()
        self._pending: list[tuple[Event, float]] = []
        self._told_proof = -math.inf
        self._doors = {False: asyncio.Lock(), True: asyncio.Lock()}
        self._waiting = {False: 0, True: 0}
        self._exchanging = asyncio.Lock()
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    async def admit(self, *, may_404: bool, max_wait: float | None, enter: bool = True) -> Pass:
        """Let one request through, or refuse it.

        The permit is held until :meth:`observe` or :meth:`abandon`, and a machine has only nine.
        A caller that still has to queue for its quota therefore passes ``enter=False``, which
        refuses and spaces all the same, and calls :meth:`enter` right before sending.

        Args:
            may_404: Whether the request can ask for something that does not exist. Walking a
                list cannot.
            max_wait: Seconds to wait at most, while somebody else tries the credentials, or
                while calls that can be 404s are spaced. ``None`` waits for as long as it takes.
            enter: Whether the request is sent next.

        Returns:
            The pass to hand to :meth:`observe` or :meth:`abandon`.

        Raises:
            BlockedError: If sending is not safe now, or not within *max_wait*.
        """
        pass_ = self.admit_now(may_404=may_404, enter=enter)
        if pass_ is None:
            pass_ = Pass(may_404=may_404)
            await self._queue(pass_, max_wait, enter=enter)
        return pass_

    def admit_now(self, *, may_404: bool, enter: bool = True) -> Pass | None:
        """Let one request through if nothing has to be asked or waited for.

        Args:
            may_404: As for :meth:`admit`.
            enter: As for :meth:`admit`.

        Returns:
            The pass, or ``None`` if it takes an :meth:`admit`.
        """
        pass_ = Pass(may_404=may_404)
        if self._waiting[may_404] or not self._through(pass_, enter=enter):
            return None
        return pass_

    async def enter(self, pass_: Pass, *, max_wait: float | None = None) -> None:
        """Take the permit for a pass that :meth:`admit` gave without one.

        Args:
            pass_: The pass; nothing happens if it has its permit.
            max_wait: As for :meth:`admit`.

        Raises:
            BlockedError: If sending is not safe any more. Nothing is left to be undone.
        """
        if pass_.entered:
            return
        if self._waiting[pass_.may_404] or not self._through(pass_, enter=True):
            await self._queue(pass_, max_wait, enter=True)

    async def observe(self, pass_: Pass, outcome: Outcome) -> None:
        """Tell what became of a request. Only what is worth telling others costs an exchange.

        Args:
            pass_: The pass of the request; a second outcome for it is ignored.
            outcome: What became of it.
        """
        if pass_.done:
            return
        self._leave(pass_)
        probe = pass_.probe
        now = asyncio.get_running_loop().time()
        events = events_of(outcome, probe=probe, after_timeouts=self._reply.timeouts > 0)
        if outcome.status == MISSING and pass_.paced:
            self._rhythm.paid()
        self._block.consume(events)
        if proves(outcome) and pass_.refusals == self._block.refusals:
            self._block.proven_until = now + PROOF
            if probe or now - self._told_proof > _RETELL:
                self._told_proof = now
                events = (*events, Event.PROOF)
        self._pending += [(event, now) for event in events]
        try:
            if events or probe:
                await self._exchange()
        finally:
            self._signal()

    def abandon(self, pass_: Pass) -> None:
        """Give a pass back: nothing was sent.

        Args:
            pass_: The pass; nothing happens if its outcome is known.
        """
        if pass_.done:
            return
        self._leave(pass_)
        if pass_.probe:
            self._spawn()
        self._signal()

    async def clear(self) -> None:
        """Forget that the server refused the credentials, so that they are tried once more."""
        await self._exchange(clear=True)
        self._signal()

    def explain_timeouts(self) -> str | None:
        """Return a sentence for the error of a connect timeout, if it looks like a ban."""
        reply = self._reply
        return possibly_banned(reply.timeouts, reply.streak, reply.ban_left)

    async def aclose(self) -> None:
        """Give all permits back, except those of requests in flight."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._block.holds or self._pending:
            self._block.forget_peak()
            await self._exchange()
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _leave(self, pass_: Pass) -> None:
        pass_.done = True
        if pass_.entered:
            self._block.take_back(pass_)

    # -- Waiting --------------------------------------------------------------------------------

    def _through(self, pass_: Pass, *, enter: bool) -> bool:
        """Let a request through, if what was last heard allows it."""
        if pass_.may_404 and self._rhythm.due and not pass_.paced:
            return False
        now = asyncio.get_running_loop().time()
        if enter:
            return self._block.lend(pass_, now)
        return now < self._block.fresh_until and self._reply.refusal is None

    async def _queue(self, pass_: Pass, max_wait: float | None, *, enter: bool) -> None:
        """Stand in line, and go through the door or raise."""
        prone, loop = pass_.may_404, asyncio.get_running_loop()
        deadline = math.inf if max_wait is None else loop.time() + max_wait
        if prone and self._rhythm.due and not pass_.paced:
            self._check_rhythm(deadline, ahead=self._waiting[True])
        self._waiting[prone] += 1
        try:
            patience = None if max_wait is None else max(deadline, loop.time() + _LOOK)
            try:
                async with asyncio.timeout_at(patience):
                    await self._doors[prone].acquire()
            except TimeoutError:
                raise blocked((self._reply.wait or Wait.PERMIT).value, _UNKNOWN) from None
            try:
                await self._go_through(pass_, deadline, enter=enter)
            finally:
                self._doors[prone].release()
        except BaseException:
            self.abandon(pass_)
            raise
        finally:
            self._waiting[prone] -= 1

    async def _go_through(self, pass_: Pass, deadline: float, *, enter: bool) -> None:
        while not self._through(pass_, enter=enter):
            await self._exchange(asks=pass_ if enter else None)
            if pass_.entered:
                return
            reply = self._reply
            if reply.refusal is not None:
                raise blocked(reply.refusal.reason, reply.refusal.retry_after)
            if pass_.may_404 and self._rhythm.due and not pass_.paced:
                self._check_rhythm(deadline)
                await self._rhythm.beat()
                pass_.paced = True
            elif self._through(pass_, enter=enter):
                return
            else:
                await self._pause(reply, deadline)

    def _check_rhythm(self, deadline: float, *, ahead: int = 0) -> None:
        """Refuse at once what could not be sent before *deadline*."""
        delay = self._rhythm.delay(ahead)
        if asyncio.get_running_loop().time() + delay > deadline:
            raise blocked(Wait.MISSING.value, delay)

    async def _pause(self, reply: Reply, deadline: float) -> None:
        """Wait until something happened here, or may have happened elsewhere."""
        now = asyncio.get_running_loop().time()
        if now >= deadline:
            raise blocked((reply.wait or Wait.PERMIT).value, _UNKNOWN)
        try:
            async with asyncio.timeout_at(min(now + reply.pause, deadline)):
                await self._changed.wait()
        except TimeoutError:
            return

    def _signal(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    # -- Exchanges ------------------------------------------------------------------------------

    async def _exchange(self, *, asks: Pass | None = None, clear: bool = False) -> None:
        await asyncio.shield(self._spawn(asks=asks, clear=clear))

    def _spawn(
        self, *, asks: Pass | None = None, clear: bool = False, renew: bool = False
    ) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(self._run(asks, clear, renew))
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _logger.debug("an exchange with the ban guard's store failed: %r", task.exception())

    async def _run(self, asks: Pass | None, clear: bool, renew: bool) -> None:
        async with self._exchanging:
            started = asyncio.get_running_loop().time()
            refusals, pending, self._pending = self._block.refusals, self._pending, []
            self._block.shrink()
            base = Report(
                guard=self._name,
                credentials=self._key,
                events=tuple((event, started - at) for event, at in pending),
                asks=asks is not None,
                asks_prone=asks is not None and asks.may_404,
                clear=clear,
            )
            report = self._block.report(base, sum(self._waiting.values()), self._waiting[True])
            if renew:
                self._block.forget_peak()
            try:
                self._reply = reply = await self._store.exchange(self._host, report)
            except BaseException:
                self._pending = pending + self._pending
                raise
            await self._rhythm.pour(reply)
            unseen = [event for event, _ in self._pending]
            self._block.refill(reply, started, unseen, refusals)
            # Before the next exchange of the other line could give it away again.
            if asks is not None and not asks.done:
                self._through(asks, enter=True)
            self._set_timer(started)

    def _set_timer(self, started: float) -> None:
        """Report again in time: to keep what is in use, or to give it back."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._block.holds and not self._closed:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(started + RENEW, self._renew)

    def _renew(self) -> None:
        self._timer = None
        self._spawn(renew=True)
