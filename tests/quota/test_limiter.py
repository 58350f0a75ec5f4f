"""The limiter's own scenes: waiting, refusing, promoting, failing, closing."""

from __future__ import annotations

import asyncio
import math

import pytest

import metron_async.quota
from metron_async.errors import ClosedError, QuotaStoreError, RateLimitError
from metron_async.quota import (
    Limiter,
    MemoryStore,
    Observation,
    RateReading,
    Rules,
    SQLiteStore,
    WindowReading,
    WindowRules,
)
from metron_async.testing.clock import run_virtual
from metron_async.types import Priority

FEW = Rules(burst=WindowRules(2, 60.0, 0.05, 0.0, 1))


class Remote:
    """A store that takes time for every command, as one across the network does."""

    def __init__(self, rules=FEW, delay=0.01):
        self.rules, self.delay = rules, delay
        self.memory = MemoryStore(rules=rules)
        self.broken = None

    async def apply(self, account, command):
        await asyncio.sleep(self.delay / 2)
        if self.broken is not None:
            raise self.broken
        reply = self.memory.apply_now(account, command)
        await asyncio.sleep(self.delay / 2)
        return reply

    async def aclose(self):
        pass


def seen(limit=2, left=0, day=None):
    return Observation(RateReading(WindowReading(limit, left), day))


def scene(main):
    """Run one scene on virtual time, with the stores that differ in kind."""
    for store in (MemoryStore(rules=FEW), Remote()):

        async def play(store=store):
            limiter = Limiter(store, "me")
            await main(limiter)
            await limiter.aclose()
            assert len(asyncio.all_tasks()) == 1

        run_virtual(play())


async def spend(limiter, number=2):
    for left in range(number - 1, -1, -1):
        await limiter.settle(await limiter.acquire(), seen(left=left))


def test_the_more_urgent_go_first():
    async def main(limiter):
        await spend(limiter)
        order = []

        async def call(lane):
            ticket = await limiter.acquire(lane, max_wait=math.inf)
            order.append(lane)
            await limiter.settle(ticket, seen(left=1))

        lanes = [Priority.BULK, Priority.NORMAL, Priority.INTERACTIVE]
        await asyncio.gather(*(call(lane) for lane in lanes))
        assert order == lanes[::-1]

    scene(main)


def test_promotion_moves_a_claim_ahead():
    async def main(limiter):
        await spend(limiter)
        first, second = limiter.claim(Priority.NORMAL), limiter.claim(Priority.BULK)
        limiter.promote(second, Priority.INTERACTIVE)
        limiter.promote(second, Priority.NORMAL)  # never down
        assert second.priority is Priority.INTERACTIVE
        await limiter.release(await limiter.granted(second))
        await limiter.release(await limiter.granted(first))
        limiter.promote(first, Priority.INTERACTIVE)  # too late to matter
        assert "granted" in repr(first)
        assert "INTERACTIVE" in repr(second.future.result())

    scene(main)


def test_a_claim_withdrawn_at_any_moment_leaves_nothing():
    async def main(limiter):
        for pause in (0, 0.001, 0.005, 0.009, 0.011, 0.02):
            claim = limiter.claim(Priority.NORMAL)
            await asyncio.sleep(pause)
            limiter.withdraw(claim)
            limiter.withdraw(claim)
            await asyncio.sleep(0.05)
            state = await limiter.snapshot()
            assert (state.in_flight, state.burst.remaining) == (0, 2)

    scene(main)


def test_a_slot_whose_claim_left_goes_to_the_next_or_back():
    async def main():
        limiter = Limiter(Remote(delay=1.0), "me")
        first, second = limiter.claim(Priority.NORMAL), limiter.claim(Priority.NORMAL)
        await asyncio.sleep(0.7)  # the store has granted it, and nobody knows yet
        limiter.withdraw(first)
        ticket = await limiter.granted(second)
        assert asyncio.get_running_loop().time() == pytest.approx(1.0)
        await limiter.release(ticket)
        urgent = limiter.claim(Priority.INTERACTIVE)
        await asyncio.sleep(0.7)
        bulk = limiter.claim(Priority.BULK)
        limiter.withdraw(urgent)  # BULK cannot use what was granted without its reserve
        await asyncio.sleep(0.4)
        assert not bulk.future.done()
        await limiter.release(await limiter.granted(bulk))
        await limiter.aclose()

    run_virtual(main())


def test_max_wait_and_on_wait():
    async def main(limiter):
        await spend(limiter)
        loop = asyncio.get_running_loop()
        began, told = loop.time(), []
        with pytest.raises(RateLimitError) as caught:
            await limiter.acquire(max_wait=30, on_wait=told.append)
        assert loop.time() - began < 0.1
        assert told == []
        assert (caught.value.scope, caught.value.limit) == ("burst", 2)
        assert 59 < caught.value.retry_after <= 60.05
        ticket = await limiter.acquire(max_wait=70, on_wait=told.append)
        assert 59 < loop.time() - began < 61
        assert len(told) == 1
        await limiter.release(ticket)

    scene(main)


def test_an_estimate_that_was_too_short_ends_in_a_refusal_in_time():
    async def main(limiter):
        ticket = await limiter.acquire()  # a probe that takes long
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(RateLimitError):
            await limiter.acquire(max_wait=5)
        assert loop.time() - began == pytest.approx(5, abs=0.05)
        await limiter.settle(ticket, seen(left=1))
        await limiter.release(await limiter.acquire(max_wait=0))

    scene(main)


def test_who_waits_hears_that_the_day_is_spent():
    async def main(limiter):
        ticket = await limiter.acquire()
        loop = asyncio.get_running_loop()
        waiting = [asyncio.ensure_future(limiter.acquire(lane)) for lane in Priority]
        patient = asyncio.ensure_future(limiter.acquire(max_wait=math.inf))
        await asyncio.sleep(1)
        day = WindowReading(100, 0, 3600.0)
        answer = Observation(
            RateReading(WindowReading(2, 1), day), throttled=True, retry_after=3600
        )
        await limiter.settle(ticket, answer)
        await asyncio.wait(waiting, timeout=1)
        for each in waiting:
            error = each.exception()
            assert isinstance(error, RateLimitError)
            assert error.scope == "sustained"
            assert error.retry_after == pytest.approx(3600, abs=50)
        await limiter.settle(await patient, seen(left=1))
        assert loop.time() == pytest.approx(3646, abs=3)

    scene(main)


def test_bulk_that_spent_its_share_of_the_day_lets_the_others_pass():
    async def main(limiter):
        ticket = await limiter.acquire()
        await limiter.settle(ticket, seen(60, 59, WindowReading(100, 4)))
        bulk = asyncio.ensure_future(limiter.acquire(Priority.BULK, max_wait=math.inf))
        await asyncio.sleep(200)  # its patience is over, and it may not go
        for left in (3, 2):
            ticket = await limiter.acquire(Priority.NORMAL, max_wait=5)
            await limiter.settle(ticket, seen(60, 50, WindowReading(100, left)))
        bulk.cancel()
        await asyncio.wait([bulk])

    scene(main)


def test_estimates_of_the_lower_lanes_know_of_their_patience():
    async def main(limiter):
        await spend(limiter)
        crowd = [limiter.claim(Priority.INTERACTIVE) for _ in range(20)]
        normal = limiter.claim(Priority.NORMAL)
        estimate = await limiter.estimate(normal)
        assert 59 < estimate.seconds < 91  # not ten minutes
        for claim in crowd:
            limiter.withdraw(claim)
        assert await limiter.granted(normal)

    scene(main)


def test_two_limiters_on_one_memory_store_notice_each_other():
    async def main():
        store = MemoryStore(rules=FEW)
        first, second = Limiter(store, "me"), Limiter(store, "me")
        ticket = await first.acquire()
        waiting = asyncio.ensure_future(second.acquire())
        await asyncio.sleep(10)
        await first.settle(ticket, seen(left=1))
        await second.release(await waiting)
        assert asyncio.get_running_loop().time() < 10.5
        await first.aclose()
        await second.aclose()

    run_virtual(main())


def test_settling_survives_the_callers_cancellation():
    async def main(limiter):
        ticket = await limiter.acquire()
        task = asyncio.ensure_future(limiter.settle(ticket, seen(left=1)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(0.05)
        await limiter.settle(ticket, seen(left=1))  # twice changes nothing
        state = await limiter.snapshot()
        assert (state.in_flight, state.burst.remaining) == (0, 1)

    scene(main)


def test_a_ticket_that_is_forgotten_is_given_up_in_the_end():
    async def main(limiter):
        await limiter.acquire()
        await asyncio.sleep(250)
        assert (await limiter.snapshot()).in_flight == 1
        await limiter.release(await limiter.acquire(max_wait=math.inf))
        assert 299 < asyncio.get_running_loop().time() < 400

    scene(main)


@pytest.mark.parametrize("error", [QuotaStoreError("gone"), RuntimeError("a bug")])
def test_a_store_that_fails_fails_everybody_who_waits(error, caplog):
    async def main():
        store = Remote()
        limiter = Limiter(store, "me")
        ticket = await limiter.acquire()
        store.broken = error
        results = await asyncio.gather(
            *(limiter.granted(limiter.claim(lane)) for lane in Priority), return_exceptions=True
        )
        assert results == [error] * 3
        if isinstance(error, QuotaStoreError):
            await limiter.settle(ticket, seen(left=1))
            assert "lease will expire" in caplog.text
        else:
            assert "dispatcher" in caplog.text
        store.broken = None
        await limiter.settle(ticket, seen(left=1))
        await limiter.release(await limiter.acquire(max_wait=70))  # and it goes on
        await limiter.aclose()

    run_virtual(main())


def test_renewing_survives_a_failing_store():
    async def main():
        store = Remote()
        limiter = Limiter(store, "me")
        ticket = await limiter.acquire()
        store.broken = QuotaStoreError("gone")
        await asyncio.sleep(8)
        store.broken = None
        await asyncio.sleep(60)
        assert (await limiter.snapshot()).in_flight == 1
        await limiter.settle(ticket, seen(left=1))
        await limiter.aclose()

    run_virtual(main())


def test_closing_turns_away_whoever_waits():
    async def main(limiter):
        ticket = await limiter.acquire()
        waiting = asyncio.ensure_future(limiter.acquire())
        await asyncio.sleep(1)
        await limiter.aclose()
        with pytest.raises(ClosedError):
            await waiting
        with pytest.raises(ClosedError):
            limiter.claim(Priority.NORMAL)
        await limiter.settle(ticket, seen(left=1))

    scene(main)


def test_the_snapshot_tells_who_waits():
    async def main(limiter):
        await spend(limiter)
        claims = [limiter.claim(lane) for lane in (Priority.NORMAL, Priority.BULK, Priority.BULK)]
        state = await limiter.snapshot()
        assert state.waiting == {Priority.INTERACTIVE: 0, Priority.NORMAL: 1, Priority.BULK: 2}
        assert (state.burst.limit, state.burst.remaining) == (2, 0)
        assert 59 < state.burst.resets_in <= 60.05
        assert state.sustained.remaining == 4998
        assert 59 < state.wait <= 60.05
        for claim in claims:
            limiter.withdraw(claim)

    scene(main)


async def test_the_public_names_are_all_there():
    for name in metron_async.quota.__all__:
        assert getattr(metron_async.quota, name) is not None
    with pytest.raises(AttributeError):
        metron_async.quota.nothing  # noqa: B018
    await MemoryStore().aclose()
    assert await MemoryStore().apply("me", metron_async.quota.state.Peek(0))
    assert SQLiteStore
