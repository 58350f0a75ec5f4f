"""The pipeline over httpx's own network transport, whose answers respx gives in its place.

What FakeMetron cannot show: what exactly goes over the wire, and answers that no Metron would
give, one after the other.
"""

from __future__ import annotations

import base64
import logging
from typing import TYPE_CHECKING

import httpx
import pytest
import respx

from metron_async import (
    NOT_MODIFIED,
    AsyncMetron,
    DecodeError,
    NotFoundError,
    RateLimitError,
    ServerError,
    Source,
    TransportError,
)
from metron_async._engine import sender

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLE_PAGE = {"count": 1, "next": None, "previous": None, "results": [{"id": 1, "name": "Writer"}]}
PUBLISHER = {
    "id": 2,
    "name": "DC Comics",
    "alt_names": [],
    "founded": 1934,
    "country": "US",
    "desc": "",
    "image": None,
    "cv_id": 11,
    "gcd_id": None,
    "resource_url": "https://metron.cloud/publisher/dc-comics/",
    "modified": "2026-11-20T15:14:54.726337-05:00",
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[respx.MockRouter]:
    monkeypatch.setattr(sender, "backoff", lambda *_: 0.0)
    with respx.mock(base_url="https://metron.cloud/api", assert_all_called=False) as router:
        yield router


def client(**options: object) -> AsyncMetron:
    return AsyncMetron("s3cr3t", storage=":memory:", cache=":memory:", **options)


async def test_what_goes_over_the_wire(server: respx.MockRouter) -> None:
    route = server.get("/publisher/2/").respond(200, json=PUBLISHER)
    async with client(user_agent="my-bot/1.0") as metron:
        assert (await metron.publishers.get(2)).name == "DC Comics"
    sent = route.calls.last.request
    assert sent.headers["authorization"] == "Bearer s3cr3t"
    assert sent.headers["accept-language"] == "en"
    assert sent.headers["user-agent"].startswith("metron_async/")
    assert sent.headers["user-agent"].endswith(" my-bot/1.0")
    assert "cookie" not in sent.headers
    assert "if-modified-since" not in sent.headers


async def test_basic_credentials_go_as_basic(server: respx.MockRouter) -> None:
    route = server.get("/role/").respond(200, json=ROLE_PAGE)
    async with AsyncMetron(username="anna", password="pässword", storage=":memory:") as metron:
        assert [role.name async for role in metron.roles.iter()] == ["Writer"]
    scheme, _, pair = route.calls.last.request.headers["authorization"].partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(pair).decode() == "anna:pässword"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_read_is_tried_again(server: respx.MockRouter, status: int) -> None:
    route = server.get("/publisher/2/")
    route.side_effect = [httpx.Response(status), httpx.Response(200, json=PUBLISHER)]
    async with client() as metron:
        assert (await metron.publishers.get(2)).id == 2
        assert metron.stats.requests == 2
        assert metron.stats.retries == 1


@pytest.mark.parametrize(
    ("answer", "error", "tries"),
    [
        (httpx.Response(503, html="<h1>nginx</h1>"), ServerError, 3),
        (httpx.ConnectError("refused"), TransportError, 3),
        (httpx.ReadError("reset"), TransportError, 3),
        (httpx.RemoteProtocolError("cut"), TransportError, 3),
        (httpx.Response(501), ServerError, 1),
        (httpx.Response(404, json={"detail": "Not found."}), NotFoundError, 1),
        (httpx.Response(200, html="<html>denied</html>"), DecodeError, 1),
        (httpx.Response(200, text="not json"), DecodeError, 1),
        (httpx.Response(200, content=b""), DecodeError, 1),
        (httpx.Response(200, json={"id": "two"}), DecodeError, 1),
        (httpx.Response(304), DecodeError, 1),
    ],
)
async def test_how_often_what_is_tried_and_what_it_ends_in(
    server: respx.MockRouter,
    answer: httpx.Response | Exception,
    error: type[Exception],
    tries: int,
) -> None:
    route = server.get("/publisher/2/").mock(
        side_effect=answer if isinstance(answer, Exception) else None,
        return_value=answer if isinstance(answer, httpx.Response) else None,
    )
    server.get("/role/").respond(200, json=ROLE_PAGE)
    async with client() as metron:
        await metron.roles.iter().first()  # now the credentials are known to work
        with pytest.raises(error) as caught:
            await metron.publishers.get(2)
        assert caught.value.path == "publisher/2/"
        assert "s3cr3t" not in f"{caught.value} {caught.value!r}"
    assert route.call_count == tries


async def test_no_retries_where_none_are_wanted(server: respx.MockRouter) -> None:
    route = server.get("/publisher/2/").respond(500)
    async with client(retries=0) as metron:
        with pytest.raises(ServerError):
            await metron.publishers.get(2)
    assert route.call_count == 1


async def test_a_429_that_asks_for_more_patience_than_there_is(server: respx.MockRouter) -> None:
    server.get("/role/").respond(429, headers={"Retry-After": "30"}, json={"detail": "Slow."})
    async with client(max_wait=5) as metron:
        with pytest.raises(RateLimitError) as caught:
            await metron.roles.iter().first()
        assert 29 < caught.value.retry_after < 32
        assert metron.stats.throttled == 1
        assert metron.stats.requests == 1


async def test_the_caller_s_own_condition(server: respx.MockRouter) -> None:
    route = server.get("/publisher/2/").respond(200, json=PUBLISHER)
    async with client() as metron:
        publisher = await metron.publishers.get(2)
        route.respond(304)
        assert await metron.publishers.get_if_modified(2, publisher.modified) is NOT_MODIFIED
    assert route.calls.last.request.headers["if-modified-since"] == "Fri, 20 Nov 2026 20:14:54 GMT"


async def test_an_outdated_answer_is_asked_about_with_a_condition(
    server: respx.MockRouter,
) -> None:
    told = {"Last-Modified": "Fri, 20 Nov 2026 20:14:54 GMT"}
    route = server.get("/publisher/2/").respond(200, json=PUBLISHER, headers=told)
    async with client() as metron:
        await metron.publishers.get(2)
        route.respond(304)
        again = await metron.with_options(fresh_for=0).publishers.get(2)
        origin = metron.origin_of(again)
        assert origin is not None
        assert origin.source is Source.NOT_MODIFIED
        route.mock(side_effect=httpx.ConnectError("down"))
        stale = await metron.with_options(fresh_for=0).publishers.get(2)
        origin = metron.origin_of(stale)
        assert origin is not None
        assert origin.source is Source.STALE
    assert route.calls[1].request.headers["if-modified-since"] == told["Last-Modified"]


async def test_nothing_secret_is_logged(
    server: respx.MockRouter, caplog: pytest.LogCaptureFixture
) -> None:
    server.get("/publisher/2/").mock(side_effect=httpx.ConnectError("down"))
    with caplog.at_level(logging.DEBUG):
        async with client() as metron:
            with pytest.raises(TransportError):
                await metron.publishers.get(2)
    assert "s3cr3t" not in caplog.text
