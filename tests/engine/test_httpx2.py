"""Clients and transports of httpx2, which are passed in."""

from __future__ import annotations

import httpx2
import pytest

from metron_async import (
    AsyncMetron,
    ClosedError,
    ConfigurationError,
    NotFoundError,
    RequestTimeoutError,
    TransportError,
)
from metron_async.storage import MemoryStorage
from metron_async.testing import FakeMetron

SECRET = "reader-token"


def answering(handler):
    return httpx2.MockTransport(handler)


async def test_a_client_of_httpx2_reads_and_writes():
    fake = FakeMetron(issues=60, throttle=False)
    async with fake.serve() as url, httpx2.AsyncClient(headers={"X-Mine": "1"}) as client:
        async with AsyncMetron(SECRET, base_url=url, http_client=client) as metron:
            assert (await metron.issues.get(7)).id == 7
            assert len(await metron.issues.iter(cover_year=2026).collect(3)) <= 3
            assert (await metron.collection.scrobble(7)).item
            with pytest.raises(NotFoundError):
                await metron.issues.get(9999)
        assert not client.is_closed
    assert not any("x-mine" in asked.headers for asked in fake.requests)


async def test_a_transport_of_httpx2_reads():
    fake = FakeMetron(issues=60, throttle=False)
    async with (
        fake.serve() as url,
        httpx2.AsyncHTTPTransport() as transport,
        AsyncMetron(SECRET, base_url=url, transport=transport) as metron,
    ):
        assert (await metron.issues.get(7)).id == 7


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (httpx2.ConnectError("refused"), TransportError),
        (httpx2.ReadTimeout("slow"), RequestTimeoutError),
        (httpx2.RemoteProtocolError("gone"), TransportError),
    ],
)
async def test_its_errors_are_ours(raised, expected):
    def handler(request):
        raise raised

    async with AsyncMetron(SECRET, transport=answering(handler), retries=0) as metron:
        with pytest.raises(expected) as caught:
            await metron.issues.get(7)
    assert SECRET not in repr(caught.value)


async def test_a_mock_of_httpx2_keeps_off_the_shared_files():
    def handler(request):
        return httpx2.Response(404, json={"detail": "Not found."})

    for how in (
        {"transport": answering(handler)},
        {"http_client": httpx2.AsyncClient(transport=answering(handler))},
    ):
        metron = AsyncMetron(SECRET, **how)
        assert isinstance(metron._caller.core.blueprint.places.storage, MemoryStorage)
        async with metron:
            with pytest.raises(NotFoundError):
                await metron.issues.get(7)


async def test_a_closed_client_and_both_at_once_are_refused(tmp_path):
    client = httpx2.AsyncClient()
    await client.aclose()
    async with AsyncMetron(SECRET, http_client=client, storage=tmp_path) as one:
        with pytest.raises(ClosedError):
            await one.issues.get(7)
    with pytest.raises(ConfigurationError):
        AsyncMetron(SECRET, http_client=client, transport=httpx2.AsyncHTTPTransport())
