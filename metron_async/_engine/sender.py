"""Attempts to send one request: admission, one exchange over HTTP, and perhaps another.

A slot is given back only if nothing was sent. Admission learns of every response before it is
interpreted, except one that other processes wait for: that is settled when it is in the cache, or
turned out to be of no use.
"""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec

from metron_async._engine.network import is_patched
from metron_async._engine.protocol import (
    check_success,
    error_of,
    is_intercepted,
    redirect_path,
)
from metron_async._engine.retry import backoff, may_retry
from metron_async.admission import SUSTAINED, EndKind, Permit, RequestEnd, Shared, Waiter
from metron_async.errors import (
    ClosedError,
    DecodeError,
    MetronError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    TransportError,
)

if TYPE_CHECKING:
    from metron_async._engine.in_flight import InFlight
    from metron_async._engine.messages import Request, Response
    from metron_async._engine.transport import Transport
    from metron_async.admission import Controller
    from metron_async.types import Stats

__all__ = ["Sender"]

_NOT_MODIFIED = 304
_OK, _THROTTLED = 200, 429
_KEPT = frozenset({_OK, _NOT_MODIFIED, 404})
_MAX_REDIRECTS = 3

_logger = logging.getLogger("metron_async")


class Sender:
    """Sends a request until it succeeds or may not be sent again.

    Args:
        transport: Makes single attempts.
        controller: Grants the slots, and refuses what could lead to a ban.
        stats: Counters to keep.
        api_root: Root of the API, within which redirects are followed.
        real: Whether the controller's state is that of a real server, and not of a mock.
    """

    def __init__(
        self,
        transport: Transport,
        controller: Controller,
        stats: Stats,
        api_root: str,
        *,
        real: bool,
    ) -> None:
        self._transport = transport
        self._controller = controller
        self._stats = stats
        self._api_root = api_root
        self._real = real

    async def send(self, flight: InFlight[Any]) -> Response | Shared:
        """Return the success, or the 304, with which the server answers *flight*'s request.

        If the flight has a key, that is what another process has made of the same request, or the
        response remains to be settled: see :meth:`conclude`.

        Raises:
            MetronError: What the last attempt ended in; its cause is what the one before ended in
                where the last was not sent.
        """
        request, attempt, hops = flight.request, 0, 0
        while True:
            attempt += 1
            try:
                response = await self._attempt(flight, request)
                if isinstance(response, Shared):
                    return response
                onward = redirect_path(request, response, self._api_root)
                if onward is None or hops == _MAX_REDIRECTS:
                    return self._accept(request, response)
                hops, attempt = hops + 1, attempt - 1
                request = _redirected(request, onward)
            except MetronError as error:
                if error.__cause__ is None:
                    error.__cause__ = flight.failure
                # A spent day is probed now and then. Callers that wait it out wait on.
                attempt -= isinstance(error, RateLimitError) and error.scope == SUSTAINED
                given_up = attempt > flight.retries or flight.waiters == 0
                if given_up or not may_retry(error, is_read=request.is_read):
                    raise
                flight.failure, flight.since = error, asyncio.get_running_loop().time()
                flight.fresh = 0.0
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

    def conclude(self, flight: InFlight[Any], outcome: int | None) -> None:
        """Settle the last response of *flight*, if that was left to its receiver.

        Args:
            flight: The request.
            outcome: What other processes may take: see :class:`RequestEnd`.
        """
        if flight.unsettled is not None:
            (permit, end), flight.unsettled = flight.unsettled, None
            self._controller.settle(permit, msgspec.structs.replace(end, outcome=outcome))

    async def _attempt(self, flight: InFlight[Any], request: Request) -> Response | Shared:
        """Make one attempt, once it is admitted, unless another process has made it."""
        if self._real and is_patched():
            flight.mocked = flight.sent = True
            return await flight.trace.watch(self._transport.send(request))
        permit = await self._admit(flight, request)
        if isinstance(permit, Shared):
            return _taken(flight, request, permit)
        flight.sent = True  # from here on no caller's leaving cancels it
        flight.sent_at = asyncio.get_running_loop().time()
        self._stats.requests += 1
        try:
            response = await flight.trace.watch(self._transport.send(request))
        except BaseException as error:
            self._fail(permit, error)
            if request.is_read and isinstance(error, MetronError):
                error.outcome_unknown = False  # a read that was carried out has changed nothing
            raise
        self._stats.throttled += response.status == _THROTTLED
        status, intercepted = response.status, is_intercepted(response)
        failed = status if flight.key and status >= 500 else None  # noqa: PLR2004
        end = RequestEnd.answered(status, response.headers, failed, intercepted=intercepted)
        if flight.key and status in _KEPT:
            received = asyncio.get_running_loop().time()
            flight.unsettled = permit, msgspec.structs.replace(end, received=received)
        else:
            self._controller.settle(permit, end)
        flight.hold = permit.hold(status)
        if flight.hold:
            _logger.error(
                "The server refuses the credentials (401). This is raised in %.0f s, since three in"
                " five minutes ban the address, and a container that restarts is quicker",
                flight.hold,
            )
        return response

    async def _admit(self, flight: InFlight[Any], request: Request) -> Permit | Shared:
        """Wait for a slot, with the most urgent priority of the callers."""
        if flight.sent:  # before a redirect, or another attempt
            flight.sent = False
            flight.notify()  # deadlines hold again
        waiter = flight.waiter = Waiter(
            flight.priority,
            may_404=request.may_404,
            key=flight.key,
            since=flight.since,
            fresh=flight.fresh,
            on_wait=flight.refused,
        )
        try:
            # Callers leave by their own deadlines, and cancel this when they have all left.
            granted = await self._controller.admit(waiter)
            if (
                isinstance(granted, Permit)
                and waiter.refusal is not None
                and flight.look is not None
            ):
                granted = await self._looked(flight, granted)
        except MetronError as error:
            error.path = request.target
            raise
        finally:
            flight.waiter = None
            flight.go_on()
        return granted

    async def _looked(self, flight: InFlight[Any], permit: Permit) -> Permit | Shared:
        """Give *permit* back if the cache has got the response while *flight* was waiting."""
        kept = False
        try:
            kept = flight.look is not None and await flight.look()
        except BaseException:
            self._controller.release(permit)
            raise
        if kept:
            self._controller.release(permit)
            return Shared(_NOT_MODIFIED)
        return permit

    async def _pause(self, flight: InFlight[Any], seconds: float) -> None:
        """Wait before the next attempt; callers may leave meanwhile."""
        flight.sent = False
        if seconds > 0:
            flight.announce(seconds, "retry")
            await asyncio.sleep(seconds)
            flight.go_on()

    def _fail(self, permit: Permit, error: BaseException) -> None:
        """Report that no response came; the slot is given back only if nothing was sent."""
        timed_out = isinstance(error, RequestTimeoutError)
        unsent = isinstance(error, ClosedError) or (
            isinstance(error, TransportError) and not error.outcome_unknown
        )
        if unsent and not timed_out:  # refused by this machine or a proxy
            self._controller.release(permit)
        else:
            lost = isinstance(error, TransportError | DecodeError) and not timed_out
            sent = EndKind.LOST if lost else EndKind.CLOSED
            kind = EndKind.CONNECT_TIMEOUT if unsent else sent
            self._controller.settle(permit, RequestEnd(kind, error=error))
        if isinstance(error, TransportError) and (hint := self._controller.explain_timeouts()):
            error.add_hint(hint)


def _taken(flight: InFlight[Any], request: Request, shared: Shared) -> Shared:
    """Return what another process has made of the request, or raise its failure."""
    flight.trace.shared = True
    if shared.status >= 500:  # noqa: PLR2004
        msg = "The server failed, in the same request of another process"
        raise ServerError(msg, path=request.target, status=shared.status)
    return shared


def _redirected(request: Request, onward: str) -> Request:
    """Return *request* for the path and query that a redirect leads to."""
    path, _, query = onward.partition("?")
    params = tuple(parse_qsl(query, keep_blank_values=True))
    return msgspec.structs.replace(request, path=path, params=params)
