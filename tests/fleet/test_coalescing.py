"""Several processes that ask for the same make one request."""

from __future__ import annotations

import asyncio

import pytest
import redis
from support.fleet import fleet

from metron_async.testing import FakeMetron

IDS = range(1, 11)


@pytest.fixture(params=["directory", "redis"])
def storage(request, tmp_path):
    """Return what the processes share."""
    if request.param == "directory":
        return tmp_path / "state"
    url = request.getfixturevalue("redis_url")
    with redis.Redis.from_url(url) as client:
        client.flushall()
    return url


async def warmed(workers):
    """Let each process make one call, so that quota and credentials are known."""
    for number, worker in enumerate(workers):
        await worker.ask(100 + number)


async def test_eight_processes_that_ask_for_the_same_ten_issues_make_ten_requests(storage):
    fake = FakeMetron(issues=200)
    fake.latency = 0.1
    async with fake.serve() as url, fleet(8, url, storage, fake.token) as workers:
        await warmed(workers)
        sent = len(fake.requests)
        answers = await asyncio.gather(*(worker.ask(*IDS) for worker in workers))
    assert all(answer == answers[0] for answer in answers)
    assert "RateLimitError" not in answers[0]
    assert len(fake.requests) - sent <= 10
    assert len(fake.requests) <= 18
    assert fake.throttled == 0
