"""Programs that start again and again: no ban for a wrong token, no lockout without a cause."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
import time
from pathlib import Path

import httpx
import pytest
from support.virtual import virtual

from metron_async import (
    AsyncMetron,
    AuthenticationError,
    BlockedError,
    MetronError,
    TransportError,
)
from metron_async._engine import opening
from metron_async.storage.files import default_directory
from metron_async.testing import FakeMetron, Fault

pytestmark = pytest.mark.filterwarnings("ignore::metron_async.errors.MetronWarning")


REAL = time.time
WRONG = "wr0ng"


class Wire(httpx.AsyncBaseTransport):
    """A transport of a kind that nobody knows, so that it counts as one to the network."""

    def __init__(self, fake):
        self._send = fake.transport().handle_async_request

    async def handle_async_request(self, request):
        return await self._send(request)


@pytest.fixture(autouse=True)
def no_container(monkeypatch):
    monkeypatch.setattr(opening, "is_container", lambda: False)


def start(fake, token=WRONG, **options):
    return AsyncMetron(token, transport=Wire(fake), retries=0, **options)


async def lives(fake, count, between=lambda: None, pause=1.0, **options):
    """Run a program *count* times that makes one call and ends; return what the calls raised."""
    raised = []
    for _ in range(count):
        between()
        metron = start(fake, **options)
        with contextlib.suppress(MetronError):
            try:
                await metron.issues.get(7)
            except MetronError as error:
                raised.append(type(error))
                raise
        await metron.aclose()
        await asyncio.sleep(pause)
    return raised


def wipe():
    shutil.rmtree(default_directory(), ignore_errors=True)


@pytest.mark.parametrize("storage", [None, ":memory:"])
def test_a_wrong_token_in_a_restart_loop_does_not_ban_the_address(storage):
    async def main():
        fake = FakeMetron(issues=10)
        raised = await lives(fake, 10, storage=storage)
        assert raised[0] is AuthenticationError
        assert set(raised[2:]) == {BlockedError}
        assert [asked.status for asked in fake.requests].count(401) <= 2
        assert not fake.bans

    virtual(main())


def test_a_home_that_cannot_be_written_is_no_way_to_a_ban(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a directory")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    async def main():
        fake = FakeMetron(issues=10)
        await lives(fake, 10)
        assert not fake.bans

    virtual(main())


@pytest.mark.parametrize("storage", [None, ":memory:"])
def test_a_container_with_a_fresh_disk_at_each_start_is_not_banned(storage, monkeypatch, tmp_path):
    monkeypatch.setattr(opening, "is_container", lambda: True)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    async def main():
        fake = FakeMetron(issues=10)
        began = asyncio.get_running_loop().time()
        raised = await lives(fake, 6, between=wipe, pause=0.1, storage=storage)
        assert set(raised) == {AuthenticationError}
        assert asyncio.get_running_loop().time() - began >= 6 * 170
        assert not fake.bans

    virtual(main())


@pytest.mark.parametrize("option", ["max_wait", "timeout"])
def test_a_caller_with_a_deadline_does_not_hold_the_first_401_back(option, monkeypatch):
    monkeypatch.setattr(opening, "is_container", lambda: True)

    async def main():
        fake, clock = FakeMetron(issues=10), asyncio.get_running_loop().time
        began = clock()
        async with start(fake, **{option: 20}) as metron:
            with pytest.raises(AuthenticationError):
                await metron.issues.get(7)
        assert clock() - began < 1

    virtual(main())


def test_a_first_401_that_is_held_back_is_logged_at_once_and_ends_with_the_client(
    monkeypatch, caplog
):
    monkeypatch.setattr(opening, "is_container", lambda: True)

    async def main():
        fake, clock = FakeMetron(issues=10), asyncio.get_running_loop().time
        metron = start(fake)
        call = asyncio.create_task(metron.issues.get(7))
        await asyncio.sleep(5)
        assert not call.done()
        assert "refuses the credentials" in caplog.text
        assert "wr0ng" not in caplog.text
        began = clock()
        await metron.aclose()
        with pytest.raises(AuthenticationError):
            await call
        assert clock() - began < 1

    virtual(main())


def test_the_directory_that_is_deleted_under_a_daemon_does_not_disarm_it():
    async def main():
        fake = FakeMetron(issues=60)
        fake.faults.add(Fault.status(403), times=None)
        async with start(fake, fake.token, cache=None) as metron:
            for number in range(1, 30):
                with contextlib.suppress(MetronError):
                    await metron.issues.get(number)
                if number % 4 == 0:
                    wipe()
        assert [asked.status for asked in fake.requests].count(403) < 10
        assert not fake.bans

    virtual(main())


def test_a_wall_clock_that_is_set_forward_ages_no_failure(monkeypatch):
    async def main():
        fake = FakeMetron(issues=60)
        fake.faults.add(Fault.status(403), times=None)
        async with start(fake, fake.token, cache=None) as metron:
            for number in range(1, 30):
                with contextlib.suppress(MetronError):
                    await metron.issues.get(number)
                if number == 10:
                    monkeypatch.setattr("time.time", lambda: REAL() + 360)
        assert [asked.status for asked in fake.requests].count(403) < 10

    virtual(main())


def test_lost_responses_are_reported_as_lost_with_their_cause():
    async def main():
        fake = FakeMetron(issues=60)
        fake.faults.add(Fault.drop_after(), times=None)
        # In memory, where the time is the loop's.
        async with AsyncMetron(fake.token, transport=fake.transport(), retries=0) as metron:
            for _ in range(2):
                with pytest.raises(TransportError):
                    await metron.issues.get(7)
            with pytest.raises(BlockedError, match="lost") as caught:
                await metron.issues.get(7)
            assert isinstance(caught.value.__cause__, TransportError)
            assert caught.value.retry_after > 0
            fake.faults.clear()
            await asyncio.sleep(caught.value.retry_after)
            assert (await metron.issues.get(7)).id == 7

    virtual(main())


def test_scripts_that_do_not_close_their_client_do_not_lock_out():
    async def main():
        fake = FakeMetron(issues=60, throttle=False)
        for number in range(1, 41):
            metron = start(fake, fake.token)
            assert (await metron.issues.get(number)).id == number
            await asyncio.sleep(1)
            await metron.cache.aclose()
            await metron._caller.core.blueprint.places.storage.aclose()
            await metron._caller.core.parts.transport.aclose()
        assert len(fake.requests) == 40

    virtual(main())


SCRIPT = """
import asyncio, os, sys
from metron_async import AsyncMetron

async def main():
    metron = AsyncMetron(sys.argv[2], base_url=sys.argv[1], storage=sys.argv[3])
    await metron.issues.get(int(sys.argv[4]))
    print("done", flush=True)
    {ending}  # without closing anything

asyncio.run(main())
"""


@pytest.mark.parametrize("ending", ["pass", "os._exit(0)"])
async def test_processes_that_just_end_do_not_lock_out(ending, tmp_path):
    fake = FakeMetron(issues=60, throttle=False)
    script = SCRIPT.format(ending=ending)
    async with fake.serve() as url:
        for number in range(1, 6):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", script, url, fake.token, str(tmp_path), str(number),
                stdout=asyncio.subprocess.PIPE, cwd=Path(opening.__file__).parents[2],
            )  # fmt: skip
            output, _ = await process.communicate()
            assert output == b"done\n"
    assert len(fake.requests) == 5
