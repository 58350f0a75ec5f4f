"""Many callers, one request: joining, leaving, promotion, contexts."""

import asyncio
import contextvars
import logging
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.virtual import settle, virtual
from support.world import client, idle, paths

from metron_async import (
    NOT_MODIFIED,
    CacheError,
    NotFoundError,
    Priority,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    Source,
)
from metron_async.testing import FakeMetron, Fault


def scenario(run, *, cache=None, full=False, **options):
    async def main():
        fake = FakeMetron(issues=150)
        async with client(fake, cache=cache, **options) as metron:
            await metron.publishers.get(1)
            if full:  # the minute's quota is used up
                for number in range(101, 120):
                    await metron.issues.get(number)
            fake.reset_log()
            await run(fake, metron)
            await idle(metron)
            assert fake.throttled == 0

    virtual(main())


@pytest.mark.parametrize("cache", [None, ":memory:"])
@pytest.mark.parametrize("latency", [0, 1])
def test_a_hundred_callers_cost_one_request(cache, latency):
    async def run(fake, metron):
        fake.latency = latency
        issues = await asyncio.gather(*(metron.issues.get(7) for _ in range(100)))
        assert {issue.id for issue in issues} == {7}
        assert paths(fake) == ["issue/7/"]
        assert metron.stats.coalesced == 99
        assert metron.origin_of(issues[0]).source is Source.NETWORK

    scenario(run, cache=cache)


def test_lists_are_joined_by_their_filters_and_pages():
    async def run(fake, metron):
        fake.latency = 1
        await asyncio.gather(
            metron.issues.iter(series_id=1).page(1),
            metron.issues.iter(series_id=1).page(1),
            metron.issues.iter(series_id=1, number="1").page(1),
            metron.issues.iter(number="1", series_id=1).page(1),
            metron.issues.iter().page(2),
        )
        assert len(fake.requests) == 3

    scenario(run)


@pytest.mark.parametrize("full", [False, True])
def test_the_first_caller_may_leave(full):
    async def run(fake, metron):
        fake.latency = 1
        calls = [asyncio.create_task(metron.issues.get(7)) for _ in range(10)]
        await asyncio.sleep(0.3)
        calls[0].cancel()
        done = await asyncio.gather(*calls, return_exceptions=True)
        assert isinstance(done[0], asyncio.CancelledError)
        assert {issue.id for issue in done[1:]} == {7}
        assert paths(fake) == ["issue/7/"]

    scenario(run, full=full)


def test_who_leaves_while_queued_costs_nothing():
    async def run(fake, metron):
        calls = [asyncio.create_task(metron.issues.get(7)) for _ in range(3)]
        await asyncio.sleep(1)
        before = await metron.quota()
        assert before.waiting[Priority.NORMAL] == 1
        for call in calls:
            call.cancel()
        await settle()
        assert all(call.cancelled() for call in calls)
        state = await metron.quota()
        assert not any(state.waiting.values())
        assert state.burst.remaining == before.burst.remaining
        await asyncio.sleep(120)
        assert not fake.requests
        assert (await metron.quota()).burst.remaining == 20

    scenario(run, full=True)


def test_who_leaves_after_sending_leaves_an_answer_in_the_cache():
    async def run(fake, metron):
        fake.latency = 2
        call = asyncio.create_task(metron.issues.get(7))
        await asyncio.sleep(1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.sleep(3)
        assert [asked.status for asked in fake.requests] == [200]  # and nobody hung up
        issue = await metron.issues.get(7)
        assert metron.origin_of(issue).source is Source.CACHE
        assert len(fake.requests) == 1

    scenario(run, cache=":memory:")


def test_a_failure_that_nobody_hears_is_logged(caplog):
    async def run(fake, metron):
        caplog.set_level(logging.INFO, "metron_async")
        fake.latency = 2
        fake.faults.add(Fault.status(503), times=None)
        with pytest.raises(RequestTimeoutError):
            await metron.with_options(timeout=1).issues.get(7)
        await asyncio.sleep(5)
        assert len(fake.requests) == 1  # not tried again for nobody
        assert "no caller waiting: issue/7/" in caplog.text

    scenario(run)


def test_who_joins_keeps_their_own_patience():
    async def run(fake, metron):
        patient = asyncio.create_task(metron.issues.get(7))
        await asyncio.sleep(5)
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(RateLimitError) as caught:
            await metron.with_options(max_wait=20).issues.get(7)
        assert loop.time() == began
        assert 50 < caught.value.retry_after < 60
        with pytest.raises(RequestTimeoutError):
            await metron.with_options(timeout=20).issues.get(7)
        assert loop.time() == began + 20
        joined = await metron.with_options(max_wait=50).issues.get(7)
        assert joined.id == (await patient).id == 7
        assert len(fake.requests) == 1

    scenario(run, full=True)


def test_a_caller_without_patience_does_not_end_the_wait_of_another():
    async def run(fake, metron):
        hasty = asyncio.create_task(metron.with_options(max_wait=0).issues.get(7))
        patient = asyncio.create_task(metron.issues.get(7))
        with pytest.raises(RateLimitError):
            await hasty
        assert (await patient).id == 7
        assert len(fake.requests) == 1

    scenario(run, full=True)


def test_the_highest_lane_wins():
    async def run(fake, metron):
        bulk = metron.with_options(priority=Priority.BULK)
        normal = [asyncio.create_task(metron.issues.get(number)) for number in range(20, 25)]
        await asyncio.sleep(0)
        slow = asyncio.create_task(bulk.issues.get(7))
        await asyncio.sleep(1)
        state = await metron.quota()
        assert state.waiting[Priority.BULK] == 1
        quick = asyncio.create_task(
            metron.with_options(priority=Priority.INTERACTIVE).issues.get(7)
        )
        await settle()
        state = await metron.quota()
        assert (state.waiting[Priority.BULK], state.waiting[Priority.INTERACTIVE]) == (0, 1)
        await asyncio.gather(slow, quick, *normal)
        assert "issue/7/" in paths(fake)[:2]  # one has waited for a minute, and goes first
        assert len(fake.requests) == 6

    scenario(run, full=True)


def test_everybody_gets_an_error_of_their_own():
    async def run(fake, metron):
        fake.faults.add(Fault.status(500), times=None)
        calls = [metron.with_options(retries=0).issues.get(7) for _ in range(3)]
        errors = await asyncio.gather(*calls, return_exceptions=True)
        assert all(type(error) is ServerError for error in errors)
        assert len({id(error) for error in errors}) == 3
        assert len({str(error) for error in errors}) == 1
        assert len(fake.requests) == 1

    scenario(run)


def test_the_most_tries_that_anybody_allows_are_made():
    async def run(fake, metron):
        fake.faults.add(Fault.status(500), times=2)
        none, two = metron.with_options(retries=0), metron.with_options(retries=2)
        one = await asyncio.gather(none.issues.get(7), two.issues.get(7))
        assert {issue.id for issue in one} == {7}
        assert len(fake.requests) == 3

    scenario(run)


variable = contextvars.ContextVar("variable", default="empty")


def test_a_request_runs_in_a_context_of_its_own_and_hooks_in_their_callers():
    async def run(fake, metron):
        seen, told = [], {}
        original = metron._caller.core.parts.transport.send

        async def send(request):
            seen.append(variable.get())
            return await original(request)

        metron._caller.core.parts.transport.send = send

        async def call(name):
            variable.set(name)
            told[name] = []
            view = metron.with_options(on_wait=lambda _: told[name].append(variable.get()))
            await view.issues.get(7)

        await asyncio.gather(call("first"), call("second"))
        assert seen == ["empty"]
        assert told == {"first": ["first"], "second": ["second"]}

    scenario(run, full=True)


def test_a_hook_that_fails_fails_its_own_call_only():
    async def run(fake, metron):
        def broken(_):
            msg = "hook"
            raise LookupError(msg)

        bad = asyncio.create_task(metron.with_options(on_wait=broken).issues.get(7))
        good = asyncio.create_task(metron.issues.get(7))
        with pytest.raises(LookupError):
            await bad
        assert (await good).id == 7

    scenario(run, full=True)


def test_a_hooks_own_timeout_is_not_taken_for_the_calls():
    async def run(fake, metron):
        def broken(_):
            raise TimeoutError

        with pytest.raises(TimeoutError) as caught:
            await metron.with_options(on_wait=broken, timeout=500).issues.get(7)
        assert not isinstance(caught.value, RequestTimeoutError)

    scenario(run, full=True)


def test_long_waits_are_logged_once(caplog):
    async def run(fake, metron):
        caplog.set_level(logging.INFO, "metron_async")
        await metron.issues.get(7)
        lines = [record.message for record in caplog.records if "Waiting" in record.message]
        assert len(lines) == 1
        assert lines[0].endswith("for the burst quota: issue/7/")
        assert fake.token not in caplog.text

    scenario(run, full=True)


def test_conditions_of_callers_and_of_the_cache_are_never_mixed_up():
    """Both may be under way with the very same date, and must be answered differently."""

    async def run(fake, metron):
        issue = await metron.issues.get(7)
        since = parsedate_to_datetime(metron.origin_of(issue).last_modified)
        fake.latency = 1
        for order in (0, 1):
            calls = [
                metron.with_options(fresh_for=0).issues.get(7),
                metron.issues.get_if_modified(7, since),
            ]
            tasks = [asyncio.ensure_future(call) for call in (calls if order else calls[::-1])]
            outcomes = await asyncio.gather(*tasks)
            confirmed, told = outcomes if order else outcomes[::-1]
            assert confirmed.id == 7
            assert metron.origin_of(confirmed).source is Source.NOT_MODIFIED
            assert told is NOT_MODIFIED

    scenario(run, cache=":memory:")


@given(
    leaving=st.lists(st.floats(0, 130), min_size=1, max_size=8),
    ids=st.lists(st.integers(1, 4), min_size=1, max_size=8),
    latency=st.sampled_from([0, 0.5, 5]),
    fault=st.sampled_from([None, 503, 429]),
)
@settings(max_examples=60, deadline=None)
def test_whoever_leaves_whenever_nothing_is_lost(leaving, ids, latency, fault):
    async def run(fake, metron):
        fake.latency = latency
        if fault is not None:
            fake.faults.add(Fault.status(fault), times=2)

        async def call(number, patience):
            async with asyncio.timeout(patience):
                return await metron.issues.get(number)

        calls = [call(number, leaving[place % len(leaving)]) for place, number in enumerate(ids)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        for number, outcome in zip(ids, outcomes, strict=True):
            if not isinstance(outcome, Exception):
                assert outcome.id == number
            else:
                assert isinstance(outcome, TimeoutError | ServerError | RateLimitError)
        await asyncio.sleep(300)
        await idle(metron)
        assert (await metron.issues.get(50)).id == 50

    async def main():
        fake = FakeMetron(issues=60)
        async with client(fake, cache=None) as metron:
            for number in range(1, 20):
                await metron.publishers.get(1 + number % 2)
            await run(fake, metron)

    virtual(main())


def test_missing_objects_and_offline_calls():
    async def run(fake, metron):
        with pytest.raises(NotFoundError) as caught:
            await metron.issues.get(99_999)
        assert caught.value.path == "issue/99999/"
        with pytest.raises(NotFoundError):
            await metron.issues.get(99_999)  # remembered
        assert len(fake.requests) == 1
        with pytest.raises(CacheError, match="offline"):
            await metron.with_options(offline=True).issues.get(8)
        assert len(fake.requests) == 1

    scenario(run, cache=":memory:")


def test_a_write_keeps_calls_from_joining_what_was_sent_and_only_that():
    async def run(fake, metron):
        fake.latency = 1
        sent = asyncio.create_task(metron.issues.get(7))
        await asyncio.sleep(0.5)
        for number in range(8, 15):  # all connections are in use, so that one more has to queue
            asyncio.create_task(metron.issues.get(number))  # noqa: RUF006 - awaited by idle
        queued = asyncio.create_task(metron.issues.get(20))
        await asyncio.sleep(0.1)
        flights = metron._caller.core.parts.in_flight
        listed = {flight.request.object_id: flight for flight in flights._by_key.values()}
        assert listed[7].sent
        assert not listed[20].sent
        flights.unlist(lambda request: request.object_id in {7, 20})
        again = {flight.request.object_id for flight in flights._by_key.values()}
        assert 7 not in again
        assert 20 in again  # it will see the write
        await asyncio.gather(sent, queued)
        await asyncio.sleep(5)

    scenario(run)
