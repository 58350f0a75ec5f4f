"""Small versions of the simulations in benchmarks/bench_admission.py."""

from __future__ import annotations

import asyncio

import pytest
from support.admission import Client, CountingStorage, Server, fetch_many, quantile, saturate, visit
from support.virtual import on_virtual_time

from metron_async.errors import RateLimitError
from metron_async.types import Priority

HOUR = 3600.0


@pytest.mark.parametrize(("ids", "most"), [(20, 5), (52, 126), (123, 378)])
@on_virtual_time
async def test_short_jobs_are_short(ids, most):
    client = Client(Server(), seed=ids)
    assert await fetch_many(client, ids, Priority.BULK) <= most
    assert client.server.rejected == []
    await client.controller.aclose()


@pytest.mark.parametrize(
    ("before", "lane"),
    [(Priority.INTERACTIVE, Priority.NORMAL), (Priority.NORMAL, Priority.BULK)],
)
@pytest.mark.parametrize("gap", [61, 290])
@on_virtual_time
async def test_short_jobs_are_short_after_a_call_of_a_higher_priority(before, lane, gap):
    client = Client(Server())
    await client.call(before)
    await asyncio.sleep(gap)
    assert await fetch_many(client, 20, lane) <= 5
    assert client.server.rejected == []
    await client.controller.aclose()


@pytest.mark.parametrize("lane", [Priority.NORMAL, Priority.BULK])
@on_virtual_time
async def test_an_interactive_call_is_quick_beside_a_busy_job_in_another_process(lane):
    server, storage, end = Server(), CountingStorage(), 3 * HOUR
    job, person = (Client(server, storage, seed=seed) for seed in (1, 2))
    _, took = await asyncio.gather(saturate(job, 20, end, lane), visit(person, end - 60))
    for each in (job, person):
        await each.controller.aclose()
    assert server.rejected == []
    assert quantile(took, 0.5) < 0.5
    assert quantile(took, 0.9) < 1
    assert sum(at <= end for at in server.served) >= 0.93 * 3600


@on_virtual_time
async def test_the_whole_quota_is_used():
    client = Client(Server(day=25_000))
    await saturate(client, 20, HOUR)
    assert len(client.server.served) >= 0.994 * 1200
    assert client.server.rejected == []
    await client.controller.aclose()


@pytest.mark.parametrize("stagger", [0.0, 1200.0])
@on_virtual_time
async def test_hosts_without_a_shared_storage_share_an_account(stagger):
    server = Server(day=1500)
    hosts = [Client(server, seed=seed, name=f"host {seed}") for seed in range(3)]

    async def host(place):
        await asyncio.sleep(place * stagger)
        await saturate(hosts[place], 8, 3 * HOUR)

    await asyncio.gather(*map(host, range(3)))
    for each in hosts:
        await each.controller.aclose()
    assert len(server.rejected) < 20
    assert sum(server.by[each.name] for each in hosts) >= 1350
    assert min(server.by[each.name] for each in hosts) > 100


@pytest.mark.parametrize("step", [60.0, 10.0])
@on_virtual_time
async def test_a_limit_that_floats_is_used_as_far_as_it_is_always_there(step):
    server = Server(limit=60, day=25_000)
    client = Client(server)

    async def weather():
        while True:
            for limit in (60, 20):
                server.limit = limit
                await asyncio.sleep(step)

    floating = asyncio.ensure_future(weather())
    await saturate(client, 30, 2 * HOUR)
    floating.cancel()
    assert len(server.rejected) <= 5
    assert len(server.served) >= 0.92 * 2400
    await client.controller.aclose()


@on_virtual_time
async def test_a_proxy_that_answers_429_to_all_costs_few():
    class Wall(Server):
        def handle(self, now, who=None):
            self.rejected.append(now)
            return 429, {"retry-after": "1"}

    client = Client(Wall())
    await saturate(client, 8, 24 * HOUR)
    assert 5 < len(client.server.rejected) < 50
    await client.controller.aclose()


@on_virtual_time
async def test_beside_a_naive_script_the_account_is_not_warned_because_of_us():
    server, client = Server(), None
    client = Client(server)

    async def naive():
        while True:
            server.handle(asyncio.get_running_loop().time(), "naive")
            await asyncio.sleep(2)

    script = asyncio.ensure_future(naive())
    await saturate(client, 8, 24 * HOUR)
    script.cancel()
    assert sum(who == "me" for who, _ in server.log) < 50
    assert server.by["me"] > 100
    await client.controller.aclose()


@on_virtual_time
async def test_a_new_donor_is_noticed_within_the_hour():
    server, loop = Server(day=5000), asyncio.get_running_loop()
    for at in range(5000):
        server.quota.sustained.log.append(1_795_219_200.0 + at / 1000)
    client = Client(server)
    with pytest.raises(RateLimitError):
        await client.call(max_wait=None)
    server.day = 25_000
    await client.call(max_wait=4000)
    assert loop.time() < 3700
    await client.controller.aclose()
