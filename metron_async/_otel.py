"""Spans and metrics in OpenTelemetry, for applications that use it (extra ``otel``).

A call is a span in its caller's context. A request, which may serve many calls, is a span below
the span of the call that launched it. Each call that it serves is linked to it.

This module is imported only after the application has imported OpenTelemetry's API. Without a
tracer or meter provider, nothing is recorded.
"""

from __future__ import annotations

import contextlib
import inspect
from typing import TYPE_CHECKING, Any

from opentelemetry import context, metrics, trace

from metron_async._version import __version__
from metron_async.admission.headers import parse_rate_headers

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from metron_async.types import RequestEvent

__all__ = ["CallSpan", "OpenTelemetry", "RequestSpan"]

_NAME = "metron_async"
_WAITS = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 300.0, 3600.0)
_WINDOWS = ("burst", "sustained")


class CallSpan:
    """The span of a call, current while the call runs.

    Args:
        tracer: Makes the span.
        name: Its name.
    """

    __slots__ = ("_span", "_token")

    def __init__(self, tracer: trace.Tracer, name: str) -> None:
        self._span = tracer.start_span(name)
        self._token: Any = context.attach(trace.set_span_in_context(self._span))

    def end(self, event: RequestEvent, request: RequestSpan | None) -> None:
        """End the span of the call that *event* describes, which *request* has served."""
        span = self._span
        attributes: dict[str, str | float | bool] = {
            "http.request.method": event.method,
            "metron.path": event.path.partition("?")[0],
            "metron.attempts": event.attempts,
            "metron.waited": event.waited,
            "metron.priority": event.priority.name.lower(),
            "metron.coalesced": event.coalesced,
        }
        if event.source is not None:
            attributes["metron.source"] = event.source.value
        span.set_attributes(attributes)
        if request is not None:
            span.add_link(request.context)
        _set_outcome(span, event.status, event.error)
        span.end()
        context.detach(self._token)

    def abandon(self) -> None:
        """End the span of a call that was dropped by its event loop, maybe in another context."""
        self._span.end()
        if trace.get_current_span() is self._span:
            context.detach(self._token)


class RequestSpan:
    """The span of a request, from its launch to its end.

    Args:
        tracer: Makes the span.
        method: HTTP method.
        path: Path and query below the API's root.
    """

    __slots__ = ("_span",)

    def __init__(self, tracer: trace.Tracer, method: str, path: str) -> None:
        attributes = {"http.request.method": method, "metron.path": path.partition("?")[0]}
        self._span = tracer.start_span(method, kind=trace.SpanKind.CLIENT, attributes=attributes)

    @property
    def context(self) -> trace.SpanContext:
        """Identity of the span, for links."""
        return self._span.get_span_context()

    @contextlib.contextmanager
    def current(self) -> Generator[None]:
        """Make it the current span of what is sent inside."""
        token = context.attach(trace.set_span_in_context(self._span))
        try:
            yield
        finally:
            context.detach(token)

    def end(self, status: int | None, attempts: int, error: str | None) -> None:
        """End the span."""
        self._span.set_attribute("metron.attempts", attempts)
        _set_outcome(self._span, status, error)
        self._span.end()


def _set_outcome(span: trace.Span, status: int | None, error: str | None) -> None:
    if status is not None:
        span.set_attribute("http.response.status_code", status)
    if error is not None:
        span.set_attribute("error.type", error)
        if error != "CancelledError":
            span.set_status(trace.StatusCode.ERROR, error)


class OpenTelemetry:
    """The application's providers, with what this package has made of them."""

    def __init__(self) -> None:
        self._tracers: trace.TracerProvider | None = None
        self._tracer: trace.Tracer | None = None
        self._meters: metrics.MeterProvider | None = None
        self._instruments: _Instruments | None = None

    @staticmethod
    def is_supported() -> bool:
        """Return whether the installed API has what is used here, which 1.30 brought."""
        histogram = inspect.signature(metrics.Meter.create_histogram)
        return "explicit_bucket_boundaries_advisory" in histogram.parameters

    def start_call(self, method: str, resource: str) -> CallSpan | None:
        """Start the span of a call as the current one, or return ``None`` without a provider."""
        tracer = self._find_tracer()
        return None if tracer is None else CallSpan(tracer, f"metron {method} {resource}")

    def start_request(self, method: str, path: str) -> RequestSpan | None:
        """Start the span of a request below the current span, or return ``None``."""
        tracer = self._find_tracer()
        return None if tracer is None else RequestSpan(tracer, method, path)

    def record_request(
        self,
        method: str,
        resource: str,
        status: int | None,
        error: str | None,
        headers: Mapping[str, str],
    ) -> None:
        """Count one request that was sent, and record the quota that its response shows."""
        instruments = self._find_instruments()
        if instruments is None:
            return
        attributes: dict[str, str | int] = {
            "http.request.method": method,
            "metron.resource": resource,
        }
        if status is not None:
            attributes["http.response.status_code"] = status
        if error is not None:
            attributes["error.type"] = error
        instruments.requests.add(1, attributes)
        for window, reading in zip(_WINDOWS, parse_rate_headers(headers), strict=True):
            if reading:
                limit, remaining, _ = reading
                instruments.limit.set(limit, {"metron.window": window})
                instruments.remaining.set(remaining, {"metron.window": window})

    def record_call(self, event: RequestEvent) -> None:
        """Record how long a call has waited."""
        instruments = self._find_instruments()
        if instruments is not None:
            attributes = {"metron.priority": event.priority.name.lower()}
            instruments.waits.record(event.waited, attributes)

    def is_used(self) -> bool:
        """Return whether the application has set a provider of tracers or meters."""
        return self._find_tracer() is not None or self._find_instruments() is not None

    def _find_tracer(self) -> trace.Tracer | None:
        provider = trace.get_tracer_provider()
        if provider is not self._tracers:
            self._tracers = provider
            unset = _is_of_the_api(provider)
            self._tracer = None if unset else provider.get_tracer(_NAME, __version__)
        return self._tracer

    def _find_instruments(self) -> _Instruments | None:
        provider = metrics.get_meter_provider()
        if provider is not self._meters:
            self._meters = provider
            self._instruments = None if _is_of_the_api(provider) else _Instruments(provider)
        return self._instruments


def _is_of_the_api(provider: object) -> bool:
    """Return whether *provider* is one that stands in until the application sets its own."""
    return type(provider).__module__.startswith(("opentelemetry.trace", "opentelemetry.metrics"))


class _Instruments:
    """The instruments of one meter provider."""

    def __init__(self, provider: metrics.MeterProvider) -> None:
        meter = provider.get_meter(_NAME, __version__)
        self.requests = meter.create_counter(
            "metron.client.requests", "{request}", "Requests sent, retries included."
        )
        self.waits = meter.create_histogram(
            "metron.client.wait",
            "s",
            "Time that calls have waited for the quota, to avoid a ban, or for the next attempt.",
            explicit_bucket_boundaries_advisory=_WAITS,
        )
        self.limit = meter.create_gauge(
            "metron.quota.limit", "{request}", "Requests that a window of the quota allows."
        )
        self.remaining = meter.create_gauge(
            "metron.quota.remaining",
            "{request}",
            "Requests left in a window of the quota, as of the last response.",
        )
