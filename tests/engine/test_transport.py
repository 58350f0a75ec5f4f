"""One attempt over HTTP: what is sent, what comes back, and how failures are told apart."""

import asyncio
import gzip
import http.cookiejar

import httpx
import pytest
from support.systems import open_sockets
from support.world import SECRET

from metron_async import (
    ClosedError,
    DecodeError,
    RequestTimeoutError,
    TransportError,
)
from metron_async._engine import transport as module
from metron_async._engine.credentials import Credentials
from metron_async._engine.messages import Body, Request
from metron_async._engine.transport import MAX_BODY, Transport

GET = Request("issue/7/", params=(("name", "é"),))


def transport_of(handler, client=None, root="https://metron.cloud/api/"):
    inner = httpx.MockTransport(handler) if handler is not None else None
    credentials = Credentials(token=SECRET)
    return Transport(inner, client, api_root=root, credentials=credentials, agent="metron_async/1")


class Streamed(httpx.AsyncByteStream):
    """A body as it comes over a wire."""

    def __init__(self, *chunks, error=None):
        self.chunks = chunks
        self.error = error
        self.given = 0
        self.closed = False

    async def __aiter__(self):
        for chunk in self.chunks:
            self.given += 1
            yield chunk
        if self.error is not None:
            raise self.error

    async def aclose(self):
        self.closed = True


# -- What is sent -------------------------------------------------------------------------------


async def sent(request, **options):
    seen = []

    def handler(got):
        seen.append(got)
        return httpx.Response(200, json={})

    transport = transport_of(handler, **options)
    await transport.send(request)
    await transport.aclose()
    return seen[0]


async def test_a_read_carries_our_headers_and_nothing_else():
    got = await sent(GET)
    assert str(got.url) == "https://metron.cloud/api/issue/7/?name=%C3%A9"
    assert got.method == "GET"
    assert dict(got.headers) == {
        "host": "metron.cloud",
        "authorization": f"Bearer {SECRET}",
        "user-agent": "metron_async/1",
        "accept": "application/json",
        "accept-language": "en",
        "accept-encoding": "gzip",
    }
    assert got.content == b""
    assert got.extensions["timeout"]["read"] > 60  # the proxy gives up after 60 s itself


async def test_conditions_bodies_and_ports_are_sent():
    got = await sent(GET.conditional_on("Fri, 02 Jan 2026 03:04:05 GMT"))
    assert got.headers["if-modified-since"] == "Fri, 02 Jan 2026 03:04:05 GMT"
    body = Body(b'{"a":1}', "application/json")
    got = await sent(Request("issue/", method="POST", body=body))
    assert got.content == b'{"a":1}'
    assert got.headers["content-type"] == "application/json"
    assert got.headers["content-length"] == "7"
    got = await sent(Request("pull_list/", method="POST"))
    assert got.headers["content-length"] == "0"
    got = await sent(GET, root="http://127.0.0.1:8000/api/")
    assert got.headers["host"] == "127.0.0.1:8000"


# -- What comes back ----------------------------------------------------------------------------


async def received(response):
    transport = transport_of(lambda _: response)
    try:
        return await transport.send(GET)
    finally:
        await transport.aclose()


async def test_an_answer_is_plain_values():
    got = await received(httpx.Response(404, headers={"X-Cache": "HIT"}, json={"detail": "no"}))
    assert (got.status, got.headers["x-cache"], got.damage) == (404, "HIT", None)
    assert got.body == b'{"detail":"no"}'


async def test_a_body_is_unpacked():
    stream = Streamed(gzip.compress(b'{"id": 1}'))
    got = await received(httpx.Response(200, headers={"content-encoding": "gzip"}, stream=stream))
    assert got.body == b'{"id": 1}'
    assert stream.closed


@pytest.mark.parametrize(
    ("stream", "encoding", "damage"),
    [
        (Streamed(gzip.compress(b"{}")[:-4]), "gzip", "cut short"),
        (Streamed(b"\x1f\x8b junk"), "gzip", "damaged"),
        (Streamed(b"{}"), "br", "unknown content coding"),
        (Streamed(gzip.compress(b" " * (MAX_BODY + 1))), "gzip", "longer than"),
    ],
)
async def test_a_damaged_body_comes_with_its_headers(stream, encoding, damage):
    headers = {"content-encoding": encoding, "x-ratelimit-burst-remaining": "3"}
    got = await received(httpx.Response(200, headers=headers, stream=stream))
    assert damage in got.damage
    assert got.body == b""
    assert got.headers["x-ratelimit-burst-remaining"] == "3"
    assert stream.closed


async def test_reading_stops_where_a_body_is_too_long():
    stream = Streamed(*[b" " * (1 << 20)] * 100)
    got = await received(httpx.Response(200, stream=stream))
    assert "longer than 33,554,432 bytes" in got.damage
    assert stream.given == 33
    assert stream.closed


async def test_a_transport_without_a_wire_is_bounded_too(monkeypatch):
    monkeypatch.setattr(module, "MAX_BODY", 10)
    assert (await received(httpx.Response(200, content=b"x" * 10))).damage is None
    assert "longer" in (await received(httpx.Response(200, content=b"x" * 11))).damage


async def test_a_body_that_a_transport_cannot_decode_itself():
    def handler(_):
        return httpx.Response(200, headers={"content-encoding": "gzip"}, content=b"junk")

    transport = transport_of(handler)
    with pytest.raises(DecodeError, match="cannot be read") as caught:
        await transport.send(GET)
    assert caught.value.path == "issue/7/?name=%C3%A9"
    await transport.aclose()


# -- Failures -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raised", "kind", "unknown", "message"),
    [
        (
            httpx.ConnectError("refused"),
            TransportError,
            False,
            "Could not connect to metron.cloud: refused",
        ),
        (httpx.ConnectTimeout(""), RequestTimeoutError, False, "Could not connect in time"),
        (httpx.PoolTimeout(""), RequestTimeoutError, False, "in time"),
        (httpx.ReadTimeout(""), RequestTimeoutError, True, "No response in time"),
        (httpx.WriteTimeout(""), RequestTimeoutError, True, "in time"),
        (httpx.ReadError(""), TransportError, True, "connection to metron.cloud failed: ReadError"),
        (httpx.WriteError("gone"), TransportError, True, "connection to metron.cloud failed: gone"),
        (
            httpx.RemoteProtocolError("bad"),
            TransportError,
            True,
            "connection to metron.cloud failed: bad",
        ),
        (
            httpx.ProxyError("no"),
            TransportError,
            False,
            "proxy refused to connect to metron.cloud: no",
        ),
    ],
)
async def test_failures_tell_whether_anything_was_sent(raised, kind, unknown, message):
    def handler(_):
        raise raised

    transport = transport_of(handler)
    with pytest.raises(TransportError, match=message) as caught:
        await transport.send(GET)
    assert type(caught.value) is kind
    assert caught.value.outcome_unknown is unknown
    assert caught.value.path == "issue/7/?name=%C3%A9"
    assert SECRET not in repr(caught.value) + str(caught.value)
    await transport.aclose()


async def test_a_body_that_breaks_off_is_a_failure_whose_outcome_is_unknown():
    stream = Streamed(b'{"id"', error=httpx.ReadError("reset"))
    with pytest.raises(TransportError, match="reset") as caught:
        await received(httpx.Response(200, stream=stream))
    assert caught.value.outcome_unknown
    assert stream.closed


async def test_being_cancelled_closes_the_response():
    class Hanging(Streamed):
        async def __aiter__(self):
            yield b"{"
            await asyncio.sleep(3600)

    stream = Hanging()
    task = asyncio.create_task(received(httpx.Response(200, stream=stream)))
    for _ in range(10):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stream.closed


# -- A client that was handed in ----------------------------------------------------------------


async def test_a_client_that_was_handed_in_lends_its_connections_only():
    seen = []

    def handler(got):
        seen.append(got)
        return httpx.Response(200, json={}, headers={"set-cookie": "session=server; Path=/"})

    async with httpx.AsyncClient(
        transport=httpx.MockTransport(handler),
        headers={"X-Own": "1", "User-Agent": "own"},
        cookies={"own": "cookie"},
        auth=("own", "auth"),
        base_url="https://elsewhere.example",
        params={"own": "param"},
        follow_redirects=True,
    ) as client:
        transport = transport_of(None, client=client)
        for _ in range(2):
            await transport.send(GET)
        await transport.aclose()
        assert not client.is_closed
        assert dict(client.cookies) == {"own": "cookie"}
    for got in seen:
        assert str(got.url) == "https://metron.cloud/api/issue/7/?name=%C3%A9"
        assert got.headers["user-agent"] == "metron_async/1"
        assert got.headers["authorization"] == f"Bearer {SECRET}"
        assert "cookie" not in got.headers
        assert "x-own" not in got.headers
    with pytest.raises(ClosedError, match="http_client is closed"):
        await transport.send(GET)


async def test_a_client_of_our_own_takes_no_cookies_and_is_closed():
    transport = transport_of(
        lambda _: httpx.Response(200, json={}, headers={"set-cookie": "a=b; Path=/"})
    )
    await transport.send(GET)
    jar = transport._client.cookies.jar
    assert isinstance(jar, http.cookiejar.CookieJar)
    assert not list(jar)
    await transport.aclose()
    assert transport._client.is_closed
    assert repr(transport) == "Transport(https://metron.cloud/api/)"


# -- Over a real socket -------------------------------------------------------------------------


class Wire:
    """A server that sends the bytes it was given."""

    def __init__(self, *parts):
        self.parts = parts
        self.sent = 0
        self.heard = b""

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.answer, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/api/"

    async def answer(self, reader, writer):
        try:
            self.heard += await reader.readuntil(b"\r\n\r\n")
            for part in self.parts:
                writer.write(part)
                await writer.drain()
                self.sent += len(part)
        except OSError:
            pass
        finally:
            writer.close()

    async def __aexit__(self, *_):
        self.server.close()
        await self.server.wait_closed()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-RateLimit-Burst-Limit: 20\r\n"


async def over_a_socket(*parts):
    before = open_sockets()
    wire = Wire(*parts)
    async with wire as root:
        transport = transport_of(None, root=root)
        try:
            return await transport.send(GET), wire
        finally:
            await transport.aclose()
            assert open_sockets() - before <= {
                s for s in open_sockets() if wire.server.is_serving()
            }


async def test_a_bomb_over_a_socket_is_defused():
    bomb = gzip.compress(b" " * (MAX_BODY * 3))
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    got, _ = await over_a_socket(head, bomb)
    assert "longer than" in got.damage
    assert got.headers["x-ratelimit-burst-limit"] == "20"


async def test_an_endless_body_over_a_socket_is_left():
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    got, wire = await over_a_socket(head, *[chunk] * 200)
    assert "longer than" in got.damage
    assert wire.sent < 100 * len(chunk)


@pytest.mark.parametrize(
    "parts",
    [
        (HEAD + b'Content-Length: 100\r\n\r\n{"id":',),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",),
        (b"",),
        (b"nonsense\r\n\r\n",),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",),
    ],
)
async def test_broken_answers_over_a_socket(parts):
    with pytest.raises(TransportError) as caught:
        await over_a_socket(*parts)
    assert caught.value.outcome_unknown
    assert SECRET not in str(caught.value)


async def test_nobody_listens():
    async with Wire() as root:
        pass
    transport = transport_of(None, root=root)
    with pytest.raises(TransportError, match="Could not connect") as caught:
        await transport.send(GET)
    assert not caught.value.outcome_unknown
    await transport.aclose()
