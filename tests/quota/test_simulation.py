"""The limiter against the server's exact throttle, on virtual time."""

from __future__ import annotations

import asyncio
import statistics

import pytest

from metron_async.errors import RateLimitError
from metron_async.quota import window as windows
from metron_async.testing.clock import run_virtual
from metron_async.types import Priority

MINUTE = 60.0


@pytest.mark.parametrize("tasks", [1, 5, 20, 50])
def test_all_of_the_quota_and_no_429(sim, tasks):
    async def main():
        line = sim.line()
        await line.saturate(tasks, 30 * MINUTE)
        await line.limiter.aclose()
        return line

    line = run_virtual(main())
    assert line.server.rejected == []
    assert len(line.done) >= 0.99 * 600


@pytest.mark.parametrize("tasks", [20])
def test_hours_on_a_large_account(sim, tasks):
    async def main():
        line = sim.line(sim.Server(day=25_000))
        await line.saturate(tasks, 6 * 60 * MINUTE)
        await line.limiter.aclose()
        return line

    line = run_virtual(main())
    assert line.server.rejected == []
    assert len(line.done) >= 0.99 * 7200


@pytest.mark.parametrize("skew", [-30.0, 30.0])
def test_the_servers_clock_does_not_matter(sim, skew):
    async def main():
        line = sim.line(sim.Server(skew=skew))
        await line.saturate(20, 10 * MINUTE)
        return line

    line = run_virtual(main())
    assert line.server.rejected == []
    assert len(line.done) >= 0.99 * 200


def test_a_floating_limit(sim):
    """A drop is news that only an answer can bring: until then, requests are on their way."""

    async def main():
        line = sim.line(sim.Server(limit=60))
        drops = []

        async def weather():
            for limit in (20, 60, 20, 60):
                await asyncio.sleep(5 * MINUTE + 7)
                if limit == 20:
                    drops.append(asyncio.get_running_loop().time())
                line.server.burst.limit = limit

        await asyncio.gather(line.saturate(50, 25 * MINUTE), weather())
        return line, drops

    line, drops = run_virtual(main())
    unlucky = line.server.rejected
    # One probe each, and whoever was sent while its answer was on its way.
    assert len(unlucky) <= 2 * 8
    for drop in drops:
        first = min((time for time in unlucky if time > drop), default=drop)
        late = [time for time in unlucky if first + 0.5 < time < drop + 5 * MINUTE]
        assert late == []
    assert len(line.done) > 0.97 * (3 * 5 * 60 + 2 * 5 * 20 - 2 * 60)


def test_cold_start_on_a_used_up_account(sim):
    async def main():
        server = sim.Server()
        for _ in range(20):
            server.serve(0.0)
        line = sim.line(server)
        await asyncio.gather(*(line.request() for _ in range(30)))
        return line

    line = run_virtual(main())
    assert len(line.server.rejected) <= 1
    assert len(line.done) == 30


def test_interactive_calls_beside_a_bulk_job(sim):
    async def main():
        line = sim.line()
        waits = []

        async def visitor():
            while asyncio.get_running_loop().time() < 58 * MINUTE:
                await asyncio.sleep(40)
                waits.append(await line.request(Priority.INTERACTIVE))

        end = 60 * MINUTE
        await asyncio.gather(line.saturate(20, end, Priority.BULK), visitor())
        await line.limiter.aclose()
        return line, waits

    line, waits = run_virtual(main())
    assert line.server.rejected == []
    assert len(line.done) >= 0.93 * 1200
    assert statistics.median(waits) < 0.5
    assert statistics.quantiles(waits, n=20)[-1] < 1.0


def test_twenty_interactive_calls_at_once(sim):
    async def main():
        line = sim.line(rtt=(0.2, 0.2))
        await asyncio.gather(*(line.request(Priority.INTERACTIVE) for _ in range(20)))
        return line

    assert max(run_virtual(main()).done) <= 4 * 0.2 + 0.01


def test_hopeless_calls_are_refused_at_once(sim):
    async def main():
        line = sim.line()

        async def call():
            try:
                await line.request(max_wait=10)
            except RateLimitError as error:
                return asyncio.get_running_loop().time(), error
            return None

        return line, [it for it in await asyncio.gather(*(call() for _ in range(100))) if it]

    line, refused = run_virtual(main())
    assert len(line.done) == 20
    assert len(refused) == 80
    assert {time for time, _ in refused} == {0.0}
    assert {error.scope for _, error in refused} == {"burst"}
    assert all(error.retry_after >= 60 for _, error in refused)


def test_the_checker_sees_a_log_stamped_at_sending(sim, monkeypatch):
    honest = windows.record

    def stamped_when_sent(window, rules, sent, stamp, sure):
        honest(window, rules, sent, sent, sure)

    monkeypatch.setattr(windows, "record", stamped_when_sent)

    async def main():
        line = sim.line()
        await line.saturate(20, 30 * MINUTE)
        return line

    assert len(run_virtual(main()).server.rejected) > 10
