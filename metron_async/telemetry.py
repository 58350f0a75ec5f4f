"""What an application sees of its calls: events, log lines, and traces.

A *call* is made by the application; a *request* is made for one or more calls, by a task with a
context of its own. Each call ends with one :class:`~metron_async.types.RequestEvent`. The hook
``on_request``, the DEBUG line of the logger ``metron_async.requests`` and the span of the call
are made of it.

The engine reports four things: that a call begins (:func:`observed`), which request it joins
(:func:`joined`), how long it waits (:func:`waited`), and what is sent (:class:`RequestTrace`).

Of the caller's context, a request takes over the current span only, and Sentry's scopes where
Sentry is used. They are current while it is sent, and dropped when it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from metron_async._noise import own_request
from metron_async._tracers import opentelemetry, sentry_scopes
from metron_async.errors import NotFoundError
from metron_async.types import NOT_MODIFIED, Origin, RequestEvent, Source

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from metron_async._otel import CallSpan, RequestSpan
    from metron_async.types import CallOptions

__all__ = ["RequestTrace", "joined", "observed", "waited"]


class _Request(Protocol):
    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def target(self) -> str: ...


class _Response(Protocol):
    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...


R = TypeVar("R", bound=_Response)
F = TypeVar("F", bound="Callable[..., Coroutine[Any, Any, Any]]")

_logger = logging.getLogger("metron_async.requests")
_OK = 200
_SHOWN = 300  # characters of a path that a log line repeats


class RequestTrace:
    """What is observed of one request, from its launch to its end.

    Args:
        request: The request. It is made in the context of the call that launches it.

    Attributes:
        attempts: How often it was sent.
        status: Status of the response to the last attempt, or ``None`` without one.
        joined: Whether a call has joined it.
        shared: Whether another process made the request in place of it.
        span: Its span, or ``None``.
    """

    __slots__ = ("_method", "_scopes", "_target", "attempts", "joined", "shared", "span", "status")

    def __init__(self, request: _Request) -> None:
        self._method, self._target = request.method, request.target
        self.attempts: int = 0
        self.status: int | None = None
        self.joined: bool = False
        self.shared: bool = False
        otel = opentelemetry()
        self.span: RequestSpan | None = (
            otel.start_request(self._method, self._target) if otel is not None else None
        )
        self._scopes = sentry_scopes()

    async def watch(self, sending: Awaitable[R]) -> R:
        """Return the response that *sending*, one attempt, results in."""
        self.attempts += 1
        self.status = error = None
        headers: Mapping[str, str] = {}
        try:
            with contextlib.ExitStack() as surroundings:
                surroundings.enter_context(own_request())
                if self._scopes is not None:
                    self._scopes.enter(surroundings)
                if self.span is not None:
                    surroundings.enter_context(self.span.current())
                response = await sending
            self.status, headers = response.status, response.headers
        except BaseException as raised:
            error = type(raised).__name__
            raise
        finally:
            if (otel := opentelemetry()) is not None:
                resource = _resource_of(self._target)
                otel.record_request(self._method, resource, self.status, error, headers)
        return response

    def retrying(self, error: Exception, pause: float) -> None:
        """Log that an attempt has failed, and that another one follows after *pause* seconds."""
        what = f"{self._method} {self._target:.{_SHOWN}}"
        kind = type(error).__name__
        _logger.info("%s failed, next attempt in %.1f s: %s: %s", what, pause, kind, error)

    def end(self, task: asyncio.Task[Any]) -> None:
        """End with the *task* that has made the request."""
        self._scopes = None
        if self.span is not None:
            error = asyncio.CancelledError() if task.cancelled() else task.exception()
            name = None if error is None else type(error).__name__
            self.span.end(self.status, self.attempts, name)


class _Call:
    """What is known of a call while it runs.

    Args:
        request: What the call asks for.
        options: How it may behave.
        began: Loop time at which it began.
    """

    __slots__ = (
        "_began",
        "_options",
        "_request",
        "_span",
        "_token",
        "coalesced",
        "trace",
        "waited",
    )

    def __init__(self, request: _Request, options: CallOptions, began: float) -> None:
        self._request = request
        self._options = options
        self._began = began
        self.trace: RequestTrace | None = None
        self.coalesced = False
        self.waited = 0.0
        self._token = _current.set(self)
        otel = opentelemetry()
        self._span: CallSpan | None = (
            otel.start_call(request.method, _resource_of(request.path))
            if otel is not None
            else None
        )

    def end(self, now: float, result: object, error: BaseException | None = None) -> None:
        """Report that the call has ended at loop time *now*, with *result* or with *error*."""
        _current.reset(self._token)
        hook, otel = self._options.on_request, opentelemetry()
        traced = self._span is not None or (otel is not None and otel.is_used())
        logged = _logger.isEnabledFor(logging.DEBUG)
        if hook is None and not traced and not logged:
            return
        event = self._event(now, result, error)
        if otel is not None:
            otel.record_call(event)
        if self._span is not None:
            self._span.end(event, self.trace.span if self.trace is not None else None)
        if logged:
            _log(event)
        if hook is not None:
            try:
                hook(event)
            except Exception:
                _logger.exception("The hook on_request failed")

    def abandon(self) -> None:
        """End the span of a call whose coroutine is dropped, maybe in another context."""
        if _current.get() is self:
            _current.reset(self._token)
        if self._span is not None:
            self._span.abandon()

    def _event(self, now: float, result: object, error: BaseException | None) -> RequestEvent:
        attempts = 0 if self.trace is None else self.trace.attempts
        if self.trace is not None and attempts:
            status = self.trace.status
        elif error is None:
            status = _OK
        else:  # a cached 404 was a response, and any other error was raised in place of one
            status = error.status if isinstance(error, NotFoundError) else None
        source = _source_of(result) if error is None else None
        if error is not None and status is not None:
            source = Source.NETWORK if attempts else Source.CACHE
        return RequestEvent(
            method=self._request.method,
            path=_target_of(self._request),
            status=status,
            source=source,
            attempts=attempts,
            waited=self.waited,
            elapsed=now - self._began,
            priority=self._options.priority,
            coalesced=self.coalesced or (self.trace is not None and self.trace.shared),
            error=None if error is None else type(error).__name__,
        )


_current: ContextVar[_Call | None] = ContextVar("metron_async_call", default=None)


def joined(trace: RequestTrace) -> None:
    """Note that the current call waits for the request of *trace*."""
    call = _current.get()
    if call is not None:
        call.trace, call.coalesced = trace, trace.joined
    trace.joined = True


def waited(seconds: float) -> None:
    """Add *seconds* to the wait of the current call."""
    call = _current.get()
    if call is not None:
        call.waited += seconds


def observed(method: F) -> F:
    """Decorate a method that makes one call: ``method(caller, request, ...)``.

    The caller has ``options``. The result has an ``origin``, or came over the network.
    """

    @functools.wraps(method)
    async def run(caller: Any, request: _Request, *args: Any) -> Any:
        try:
            clock = asyncio.get_running_loop().time
        except RuntimeError:  # not under asyncio: the call raises an error that says so
            return await method(caller, request, *args)
        call = _Call(request, caller.options, clock())
        try:
            result = await method(caller, request, *args)
        except GeneratorExit:
            call.abandon()
            raise
        except BaseException as error:
            call.end(clock(), None, error)
            raise
        call.end(clock(), result)
        return result

    return cast("F", run)


def _source_of(result: object) -> Source:
    """Return where the *result* of a call came from."""
    origin = getattr(result, "origin", None)
    if isinstance(origin, Origin):
        return origin.source
    return Source.NOT_MODIFIED if result is NOT_MODIFIED else Source.NETWORK


def _target_of(request: _Request) -> str:
    try:
        return request.target
    except UnicodeError:  # a filter that cannot be encoded: the call has failed because of it
        return request.path


def _resource_of(path: str) -> str:
    return path.partition("?")[0].partition("/")[0]


def _log(event: RequestEvent) -> None:
    _logger.debug(
        "%s %s: %s in %.3f s (source=%s attempts=%d waited=%.3f priority=%s coalesced=%s)",
        event.method,
        event.path[:_SHOWN],
        event.error or event.status,
        event.elapsed,
        event.source and event.source.value,
        event.attempts,
        event.waited,
        event.priority.name,
        event.coalesced,
    )
