"""Spans and metrics: their shape, what they are linked to, and what they cost if not used."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import subprocess
import sys
import textwrap
import weakref

import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.trace import SpanKind, StatusCode
from support.virtual import virtual
from support.world import client, idle

from metron_async import NotFoundError, Priority, RequestTimeoutError
from metron_async.testing import FakeMetron, Fault


def application(name="application"):
    """Make a span of the application the current one."""
    return trace.get_tracer("application").start_as_current_span(name)


def scenario(run, **options):
    options.setdefault("cache", ":memory:")

    async def main():
        fake = FakeMetron(issues=150)
        async with client(fake, **options) as metron:
            await run(fake, metron)
            await idle(metron)

    virtual(main())


def test_a_call_is_a_child_of_the_applications_span(spans):
    async def run(fake, metron):
        with application():
            await metron.issues.iter(series_name="secret question").page(1)
            await metron.issues.get(7)

    scenario(run)
    outer = spans.one("application")
    page, detail = spans.named("metron GET issue")
    assert {page.parent.span_id, detail.parent.span_id} == {outer.context.span_id}
    assert page.kind is SpanKind.INTERNAL
    assert dict(detail.attributes) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "metron.path": "issue/7/",
        "metron.source": "network",
        "metron.attempts": 1,
        "metron.waited": 0.0,
        "metron.priority": "normal",
        "metron.coalesced": False,
    }
    requests = spans.named("GET")
    assert [span.kind for span in requests] == [SpanKind.CLIENT] * 2
    assert [span.parent.span_id for span in requests] == [
        page.context.span_id,
        detail.context.span_id,
    ]
    assert all("question" not in span.to_json() for span in spans.all())


def test_calls_that_share_a_request_are_linked_to_it(spans):
    async def run(fake, metron):
        fake.latency = 2

        async def call(name):
            with application(name):
                await metron.issues.get(7)

        await asyncio.gather(call("first"), call("second"))

    scenario(run)
    request = spans.one("GET")
    first, second = (
        next(s for s in spans.named("metron") if s.parent.span_id == outer.context.span_id)
        for outer in (spans.one("first"), spans.one("second"))
    )
    assert request.parent.span_id == first.context.span_id
    assert second.context.trace_id != request.context.trace_id
    for call, coalesced in ((first, False), (second, True)):
        assert [link.context.span_id for link in call.links] == [request.context.span_id]
        assert call.attributes["metron.coalesced"] is coalesced


def test_a_cached_call_has_no_request(spans):
    async def run(fake, metron):
        await metron.issues.get(7)
        spans.exporter.clear()
        await metron.issues.get(7)

    scenario(run)
    (call,) = spans.all()
    assert call.attributes["metron.source"] == "cache"
    assert call.links == ()


def test_failures_and_retries(spans):
    async def run(fake, metron):
        fake.faults.add(Fault.status(503), times=1)
        await metron.issues.get(7)
        with pytest.raises(NotFoundError):
            await metron.issues.get(999_999)

    scenario(run)
    good, bad = spans.named("metron")
    assert good.attributes["metron.attempts"] == 2
    assert good.attributes["metron.waited"] > 0
    assert good.status.status_code is StatusCode.UNSET
    for span in (bad, spans.named("GET")[1]):
        assert span.status.status_code is StatusCode.ERROR
        assert span.attributes["error.type"] == "NotFoundError"
        assert span.attributes["http.response.status_code"] == 404
        assert span.events == ()  # no exceptions with their frames


def test_a_request_that_outlives_its_caller(spans):
    async def run(fake, metron):
        await metron.publishers.get(1)  # the first request proves the credentials
        spans.exporter.clear()
        fake.latency = 3
        with pytest.raises(RequestTimeoutError):
            await metron.with_options(timeout=1).issues.get(7)
        task = asyncio.create_task(metron.publishers.iter().page(1))
        await asyncio.sleep(0.5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert len(spans.named("metron")) == 2
        assert spans.named("GET") == []
        await asyncio.sleep(5)

    scenario(run)
    late, cancelled = spans.named("metron")
    assert late.attributes["error.type"] == "RequestTimeoutError"
    assert cancelled.attributes["error.type"] == "CancelledError"
    assert cancelled.status.status_code is StatusCode.UNSET
    assert [span.status.status_code for span in spans.named("GET")] == [StatusCode.UNSET] * 2


def test_a_request_that_leaves_the_queue_ends_its_span(spans):
    async def run(fake, metron):
        for number in range(1, 21):
            await metron.issues.get(number)
        with pytest.raises(RequestTimeoutError):
            await metron.with_options(timeout=2).issues.get(30)

    scenario(run)
    assert spans.named("GET")[-1].attributes["error.type"] == "CancelledError"
    assert spans.named("GET")[-1].attributes["metron.attempts"] == 0


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_coroutine_that_is_dropped_ends_its_span(spans, caplog, elsewhere):
    async def run(fake, metron):
        fake.latency = 1
        call = metron.issues.get(7)
        begun_in = contextvars.Context() if elsewhere else contextvars.copy_context()
        begun_in.run(call.send, None)
        (contextvars.Context() if elsewhere else begun_in).run(call.close)
        assert begun_in.run(trace.get_current_span).is_recording() is False
        if not elsewhere:
            assert begun_in.run(trace.get_current_span) is trace.INVALID_SPAN
        await asyncio.sleep(2)

    scenario(run)
    assert len(spans.named("metron")) == 1
    assert "detach" not in caplog.text


class Value:
    """Something of the application that a context variable keeps alive."""


variable = contextvars.ContextVar("variable", default=None)


def test_only_the_span_goes_along_and_nothing_is_kept_alive(spans):
    async def run(fake, metron):
        await metron.publishers.get(1)  # what is opened once
        fake.latency = 5
        seen = []
        original = metron._caller.core.parts.transport.send

        async def send(request):
            seen.append((variable.get(), dict(baggage.get_all()), trace.get_current_span()))
            return await original(request)

        metron._caller.core.parts.transport.send = send

        async def call():
            value = Value()
            variable.set(value)
            context.attach(baggage.set_baggage("user", "anna"))
            with pytest.raises(RequestTimeoutError):
                await metron.with_options(timeout=1).issues.get(7)
            return weakref.ref(value)

        kept = await asyncio.create_task(call(), context=contextvars.Context())
        await asyncio.sleep(0)  # the event loop itself lets go of the task
        gc.collect()
        assert kept() is None  # while the request is still in flight
        ((value, carried, span),) = seen
        assert value is None
        assert carried == {}
        assert span.get_span_context().is_valid
        await asyncio.sleep(10)
        assert spans.named("GET")[-1].context.span_id == span.get_span_context().span_id

    scenario(run)


def test_metrics(points):
    async def run(fake, metron):
        fake.faults.add(Fault.status(503), times=1)
        fake.faults.add(Fault.connect_error(), times=1)
        await metron.issues.get(7)
        await metron.issues.get(7)
        await metron.with_options(priority=Priority.BULK).publishers.get(1)

    scenario(run)
    found = points()
    requests = {
        (p.attributes.get("http.response.status_code"), p.attributes.get("error.type")): p.value
        for p in found["metron.client.requests"]
        if p.attributes["metron.resource"] == "issue"
    }
    assert requests == {(503, None): 1, (None, "TransportError"): 1, (200, None): 1}
    waits = {p.attributes["metron.priority"]: p for p in found["metron.client.wait"]}
    assert (waits["normal"].count, waits["bulk"].count) == (2, 1)
    assert waits["normal"].sum > 0
    limits = {p.attributes["metron.window"]: p.value for p in found["metron.quota.limit"]}
    assert limits == {"burst": 20, "sustained": 5000}
    left = {p.attributes["metron.window"]: p.value for p in found["metron.quota.remaining"]}
    assert left == {"burst": 18, "sustained": 4998}


PROGRAM = """
    import asyncio, sys
    {before}
    from metron_async import AsyncMetron
    from metron_async.testing import FakeMetron

    async def main():
        fake = FakeMetron(issues=3)
        async with AsyncMetron(fake.token, transport=fake.transport()) as metron:
            assert (await metron.issues.get(1)).id == 1
            {inside}

    asyncio.run(main())
    {after}
"""


def run_program(before="pass", inside="pass", after="pass"):
    program = textwrap.dedent(PROGRAM.format(before=before, inside=inside, after=after))
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_it_is_not_imported_by_programs_that_do_not_use_it():
    # FastAPI's own packages import OpenTelemetry where they find it: not those that run here.
    run_program(
        before="sys.modules['opentelemetry'] = None",
        after="late = ('opentelemetry.', 'sentry_sdk', 'metron_async._otel');"
        " assert not any(name.startswith(late) for name in sys.modules)",
    )


def test_an_api_without_a_provider_records_nothing():
    run_program(
        before="import opentelemetry.trace, opentelemetry.metrics",
        inside="assert metron._caller.core.parts.in_flight.done == 1",
        after="from metron_async._tracers import opentelemetry as used;"
        " assert used().start_call('GET', 'issue') is None",
    )


def test_an_api_that_is_too_old_is_not_used():
    run_program(
        before="import opentelemetry.metrics as m;"
        " m.Meter.create_histogram = lambda self, name, unit='', description='': None",
        after="from metron_async._tracers import opentelemetry as used; assert used() is None",
    )


def test_an_api_that_is_incomplete_is_not_used():
    run_program(
        before="import opentelemetry.trace; sys.modules['opentelemetry.metrics'] = None",
        after="from metron_async._tracers import opentelemetry as used; assert used() is None",
    )
