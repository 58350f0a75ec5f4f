"""Responses of mocks never reach the state and the cache that real programs share."""

from __future__ import annotations

import httpx
import pytest
import respx
from support.virtual import settle

from metron_async import AsyncMetron, AuthenticationError, BlockedError
from metron_async._engine import opening
from metron_async.storage.files import default_directory
from metron_async.testing import FakeMetron

ROOT = "https://metron.cloud/api/"
ISSUE = FakeMetron(issues=10)


@pytest.fixture(autouse=True)
def no_container(monkeypatch):
    monkeypatch.setattr(opening, "is_container", lambda: False)


async def body_of(number):
    async with ISSUE.serve() as url, httpx.AsyncClient() as client:
        headers = {"authorization": f"Bearer {ISSUE.token}", "user-agent": "test"}
        return (await client.get(f"{url}/api/issue/{number}/", headers=headers)).json()


class RealServer(httpx.AsyncBaseTransport):
    """A transport of a kind that nobody knows, so that it counts as one to the network."""

    def __init__(self):
        self.fake = FakeMetron(issues=10)
        self._send = self.fake.transport().handle_async_request

    async def handle_async_request(self, request):
        return await self._send(request)


async def used_for_real():
    """Make a call as another, unmocked process would; return how many requests that took."""
    server = RealServer()
    async with AsyncMetron(server.fake.token, transport=server) as metron:
        assert (await metron.issues.get(7)).id == 7
        await metron.retry_credentials()
    return len(server.fake.requests)


def mocked(status, **how):
    router = respx.MockRouter(assert_all_called=False, **how)
    router.get(url__startswith=ROOT).respond(status, json={"detail": "Invalid token."})
    return router


@pytest.mark.parametrize("started", ["before the client is built", "after", "after the first call"])
@pytest.mark.parametrize("status", [200, 401])
async def test_an_unmocked_process_sees_nothing_of_a_mock(started, status):
    router = mocked(status)
    if status == 200:
        router.get(url__startswith=ROOT).respond(200, json=await body_of(7))
    token = ISSUE.token
    if started == "before the client is built":
        router.start()
    if started == "after the first call":
        server = RealServer()
        metron = AsyncMetron(token, transport=server)
        await metron.issues.get(3)
    else:
        metron = AsyncMetron(token)
    if started != "before the client is built":
        router.start()
    try:
        async with metron:
            if started != "after the first call" or status == 200:
                call = metron.with_options(refresh=True).issues.get(7)
                if status == 401:
                    with pytest.raises(AuthenticationError):
                        await call
                else:
                    assert (await call).id == 7
    finally:
        router.stop()
    await settle()
    assert await used_for_real() == 1


async def test_a_mock_that_begins_while_a_client_is_in_use_spends_no_quota_and_keeps_nothing(
    monkeypatch,
):
    server = RealServer()
    async with AsyncMetron(server.fake.token, transport=server) as metron:
        await metron.issues.get(3)
        before = await metron.quota()
        monkeypatch.setattr("metron_async._engine.sender.is_patched", lambda: True)
        server.fake.accounts["reader"].tokens = ()
        for _ in range(2):
            with pytest.raises(AuthenticationError):
                await metron.issues.get(4)
        server.fake.accounts["reader"].tokens = (ISSUE.token,)
        assert (await metron.issues.get(5)).id == 5
        monkeypatch.undo()
        after = await metron.quota()
        assert after.burst.remaining == before.burst.remaining
        sent = len(server.fake.requests)
        assert (await metron.issues.get(5)).id == 5
        assert len(server.fake.requests) == sent + 1  # nothing was kept


async def test_a_refused_credential_of_a_real_server_is_still_remembered():
    server = RealServer()
    for error in (AuthenticationError, BlockedError):
        async with AsyncMetron("wr0ng", transport=server) as metron:
            with pytest.raises(error):
                await metron.issues.get(7)
    assert len(server.fake.requests) == 1


async def test_a_mocked_client_makes_no_file():
    with mocked(200):
        async with AsyncMetron("t0ken") as metron:
            with pytest.raises(Exception, match="format"):
                await metron.issues.get(7)
    assert not default_directory().exists()
