"""The guard of one client, on virtual time."""

from __future__ import annotations

import asyncio
import time

import pytest

from metron_async._engine.guard import Ending, Guard, MemoryGuardStore, Outcome
from metron_async._engine.guard.rhythm import Rhythm
from metron_async._engine.guard.state import Reply, Report
from metron_async.errors import BlockedError
from metron_async.testing.clock import run_virtual

OK = Outcome.answered(200)


class Counting(MemoryGuardStore):
    """A store that counts exchanges, takes its time, and can fail."""

    def __init__(self, delay: float = 0.0) -> None:
        super().__init__()
        self.exchanges = 0
        self.delay = delay
        self.broken = False

    async def exchange(self, host: str, report: Report) -> Reply:
        self.exchanges += 1
        await asyncio.sleep(self.delay)
        if self.broken:
            msg = "gone"
            raise OSError(msg)
        return await super().exchange(host, report)


def guard_of(store: MemoryGuardStore | None = None, key: str = "k") -> Guard:
    return Guard(store or MemoryGuardStore(), credentials_key=key, host_key="h")


async def call(
    guard: Guard,
    outcome: Outcome = OK,
    *,
    prone: bool = False,
    max_wait: float | None = None,
    takes: float = 0.1,
) -> None:
    pass_ = await guard.admit(may_404=prone, max_wait=max_wait)
    await asyncio.sleep(takes)
    await guard.observe(pass_, outcome)


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_proven_calls_ask_nobody_and_cost_little() -> None:
    store = Counting()
    guard = guard_of(store)
    await call(guard, takes=0)
    await asyncio.gather(*(call(guard, prone=True, takes=0.01) for _ in range(8)))
    before = store.exchanges
    start = time.process_time()  # of this process alone: others may be busy
    for _ in range(2000):
        await guard.observe(await guard.admit(may_404=True, max_wait=None), OK)
    each = (time.process_time() - start) / 2000
    assert store.exchanges == before
    assert each < 100e-6  # about 3 us
    await guard.aclose()


def test_of_many_calls_with_a_bad_token_one_is_sent() -> None:
    async def main() -> None:
        store = MemoryGuardStore()
        guards = [guard_of(store, "bad") for _ in range(3)]
        sent = 0

        async def one(guard: Guard) -> None:
            nonlocal sent
            pass_ = await guard.admit(may_404=False, max_wait=None)
            sent += 1
            await asyncio.sleep(0.3)
            await guard.observe(pass_, Outcome.answered(401))

        calls = (one(guard) for guard in guards for _ in range(8))
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert sent == 1
        refused = [result for result in results if isinstance(result, BlockedError)]
        assert len(refused) == 23
        assert all(0 < error.retry_after <= 600 for error in refused)
        assert all("401" in error.reason for error in refused)
        # The next process knows it too, until the latch opens or is opened.
        later = guard_of(store, "bad")
        with pytest.raises(BlockedError):
            await call(later)
        await later.clear()
        await call(later)
        for guard in (*guards, later):
            await guard.aclose()

    run_virtual(main())


def test_of_many_calls_with_a_good_token_all_but_one_wait_for_it() -> None:
    async def main() -> None:
        guard = guard_of()
        start = now()
        await asyncio.gather(*(call(guard, takes=1.0) for _ in range(9)))
        assert now() - start == pytest.approx(2.0)
        await guard.aclose()

    run_virtual(main())


def test_a_caller_without_patience_does_not_wait_for_a_probe() -> None:
    async def main() -> None:
        guard = guard_of()
        first = asyncio.ensure_future(call(guard, takes=5.0))
        await asyncio.sleep(1)
        for patience in (0.0, 2.0):
            start = now()
            with pytest.raises(BlockedError, match="trying the credentials"):
                await call(guard, max_wait=patience)
            assert now() - start == pytest.approx(patience)
        waiting = asyncio.ensure_future(call(guard))
        await asyncio.sleep(0)
        with pytest.raises(BlockedError):
            await call(guard, max_wait=0.5)  # behind another one
        await asyncio.gather(first, waiting)
        await guard.aclose()

    run_virtual(main())


def test_a_dead_prober_frees_the_probe_by_expiry() -> None:
    async def main() -> None:
        store = MemoryGuardStore()
        dead = guard_of(store)
        await dead.admit(may_404=False, max_wait=None)
        dead._closed = True
        assert dead._timer is not None
        dead._timer.cancel()
        alive = guard_of(store)
        start = now()
        await call(alive)
        assert 9 < now() - start < 12
        await alive.aclose()

    run_virtual(main())


def test_a_probe_without_an_outcome_makes_room_for_the_next() -> None:
    async def main() -> None:
        guard = guard_of()
        pass_ = await guard.admit(may_404=False, max_wait=None)
        second = asyncio.ensure_future(call(guard))
        await asyncio.sleep(1)
        guard.abandon(pass_)
        guard.abandon(pass_)
        await second
        await guard.observe(pass_, Outcome.answered(401))  # too late to mean anything
        await call(guard)
        await guard.aclose()

    run_virtual(main())


def test_404s_are_spaced_and_lists_are_not() -> None:
    async def main() -> None:
        guard = guard_of()
        await call(guard)
        for _ in range(10):
            await call(guard, Outcome.answered(404), prone=True)
        with pytest.raises(BlockedError, match="do not exist") as caught:
            await call(guard, prone=True, max_wait=1.0)
        assert 5 < caught.value.retry_after < 13
        start = now()
        waiting = [
            asyncio.ensure_future(call(guard, Outcome.answered(404), prone=True)) for _ in range(4)
        ]
        await asyncio.sleep(0.1)
        with pytest.raises(BlockedError) as caught:
            await call(guard, prone=True, max_wait=40.0)  # five times twelve seconds
        assert caught.value.retry_after > 40
        for _ in range(30):
            await call(guard, takes=0)
        assert now() - start < 1
        await asyncio.gather(*waiting)
        assert now() - start == pytest.approx(48, abs=3)
        await guard.aclose()

    run_virtual(main())


async def test_a_rhythm_without_404s_is_no_rhythm() -> None:
    rhythm = Rhythm()
    await rhythm.pour(Reply())
    await rhythm.beat()
    assert (rhythm.due, rhythm.delay()) == (False, 0.0)


def test_split_admission_holds_no_permit_while_queueing() -> None:
    async def main() -> None:
        store = MemoryGuardStore()
        guard = guard_of(store)
        await call(guard)
        passes = [await guard.admit(may_404=True, max_wait=0, enter=False) for _ in range(50)]
        assert not any(pass_.entered for pass_ in passes)
        other = guard_of(store)
        await asyncio.gather(*(call(other) for _ in range(8)))
        for pass_ in passes[:8]:
            await guard.enter(pass_)
            await guard.enter(pass_)
        assert guard._block.in_flight == 8
        for pass_ in passes[:7]:
            await guard.observe(pass_, Outcome.answered(403))
        with pytest.raises(BlockedError, match="403"):
            await guard.enter(passes[8])
        with pytest.raises(BlockedError, match="403"):
            await guard.admit(may_404=False, max_wait=None, enter=False)
        await guard.observe(passes[7], OK)
        for pass_ in passes:
            guard.abandon(pass_)
        assert guard._block.in_flight == 0
        await asyncio.gather(guard.aclose(), other.aclose())

    run_virtual(main())


def test_leaving_a_line_leaks_nothing() -> None:
    async def main() -> None:
        store = Counting(delay=0.05)
        guard = guard_of(store)
        await call(guard)
        for delay in range(60):
            tasks = [asyncio.ensure_future(call(guard, takes=0.02)) for _ in range(12)]
            await asyncio.sleep(delay * 0.005)
            for task in tasks[::2]:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert not any(isinstance(result, Exception) for result in results)
            # A cancelled call that was sent would be observed by the engine; here it is lost.
            if guard._block.in_flight:
                break
            await asyncio.sleep(11)
        await guard.aclose()

    run_virtual(main())


def test_a_caller_cancelled_while_asking_takes_nothing_along() -> None:
    async def main() -> None:
        store = Counting(delay=0.05)
        for moment in (0.01, 0.05, 0.06):
            guard = guard_of(store, f"k{moment}")
            task = asyncio.ensure_future(guard.admit(may_404=True, max_wait=None))
            await asyncio.sleep(moment)
            if task.cancel():
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert guard._block.in_flight == 0
            else:
                guard.abandon(task.result())
            await asyncio.sleep(0.2)
            await call(guard)
            assert guard._block.in_flight == 0
            await guard.aclose()

    run_virtual(main())


def test_an_event_survives_a_cancelled_observer_and_a_broken_store() -> None:
    async def main() -> None:
        store = Counting(delay=0.1)
        guard = guard_of(store)
        await call(guard)
        pass_ = await guard.admit(may_404=False, max_wait=None)
        task = asyncio.ensure_future(guard.observe(pass_, Outcome.answered(403)))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.sleep(0.2)
        assert len(store._states["h"].events[403]) == 1
        pass_ = await guard.admit(may_404=False, max_wait=None)
        store.broken = True
        with pytest.raises(OSError, match="gone"):
            await guard.observe(pass_, Outcome.answered(403))
        with pytest.raises(OSError, match="gone"):
            await guard.admit(may_404=False, max_wait=None)  # rather than an unguarded call
        store.broken = False
        await call(guard)
        assert len(store._states["h"].events[403]) == 2
        await guard.aclose()

    run_virtual(main())


def test_leases_are_kept_while_in_use_and_given_back_when_idle() -> None:
    async def main() -> None:
        store = MemoryGuardStore()
        guard = guard_of(store)
        await call(guard)
        await asyncio.gather(*(call(guard, takes=60) for _ in range(3)))
        assert "h" in store._states
        other = guard_of(store)
        await call(other)
        assert 499 not in store._states["h"].events
        await asyncio.sleep(20)
        assert not store._states["h"].leases
        await asyncio.gather(guard.aclose(), other.aclose())

    run_virtual(main())


def test_an_old_answer_proves_nothing_after_a_401() -> None:
    async def main() -> None:
        guard = guard_of()
        await call(guard)
        old, new = [await guard.admit(may_404=False, max_wait=None) for _ in range(2)]
        await guard.observe(new, Outcome.answered(401))
        await guard.observe(old, OK)
        with pytest.raises(BlockedError):
            await call(guard)
        await asyncio.sleep(600)
        await call(guard)
        await call(guard)
        await guard.aclose()

    run_virtual(main())


def test_connect_timeouts_after_a_streak_hint_at_a_ban() -> None:
    async def main() -> None:
        guard = guard_of()
        await call(guard)
        for _ in range(10):
            await call(guard, Outcome(Ending.CLOSED_BY_US))
        await asyncio.sleep(70)
        for _ in range(3):
            assert guard.explain_timeouts() is None
            await call(guard, Outcome(Ending.CONNECT_TIMEOUT))
        assert "may have banned" in (guard.explain_timeouts() or "")
        await call(guard)
        assert guard.explain_timeouts() is None
        await guard.aclose()

    run_virtual(main())
