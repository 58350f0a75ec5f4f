"""``max_wait`` is a moment: whatever else the account is busy with, a call ends by then."""

from __future__ import annotations

import asyncio
import time

import pytest
import redis
from support.fleet import fleet
from support.stores import Slow
from support.virtual import virtual

from metron_async import (
    AsyncMetron,
    Priority,
    RateLimitError,
    RequestTimeoutError,
    StorageError,
)
from metron_async.cache import MemoryCache
from metron_async.models import Issue
from metron_async.storage import MemoryStorage
from metron_async.testing import FakeMetron, Fault

GRACE = 0.5  # seconds
BUSY = 3.0  # seconds, in real time, on a machine that has other things to do


@pytest.mark.parametrize("busy", [Priority.NORMAL, Priority.INTERACTIVE], ids=lambda it: it.name)
@pytest.mark.parametrize("calls", [20, 40])
@pytest.mark.parametrize("max_wait", [0, 0.5, 2])
@pytest.mark.parametrize("shared", [True, False], ids=["one storage", "one client"])
def test_a_call_beside_a_busy_one_is_refused_in_time(max_wait, calls, busy, shared):
    async def main():
        fake = FakeMetron(issues=200)
        fake.latency = 0.3
        storage, waits = MemoryStorage(), []
        options = {"transport": fake.transport(), "storage": storage, "cache": None}
        async with (
            AsyncMetron(fake.token, **options) as one,
            AsyncMetron(fake.token, **options) as two,
        ):
            other = two if shared else one
            await other.issues.get(1)
            view = other.with_options(priority=busy, max_wait=None)
            running = [asyncio.create_task(view.issues.get(n)) for n in range(2, 2 + calls)]
            quick = one.with_options(
                priority=Priority.INTERACTIVE, max_wait=max_wait, on_wait=waits.append
            )
            refused = 0
            for number in range(100, 115):
                began = asyncio.get_running_loop().time()
                (result,) = await asyncio.gather(quick.issues.get(number), return_exceptions=True)
                if isinstance(result, RateLimitError):
                    refused += 1
                    assert result.retry_after > 0
                    assert asyncio.get_running_loop().time() - began <= max_wait + GRACE
                await asyncio.sleep(0.5)
            assert refused
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        assert fake.throttled == 0

    virtual(main())


@pytest.mark.parametrize("kind", ["directory", "redis"])
async def test_a_call_beside_a_busy_process_is_refused_in_time(kind, tmp_path, request):
    storage = tmp_path
    if kind == "redis":
        storage = request.getfixturevalue("redis_url")
        with redis.Redis.from_url(storage) as client:
            client.flushall()
    fake = FakeMetron(issues=200)
    fake.latency = 0.1
    async with (
        fake.serve() as url,
        fleet(1, url, storage, fake.token) as (busy,),
        AsyncMetron(fake.token, base_url=url, storage=storage) as metron,
    ):
        await busy.ask(1)
        busy.begin(*range(2, 42))
        await asyncio.sleep(1)
        for max_wait in (0, 0.5, 1):
            quick = metron.with_options(priority=Priority.INTERACTIVE, max_wait=max_wait)
            results = []
            for number in range(100, 106):
                began = time.monotonic()
                results += await asyncio.gather(quick.issues.get(number), return_exceptions=True)
                took = time.monotonic() - began
                if isinstance(results[-1], Exception):
                    assert took <= max_wait + BUSY
        assert any(isinstance(result, RateLimitError) for result in results)
    assert fake.throttled == 0


def test_a_deadline_holds_also_for_the_attempt_after_a_failed_one():
    async def main():
        fake = FakeMetron(issues=200)
        fake.latency = 0.5
        storage = MemoryStorage()
        options = {"transport": fake.transport(), "storage": storage, "cache": None}
        async with (
            AsyncMetron(fake.token, **options) as one,
            AsyncMetron(fake.token, max_in_flight=1, **options) as two,
        ):
            await one.issues.get(1)
            fake.faults.add(Fault.status(429), times=1)
            fake.faults.add(Fault.latency(60), skip=1, times=None, path="/api/series/")
            began = asyncio.get_running_loop().time()
            call = asyncio.create_task(two.with_options(max_wait=2).issues.get(2))
            await asyncio.sleep(0.2)
            other = asyncio.create_task(one.series.get(1))
            with pytest.raises(RateLimitError):
                await call
            assert asyncio.get_running_loop().time() - began <= 2 + GRACE
            other.cancel()
            await asyncio.gather(other, return_exceptions=True)

    virtual(main())


class HangingCache(MemoryCache):
    hangs = False

    async def get(self, key, *, reload=False):
        if self.hangs:
            await asyncio.sleep(3600)
        return await super().get(key, reload=reload)


@pytest.mark.parametrize("hangs", ["cache", "cache and storage"])
@pytest.mark.parametrize("limit", [{"max_wait": 0}, {"max_wait": 2}, {"timeout": 1}], ids=str)
def test_a_deadline_counts_from_the_beginning_of_the_call(hangs, limit):
    """A hung server of a shared cache, looked into first, must not add to it."""

    async def main():
        fake, loop = FakeMetron(), asyncio.get_running_loop()
        cache, storage = HangingCache(), Slow(MemoryStorage(), pause=0)
        options = {"transport": fake.transport(), "storage": storage, "cache": cache}
        async with AsyncMetron(fake.token, **options) as metron:
            await metron.issues.get(1)
            cache.hangs = True
            storage._pause = 0 if hangs == "cache" else 30
            began = loop.time()
            (result,) = await asyncio.gather(
                metron.with_options(**limit).issues.get(2), return_exceptions=True
            )
            most = limit.get("timeout", limit.get("max_wait", 0) + GRACE)
            assert loop.time() - began <= most
            answered = hangs == "cache" and "max_wait" in limit
            expected = StorageError if "max_wait" in limit else RequestTimeoutError
            assert isinstance(result, Issue if answered else expected)
            storage._pause = 0

    virtual(main())


@pytest.mark.parametrize("rejected", [0, 2])
@pytest.mark.parametrize("priority", list(Priority), ids=lambda it: it.name)
def test_sleeping_for_what_an_error_asks_is_enough(priority, rejected):
    """Also where requests are spaced, as after a 429: another wait must not come up then."""

    async def main():
        fake, loop, refused = FakeMetron(), asyncio.get_running_loop(), 0
        async with AsyncMetron(fake.token, transport=fake.transport(), cache=None) as metron:
            view = metron.with_options(max_wait=0, priority=priority, retries=0)
            fake.faults.add(Fault.status(429), times=rejected, skip=5)
            number = 0
            while loop.time() < 600:
                number += 1
                try:
                    await view.issues.get(number)
                except RateLimitError as error:
                    refused += error.status is None
                    # What the server asks for is spread over a second, so that hosts differ.
                    await asyncio.sleep(error.retry_after + (error.status is not None))
                    try:
                        await view.issues.get(number)
                    except RateLimitError as again:
                        assert again.status == 429  # noqa: PT017
        assert refused > 5
        assert fake.throttled == rejected

    virtual(main())


def test_callers_that_are_refused_together_have_errors_of_their_own():
    async def main():
        fake = FakeMetron()
        async with AsyncMetron(fake.token, transport=fake.transport(), cache=None) as metron:
            await metron.issues.get(1)
            fake.faults.add(Fault.status(403), times=5)
            await asyncio.gather(*map(metron.issues.get, range(2, 7)), return_exceptions=True)
            calls = map(metron.issues.get, range(10, 15))
            errors = await asyncio.gather(*calls, return_exceptions=True)
        assert [error.path for error in errors] == [f"issue/{number}/" for number in range(10, 15)]
        assert len(set(map(id, errors))) == 5

    virtual(main())
