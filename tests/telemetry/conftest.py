"""OpenTelemetry's and Sentry's SDKs, which keep in memory what they would send."""

from __future__ import annotations

import logging

import pytest
import sentry_sdk
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sentry_sdk.integrations.httpx import HttpxIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.transport import Transport


class Spans:
    """The spans that have ended."""

    def __init__(self):
        self.exporter = InMemorySpanExporter()

    def all(self):
        return self.exporter.get_finished_spans()

    def named(self, start):
        return [span for span in self.all() if span.name.startswith(start)]

    def one(self, start):
        (span,) = self.named(start)
        return span


@pytest.fixture
def spans(monkeypatch):
    """A provider of tracers for one test: OpenTelemetry lets a process set it only once."""
    found, provider = Spans(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(found.exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield found
    provider.shutdown()


@pytest.fixture
def points(monkeypatch):
    """A provider of meters for one test, and a function that returns the points by name."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    monkeypatch.setattr(metrics._internal, "_METER_PROVIDER", provider)

    def collect():
        found = {}
        data = reader.get_metrics_data()
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    found[metric.name] = list(metric.data.data_points)
        return found

    yield collect
    provider.shutdown()


class Envelopes(Transport):
    """Keeps what Sentry would send."""

    def __init__(self, options=None):
        super().__init__(options)
        self.events = []

    def capture_envelope(self, envelope):
        self.events += [item.payload.json for item in envelope.items]


@pytest.fixture
def sentry():
    """Sentry's SDK with tracing, and all that it would send."""
    transport = Envelopes()
    client = sentry_sdk.Client(
        dsn="https://key@sentry.invalid/1",
        traces_sample_rate=1.0,
        transport=transport,
        default_integrations=False,  # those for servers would watch the fake server as well
        integrations=[HttpxIntegration(), LoggingIntegration(level=logging.DEBUG)],
    )
    with sentry_sdk.isolation_scope() as scope:
        scope.set_client(client)
        yield transport
    client.close(timeout=0)
