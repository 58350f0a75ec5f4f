"""From the first call to the end: loops, processes, closing, and what is left behind."""

import asyncio
import gc
import os
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import httpx
import pytest
from support.systems import needs_posix, open_sockets
from support.virtual import settle, virtual
from support.world import SECRET, client, idle

import metron_async
from metron_async import AsyncMetron, ClosedError, MetronError
from metron_async.cache import MemoryCache
from metron_async.storage import MemoryStorage
from metron_async.testing import FakeMetron, Fault


def fake_of(**options):
    return FakeMetron(issues=60, **options)


# -- Using it -----------------------------------------------------------------------------------


def test_it_is_an_async_context_manager_and_closes_once():
    async def main():
        fake = fake_of()
        metron = client(fake)
        async with metron as same:
            assert same is metron
            assert (await metron.issues.get(7)).id == 7
        await metron.aclose()
        view = metron.with_options(retries=0)
        for call in (
            metron.issues.get(7),
            view.issues.get(7),
            metron.issues.iter().first(),
            metron.quota(),
            metron.retry_credentials(),
            metron.pull_list.get(),
        ):
            with pytest.raises(ClosedError, match="closed"):
                await call
        assert len(fake.requests) == 1

    virtual(main())


def test_two_may_close_at_once_and_both_wait_for_the_end():
    async def main():
        fake = fake_of()
        fake.latency = 2
        metron = client(fake)
        call = asyncio.create_task(metron.issues.get(7))
        await asyncio.sleep(1)
        await asyncio.gather(metron.aclose(), metron.aclose())
        assert metron._caller.core.parts.transport._client.is_closed
        assert (await call).id == 7
        assert asyncio.get_running_loop().time() == 2

    virtual(main())


def test_who_closes_may_be_cancelled_and_it_is_closed_all_the_same():
    async def main():
        fake = fake_of()
        fake.latency = 2
        metron = client(fake)
        call = asyncio.create_task(metron.issues.get(7))
        await asyncio.sleep(1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await metron.aclose()
        assert not metron._caller.core.parts.transport._client.is_closed
        await metron.aclose()
        assert metron._caller.core.parts.transport._client.is_closed
        assert (await call).id == 7

    virtual(main())


def test_another_loop_is_refused():
    fake = fake_of()
    metron = AsyncMetron(token=fake.token, transport=fake.transport())

    async def use():
        return await metron.issues.get(7)

    asyncio.run(use())
    with pytest.raises(ClosedError, match="another event loop"):
        asyncio.run(use())
    with pytest.raises(ClosedError, match="another event loop"):
        asyncio.run(metron.aclose())


def test_a_client_never_used_belongs_to_no_loop():
    fake = fake_of()
    metron = AsyncMetron(token=fake.token, transport=fake.transport())
    asyncio.run(metron.aclose())
    asyncio.run(metron.aclose())


@needs_posix
def test_a_client_that_is_in_use_is_refused_in_a_forked_process():
    fake = fake_of()
    metron = AsyncMetron(token=fake.token, transport=fake.transport())

    async def use():
        return await metron.issues.get(7)

    asyncio.run(use())
    outcome_in, outcome_out = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        said = "nothing"
        try:
            asyncio.run(use())
            said = "it worked"
        except ClosedError as error:
            said = str(error)
        except BaseException as error:  # noqa: BLE001 - told to the parent
            said = repr(error)
        finally:
            os.write(outcome_out, said.encode())
            os._exit(0)
    os.waitpid(child, 0)
    os.close(outcome_out)
    with os.fdopen(outcome_in) as outcome:
        assert "fork" in outcome.read()


async def test_the_first_calls_open_once_even_if_many_and_some_leave():
    fake = fake_of(throttle=False)
    metron = client(fake, cache=MemoryCache())
    calls = [asyncio.create_task(metron.issues.get(number)) for number in range(1, 20)]
    await asyncio.sleep(0)
    calls[0].cancel()
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(outcome, Exception) for outcome in done) == 0
    await metron.aclose()


async def test_an_opening_that_fails_is_tried_again():
    class Failing(MemoryCache):
        failures = 1

        async def account(self, identity):
            await asyncio.sleep(0)
            if self.failures:
                self.failures -= 1
                msg = "not yet"
                raise OSError(msg)
            return await super().account(identity)

    fake = fake_of()
    metron = client(fake, cache=Failing())
    with pytest.raises(OSError, match="not yet"):
        await metron.issues.get(7)
    assert metron._caller.core.parts is None
    async with metron:
        assert (await metron.issues.get(7)).id == 7


async def test_a_client_that_cannot_be_entered_is_closed(tmp_path):
    class Failing(MemoryCache):
        async def account(self, identity):
            msg = "not yet"
            raise OSError(msg)

    metron = client(fake_of(), cache=Failing(), storage=tmp_path)
    with pytest.raises(OSError, match="not yet"):
        async with metron:
            raise AssertionError
    with pytest.raises(ClosedError):
        await metron.issues.get(7)
    file = metron._caller.core.blueprint.places.storage._files[0]
    assert file._connection is None


# -- Closing with calls under way ---------------------------------------------------------------


def test_queued_calls_end_at_once_and_those_in_flight_get_some_grace():
    async def main():
        fake = fake_of()
        loop = asyncio.get_running_loop()
        metron = client(fake, max_in_flight=2)
        await metron.publishers.get(1)
        fake.latency = 3
        calls = [asyncio.create_task(metron.issues.get(number)) for number in range(1, 7)]
        riders = [asyncio.create_task(metron.issues.get(6)) for _ in range(2)]
        await asyncio.sleep(1)
        closing = asyncio.create_task(metron.aclose())
        await settle()
        ended = [call for call in [*calls, *riders] if call.done()]
        assert len(ended) == 6
        assert all(isinstance(call.exception(), ClosedError) for call in ended)
        assert all(str(call.exception()).endswith("/]") for call in ended)  # which call it was
        await closing
        assert loop.time() == 3
        assert [call.result().id for call in calls[:2]] == [1, 2]
        assert [asked.status for asked in fake.requests] == [200] * 3

    virtual(main())


def test_grace_has_an_end():
    async def main():
        fake = fake_of()
        metron = client(fake)
        fake.latency = 30
        call = asyncio.create_task(metron.issues.get(7))
        await asyncio.sleep(1)
        await metron.aclose()
        assert asyncio.get_running_loop().time() == 6
        with pytest.raises(ClosedError, match="in flight"):
            await call

    virtual(main())


def test_what_fails_while_closing_is_not_tried_again():
    async def main():
        fake = fake_of()
        fake.latency = 2
        fake.faults.add(Fault.status(503), times=None)
        metron = client(fake, retries=5)
        call = asyncio.create_task(metron.issues.get(7))
        await asyncio.sleep(1)
        await metron.aclose()
        assert asyncio.get_running_loop().time() == 2
        with pytest.raises(MetronError):
            await call
        assert len(fake.requests) == 1

    virtual(main())


def test_calls_between_two_tries_end_at_once():
    async def main():
        fake = fake_of()
        fake.faults.add(Fault.status(503), times=None)
        metron = client(fake)
        call = asyncio.create_task(metron.issues.get(7))
        await asyncio.sleep(0.1)
        await metron.aclose()
        assert asyncio.get_running_loop().time() == 0.1
        with pytest.raises(ClosedError):
            await call

    virtual(main())


def test_an_iteration_ends_with_its_client():
    async def main():
        fake = FakeMetron(issues=250)
        metron = client(fake)
        rows = aiter(metron.issues.iter())
        first = [await anext(rows) for _ in range(100)]
        assert len(first) == 100
        await metron.aclose()
        with pytest.raises(ClosedError):
            await anext(rows)

    virtual(main())


def test_everything_is_closed_though_one_part_fails():
    class Broken(MemoryCache):
        async def aclose(self):
            msg = "disk gone"
            raise OSError(msg)

    async def main():
        fake = fake_of()
        metron = client(fake)
        await metron.issues.get(7)
        closed = []

        async def broken():
            closed.append("broken")
            msg = "disk gone"
            raise OSError(msg)

        async def fine():
            closed.append("fine")

        core = metron._caller.core
        core.blueprint.places = core.blueprint.places._replace(owned=(broken, fine))
        with pytest.raises(OSError, match="disk gone"):
            await metron.aclose()
        assert closed == ["broken", "fine"]
        assert core.parts.transport._client.is_closed
        await metron.aclose()

    virtual(main())


@needs_posix
def test_a_client_that_is_not_used_yet_works_after_a_fork(tmp_path):
    """As with ``gunicorn --preload``: the parent makes it, and each worker uses its own copy."""
    script = f"""
import asyncio, os, sys
from metron_async import AsyncMetron
from metron_async.testing import FakeMetron

fake = FakeMetron(issues=10)
metron = AsyncMetron(fake.token, transport=fake.transport(), storage={str(tmp_path)!r})

async def main():
    async with metron:
        assert (await metron.issues.get(7)).id == 7

workers = []
for _ in range(2):
    worker = os.fork()
    if worker == 0:
        asyncio.run(main())
        os._exit(0)
    workers.append(worker)
sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) for worker in workers))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        check=False,
        cwd=Path(metron_async.__file__).parents[1],
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


# -- What was handed in -------------------------------------------------------------------------


def test_what_was_handed_in_stays_open():
    async def main():
        fake = fake_of()
        cache, storage = MemoryCache(), MemoryStorage()
        async with httpx.AsyncClient(transport=fake.transport()) as lent:
            for _ in range(2):
                metron = AsyncMetron(
                    token=fake.token, http_client=lent, cache=cache, storage=storage
                )
                async with metron:
                    assert (await metron.issues.get(7)).id == 7
            assert not lent.is_closed
        assert len(fake.requests) == 1  # the second client found it in the cache
        async with AsyncMetron(token=fake.token, http_client=lent) as metron:
            with pytest.raises(ClosedError, match="http_client is closed"):
                await metron.issues.get(7)
            await idle(metron)
            assert (await metron.quota()).burst.remaining == 20

    virtual(main())


def test_cookies_are_neither_kept_nor_sent():
    async def main():
        fake = fake_of()
        cookie = Fault.headers(set_cookie="session=abc; Path=/")
        fake.faults.add(cookie, times=None)
        async with httpx.AsyncClient(
            transport=fake.transport(), cookies={"mine": "1"}, headers={"X-Mine": "1"}
        ) as lent:
            for options in ({"http_client": lent, "transport": None}, {}):
                async with client(fake, cache=None, **options) as metron:
                    await metron.issues.get(7)
                    await metron.issues.get(8)
                    kept = metron._caller.core.parts.transport._client.cookies
                    assert "session" not in kept
            assert dict(lent.cookies) == {"mine": "1"}
        assert len(fake.requests) == 4
        for asked in fake.requests:
            assert "cookie" not in asked.headers
            assert "x-mine" not in asked.headers

    virtual(main())


# -- What is left behind ------------------------------------------------------------------------


def test_a_client_that_is_dropped_is_garbage():
    async def main():
        fake = fake_of()
        metron = client(fake)
        await metron.issues.get(7)
        await metron.issues.iter().first()
        dropped = weakref.ref(metron)
        core = weakref.ref(metron._caller.core)
        del metron
        await asyncio.sleep(3600)  # timers of leases and permits come to their end
        gc.collect()
        assert dropped() is None
        assert core() is None

    virtual(main())


async def sockets_close(before):
    """Wait until no sockets are open but those *before*."""
    async with asyncio.timeout(10):
        while open_sockets() - before:  # noqa: ASYNC110 - sockets set no event
            await asyncio.sleep(0.01)


async def test_over_a_real_socket_nothing_is_left():
    fake = FakeMetron(issues=250, throttle=False)
    threads = set(threading.enumerate())
    async with fake.serve() as url:
        before = open_sockets()
        for _ in range(2):
            async with AsyncMetron(token=fake.token, base_url=url) as metron:
                assert (await metron.issues.get(7)).id == 7
                rows = [row.id async for row in metron.issues.iter()]
                assert len(rows) == 250
                issues = await asyncio.gather(*(metron.issues.get(n) for n in range(10, 30)))
                assert len(issues) == 20
            await sockets_close(before)
    assert fake.throttled == 0
    left = set(threading.enumerate()) - threads
    assert all(thread.name.startswith("asyncio_") for thread in left)  # the loop's, for DNS


async def test_over_a_real_socket_a_cancelled_call_leaves_nothing():
    fake = FakeMetron(issues=60, throttle=False)
    async with fake.serve() as url:
        before = open_sockets()
        fake.latency = 0.3
        metron = AsyncMetron(token=fake.token, base_url=url)
        call = asyncio.create_task(metron.issues.get(7))
        while not fake.requests:  # noqa: ASYNC110 - the server's deed, no event tells of it
            await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await metron.aclose()  # gives it its grace
        assert [asked.status for asked in fake.requests] == [200]
        await sockets_close(before)


async def test_nothing_secret_is_logged(caplog):
    caplog.set_level("DEBUG")
    fake = FakeMetron(issues=60, throttle=False, token=SECRET)
    async with fake.serve() as url, AsyncMetron(token=SECRET, base_url=url) as metron:
        await metron.issues.get(7)
        fake.faults.add(Fault.drop_after(), times=None)
        with pytest.raises(MetronError):
            await metron.with_options(retries=0).issues.get(8)
    assert SECRET not in caplog.text
