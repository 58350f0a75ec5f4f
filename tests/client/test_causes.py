"""The error of a call is what went wrong, with its cause chained."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from pathlib import Path

import httpx
import pytest
from support.virtual import virtual
from support.world import client

from metron_async import (
    AsyncMetron,
    AuthenticationError,
    BlockedError,
    InterceptedError,
    MetronError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    StatusError,
    TransportError,
)
from metron_async.testing import FakeMetron, Fault

CERTIFICATE = Path(__file__).parent.parent / "data" / "self-signed.pem"
PAGE = b"<!DOCTYPE html><title>Just a moment...</title>"


# -- Outages behind max_wait --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(Fault.status(503), ServerError), (Fault.connect_error(), TransportError)],
    ids=["status", "connection"],
)
def test_an_outage_behind_max_wait_is_the_outage(fault, kind):
    async def main():
        fake = FakeMetron(issues=60)
        async with client(fake, max_wait=2, retries=5) as metron:
            await metron.publishers.get(1)  # so that the credentials are proven
            fake.faults.add(fault, times=None)
            for _ in range(4):
                with pytest.raises(kind):
                    await metron.issues.get(7)
            assert (await metron.quota()).burst.remaining > 0

    virtual(main())


def test_a_wait_for_a_slot_after_a_failure_shows_the_failure():
    async def main():
        fake = FakeMetron(issues=60)
        async with client(fake, max_wait=5) as metron:
            await asyncio.gather(*(metron.issues.get(number) for number in range(1, 20)))
            fake.faults.add(Fault.status(502), times=None)
            with pytest.raises(ServerError) as caught:
                await metron.issues.get(30)
            assert caught.value.status == 502

    virtual(main())


def test_each_caller_of_a_shared_failure_gets_an_error_of_its_own():
    async def main():
        fake = FakeMetron(issues=60)
        async with client(fake, max_wait=1.2, retries=9) as metron:
            fake.faults.add(Fault.status(503), times=None)
            calls = (metron.issues.get(7) for _ in range(3))
            errors = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(error) for error in errors} == {ServerError}
        assert len(set(map(id, errors))) == 3

    virtual(main())


def test_a_429_is_chained_to_the_refusal_that_follows():
    async def main():
        fake = FakeMetron(issues=60)
        fake.spend("reader", 20)
        async with client(fake, max_wait=5) as metron:
            with pytest.raises(RateLimitError) as caught:
                await metron.issues.get(7)
            assert caught.value.status is None
            assert isinstance(caught.value.__cause__, RateLimitError)
            assert caught.value.__cause__.status == 429
            assert 5 < caught.value.retry_after < 70

    virtual(main())


def test_a_timeout_after_a_failure_shows_the_failure_as_its_cause():
    async def main():
        fake = FakeMetron(issues=60)
        fake.faults.add(Fault.status(503), times=None)
        async with client(fake, timeout=1.5, retries=9) as metron:
            with pytest.raises(RequestTimeoutError) as caught:
                await metron.issues.get(7)
            assert isinstance(caught.value.__cause__, ServerError)

    virtual(main())


def test_a_refusal_after_a_lost_response_shows_it():
    async def main():
        fake = FakeMetron(issues=60)
        fake.faults.add(Fault.drop_before(), times=None)
        async with client(fake, retries=9) as metron:
            calls = (metron.issues.get(number) for number in range(1, 30))
            errors = await asyncio.gather(*calls, return_exceptions=True)
        (blocked, *_) = (error for error in errors if isinstance(error, BlockedError))
        assert blocked.status is None
        assert blocked.retry_after > 0
        chained = [error for error in errors if isinstance(error.__cause__, TransportError)]
        assert chained

    virtual(main())


# -- Something in front of the server -----------------------------------------------------------


def answering(*responses):
    left = list(responses)

    def handler(request):
        handler.asked += 1
        return left.pop(0) if len(left) > 1 else left[0]

    handler.asked = 0
    return handler, httpx.MockTransport(handler)


def page(status, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers={"content-type": "text/html"} | named, content=PAGE)


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 405, 429, 500, 502, 503, 520])
def test_an_html_page_is_not_the_api_s_word(status):
    async def main():
        handler, transport = answering(page(status))
        async with AsyncMetron("t0ken", transport=transport, retries=0) as metron:
            with pytest.raises(MetronError, match="in front of") as caught:
                await metron.issues.get(7)
            assert caught.value.status == status
            expected = ServerError if status >= 500 else InterceptedError
            assert type(caught.value) is expected
            assert not isinstance(caught.value, RateLimitError | AuthenticationError)
            if status != 429:
                with pytest.raises(expected):  # nothing was cached, and nothing refused
                    await metron.issues.get(7)
                assert handler.asked == 2

    virtual(main())


@pytest.mark.parametrize("status", [403, 503])
def test_a_mitigated_response_is_intercepted_and_not_retried(status):
    async def main():
        handler, transport = answering(page(status, cf_mitigated="challenge"))
        async with AsyncMetron("t0ken", transport=transport) as metron:
            with pytest.raises(InterceptedError):
                await metron.issues.get(7)
        assert handler.asked == 1

    virtual(main())


def test_an_intercepted_write_was_not_carried_out():
    async def main():
        _, transport = answering(page(403))
        async with AsyncMetron("t0ken", transport=transport) as metron:
            with pytest.raises(InterceptedError) as caught:
                await metron.collection.scrobble(7)
            assert not caught.value.outcome_unknown

    virtual(main())


@pytest.mark.parametrize("status", [408, 425])
def test_timeouts_that_the_server_reports_are_retried(status):
    async def main():
        good = httpx.Response(200, json={"count": 0, "next": None, "previous": None, "results": []})
        again = httpx.Response(status, json={"detail": "later"})
        handler, transport = answering(again, good)
        async with AsyncMetron("t0ken", transport=transport, cache=None) as metron:
            assert await metron.roles.iter().collect() == []
            assert handler.asked == 2
        _, transport = answering(again)
        async with AsyncMetron("t0ken", transport=transport, retries=0) as metron:
            with pytest.raises(StatusError) as caught:
                await metron.issues.get(7)
            assert caught.value.retryable

    virtual(main())


# -- Proxies and certificates, over real sockets ------------------------------------------------


@contextlib.asynccontextmanager
async def listening(serve, **options):
    asked = []

    async def serve_one(reader, writer):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve_one, "127.0.0.1", 0, **options)
    async with server:
        yield server.sockets[0].getsockname()[1], asked


async def errors_through(port, monkeypatch, said):
    """Return the errors of a read and a write through a proxy, of which nothing is counted."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:pr0xysecret@127.0.0.1:{port}")
    errors = []
    options = {"retries": 0, "storage": ":memory:", "cache": None}
    async with AsyncMetron("t0ken", **options) as metron:
        for call in (metron.issues.get(7), metron.collection.scrobble(7)):
            with pytest.raises(TransportError, match=said) as caught:
                await call
            assert not caught.value.outcome_unknown
            assert "pr0xysecret" not in str(caught.value)
            errors.append(caught.value)
        state = await metron.quota()
        assert (state.burst.remaining, state.in_flight) == (state.burst.limit, 0)
    return errors


@pytest.mark.filterwarnings("ignore:The quota is kept in memory only")
@pytest.mark.parametrize(
    ("status", "retryable"),
    [
        ("407 Proxy Authentication Required", False),
        ("403 Forbidden", False),
        ("502 Bad Gateway", True),
    ],
)
async def test_a_proxy_that_refuses_is_named_and_nothing_is_counted(monkeypatch, status, retryable):
    async def serve(_, writer):
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()

    async with listening(serve) as (port, asked):
        for error in await errors_through(port, monkeypatch, "proxy refused"):
            assert status in str(error)
            assert error.retryable is retryable
        assert len(asked) == 2
        assert all(b"t0ken" not in head for head in asked)


@pytest.mark.filterwarnings("ignore:The quota is kept in memory only")
@pytest.mark.parametrize("said", [b"", b"what?\r\n\r\n"], ids=["hangs up", "garbage"])
async def test_a_proxy_that_breaks_off_has_sent_nothing(monkeypatch, said):
    """Only the CONNECT went out, so no slot is spent, and no write is in doubt."""

    async def serve(_, writer):
        writer.write(said)
        await writer.drain()

    async with listening(serve) as (port, _):
        await errors_through(port, monkeypatch, f"proxy 127.0.0.1:{port}")


@pytest.mark.filterwarnings("ignore:The quota is kept in memory only")
async def test_what_is_lost_behind_a_proxy_stays_in_doubt(monkeypatch):
    async def tunnel(_, writer):
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.start_tls(context)

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    trusting = ssl.create_default_context(cafile=CERTIFICATE)
    trusting.check_hostname = False
    async with listening(tunnel) as (port, _):
        proxy = f"http://127.0.0.1:{port}"
        async with (
            httpx.AsyncClient(proxy=proxy, verify=trusting) as http,
            AsyncMetron("t0ken", http_client=http, cache=None, storage=":memory:") as metron,
        ):
            with pytest.raises(TransportError) as caught:
                await metron.with_options(retries=0).collection.scrobble(7)
            assert caught.value.outcome_unknown
            assert "proxy" not in str(caught.value)


# -- Hooks and transports of the user -------------------------------------------------------------


async def check_status(response):
    response.raise_for_status()


@pytest.mark.parametrize("status", [304, 401, 404, 429, 500])
def test_a_hook_that_raises_for_the_status_changes_nothing(status):
    """The limiter and the ban guard must see the response, and httpx's error holds the token."""

    async def main(hooks):
        fake = FakeMetron()
        async with (
            httpx.AsyncClient(transport=fake.transport(), event_hooks=hooks) as http,
            AsyncMetron(fake.token, http_client=http, cache=None, retries=0) as metron,
        ):
            await metron.issues.get(1)
            fake.faults.add(Fault.status(status))
            try:
                await metron.issues.get(2)
            except MetronError as error:
                quota = await metron.quota()
                return type(error), getattr(error, "status", None), quota.rejected, quota.in_flight

    assert virtual(main({"response": [check_status]})) == virtual(main({}))


@pytest.mark.parametrize(
    "error", [RuntimeError("odd"), EOFError(), httpx.TooManyRedirects("many")], ids=repr
)
def test_whatever_a_transport_raises_leaves_as_an_error_of_this_package(error):
    class Odd(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request):
            raise error

    async def main():
        async with AsyncMetron("t0ken", transport=Odd(), cache=None, retries=0) as metron:
            with pytest.raises(TransportError) as caught:
                await metron.collection.scrobble(7)
            assert caught.value.outcome_unknown
            assert caught.value.__cause__ is error

    virtual(main())


def test_neither_does_what_a_hook_raises_from_the_response():
    async def convert(response):
        try:
            response.raise_for_status()
        except httpx.HTTPStatusError as error:
            msg = "odd"
            raise RuntimeError(msg) from error

    async def main():
        fake = FakeMetron()
        fake.faults.add(Fault.status(500))
        async with (
            httpx.AsyncClient(
                transport=fake.transport(), event_hooks={"response": [convert]}
            ) as http,
            AsyncMetron(fake.token, http_client=http, cache=None, retries=0) as metron,
        ):
            with pytest.raises(TransportError) as caught:
                await metron.issues.get(2)
        cause = caught.value.__cause__.__cause__
        assert isinstance(cause, httpx.HTTPStatusError)
        assert cause._request is cause.response._request is None

    virtual(main())


async def test_no_error_along_the_causes_holds_the_request():
    options = {"base_url": "http://127.0.0.1:1", "retries": 0, "cache": None}
    async with AsyncMetron("t0ken", **options) as metron:
        with pytest.raises(TransportError) as caught:
            await metron.issues.get(7)
    found = caught.value
    while found is not None:
        assert getattr(found, "_request", None) is None
        found = found.__cause__ or found.__context__


@pytest.mark.filterwarnings("ignore:The quota is kept in memory only")
@pytest.mark.parametrize(("status", "requests"), [("403 No", 1), ("503 Busy", 2)])
async def test_a_proxy_is_asked_again_where_that_may_help(monkeypatch, status, requests):
    async def serve(_, writer):
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()

    monkeypatch.setattr("metron_async._engine.retry.FIRST_PAUSE", 0.01)
    async with listening(serve) as (port, asked):
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{port}")
        options = {"retries": 1, "storage": ":memory:", "cache": None}
        async with AsyncMetron("t0ken", **options) as metron:
            with pytest.raises(TransportError):
                await metron.issues.get(7)
        assert len(asked) == requests


async def test_a_certificate_that_is_not_trusted_is_not_tried_again():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)

    async def serve(_, writer):
        writer.close()

    async with listening(serve, ssl=context) as (port, asked):
        options = {"retries": 3, "storage": ":memory:", "cache": None}
        url = f"https://127.0.0.1:{port}"
        async with AsyncMetron("t0ken", base_url=url, **options) as metron:
            with pytest.raises(TransportError, match="not trusted") as caught:
                await metron.issues.get(7)
            assert not caught.value.retryable
            assert not caught.value.outcome_unknown
            assert metron.stats.requests == 1
        assert not asked


async def test_a_certificate_of_the_environment_is_trusted(monkeypatch):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))

    async def serve(_, writer):
        writer.write(b"HTTP/1.1 404 No\r\nContent-Type: application/json\r\nContent-Length: 2\r\n")
        writer.write(b"\r\n{}")
        await writer.drain()

    async with listening(serve, ssl=context) as (port, asked):
        options = {"storage": ":memory:", "cache": None, "base_url": f"https://localhost:{port}"}
        async with AsyncMetron("t0ken", **options) as metron:
            with pytest.raises(MetronError, match="Not found"):
                await metron.issues.get(7)
        assert b"Bearer t0ken" in asked[0]
