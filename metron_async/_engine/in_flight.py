"""One request that is queued or sent, as its callers see it."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from metron_async.admission import Waiter
from metron_async.admission.commands import Cause
from metron_async.admission.waits import copy_of, wait_error
from metron_async.errors import RateLimitError
from metron_async.telemetry import RequestTrace
from metron_async.types import Wait

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from metron_async._engine.messages import Request
    from metron_async.admission import Controller, Permit, RequestEnd
    from metron_async.admission.commands import Refusal
    from metron_async.admission.state import Scope
    from metron_async.cache import Entry
    from metron_async.errors import MetronError
    from metron_async.types import CallOptions, Priority

__all__ = ["InFlight"]

T = TypeVar("T")


class InFlight(Generic[T]):
    """One request that is queued or sent.

    Attributes:
        request: The request.
        priority: The most urgent priority among its callers.
        retries: Attempts that may follow the first: the most that any caller allows.
        sent: Whether it was handed to the network; it is then never cancelled.
        sent_at: Loop time at which it was last handed to the network.
        ended: Whether its result or error is there, and no call can join it.
        waiters: Callers that wait for it.
        shared: Whether it has ever had more than one caller.
        began: Loop time at which it was launched.
        failure: What the last attempt ended in, while another one is to come.
        wait: The wait that it is in, or ``None``.
        waiter: Its place in the queue of the quota, while it has one.
        key: Key under which other processes wait for it; empty if they do not.
        since: Loop time from which on a response that another process has received will do.
        fresh: Seconds before that in which a response that another process has cached will do.
        kept_since: Wall-clock time from which on such a response has been cached.
        current: Returns whether a cached response is current, whatever the caller's options.
        look: Returns whether the cache has such a response by now.
        unsettled: Its permit and how it ended, until its response is cached.
        mocked: Whether a library for tests responded, which began when the client was in use.
        hold: Seconds for which callers without a deadline hold back its failure.
        trace: What telemetry observes of it.
    """

    def __init__(self, request: Request, options: CallOptions) -> None:
        self.request = request
        self.trace: RequestTrace = RequestTrace(request)
        self.priority: Priority = options.priority
        self.retries: int = options.retries
        self.sent = False
        self.sent_at: float = 0.0
        self.ended: bool = False
        self.waiters = 0
        self.shared = False
        self.began: float = asyncio.get_running_loop().time()
        self.failure: MetronError | None = None
        self.wait: Wait | None = None
        self.wait_until: float = 0.0
        self.waiter: Waiter | None = None
        self.key: str = ""
        self.since: float = math.inf
        self.fresh: float = 0.0
        self.kept_since: float = -math.inf
        self.current: Callable[[Entry], bool] | None = None
        self.look: Callable[[], Awaitable[bool]] | None = None
        self.unsettled: tuple[Permit, RequestEnd] | None = None
        self.mocked: bool = False
        self.hold: float = 0.0
        self.task: asyncio.Task[T]
        self._listeners: set[asyncio.Future[None]] = set()

    def refused(self, refusal: Refusal) -> None:
        """Announce to the callers that a wait for a slot begins."""
        cause, guard = refusal.cause, refusal.cause.guard
        self.announce(
            refusal.wait,
            "guard" if guard else "quota",
            None if guard else refusal.scope,
            refusal.limit if cause is Cause.WINDOW else None,
        )

    def announce(
        self,
        seconds: float,
        reason: Literal["quota", "retry", "guard"],
        scope: Scope | None = None,
        limit: int | None = None,
    ) -> None:
        """Announce to the callers that a wait begins."""
        self.wait_until = asyncio.get_running_loop().time() + seconds
        self.wait = Wait(seconds, reason, scope, self.request.target, self.priority, limit)
        self.notify()

    def go_on(self) -> None:
        """Announce to the callers that the wait, if there was one, is over."""
        if self.wait is not None:
            self.wait = None
            self.notify()

    def notify(self) -> None:
        """Wake all callers, so that they look at what has changed."""
        listeners, self._listeners = self._listeners, set()
        for listener in listeners:
            if not listener.done():
                listener.set_result(None)

    async def change(self) -> None:
        """Wait until a wait begins or ends, or the request is done."""
        listener = asyncio.get_running_loop().create_future()
        self._listeners.add(listener)
        try:
            await listener
        finally:
            self._listeners.discard(listener)

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for a slot, or for the next attempt."""
        queued = self.waiter is not None and self.waiter.refusal is not None
        return not self.sent and (queued or self.wait is not None)

    def error_of_wait(self, controller: Controller, left: float = 0.0) -> MetronError:
        """Return the error for a caller that leaves, with *left* seconds of a known wait ahead.

        After a failed attempt that failure is the reason why the call still waits. The
        server's own 429 is one too, but says less than how long the wait for the slot is.
        """
        if self.failure is not None and not isinstance(self.failure, RateLimitError):
            return copy_of(self.failure)
        waiter = self.waiter or Waiter()
        known = waiter.refusal if left > 0 else None
        error = controller.overdue(waiter) if known is None else wait_error(known, left)
        error.path = self.request.target
        error.__cause__ = error.__cause__ or self.failure
        return error
