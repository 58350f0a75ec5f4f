"""Whatever happens, in whatever order: no 429, no leak, no lost wake-up, fair, and honest."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from metron_async.errors import RateLimitError
from metron_async.quota import Limiter, Observation, Rules, WindowRules
from metron_async.quota import window as windows
from metron_async.testing.clock import run_virtual
from metron_async.types import Priority

RULES = Rules(burst=WindowRules(limit=5, period=60.0, margin=0.05, grain=0.0, reserve=1))


@dataclass(frozen=True)
class Job:
    """One call: when, how long the line is, and what befalls it."""

    at: float
    lane: Priority
    up: float
    down: float
    fate: str  # fine, lost before or after the server saw it, not sent
    cancel_after: float | None = None
    max_wait: float | None = math.inf
    promote_after: float | None = None


def jobs(*, calm: bool = False):
    fates = ["fine"] * 6 + ([] if calm else ["lost", "lost unseen", "not sent", "denied"])
    rare = st.none() if calm else st.one_of(st.none(), st.none(), st.floats(0, 150))
    job = st.builds(
        Job,
        at=st.one_of(st.floats(0, 3), st.floats(0, 200)),
        lane=st.sampled_from(list(Priority)),
        up=st.one_of(st.floats(0, 0.3), st.floats(0, 30)),
        down=st.one_of(st.floats(0, 0.3), st.floats(0, 30)),
        fate=st.sampled_from(fates),
        cancel_after=rare,
        max_wait=st.just(math.inf) if calm else st.sampled_from([math.inf, math.inf, None, 0, 70]),
        promote_after=rare,
    )
    return st.lists(job, min_size=1, max_size=30)


@dataclass
class Outcome:
    server: object
    limiter: Limiter
    state: object
    claims: list
    grants: list
    late: list
    left_over: int


async def play(sim, work, foreign=(), max_in_flight=4):  # noqa: C901, PLR0915 - a whole world
    loop = asyncio.get_running_loop()
    server = sim.Server(limit=5)
    store = sim.CheckedStore(rules=RULES)
    limiter = Limiter(store, "me", max_in_flight=max_in_flight)
    claims, grants, late = [], [], []

    async def send(job, ticket):
        if job.fate == "not sent":
            await asyncio.sleep(job.up)
            await limiter.release(ticket)
            return
        await asyncio.sleep(job.up)
        seen = Observation()
        if job.fate == "denied":
            seen = Observation(counted=False)
        elif job.fate != "lost unseen":
            answer = server.serve(loop.time())
            seen = answer if job.fate == "fine" else seen
        await asyncio.sleep(job.down)
        await limiter.settle(ticket, seen)

    async def call(job):
        await asyncio.sleep(job.at)
        claim = limiter.claim(job.lane)
        began = loop.time()
        claims.append(claim)
        try:
            estimate = await limiter.estimate(claim)
            if job.promote_after is not None:
                loop.call_later(job.promote_after, limiter.promote, claim, Priority.INTERACTIVE)
            await limiter.wait(claim, job.max_wait)
            ticket = await limiter.granted(claim)
        except RateLimitError:
            limiter.withdraw(claim)
            return
        except asyncio.CancelledError:
            limiter.withdraw(claim)
            raise
        grants.append(claim)
        waited = loop.time() - began
        if waited < estimate.seconds - 1e-6:
            late.append((job, waited, estimate))
        await asyncio.shield(asyncio.ensure_future(send(job, ticket)))

    async def others():
        for time in sorted(foreign):
            await asyncio.sleep(max(0.0, time - loop.time()))
            if server.serve(loop.time()).throttled:
                server.rejected.pop()  # theirs, not ours

    tasks = []
    for job in work:
        task = asyncio.ensure_future(call(job))
        tasks.append(task)
        if job.cancel_after is not None:
            loop.call_later(job.at + job.cancel_after, task.cancel)
    for result in await asyncio.gather(*tasks, others(), return_exceptions=True):
        if isinstance(result, Exception):
            raise result
    bound = 60.2 * (len(work) + len(foreign) + 2) + 200
    assert loop.time() <= bound, "somebody was woken far too late"
    await asyncio.sleep(300)  # whatever was cancelled while it was sent has ended
    await limiter.snapshot()
    await limiter.aclose()
    state = store._states["me"]
    left_over = len(asyncio.all_tasks()) - 1
    return Outcome(server, limiter, state, claims, grants, late, left_over)


def check_nothing_leaked(outcome):
    assert outcome.state.leases == []
    assert outcome.limiter._desk._tickets == {}
    assert len(outcome.limiter._lanes) == 0
    assert outcome.left_over == 0
    assert all(claim.future.done() for claim in outcome.claims)


@settings(max_examples=200, deadline=None)
@given(work=jobs())
def test_an_account_that_is_ours_alone_never_sees_a_429(sim, work):
    outcome = run_virtual(play(sim, work))
    assert outcome.server.rejected == []
    assert outcome.state.burst.ghosts == 0, "own requests were taken for somebody else's"
    check_nothing_leaked(outcome)


@settings(max_examples=150, deadline=None)
@given(work=jobs(), foreign=st.lists(st.floats(0, 300), max_size=25))
def test_with_others_on_the_account_nothing_leaks_and_nobody_is_forgotten(sim, work, foreign):
    check_nothing_leaked(run_virtual(play(sim, work, foreign)))


@settings(max_examples=100, deadline=None)
@given(work=jobs(calm=True))
def test_estimates_are_lower_bounds(sim, work):
    outcome = run_virtual(play(sim, work))
    assert outcome.late == []


@settings(max_examples=100, deadline=None)
@given(work=jobs(calm=True), foreign=st.lists(st.floats(0, 300), max_size=25))
def test_estimates_are_lower_bounds_beside_others(sim, work, foreign):
    outcome = run_virtual(play(sim, work, foreign))
    # A request in flight that the server rejects takes no slot, as one that leaves the queue.
    assume(not outcome.server.rejected)
    assert outcome.late == []


@settings(max_examples=100, deadline=None)
@given(work=jobs(calm=True))
def test_first_come_first_served_within_a_lane(sim, work):
    outcome = run_virtual(play(sim, work))
    for lane in Priority:
        claimed = [claim for claim in outcome.claims if claim.priority is lane]
        granted = [claim for claim in outcome.grants if claim.priority is lane]
        assert claimed == granted


@pytest.mark.parametrize("others", [Priority.INTERACTIVE, Priority.NORMAL])
def test_bulk_is_never_starved(sim, others):
    async def main():
        line = sim.line()
        begin = []

        async def patient():
            begin.append(await line.request(Priority.BULK, max_wait=math.inf))

        async with asyncio.TaskGroup() as group:
            group.create_task(line.saturate(30, 900, others))
            for _ in range(5):
                group.create_task(patient())
        return line, begin

    line, begin = run_virtual(main())
    assert len(begin) == 5
    assert max(begin) < 6 * 121
    assert line.server.rejected == []


def test_the_properties_catch_a_log_stamped_at_sending(sim, monkeypatch):
    honest = windows.record
    monkeypatch.setattr(
        windows,
        "record",
        lambda window, rules, sent, stamp, sure: honest(window, rules, sent, sent, sure),
    )
    # The first of five requests is counted late; the sixth, a minute later, right away.
    work = [Job(0, Priority.NORMAL, 0.1, 0.1, "fine")]
    work += [Job(1, Priority.NORMAL, 20, 0, "fine") for _ in range(4)]
    work += [Job(2, Priority.NORMAL, 0, 0, "fine") for _ in range(5)]
    assert run_virtual(play(sim, work)).server.rejected != []
    monkeypatch.undo()
    assert run_virtual(play(sim, work)).server.rejected == []
