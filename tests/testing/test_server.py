"""The fake on real sockets: clean start and stop, bans, losses, the command, the fixtures."""

# ruff: noqa: ASYNC110, S310 - polling is what a test of another process can do; our own URLs

import asyncio
import gc
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import httpx
import pytest
from support.scale import scaled
from support.systems import needs_posix

from metron_async.testing import FakeMetron, Fault
from metron_async.testing.__main__ import _parser, _serve, main


def http(fake, url, account="reader", **options):
    return httpx.AsyncClient(
        base_url=f"{url}/api/",
        headers={
            "Authorization": f"Bearer {fake.accounts[account].tokens[0]}",
            "User-Agent": "test/1",
        },
        **options,
    )


async def test_it_serves_and_leaves_nothing_behind():
    fake = FakeMetron(issues=150)
    before = asyncio.all_tasks()
    handler = signal.getsignal(signal.SIGINT)
    async with fake.serve() as url:
        assert signal.getsignal(signal.SIGINT) is handler
        async with http(fake, url) as client:
            body = (await client.get("issue/")).json()
            assert body["next"] == f"{url}/api/issue/?page=2"
            response = await client.get("issue/1")
            assert response.headers["location"] == "/api/issue/1/"
            assert (await client.get("issue/1/", follow_redirects=True)).json()["id"] == 1
            since = {"If-Modified-Since": "Fri, 20 Nov 2099 20:19:11 GMT"}
            unchanged = await client.get("issue/1/", headers=since)
            assert (unchanged.status_code, unchanged.content) == (304, b"")
            assert len(response.headers.get_list("date")) == 1
            assert "server" not in response.headers
    assert asyncio.all_tasks() == before
    with pytest.raises(httpx.ConnectError):
        await httpx.AsyncClient().get(url)
    gc.collect()


async def test_it_stops_with_requests_in_flight():
    fake = FakeMetron(issues=20)
    fake.latency = lambda: (0.0, 1000.0)
    before = asyncio.all_tasks()
    async with fake.serve() as url:
        client = http(fake, url)
        request = asyncio.create_task(client.get("role/"))
        while not fake.wire.log:
            await asyncio.sleep(0.01)
    with pytest.raises(httpx.HTTPError):
        await request
    await client.aclose()
    assert asyncio.all_tasks() == before


async def test_a_port_in_use_is_an_error():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=r"in use|permitted|Only one"):
            async with FakeMetron(issues=20).serve(port=port):
                pass  # pragma: no cover


async def test_losses_over_a_socket():
    fake = FakeMetron(issues=150)
    async with fake.serve() as url, http(fake, url) as client:
        for fault in (Fault.drop_before(), Fault.drop_after(), Fault.cut_body()):
            fake.faults.add(fault)
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get("issue/")
        assert (await client.get("issue/")).headers["x-ratelimit-burst-remaining"] == "17"


async def test_a_client_that_leaves_is_seen():
    fake = FakeMetron(issues=20)
    fake.faults.add(Fault.latency(0.2))
    async with fake.serve() as url, http(fake, url) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get("role/", timeout=0.05)
        while not fake.requests or fake.requests[0].status != 499:
            await asyncio.sleep(0.01)
        assert (await client.get("role/")).headers["x-ratelimit-burst-remaining"] == "18"


async def test_an_incomplete_body_is_not_a_request():
    fake = FakeMetron(issues=20)
    async with fake.serve() as url:
        port = int(url.rsplit(":", 1)[1])
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /api/arc/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\na")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        async with http(fake, url) as client:
            await client.get("role/")
    assert len(fake.requests) == 1


async def test_connections_of_banned_addresses_are_closed():
    fake = FakeMetron(issues=20)
    async with fake.serve() as url, http(fake, url) as client:
        for _ in range(3):
            await client.get("role/", headers={"Authorization": "Bearer no"})
        with pytest.raises(httpx.HTTPError):
            await client.get("role/")
        async with http(fake, url) as fresh:
            with pytest.raises(httpx.HTTPError):
                await fresh.get("role/")
        elsewhere = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
        async with http(fake, url, transport=elsewhere) as other:
            assert (await other.get("role/")).status_code == 200
        fake.clock.advance(86_400)
        assert (await client.get("role/")).status_code == 200
    assert [ban.client for ban in fake.bans] == ["127.0.0.1"]


async def test_losses_are_errors_under_another_asgi_server():
    fake = FakeMetron(issues=20)
    fake.faults.add(Fault.drop_after())
    transport = httpx.ASGITransport(fake.app)
    headers = {"Authorization": "Bearer reader-token"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://x", headers=headers
    ) as client:
        with pytest.raises(ConnectionResetError):
            await client.get("/api/role/")
        assert (await client.get("/api/role/")).json()["count"] == 14


async def test_uploads_arrive_over_a_socket():
    fake = FakeMetron(issues=20)
    picture = b"\x89PNG\r\n\x1a\n" + os.urandom(300_000)
    async with fake.serve() as url, http(fake, url, "editor") as client:
        made = await client.post("arc/", data={"name": "é"}, files={"image": ("c.png", picture)})
        assert made.status_code == 201
        assert made.json()["image"].endswith("/c.png")
        huge = await client.post("arc/", content=b" " * (21 * 1024 * 1024))
        assert huge.status_code == 413


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "metron_async.testing", "--port", "0", "--issues", "50", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@needs_posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_it_is_stopped(number):
    with start("--token", "mine", "--no-throttle") as process:
        url = process.stdout.readline().split()[-1]
        request = urllib.request.Request(
            f"{url}/api/issue/1/", headers={"Authorization": "Bearer mine"}
        )
        with urllib.request.urlopen(request) as response:
            assert b"desc_is_solicitation" in response.read()
        process.send_signal(number)
        assert process.wait(10) == 0
        assert "Traceback" not in process.stderr.read()


async def test_the_command_in_process(capsys):
    options = ["--port", "0", "--issues", "20", "--latency", "0.01", "--minute", "6"]
    task = asyncio.create_task(_serve(_parser().parse_args(options)))
    while "Ctrl-C" not in (out := capsys.readouterr().out):
        await asyncio.sleep(0.01)
    url = out.split()[3]
    async with httpx.AsyncClient() as client:
        response = await client.get(
            f"{url}/api/role/", headers={"Authorization": "Bearer reader-token"}
        )
    assert response.status_code == 200
    os.kill(os.getpid(), signal.SIGTERM)
    await task


def test_the_command_reports_that_it_cannot_listen(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["--port", port, "--issues", "10", "--latency", "0.5", "--no-bans"]) == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_without_the_extra_the_error_names_it():
    code = (
        "import sys; sys.modules['starlette.applications'] = None\n"
        "from metron_async.testing import FakeMetron\n"
        "fake = FakeMetron(issues=5)\n"
        "try:\n    fake.serve()\nexcept ImportError as error:\n    print(error)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip().endswith("is not installed: pip install 'metron-async[testing]'")
    assert len(found.stdout.strip().splitlines()) == 1


class TestFixtures:
    @pytest.fixture
    def fake_metron_options(self):
        return {"issues": 30, "burst": 7}

    def test_in_process(self, fake_metron):
        assert fake_metron.accounts["reader"].burst == 7

    def test_over_a_socket_without_async(self, fake_metron, fake_metron_url):
        request = urllib.request.Request(
            f"{fake_metron_url}/api/issue/1/",
            headers={"Authorization": f"Bearer {fake_metron.token}"},
        )
        with urllib.request.urlopen(request) as response:
            assert response.headers["X-RateLimit-Burst-Limit"] == "7"
        assert [asked.path for asked in fake_metron.requests] == ["/api/issue/1/"]

    async def test_over_a_socket_with_async(self, fake_metron, fake_metron_url):
        async with http(fake_metron, fake_metron_url) as client:
            assert (await client.get("issue/")).json()["count"] == 30


def test_a_server_that_cannot_start_fails_the_test(monkeypatch):
    # Imported earlier, pytest could not rewrite its assertions any more.
    from metron_async.testing import pytest_plugin  # noqa: PLC0415

    fake = FakeMetron(issues=5)
    monkeypatch.setattr(fake, "serve", lambda: 1 / 0)
    served = pytest_plugin._Served(fake)
    served.run()
    with pytest.raises(ZeroDivisionError):
        served.wait()
    served.stop()


async def test_a_large_catalogue_starts_in_seconds_and_is_fast():
    size = scaled(30_000, 100_000)
    begin = time.process_time()  # server and client are this process; others may be busy
    fake = FakeMetron(issues=size, throttle=False)
    async with fake.serve() as url, http(fake, url) as client:
        assert (await client.get("issue/")).json()["count"] == size
        started = time.process_time() - begin
        assert started < 15 * size / 100_000
        begin = time.process_time()
        for page in range(1, 101):
            await client.get("issue/", params={"page": page})
        rows = 100 * 100 / (time.process_time() - begin)
    assert rows > 5_000
