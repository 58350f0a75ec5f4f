"""Cancelling a call at its n-th suspension, for every n, leaves nothing behind.

The harness counts how often the calling task is suspended, by driving the coroutine itself, and
cancels it at the chosen one.
"""

import asyncio
import contextlib
import types

import pytest
from support.virtual import settle, virtual
from support.world import client, idle

from metron_async import AsyncMetron, ClosedError, Priority, RateLimitError
from metron_async.testing import FakeMetron, Fault


class Suspensions:
    """Awaits a coroutine, and cancels the task in which it runs at its n-th suspension."""

    def __init__(self, coroutine, number):
        self.coroutine = coroutine
        self.number = number
        self.count = 0

    @types.coroutine
    def _drive(self):
        send, value = self.coroutine.send, None
        while True:
            try:
                awaited = send(value)
            except StopIteration as stop:
                return stop.value
            self.count += 1
            if self.count == self.number:
                asyncio.current_task().cancel()
            try:
                value = yield awaited
                send = self.coroutine.send
            except BaseException as error:  # noqa: BLE001 - handed on to where it belongs
                send, value = self.coroutine.throw, error

    async def run(self):
        return await self._drive()


async def cancelled_at(number, coroutine):
    """Run *coroutine*; return whether it ended before its suspension *number*."""
    suspensions = Suspensions(coroutine, number)
    task = asyncio.create_task(suspensions.run())
    await asyncio.wait({task})
    if task.cancelled():
        return False
    task.result()
    return suspensions.count < number


async def walk(metron):
    assert len([row.id async for row in metron.issues.iter()]) == 250


async def get(metron):
    assert (await metron.issues.get(7)).id == 7


async def page(metron):
    assert (await metron.issues.iter().page(2)).number == 2


async def details(metron):
    view = metron.with_options(priority=Priority.NORMAL)
    assert [issue.id async for issue in view.publishers.iter().details()]


async def many(metron):
    got = [got.id async for got in metron.issues.fetch_many([1, 2, 3], concurrency=2)]
    assert sorted(got) == [1, 2, 3]


async def lists(metron):
    await metron.pull_list.get()
    await metron.collection.stats()


CALLS = [get, page, walk, lists, details, many]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
@pytest.mark.parametrize("latency", [0, 0.5])
@pytest.mark.parametrize("cache", [None, ":memory:"])
def test_in_memory(call, latency, cache):
    async def once(number):
        fake = FakeMetron(issues=250)
        fake.latency = latency
        async with client(fake, cache=cache) as metron:
            over = await cancelled_at(number, call(metron))
            await asyncio.sleep(5)
            await idle(metron)
            assert all(asked.status == 200 for asked in fake.requests)  # nobody hung up
            used = 20 - (await metron.quota()).burst.remaining
            assert used == len(fake.requests)
            await call(metron)
            await idle(metron)
            assert fake.throttled == 0
        return over

    number = 1
    while not virtual(once(number)):
        number += 1
    assert number > 1


@pytest.mark.parametrize("fault", [Fault.status(503), Fault.status(429), Fault.drop_after()])
def test_between_tries(fault):
    async def once(number):
        fake = FakeMetron(issues=60)
        async with client(fake, cache=None) as metron:
            await metron.publishers.get(1)
            fake.faults.add(fault)
            over = await cancelled_at(number, get(metron))
            await asyncio.sleep(120)
            await idle(metron)
            await get(metron)
        return over

    number = 1
    while not virtual(once(number)):
        number += 1
    assert number > 1


def test_while_queued():
    async def once(number):
        fake = FakeMetron(issues=60)
        async with client(fake, cache=None) as metron:
            for _ in range(20):
                await metron.with_options(refresh=True).publishers.get(1)
            sent = len(fake.requests)
            over = await cancelled_at(number, get(metron))
            await settle()
            if not over and len(fake.requests) == sent:
                await asyncio.sleep(61)
                assert (await metron.quota()).burst.remaining == 20  # no slot was lost
                assert len(fake.requests) == sent
            await asyncio.sleep(61)
            await idle(metron)
            await get(metron)
        return over

    number = 1
    while not virtual(once(number)):
        number += 1
    assert number > 1


async def test_with_stores_on_disk(tmp_path):
    """Here commands take time, in threads, so there are more moments to leave at."""

    async def once(number):
        folder = tmp_path / str(number)
        folder.mkdir()
        fake = FakeMetron(issues=60, throttle=False)
        metron = AsyncMetron(
            token=fake.token,
            transport=fake.transport(),
            storage=folder,
        )
        over = await cancelled_at(number, get(metron))
        for _ in range(200):
            parts = metron._caller.core.parts
            if parts is None or not parts.in_flight._running:
                break
            await asyncio.sleep(0.005)
        async with metron:
            await get(metron)
            for _ in range(200):
                if (await metron.quota()).in_flight == 0:
                    break
                await asyncio.sleep(0.005)
            await idle(metron)
        return over

    for number in range(1, 60):
        if await once(number):
            break
    assert number > 3


def test_refusing_and_leaving_in_the_same_moment():
    async def main():
        fake = FakeMetron(issues=60)
        async with client(fake, cache=None) as metron:
            for _ in range(20):
                await metron.with_options(refresh=True).publishers.get(1)
            for steps in range(12):
                call = asyncio.create_task(metron.with_options(max_wait=1).issues.get(7))
                for _ in range(steps):
                    await asyncio.sleep(0)
                call.cancel()
                outcome = (await asyncio.gather(call, return_exceptions=True))[0]
                assert isinstance(outcome, asyncio.CancelledError | RateLimitError)
                await idle(metron)

    virtual(main())


@pytest.mark.parametrize(
    "fault", [None, Fault.status(503), Fault.redirect("/api/issue/7/?moved=1")]
)
@pytest.mark.parametrize("cache", [None, ":memory:"])
@pytest.mark.parametrize("full", [False, True])
def test_the_request_itself_torn_down_at_any_moment(fault, cache, full):
    """As closing does when its grace is over: slots and permits must not be lost with it."""

    async def once(number):
        fake = FakeMetron(issues=60)
        async with client(fake, cache=cache) as metron:
            for _ in range(20 if full else 1):
                await metron.with_options(refresh=True).publishers.get(1)
            flights = metron._caller.core.parts.in_flight
            launch, counts = flights.launch, []

            def launch_doomed(request, options, body, key=None):
                async def doomed(flight):
                    suspensions = Suspensions(body(flight), number)
                    try:
                        return await suspensions.run()
                    finally:
                        counts.append(suspensions.count)

                return launch(request, options, doomed, key)

            flights.launch = launch_doomed
            if fault is not None:
                fake.faults.add(fault)
            with contextlib.suppress(ClosedError):
                await get_any(metron)
            flights.launch = launch
            fake.faults.clear()
            await asyncio.sleep(130)
            await idle(metron)
            assert not metron._caller.core.parts.controller._client.in_flight
            await get_any(metron)
        return counts[0] < number

    async def get_any(metron):
        assert (await metron.with_options(refresh=True).issues.get(7)).id in (7, 8)

    number = 1
    while not virtual(once(number)):
        number += 1
    assert number > 1
