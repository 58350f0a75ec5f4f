"""Tries, pauses, 429s and redirects of one call."""

import asyncio
import itertools

import pytest
from support.virtual import virtual
from support.world import client, idle, paths

from metron_async import (
    BlockedError,
    Priority,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    StatusError,
    TransportError,
)
from metron_async.testing import FakeMetron, Fault


def scenario(run, *, issues=150, warm=True, **options):
    """Run *run* with a fake and a client whose credentials are proven."""

    async def main():
        fake = FakeMetron(issues=issues)
        async with client(fake, cache=None, **options) as metron:
            if warm:
                await metron.publishers.get(1)
                fake.reset_log()
                metron.stats.requests = 0
            await run(fake, metron)
            await idle(metron)
            for asked in fake.requests:
                assert asked.method == "GET"

    virtual(main())


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("retries", [0, 1, 4])
def test_a_failing_server_is_tried_again_as_often_as_wanted(status, retries):
    async def run(fake, metron):
        if retries:
            fake.faults.add(Fault.status(status), times=retries)
        assert (await metron.issues.get(7)).id == 7
        assert len(fake.requests) == retries + 1
        assert metron.stats.retries == retries
        fake.faults.add(Fault.status(status), times=None)
        with pytest.raises(ServerError) as caught:
            await metron.issues.get(8)
        assert caught.value.status == status
        assert caught.value.path == "issue/8/"
        assert caught.value.retryable
        assert len(fake.requests) == 2 * (retries + 1)

    scenario(run, retries=retries)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 418, 501, 520])
def test_other_statuses_are_not_tried_again(status):
    async def run(fake, metron):
        fake.faults.add(Fault.status(status), times=None)
        with pytest.raises(StatusError) as caught:
            await metron.issues.get(7)
        assert caught.value.status == status
        assert len(fake.requests) == 1

    scenario(run)


def test_pauses_grow_and_are_announced():
    async def run(fake, metron):
        waits = []
        fake.faults.add(Fault.status(503), times=4)
        await metron.with_options(on_wait=waits.append).issues.get(7)
        times = [asked.time for asked in fake.requests]
        pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
        for pause, longest in zip(pauses, [1, 2, 4, 8], strict=True):
            assert longest / 2 <= pause <= longest
        assert [wait.reason for wait in waits] == ["retry"] * 4
        assert {wait.path for wait in waits} == {"issue/7/"}
        assert metron.stats.waits == 4
        assert metron.stats.waited == pytest.approx(sum(pauses))

    scenario(run, retries=4)


@pytest.mark.parametrize(
    ("fault", "sent"),
    [
        (Fault.connect_error, False),
        (Fault.drop_before, True),
        (Fault.drop_after, True),
        (Fault.cut_body, True),
    ],
)
def test_broken_connections_are_tried_again_and_what_was_not_sent_costs_nothing(fault, sent):
    async def run(fake, metron):
        fake.faults.add(fault(), times=2)
        assert (await metron.issues.get(7)).id == 7
        used = 20 - (await metron.quota()).burst.remaining
        assert used == 1 + (3 if sent else 1)
        fake.faults.add(fault(), times=3)
        with pytest.raises(TransportError) as caught:
            await metron.issues.get(8)
        assert caught.value.path == "issue/8/"
        assert caught.value.retryable

    scenario(run)


def test_the_sockets_own_patience_ends_a_try():
    async def run(fake, metron):
        fake.faults.add(Fault.latency(70), times=None)
        with pytest.raises(RequestTimeoutError, match="No response in time"):
            await metron.issues.get(7)
        assert len(fake.requests) == 1

    scenario(run, retries=0)


def test_the_callers_patience_ends_the_call_but_not_the_request():
    async def run(fake, metron):
        fake.faults.add(Fault.latency(10), times=1)
        with pytest.raises(RequestTimeoutError, match="timeout=3 s") as caught:
            await metron.with_options(timeout=3).issues.get(7)
        assert not caught.value.outcome_unknown  # a read
        assert caught.value.path == "issue/7/"
        assert metron.stats.requests == 1
        assert (await metron.issues.get(7)).id == 7  # joins the one on its way
        assert metron.stats.requests == 1
        assert [asked.status for asked in fake.requests] == [200]  # nobody hung up

    scenario(run)


# -- 429 ----------------------------------------------------------------------------------------


def test_a_429_is_waited_out_once_and_told():
    async def run(fake, metron):
        waits = []
        fake.spend("reader", 19)  # elsewhere; nobody has told us
        issue = await metron.with_options(on_wait=waits.append).issues.get(7)
        assert issue.id == 7
        assert fake.throttled == metron.stats.throttled == 1
        assert len(fake.requests) == 2
        assert [(wait.reason, wait.scope) for wait in waits] == [("quota", "burst")]
        assert 55 < waits[0].seconds < 65

    scenario(run)


def test_a_429_is_an_error_where_waiting_is_not_wanted():
    async def run(fake, metron):
        fake.spend("reader", 19)
        with pytest.raises(RateLimitError) as caught:
            await metron.with_options(max_wait=5).issues.get(7)
        assert caught.value.scope == "burst"
        assert 50 < caught.value.retry_after < 65
        assert len(fake.requests) == 1
        with pytest.raises(RateLimitError):
            await metron.with_options(max_wait=5).issues.get(8)
        assert len(fake.requests) == 1  # refused at once: nothing was sent

    scenario(run)


def test_a_429_without_headers_holds_back_for_a_minute():
    async def run(fake, metron):
        fake.faults.add(Fault.status(429))
        began = fake.clock.steady()
        assert (await metron.issues.get(7)).id == 7
        assert 60 <= fake.clock.steady() - began < 63

    scenario(run)


def test_429s_without_end_are_given_up():
    async def run(fake, metron):
        fake.faults.add(Fault.status(429, retry_after="5"), times=None)
        with pytest.raises(RateLimitError) as caught:
            await metron.issues.get(7)
        assert caught.value.status == 429
        assert len(fake.requests) == 3

    scenario(run)


# -- Redirects ----------------------------------------------------------------------------------


def test_a_redirect_on_the_own_host_is_followed_with_a_slot_of_its_own():
    async def run(fake, metron):
        fake.faults.add(Fault.redirect("/api/issue/7/?moved=1", status=301))
        assert (await metron.issues.get(7)).id == 7
        assert paths(fake) == ["issue/7/", "issue/7/"]
        assert metron.stats.requests == 2
        assert metron.stats.retries == 0

    scenario(run)


def test_the_query_of_a_redirect_is_kept():
    async def run(fake, metron):
        fake.faults.add(Fault.redirect("/api/issue/?page=2&name="))
        assert await metron.issues.iter(series_id=1).page(1)
        assert fake.requests[1].params == {"page": "2", "name": ""}

    scenario(run)


@pytest.mark.parametrize(
    "fault",
    [
        Fault.redirect_host(),
        Fault.redirect_http(),
        Fault.redirect("/accounts/login/"),
        Fault.redirect("https://user:pw@metron.cloud/api/issue/8/"),
        Fault.redirect("/api/../admin/"),
        Fault.redirect("/api/issue/ 8/"),
        Fault.redirect("//evil.example/api/issue/8/"),
        Fault.redirect(""),
    ],
    ids=range(8),
)
def test_redirects_elsewhere_are_refused(fault):
    async def run(fake, metron):
        fake.faults.add(fault, times=None)
        with pytest.raises(StatusError, match="redirects elsewhere") as caught:
            await metron.issues.get(7)
        assert caught.value.status == 302
        assert len(fake.requests) == 1

    scenario(run)


def test_a_loop_of_redirects_ends():
    async def run(fake, metron):
        fake.faults.add(Fault.redirect_loop(), times=None)
        with pytest.raises(StatusError):
            await metron.issues.get(7)
        assert len(fake.requests) <= 6

    scenario(run)


def test_a_redirect_that_nobody_waits_for_any_more_is_followed_all_the_same():
    async def run(fake, metron):
        fake.faults.add(Fault.redirect("/api/issue/7/?moved=1"))
        fake.latency = 2
        with pytest.raises(RequestTimeoutError):
            await metron.with_options(timeout=1).issues.get(7)
        assert (await metron.issues.get(7)).id == 7
        assert len(fake.requests) == 2

    scenario(run)


# -- Waiting for the quota ----------------------------------------------------------------------


def test_a_wait_that_is_too_long_is_refused_at_once():
    async def run(fake, metron):
        for number in range(2, 21):
            await metron.issues.get(number)
        began = fake.clock.steady()
        with pytest.raises(RateLimitError, match="Retry in") as caught:
            await metron.with_options(max_wait=10).issues.get(30)
        assert fake.clock.steady() == began
        assert caught.value.scope == "burst"
        assert caught.value.limit == 20
        assert 59 < caught.value.retry_after < 61
        assert caught.value.path == "issue/30/"
        waits = []
        await metron.with_options(max_wait=70, on_wait=waits.append).issues.get(30)
        assert 59 < fake.clock.steady() - began < 62
        assert len(waits) == 1
        assert waits[0].priority is Priority.NORMAL
        assert waits[0].limit == 20
        assert not fake.throttled

    scenario(run)


def test_the_days_quota_is_not_waited_for_unless_wanted():
    async def run(fake, metron):
        fake.spend("reader", 4998)
        fake.burst_limit = 10_000
        await metron.issues.get(7)
        began = fake.clock.steady()
        with pytest.raises(RateLimitError, match="day's") as caught:
            await metron.issues.get(8)
        assert caught.value.scope == "sustained"
        assert caught.value.retry_after >= 3600
        assert fake.clock.steady() == began
        issue = await metron.with_options(max_wait=float("inf")).issues.get(8)
        assert issue.id == 8
        assert fake.clock.steady() - began >= 3600

    scenario(run)


def test_a_wait_for_the_minute_that_becomes_one_for_the_day_is_told():
    """While a call waits for its minute, others spend the rest of the day."""

    async def run(fake, metron):
        for number in range(2, 20):
            await metron.issues.get(number)
        # One slot is left in the minute. Whoever takes it will hear that the day is over.
        fake.spend("reader", 4980)
        fake.burst_limit = 5000
        fake.latency = 1
        first = asyncio.ensure_future(metron.issues.get(30))
        await asyncio.sleep(0.1)
        second = asyncio.ensure_future(metron.issues.get(31))
        outcomes = await asyncio.gather(first, second, return_exceptions=True)
        limited = [o for o in outcomes if isinstance(o, RateLimitError)]
        assert limited
        assert all(error.scope == "sustained" for error in limited)

    scenario(run)


def test_a_blocked_call_is_not_tried_again():
    async def run(fake, metron):
        fake.faults.add(Fault.status(401))
        with pytest.raises(StatusError):
            await metron.issues.get(7)
        with pytest.raises(BlockedError) as caught:
            await metron.issues.get(7)
        assert caught.value.retry_after > 0
        assert len(fake.requests) == 1

    scenario(run)
