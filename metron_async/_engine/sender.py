"""Attempts to send one request: ban guard, quota, one exchange over HTTP, and perhaps another.

The order matters. The guard comes before the quota, so that a call which must not be made takes
no place in the queue; it is asked again after the wait, since the credentials may have been
refused in the meantime. A slot of the quota is taken last and given back only if nothing was
sent. Limiter and guard learn of every response before it is interpreted.
"""

from __future__ import annotations

import asyncio
import math
import random
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl

import msgspec

from metron_async._engine.guard import Ending, Outcome
from metron_async._engine.protocol import (
    check_success,
    error_of,
    is_intercepted,
    observe,
    redirect_path,
)
from metron_async._engine.retry import backoff, may_retry
from metron_async.errors import (
    ClosedError,
    DecodeError,
    MetronError,
    RateLimitError,
    RequestTimeoutError,
    TransportError,
)
from metron_async.quota import Estimate, Observation
from metron_async.types import Wait

if TYPE_CHECKING:
    from metron_async._engine.guard import Guard, Pass
    from metron_async._engine.messages import Request, Response
    from metron_async._engine.single_flight import InFlight
    from metron_async._engine.transport import Transport
    from metron_async.quota import Claim, Limiter, Ticket
    from metron_async.types import Stats

__all__ = ["Sender"]

_NOT_MODIFIED = 304
_REFUSED, _FORBIDDEN, _THROTTLED = 401, 403, 429
_MAX_REDIRECTS = 3
_UNKNOWN = Observation(reading=None, throttled=False, retry_after=None, counted=True)


class Sender:
    """Sends a request until it succeeds or may not be sent again.

    Args:
        transport: Makes single attempts.
        limiter: Grants the slots.
        guard: Refuses what could lead to a ban.
        stats: Counters to keep.
        api_root: Root of the API, within which redirects are followed.
    """

    def __init__(
        self, transport: Transport, limiter: Limiter, guard: Guard, stats: Stats, api_root: str
    ) -> None:
        self._transport = transport
        self._limiter = limiter
        self._guard = guard
        self._stats = stats
        self._api_root = api_root

    async def send(self, flight: InFlight[Any]) -> Response:
        """Return the success, or the 304, with which the server answers *flight*'s request.

        Raises:
            MetronError: What the last attempt ended in; its cause is what the one before ended in
                where the last was not sent.
        """
        request, attempt, hops = flight.request, 0, 0
        while True:
            attempt += 1
            try:
                response = await self._attempt(flight, request)
                onward = redirect_path(request, response, self._api_root)
                if onward is None or hops == _MAX_REDIRECTS:
                    return self._accept(request, response)
                hops, attempt = hops + 1, attempt - 1
                request = _redirected(request, onward)
            except MetronError as error:
                if error.__cause__ is None:
                    error.__cause__ = flight.failure
                given_up = attempt > flight.retries or flight.waiters == 0
                if given_up or not may_retry(error, is_read=request.is_read):
                    raise
                flight.failure = error
                self._stats.retries += 1
                pause = backoff(attempt, error, random.random())  # noqa: S311
                flight.trace.retrying(error, pause)
                await self._pause(flight, pause)

    def _accept(self, request: Request, response: Response) -> Response:
        if response.status == _NOT_MODIFIED:
            self._stats.not_modified += 1
            return response
        if not 200 <= response.status < 300:  # noqa: PLR2004
            raise error_of(request, response)
        check_success(request, response)
        return response

    async def _attempt(self, flight: InFlight[Any], request: Request) -> Response:
        """Make one attempt: admitted by the guard, paid for with a slot."""
        flight.sent = False
        passed = await self._admit(flight, request)
        try:
            ticket = await self._queue(flight)
        except BaseException:
            self._guard.abandon(passed)
            raise
        try:
            await self._guard.enter(passed)
        except BaseException:  # nothing was sent: neither the quota nor the firewall counts it
            self._guard.abandon(passed)
            await self._limiter.release(ticket)
            raise
        flight.sent = True  # from here on no caller's leaving cancels it
        flight.sent_at = asyncio.get_running_loop().time()
        self._stats.requests += 1
        try:
            response = await flight.trace.watch(self._transport.send(request))
        except BaseException as error:
            await self._fail(ticket, passed, error)
            if request.is_read and isinstance(error, MetronError):
                error.outcome_unknown = False  # a read that was carried out has changed nothing
            raise
        self._stats.throttled += response.status == _THROTTLED
        await self._limiter.settle(ticket, observe(response))
        await self._guard.observe(passed, _outcome_of(response))
        return response

    async def _admit(self, flight: InFlight[Any], request: Request) -> Pass:
        """Ask the guard; callers may leave while it spaces calls, or tries the credentials."""
        passed = self._guard.admit_now(may_404=request.may_404, enter=False)
        if passed is None:
            self._announce(flight, "guard", Estimate(0.0, None, 0))
            try:
                passed = await self._guard.admit(
                    may_404=request.may_404, max_wait=None, enter=False
                )
            finally:
                flight.announce(None)
        return passed

    async def _queue(self, flight: InFlight[Any]) -> Ticket:
        """Wait for a slot of the quota, with the most urgent priority of the callers."""
        claim = flight.claim = self._limiter.claim(flight.priority)
        try:
            if not claim.future.done():
                await self._wait(flight, claim)
            return await self._limiter.granted(claim)
        except BaseException:
            self._limiter.withdraw(claim)
            raise
        finally:
            flight.claim = None
            flight.announce(None)

    async def _wait(self, flight: InFlight[Any], claim: Claim) -> None:
        """Announce the wait of *claim*, and wait until it is granted.

        What began as a wait for the minute's window can become one for the day's, when others
        spend the rest of it meanwhile; it is then announced again.
        """
        estimate = await self._limiter.estimate(claim)
        if estimate.seconds > 0:
            self._announce(flight, "quota", estimate)
        try:
            await self._limiter.wait(claim, None)
        except RateLimitError as error:
            if estimate.scope != error.scope:
                found = Estimate(error.retry_after, error.scope, error.limit or 0)
                self._announce(flight, "quota", found)
            await self._limiter.wait(claim, math.inf)

    async def _pause(self, flight: InFlight[Any], seconds: float) -> None:
        """Wait before the next attempt; callers may leave meanwhile."""
        flight.sent = False
        if seconds > 0:
            self._announce(flight, "retry", Estimate(seconds, None, 0))
            await asyncio.sleep(seconds)
            flight.announce(None)

    def _announce(
        self, flight: InFlight[Any], reason: Literal["quota", "retry", "guard"], estimate: Estimate
    ) -> None:
        wait = Wait(
            seconds=estimate.seconds,
            reason=reason,
            scope=estimate.scope,
            path=flight.request.target,
            priority=flight.priority,
            limit=estimate.limit if reason == "quota" else None,
        )
        flight.announce(wait, asyncio.get_running_loop().time())

    async def _fail(self, ticket: Ticket, passed: Pass, error: BaseException) -> None:
        """Report that no response came; the slot is given back only if nothing was sent."""
        unsent = isinstance(error, ClosedError) or (
            isinstance(error, TransportError) and not error.outcome_unknown
        )
        if unsent:
            await self._limiter.release(ticket)
        else:
            await self._limiter.settle(ticket, _UNKNOWN)
        refused = unsent and not isinstance(error, RequestTimeoutError)
        if refused:  # by this or the other machine: nothing that the firewall counts
            self._guard.abandon(passed)
        else:
            await self._guard.observe(passed, _outcome_of_failure(error, unsent=unsent))
        if isinstance(error, TransportError) and (hint := self._guard.explain_timeouts()):
            error.add_hint(hint)


def _outcome_of(response: Response) -> Outcome:
    """Return what *response* means to the guard.

    A 401 that is not the API's own says nothing about the credentials. The firewall may still
    count it, as it counts a 403.
    """
    if response.status == _REFUSED and is_intercepted(response):
        return Outcome.answered(_FORBIDDEN)
    return Outcome.answered(response.status)


def _outcome_of_failure(error: BaseException, *, unsent: bool) -> Outcome:
    broken = isinstance(error, TransportError) and not isinstance(error, RequestTimeoutError)
    if broken or isinstance(error, DecodeError):  # it was answered, if not with a valid response
        return Outcome(Ending.FAILED)
    return Outcome(Ending.CONNECT_TIMEOUT if unsent else Ending.CLOSED_BY_US)


def _redirected(request: Request, onward: str) -> Request:
    """Return *request* for the path and query that a redirect leads to."""
    path, _, query = onward.partition("?")
    params = tuple(parse_qsl(query, keep_blank_values=True))
    return msgspec.structs.replace(request, path=path, params=params)
