"""Two workers, as processes with a real Redis and a real socket."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import redis
from support import redis_server
from two_workers import DOING, DONE, JOBS, Worker, main, put

from metron_async.testing import FakeMetron

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = Path(__file__).parents[2] / "examples" / "two_workers.py"


@pytest.fixture
def queue(redis_url: str) -> Iterator[Any]:
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        client.flushdb()
        yield client


def environment(home: Path, token: str) -> dict[str, str]:
    return os.environ | {
        "METRON_TOKEN": token,
        "XDG_CACHE_HOME": str(home),
        "PYTHONWARNINGS": "error",
    }


def demo(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(EXAMPLE), "demo", *arguments],
        env=environment(home, "unused"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def server_on_path(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the program find a Redis server as a user's program would."""
    folder = Path(redis_server.program() or "").parent
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


@pytest.mark.usefixtures("server_on_path")
def test_the_demonstration_shares_one_quota(tmp_path: Path) -> None:
    done = demo(tmp_path, "--jobs", "50", "--minute", "1.5")
    assert done.returncode == 0, done.stdout + done.stderr
    *workers, last = done.stdout.splitlines()
    assert last.startswith("50 of 50 jobs in ")
    assert last.endswith("the server said no 0 times")
    told = {worker["name"]: worker for worker in map(json.loads, workers)}
    assert set(told) == {"alice", "bob"}
    assert sum(worker["requests"] for worker in told.values()) == 50
    assert min(worker["requests"] for worker in told.values()) > 5  # both had their share


@pytest.mark.usefixtures("server_on_path")
def test_workers_that_do_not_share_run_into_429s(tmp_path: Path) -> None:
    done = demo(tmp_path, "--alone", "--jobs", "40", "--minute", "1.5")
    assert done.returncode == 1
    assert not done.stdout.rstrip().endswith("said no 0 times")


async def start(
    name: str, redis_url: str, base_url: str, home: Path, token: str
) -> asyncio.subprocess.Process:
    options = ["--redis", redis_url, "--base-url", base_url]
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(EXAMPLE),
        "work",
        name,
        *options,
        env=environment(home, token),
        stdout=asyncio.subprocess.PIPE,
    )


async def test_a_killed_worker_loses_no_job(redis_url: str, queue: Any, tmp_path: Path) -> None:
    fake = FakeMetron(throttle=False)
    fake.latency = 0.2
    ids = [*range(1, 13), 999_999]
    async with fake.serve() as base_url:
        await put(redis_url, ids)
        first = await start("alice", redis_url, base_url, tmp_path, fake.token)
        async with asyncio.timeout(30):
            while not queue.hlen(DONE):  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.02)
        first.send_signal(signal.SIGKILL)
        await first.communicate()
        left = queue.lrange(DOING + "alice", 0, -1)
        assert left  # it was at work
        assert len(left) + queue.llen(JOBS) + queue.hlen(DONE) == len(ids)

        second = await start("alice", redis_url, base_url, tmp_path, fake.token)
        await second.communicate()
        assert second.returncode == 0
    results = queue.hgetall(DONE)
    assert {int(job) for job in results} == set(ids)
    assert results["999999"] == "there is no such issue"
    assert results["1"] == "Uncanny Machine: Machine #1"
    assert queue.keys("comics:doing:*") == []
    assert len(fake.requests) <= len(ids) + 4  # what was under way was asked for twice


async def test_a_worker_tells_what_it_took(
    redis_url: str, queue: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = FakeMetron(throttle=False)
    monkeypatch.setenv("METRON_TOKEN", fake.token)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    async with fake.serve() as base_url:
        await put(redis_url, [1, 2, 3])
        told = await Worker("carol", redis_url, base_url).run()
    assert told | {"waited": 0} == {"name": "carol", "requests": 3, "throttled": 0, "waited": 0}
    assert queue.llen(JOBS) == 0


def test_a_redis_that_is_not_there_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    address = ["--redis", "redis://127.0.0.1:1"]
    monkeypatch.setattr(sys, "argv", ["two_workers.py", "put", "1", *address])
    assert main() == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert len(error.splitlines()) == 1
