"""Beside what applications use: the instrumentations of httpx and FastAPI, and Sentry's SDK."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import weakref
from contextvars import Context

import httpx
import pytest
import sentry_sdk
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from support.secrets_search import TOKEN, assert_clean

from metron_async import AsyncMetron, NotFoundError, RequestTimeoutError
from metron_async.models import Issue  # noqa: TC001 - FastAPI resolves it
from metron_async.testing import FakeMetron


@contextlib.asynccontextmanager
async def served(**arguments):
    """A client and its fake server, over a real socket."""
    fake = FakeMetron(issues=30, throttle=False)
    fake.add_account("anna", "password", TOKEN)
    async with fake.serve() as url, AsyncMetron(TOKEN, base_url=url, **arguments) as metron:
        yield fake, metron


@pytest.fixture
def instrumented_httpx(spans):
    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=trace.get_tracer_provider())
    yield
    instrumentor.uninstrument()


def parent_of(span, spans):
    return next(s for s in spans.all() if span.parent and s.context.span_id == span.parent.span_id)


@pytest.mark.usefixtures("instrumented_httpx")
async def test_the_spans_of_httpx_are_children_of_the_request(spans):
    async with served() as (fake, metron):
        await asyncio.gather(metron.issues.get(7), metron.issues.get(7))
        sent = [asked.headers for asked in fake.requests]
    (request,) = [span for span in spans.named("GET") if "metron.path" in span.attributes]
    (http,) = [span for span in spans.named("GET") if "metron.path" not in span.attributes]
    assert parent_of(http, spans) is request
    assert parent_of(request, spans).name == "metron GET issue"
    assert len(spans.named("metron GET issue")) == 2
    assert f"{request.context.trace_id:032x}" in sent[0]["traceparent"]
    for span in spans.all():
        assert_clean(span.to_json(), span.name)


@pytest.mark.usefixtures("instrumented_httpx")
async def test_a_request_of_fastapi_is_one_trace(spans):
    async with served() as (_, metron):
        app = FastAPI()

        @app.get("/issues/{number}")
        async def issue(number: int) -> Issue:
            return await metron.issues.get(number)

        provider = trace.get_tracer_provider()
        FastAPIInstrumentor.instrument_app(app, tracer_provider=provider)
        try:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://app") as browser:
                assert (await browser.get("/issues/7")).json()["id"] == 7
        finally:
            FastAPIInstrumentor.uninstrument_app(app)
    call = spans.one("metron GET issue")
    assert parent_of(call, spans).name == "GET /issues/{number}"
    request = next(s for s in spans.named("GET") if s.attributes.get("metron.path") == "issue/7/")
    assert parent_of(request, spans) is call
    assert [link.context.span_id for link in call.links] == [request.context.span_id]
    assert request.context.trace_id == call.context.trace_id
    for span in spans.all():
        assert_clean(span.to_json(), span.name)


def fails():
    msg = "of the application"
    raise LookupError(msg)


async def test_sentry_sees_spans_and_breadcrumbs_and_no_token(sentry):
    async with served() as (_, metron):
        with sentry_sdk.start_transaction(name="page"):
            await metron.issues.get(7)
            with pytest.raises(NotFoundError) as missing:
                await metron.issues.get(999_999)
            sentry_sdk.capture_exception(missing.value)
            try:
                fails()
            except LookupError:
                sentry_sdk.capture_exception()
    error, last, transaction = sentry.events
    for event in (error, last):
        urls = [crumb["data"]["url"] for crumb in crumbs_of(event) if crumb["type"] == "http"]
        assert [url.partition("/api/")[2] for url in urls] == ["issue/7/", "issue/999999/"]
        assert event["contexts"]["trace"]["trace_id"] == trace_of(transaction)
    http = [span for span in transaction["spans"] if span["op"] == "http.client"]
    assert [span["data"]["http.response.status_code"] for span in http] == [200, 404]
    assert {span["trace_id"] for span in http} == {trace_of(transaction)}
    for event in sentry.events:
        assert_clean(json.dumps(event), event["event_id"])


def crumbs_of(event):
    return event["breadcrumbs"]["values"]


def trace_of(transaction):
    return transaction["contexts"]["trace"]["trace_id"]


async def test_each_task_has_the_breadcrumbs_of_its_own_requests(sentry):
    async def page(number):
        with sentry_sdk.isolation_scope() as scope:
            await metron.issues.get(number)
            return [crumb["data"]["url"][-2:] for crumb in scope._breadcrumbs]

    async with served() as (_, metron):
        assert await asyncio.gather(page(3), page(4)) == [["3/"], ["4/"]]
    assert sentry.events == []


async def test_breadcrumbs_of_the_log_hold_no_token(sentry, caplog):
    caplog.set_level(logging.DEBUG)
    async with served() as (_, metron):
        await metron.issues.get(7)
        sentry_sdk.capture_message("now")
    (event,) = sentry.events
    assert any(crumb["category"] == "metron_async.requests" for crumb in crumbs_of(event))
    assert_clean(json.dumps(event), "the event")


class Value:
    """Something of the application that a scope keeps alive."""


async def test_sentrys_scopes_are_dropped_with_the_request(sentry):
    async def call():
        with sentry_sdk.isolation_scope() as scope:
            value = Value()
            scope.set_extra("value", value)
            with pytest.raises(RequestTimeoutError):
                await metron.with_options(timeout=0.05).issues.get(7)
            return weakref.ref(value)

    async with served() as (fake, metron):
        fake.latency = 0.2
        value = await asyncio.create_task(call(), context=Context())
        await metron.issues.get(7)
        await asyncio.sleep(0)
        gc.collect()
        assert value() is None
    assert sentry.events == []
