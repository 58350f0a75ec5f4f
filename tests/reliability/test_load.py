"""Many callers at once, and many calls one after the other: nothing piles up."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections import Counter
from random import Random

import pytest
from support.calls import READS
from support.scale import scaled
from support.systems import open_files, open_sockets
from support.virtual import virtual
from support.world import idle

from metron_async import AsyncMetron, Priority
from metron_async.errors import MetronError, NotFoundError
from metron_async.testing import FakeMetron, Fault

CALLERS = 500
LANES = (Priority.INTERACTIVE, Priority.NORMAL, Priority.BULK)


def test_five_hundred_callers_at_once():
    """They want everything that there is, some leave, and all the others are served."""

    async def caller(metron, number, served):
        random = Random(number)
        view = metron.with_options(priority=random.choice(LANES), max_wait=86_400)
        try:
            if number % 10 == 0:
                await view.issues.iter(series_id=number % 7 + 1).collect()
            elif number % 10 == 1:
                await view.collection.scrobble(number)
            else:
                found = await view.issues.get(random.randint(1, 150))
                assert 1 <= found.id <= 150
        except asyncio.CancelledError:
            served["left"] += 1
            raise
        served["served"] += 1

    async def main():
        fake = FakeMetron(600, sustained=100_000)
        fake.latency = (0.01, 1.0)
        served = Counter()
        async with AsyncMetron(fake.token, transport=fake.transport()) as metron:
            began = asyncio.get_running_loop().time()
            tasks = [asyncio.create_task(caller(metron, n, served)) for n in range(CALLERS)]
            for number in range(7, CALLERS, 9):
                await asyncio.sleep(0.5)
                tasks[number].cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            took = asyncio.get_running_loop().time() - began
            failures = [r for r in results if isinstance(r, Exception)]
            assert not failures
            assert served["served"] + served["left"] == CALLERS
            scrobbles = [asked for asked in fake.requests if asked.method == "POST"]
            assert len(scrobbles) <= CALLERS // 10
            # Everybody's details were fetched once; nothing but the quota held them up.
            details = Counter(asked.path for asked in fake.requests if "/issue/" in asked.path)
            assert max(n for path, n in details.items() if path != "/api/issue/") == 1
            assert took < 60 * (len(fake.requests) / 20 + 2) * 1.15
            await asyncio.sleep(100)
            await idle(metron)
        assert not fake.throttled
        assert not fake.bans

    virtual(main())


def test_five_hundred_callers_of_one_thing_cost_one_request():
    async def main():
        fake = FakeMetron(60)
        fake.latency = 0.5
        async with AsyncMetron(fake.token, transport=fake.transport()) as metron:
            found = await asyncio.gather(*(metron.issues.get(5) for _ in range(CALLERS)))
            assert len(fake.requests) == 1
            assert all(issue == found[0] for issue in found)
            await idle(metron)

    virtual(main())


# --- leaks ---------------------------------------------------------------------------------------

FAULTS = (
    Fault.connect_error,
    Fault.drop_before,
    Fault.drop_after,
    Fault.cut_body,
    Fault.html_page,
    Fault.garbled,
    lambda: Fault.status(503),
    lambda: Fault.status(500),
)


async def one_call(metron, random):
    """Make a call of any kind, in any lane; perhaps leave before its end."""
    number = random.randint(1, 130)
    options = {"priority": random.choice(LANES), "retries": random.choice((0, 1))}
    view = metron.with_options(**options)
    choice = random.randrange(12)
    if choice < 4:
        work = view.with_options(refresh=True).issues.get(number)
    elif choice < 6:
        work = view.issues.get(number)
    elif choice == 6:
        work = random.choice(READS[3:5]).run(view)
    elif choice == 7:
        work = view.issues.iter(series_id=number % 9 + 1).collect()
    elif choice == 8:
        work = view.collection.scrobble(number)
    elif choice == 9:
        work = view.with_options(max_wait=0, fresh_for=0).issues.get(number)
    elif choice == 10:
        work = view.issues.iter().first()
    else:
        work = view.publishers.get(number % 9 + 1)
    try:
        if random.random() < 0.05:
            async with asyncio.timeout(random.choice((0, 0.001))):
                await work
        else:
            await work
    except (MetronError, TimeoutError):
        return


def census():
    """Count what may leak: blocks of memory, file handles, sockets, tasks, threads' stacks."""
    for _ in range(3):
        gc.collect()
    handles, sockets = len(open_files()), len(open_sockets())
    return {
        "blocks": sys.getallocatedblocks(),
        "handles": handles,
        "sockets": sockets,
        "tasks": len(asyncio.all_tasks()),
    }


async def drive(metron, fake, random, calls, *, breadth=20):
    """Make *calls* calls, *breadth* at a time, with a fault now and then."""
    for _ in range(calls // breadth):
        if random.random() < 0.3:
            fake.faults.add(random.choice(FAULTS)(), times=random.randint(1, 3))
        await asyncio.gather(*(one_call(metron, random) for _ in range(breadth)))
        fake.faults.clear()
    await metron.issues.get(1)


@pytest.mark.timeout(scaled(120, 1800))
def test_thousands_of_calls_on_virtual_time_leave_nothing():
    calls = scaled(4_000, 100_000)

    async def main():
        random = Random(5)
        fake = FakeMetron(130, sustained=10**9, keep_requests=10)
        fake.burst_limit, fake.sustained_limit = 10**6, 10**9
        fake.latency = (0.0, 0.2)
        async with AsyncMetron(fake.token, transport=fake.transport(), max_in_flight=30) as metron:
            await drive(metron, fake, random, calls // 5)
            await asyncio.sleep(4000)
            _forget_what_the_fake_keeps(fake)
            before = census()
            await drive(metron, fake, random, calls)
            await asyncio.sleep(4000)
            _forget_what_the_fake_keeps(fake)
            after = census()
            await idle(metron)
        assert after["tasks"] == before["tasks"]
        assert after["handles"] == before["handles"]
        assert after["blocks"] - before["blocks"] < calls, (before, after)

    virtual(main())


def _forget_what_the_fake_keeps(fake):
    """The server's log of the windows, and the read dates of the shelf, grow as they should."""
    fake.forgive()
    for account in fake.accounts.values():
        for item in account.shelf.items.values():
            del item.reads[1:]


@pytest.mark.timeout(scaled(120, 1800))
async def test_calls_over_sockets_and_files_leave_nothing(tmp_path):
    calls = scaled(300, 10_000)
    random = Random(6)
    fake = FakeMetron(130, throttle=False, bans=False, keep_requests=10)
    async with (
        fake.serve() as url,
        AsyncMetron(fake.token, base_url=url, storage=tmp_path) as metron,
    ):
        await drive(metron, fake, random, calls // 3)
        _forget_what_the_fake_keeps(fake)
        before = census()
        await drive(metron, fake, random, calls)
        await asyncio.sleep(0.2)
        _forget_what_the_fake_keeps(fake)
        after = census()
        await idle(metron)
    assert after["tasks"] <= before["tasks"] + 20, (before, after)  # the server's connections
    assert after["handles"] <= before["handles"] + 20, (before, after)
    assert after["blocks"] - before["blocks"] < 10 * calls, (before, after)


@pytest.mark.timeout(scaled(120, 600))
async def test_clients_that_come_and_go_leave_nothing(tmp_path):
    fake = FakeMetron(130, throttle=False)
    async with fake.serve() as url:

        async def live_once(number):
            async with AsyncMetron(fake.token, base_url=url) as metron:
                assert (await metron.issues.get(number % 100 + 1)).id
                with pytest.raises(NotFoundError):
                    await metron.with_options(retries=0).issues.get(10**6)

        await live_once(0)
        fake.wire.firewall.forgive()
        before = census()
        for number in range(scaled(25, 500)):
            await live_once(number)
            fake.wire.firewall.forgive()
        await asyncio.sleep(0.2)
        after = census()
    assert after["sockets"] <= before["sockets"] + 3, (before, after)
    assert after["handles"] <= before["handles"] + 3, (before, after)
    assert after["tasks"] <= before["tasks"] + 3, (before, after)
