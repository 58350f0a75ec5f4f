"""Credentials go to the server's own origin, whatever a server, a proxy or a list says."""

from __future__ import annotations

import asyncio
import contextlib

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.secrets_search import PASSWORD, TOKEN, USERNAME, assert_clean, found_in

from metron_async import AsyncMetron
from metron_async._engine.messages import Request, Response
from metron_async._engine.protocol import redirect_path
from metron_async.errors import MetronError
from metron_async.testing import FakeMetron, Fault, run_virtual

EVIL = "evil.example"
BASE = "https://metron.cloud"
LOCATIONS = (
    f"https://{EVIL}/api/issue/1/",
    f"http://{EVIL}/api/issue/1/",
    f"//{EVIL}/api/issue/1/",
    f"///{EVIL}/api/issue/1/",
    f"\\\\{EVIL}/api/issue/1/",
    f"/\\{EVIL}/api/issue/1/",
    f"https:{EVIL}/api/",
    f"https:/{EVIL}/api/",
    f"https://metron.cloud@{EVIL}/api/issue/1/",
    f"https://metron.cloud:443@{EVIL}/api/issue/1/",
    f"https://user:pass@{EVIL}/api/issue/1/",
    "https://user:pass@metron.cloud/api/issue/1/",
    f"https://metron.cloud.{EVIL}/api/issue/1/",
    f"https://metron.cloud%2f.{EVIL}/api/issue/1/",
    f"https://{EVIL}#@metron.cloud/api/issue/1/",
    f"https://{EVIL}\\@metron.cloud/api/issue/1/",
    "http://metron.cloud/api/issue/1/",
    "https://metron.cloud:8443/api/issue/1/",
    "https://metron.cloud./api/issue/1/",
    "ftp://metron.cloud/api/issue/1/",
    "javascript:alert(1)",
    "data:application/json,{}",
    "https://metron.cloud/elsewhere/issue/1/",
    "https://metron.cloud/api/../admin/",
    "/api/../../admin/",
    "https://metron.cloud/api/%2e%2e/admin/",
    f"https://metron.cloud/api/issue/1/\r\nHost: {EVIL}",
    f"/api/issue/1/?a=b HTTP/1.1\r\nHost: {EVIL}",
    "https://[::1",
    "https://metron.cloud:99999/api/",
    "https://xn--metron-.cloud/api/issue/1/",
)


class Spy(httpx.AsyncBaseTransport):
    """Notes where every request goes, on its way to the fake server."""

    def __init__(self, fake):
        self.inner = fake.transport()
        self.seen = []

    async def handle_async_request(self, request):
        self.seen.append(request)
        return await self.inner.handle_async_request(request)

    def check(self, root="/api/"):
        """Assert that all of them went to the server, below the API's root."""
        assert self.seen
        for request in self.seen:
            assert (request.url.scheme, request.url.host, request.url.port) == (
                "https",
                "metron.cloud",
                None,
            ), request.url
            assert request.headers.get_list("host") == ["metron.cloud"]
            assert len(request.headers.get_list("authorization")) == 1
            assert request.url.raw_path.startswith(root.encode())
            assert b".." not in request.url.raw_path.partition(b"?")[0]
            assert not found_in(str(request.url))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("location", LOCATIONS)
def test_a_redirect_leads_nowhere_else(location, status):
    fake = FakeMetron(30)
    fake.add_account(USERNAME, PASSWORD, TOKEN, editor=True)
    fake.faults.add(Fault.redirect(location, status), times=None, skip=1)

    async def main():
        spy = Spy(fake)
        async with AsyncMetron(TOKEN, transport=spy, retries=0) as metron:
            await metron.publishers.get(1)
            for call in (
                lambda: metron.issues.get(1),
                lambda: metron.issues.iter().collect(),
                lambda: metron.collection.scrobble(1),
            ):
                with contextlib.suppress(MetronError):
                    await call()
        spy.check()
        writes = [request for request in spy.seen if request.method == "POST"]
        assert len(writes) == 1

    run_virtual(main())


@given(st.text(max_size=60) | st.from_regex(r"(https?:)?[/\\]{0,3}[a-z@:.#?%\\/]{0,30}/api/.{0,9}"))
@example("https://metron.cloud/api/issue/1/")
@example("/api/.")
@settings(max_examples=400, deadline=None)
def test_no_location_at_all_leads_elsewhere(location):
    """What is followed is a plain path and query below the API's root, and nothing else."""
    asked = Request("issue/1/")
    onward = redirect_path(asked, Response(302, {"location": location}), f"{BASE}/api/")
    if onward is None:
        return
    url = httpx.URL(f"{BASE}/api/").copy_with(raw_path=b"/api/" + onward.encode("ascii"))
    assert (url.scheme, url.host, url.port) == ("https", "metron.cloud", None)
    assert str(url).startswith(f"{BASE}/api/")
    assert not {"\r", "\n", " ", "\x00"} & set(onward)


@pytest.mark.parametrize("fault", [Fault.foreign_next, Fault.http_next])
def test_a_next_link_is_never_followed_elsewhere(fault):
    fake = FakeMetron(250)
    fake.add_account(USERNAME, PASSWORD, TOKEN)
    fake.faults.add(fault(), times=None)

    async def main():
        spy = Spy(fake)
        async with AsyncMetron(TOKEN, transport=spy) as metron:
            assert len(await metron.issues.iter().collect()) == 250
        spy.check()

    run_virtual(main())


def test_links_in_answers_are_never_fetched():
    """Images, ``resource_url`` and ``items_url`` are data."""
    fake = FakeMetron(30)
    fake.add_account(USERNAME, PASSWORD, TOKEN)

    def elsewhere(tree):
        if isinstance(tree, dict):
            return {name: elsewhere(value) for name, value in tree.items()}
        if isinstance(tree, list):
            return [elsewhere(value) for value in tree]
        told = isinstance(tree, str) and tree.startswith("http")
        return f"https://{EVIL}/{len(tree)}" if told else tree

    fake.faults.add(Fault.json(elsewhere), times=None)

    async def main():
        spy = Spy(fake)
        async with AsyncMetron(TOKEN, transport=spy) as metron:
            assert EVIL in (await metron.issues.get(1)).resource_url
            await metron.series.get(1)
            await metron.publishers.iter().details().collect()
        spy.check()

    run_virtual(main())


def test_the_host_header_is_the_server_that_is_asked():
    """A client that was handed in cannot set another one, nor lend its own credentials."""
    fake = FakeMetron(30)
    fake.add_account(USERNAME, PASSWORD, TOKEN, editor=True)

    async def main():
        spy = Spy(fake)
        handed = httpx.AsyncClient(
            transport=spy,
            base_url=f"https://{EVIL}/",
            headers={"Host": EVIL, "Authorization": "Basic b3RoZXI6b3RoZXI=", "X-Own": "1"},
            auth=("other", "other"),
            cookies={"sessionid": "own"},
            params={"token": "own"},
            follow_redirects=True,
        )
        async with AsyncMetron(TOKEN, http_client=handed) as metron:
            await metron.issues.get(1)
            fake.faults.add(Fault.headers(set_cookie="sessionid=theirs; Path=/"))
            await metron.issues.get(2)
            fake.faults.add(Fault.redirect_host())
            with pytest.raises(MetronError):
                await metron.issues.get(3)
            await metron.collection.scrobble(4)
        spy.check()
        for request in spy.seen:
            assert request.headers["authorization"] == f"Bearer {TOKEN}"
            assert not {"cookie", "x-own"} & request.headers.keys()
            assert "token" not in request.url.params
        assert dict(handed.cookies) == {"sessionid": "own"}
        assert not handed.is_closed
        await handed.aclose()

    run_virtual(main())


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
async def test_plain_http_goes_through_no_proxy(variable, monkeypatch):
    """It is for this machine only; a proxy would read the credentials."""
    overheard = []

    async def listen(reader, writer):
        overheard.append(await reader.read(1000))
        writer.close()

    proxy = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = proxy.sockets[0].getsockname()[1]
    monkeypatch.setenv(variable, f"http://127.0.0.1:{port}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    fake = FakeMetron(30)
    fake.add_account(USERNAME, PASSWORD, TOKEN)
    async with proxy, fake.serve() as url, AsyncMetron(TOKEN, base_url=url, retries=0) as metron:
        assert (await metron.issues.get(1)).id == 1
    assert not overheard


async def test_through_a_proxy_for_https_goes_a_tunnel(monkeypatch):
    """All that it gets to see is the name of the host."""
    overheard = []

    async def listen(reader, writer):
        overheard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        overheard.append(await reader.read(2000))
        writer.close()

    proxy = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = proxy.sockets[0].getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with proxy, AsyncMetron(TOKEN, retries=0) as metron:
        with pytest.raises(MetronError):
            await metron.issues.get(1)
    first, *rest = overheard
    assert first.startswith(b"CONNECT metron.cloud:443 ")
    for text in (first, *rest):
        assert_clean(text, "what the proxy has seen")


async def test_a_netrc_is_not_read(monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login mallory password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    fake = FakeMetron(30)
    fake.add_account(USERNAME, PASSWORD, TOKEN)
    async with fake.serve() as url, AsyncMetron(TOKEN, base_url=url) as metron:
        await metron.issues.get(1)
    assert fake.requests[0].headers["authorization"] == f"Bearer {TOKEN}"
