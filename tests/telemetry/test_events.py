"""One event per call: what it says of every way that a call can go, and who is told of it."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import datetime as dt
import logging

import pytest
from support.virtual import settle, virtual
from support.world import client, idle

from metron_async import (
    CacheError,
    NotFoundError,
    Priority,
    RateLimitError,
    RequestEvent,
    RequestTimeoutError,
    ServerError,
    Source,
    UsageError,
)
from metron_async._engine.messages import Request
from metron_async.testing import FakeMetron, Fault

NEVER = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)


def observed(run, *, cache=":memory:", **options):
    """Run ``run(fake, metron, events)`` on virtual time, with the events of all its calls."""
    events = []

    async def main():
        fake = FakeMetron(issues=150)
        async with client(fake, cache=cache, on_request=events.append, **options) as metron:
            await run(fake, metron, events)
            await idle(metron)

    virtual(main())
    return events


def test_a_call_over_the_network():
    async def run(fake, metron, events):
        fake.latency = 2
        await metron.issues.get(7)

    assert observed(run) == [
        RequestEvent(
            method="GET",
            path="issue/7/",
            status=200,
            source=Source.NETWORK,
            attempts=1,
            waited=0.0,
            elapsed=2.0,
            priority=Priority.NORMAL,
            coalesced=False,
            error=None,
        )
    ]


def test_a_page_has_its_query_and_a_resource():
    async def run(fake, metron, events):
        await metron.series.iter(name="a").page(1)
        await metron.series.issues(1).page(1)

    first, second = observed(run)
    assert first.path == "series/?name=a"
    assert second.path.startswith("series/1/issue_list/")
    assert {first.resource, second.resource} == {"series"}


def test_cached_confirmed_and_stale():
    async def run(fake, metron, events):
        await metron.publishers.get(1)
        await metron.publishers.get(1)
        await metron.with_options(fresh_for=0).publishers.get(1)
        await metron.with_options(offline=True).publishers.get(1)
        fake.faults.add(Fault.status(503), times=None)
        await metron.with_options(fresh_for=0, retries=0).publishers.get(1)
        fake.faults.clear()

    events = observed(run)
    assert [(e.source, e.status, e.attempts, e.error) for e in events] == [
        (Source.NETWORK, 200, 1, None),
        (Source.CACHE, 200, 0, None),
        (Source.NOT_MODIFIED, 304, 1, None),
        (Source.CACHE, 200, 0, None),
        (Source.STALE, 503, 1, None),
    ]


def test_a_condition_of_the_callers_own():
    async def run(fake, metron, events):
        await metron.publishers.get_if_modified(1, NEVER)

    (event,) = observed(run)
    assert (event.source, event.status) == (Source.NOT_MODIFIED, 304)


def test_a_missing_object_and_the_cached_404():
    async def run(fake, metron, events):
        for _ in range(2):
            with pytest.raises(NotFoundError):
                await metron.issues.get(999_999)

    events = observed(run)
    assert [(e.source, e.status, e.attempts, e.error) for e in events] == [
        (Source.NETWORK, 404, 1, "NotFoundError"),
        (Source.CACHE, 404, 0, "NotFoundError"),
    ]


def test_a_retry_waits_and_counts(caplog):
    async def run(fake, metron, events):
        caplog.set_level(logging.INFO, "metron_async")
        fake.faults.add(Fault.status(503), times=1)
        await metron.issues.get(7)

    (event,) = observed(run)
    assert (event.attempts, event.status, event.error) == (2, 200, None)
    assert 0 < event.waited == event.elapsed
    (line,) = [record for record in caplog.records if "next attempt" in record.message]
    assert line.levelno == logging.INFO
    assert line.message.startswith("GET issue/7/ failed, next attempt in ")
    assert "ServerError" in line.message


def test_a_failure_after_all_attempts():
    async def run(fake, metron, events):
        fake.faults.add(Fault.status(500), times=2)
        with pytest.raises(ServerError):
            await metron.with_options(retries=1).issues.get(7)
        fake.faults.add(Fault.status(500), times=1)
        fake.faults.add(Fault.connect_error(), times=1)
        with pytest.raises(Exception, match="connect"):
            await metron.with_options(retries=1).issues.get(7)

    served, lost = observed(run)
    assert (served.attempts, served.status, served.error) == (2, 500, "ServerError")
    assert (lost.attempts, lost.status, lost.source) == (2, None, None)
    assert lost.error == "TransportError"


def test_a_write():
    async def run(fake, metron, events):
        await metron.collection.remove((await metron.collection.iter().first()).id)

    event = observed(run)[-1]
    assert (event.method, event.status, event.source) == ("DELETE", 204, Source.NETWORK)
    assert event.resource == "collection"


def test_callers_that_share_a_request():
    async def run(fake, metron, events):
        fake.latency = 3
        quick = metron.with_options(priority=Priority.INTERACTIVE)
        first = asyncio.create_task(metron.issues.get(7))
        await asyncio.sleep(1)
        await asyncio.gather(quick.issues.get(7), first)

    events = sorted(observed(run), key=lambda event: event.coalesced)
    assert [e.coalesced for e in events] == [False, True]
    assert [e.attempts for e in events] == [1, 1]
    assert [e.elapsed for e in events] == [3.0, 2.0]
    assert [e.priority for e in events] == [Priority.NORMAL, Priority.INTERACTIVE]


def test_a_call_that_joins_a_request_which_its_caller_has_left():
    async def run(fake, metron, events):
        fake.latency = 3
        with pytest.raises(RequestTimeoutError):
            await metron.with_options(timeout=1).issues.get(7)
        await metron.issues.get(7)

    left, joined = observed(run)
    assert (left.error, left.elapsed, left.coalesced) == ("RequestTimeoutError", 1.0, False)
    assert (joined.error, joined.elapsed, joined.coalesced) == (None, 2.0, True)


def test_a_call_that_is_cancelled():
    async def run(fake, metron, events):
        fake.latency = 3
        task = asyncio.create_task(metron.issues.get(7))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(5)

    (event,) = observed(run)
    assert (event.error, event.attempts, event.status) == ("CancelledError", 1, None)


def test_calls_that_send_nothing():
    async def run(fake, metron, events):
        with pytest.raises(CacheError):
            await metron.with_options(offline=True).issues.get(7)
        with pytest.raises(UsageError):
            await metron._caller.fetch(Request("issue/", params=(("q", "\ud800"),)), object)
        with pytest.raises(CacheError):
            await metron.with_options(offline=True).collection.add(1)

    events = observed(run)
    assert [(e.source, e.status, e.attempts, e.error) for e in events] == [
        (None, None, 0, "CacheError"),
        (None, None, 0, "UsageError"),
        (None, None, 0, "CacheError"),
    ]


def test_a_wait_for_the_quota():
    async def run(fake, metron, events):
        for number in range(1, 21):
            await metron.issues.get(number)
        with pytest.raises(RateLimitError):
            await metron.with_options(max_wait=1).issues.get(21)
        await metron.issues.get(22)

    *_, refused, waited = observed(run, cache=None)
    assert (refused.error, refused.attempts, refused.waited) == ("RateLimitError", 0, 0.0)
    assert waited.waited > 1
    assert waited.waited == pytest.approx(waited.elapsed)


def test_events_and_stats_agree():
    async def run(fake, metron, events):
        fake.faults.add(Fault.status(502), times=2)
        await asyncio.gather(*(metron.issues.get(number % 4 + 1) for number in range(12)))
        await metron.with_options(fresh_for=0).issues.get(1)
        with contextlib.suppress(NotFoundError):
            await metron.issues.get(999_999)
        await metron.issues.fetch_many(range(1, 30)).collect()
        stats = metron.stats
        assert stats.calls == len(events)
        assert stats.coalesced == sum(event.coalesced for event in events)
        assert stats.waited == pytest.approx(sum(event.waited for event in events))
        assert stats.requests == sum(e.attempts for e in events if not e.coalesced)
        cached = sum(event.source is Source.CACHE for event in events)
        assert stats.hits == cached > 0

    observed(run)


def test_a_hook_that_fails_is_logged_and_changes_nothing(caplog):
    async def run(fake, metron, events):
        def broken(event):
            msg = "hook"
            raise LookupError(msg)

        view = metron.with_options(on_request=broken)
        assert (await view.issues.get(7)).id == 7
        with pytest.raises(NotFoundError):
            await view.issues.get(999_999)

    assert observed(run) == []
    failures = [record for record in caplog.records if "on_request" in record.message]
    assert len(failures) == 2
    assert all(record.exc_info[0] is LookupError for record in failures)


def test_views_have_hooks_of_their_own():
    async def run(fake, metron, events):
        mine = []
        await metron.with_options(on_request=mine.append).issues.get(7)
        await metron.with_options(on_request=None).issues.get(8)
        assert [event.path for event in mine] == ["issue/7/"]
        assert events == []
        await metron.with_options(priority=Priority.BULK).issues.get(9)
        assert [event.path for event in events] == ["issue/9/"]

    observed(run)


variable = contextvars.ContextVar("variable", default="empty")


def test_hooks_run_in_their_callers_contexts():
    async def run(fake, metron, events):
        seen = []

        async def call(name):
            variable.set(name)
            view = metron.with_options(on_request=lambda _: seen.append(variable.get()))
            await view.issues.get(7)

        await asyncio.gather(call("first"), call("second"))
        assert sorted(seen) == ["first", "second"]

    observed(run)


def test_a_hook_may_start_calls():
    async def run(fake, metron, events):
        tasks = []

        def again(event):
            tasks.append(asyncio.create_task(metron.issues.get(8)))

        await metron.with_options(on_request=again).issues.get(7)
        await tasks[0]

    (event,) = observed(run)
    assert (event.path, event.coalesced, event.attempts) == ("issue/8/", False, 1)


async def test_hooks_are_checked():
    async def asynchronous(event):
        raise AssertionError

    fake = FakeMetron(issues=3)
    for hook in (asynchronous, 3):
        with pytest.raises(UsageError, match="on_request must be"):
            client(fake, on_request=hook)


def test_a_debug_line_for_each_call(caplog):
    async def run(fake, metron, events):
        caplog.set_level(logging.DEBUG, "metron_async.requests")
        await metron.issues.get(7)
        await metron.issues.get(7)
        with pytest.raises(NotFoundError):
            await metron.issues.get(999_999)
        assert fake.token not in caplog.text

    observed(run)
    lines = [r.message for r in caplog.records if r.name == "metron_async.requests"]
    quiet = "waited=0.000 priority=NORMAL coalesced=False)"
    assert lines == [
        f"GET issue/7/: 200 in 0.000 s (source=network attempts=1 {quiet}",
        f"GET issue/7/: 200 in 0.000 s (source=cache attempts=0 {quiet}",
        f"GET issue/999999/: NotFoundError in 0.000 s (source=network attempts=1 {quiet}",
    ]


def test_a_coroutine_that_is_dropped_ends_in_silence():
    async def run(fake, metron, events):
        fake.latency = 1
        call = metron.issues.get(7)
        call.send(None)
        call.close()
        await settle()
        await asyncio.sleep(2)

    assert observed(run) == []
