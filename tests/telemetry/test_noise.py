"""Other libraries' loggers keep their levels, and tell nothing of our requests but on demand."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import subprocess
import sys
from pathlib import Path

import aiosqlite
import httpx
import pytest
from support.secrets_search import TOKEN, Recorder, assert_clean

from metron_async import AsyncMetron, NotFoundError
from metron_async.testing import FakeMetron

LIBRARIES = ("httpx", "httpcore", "aiosqlite", "hpack", "h2")
SERVER = Path(__file__).parent.parent / "support" / "http2_server.py"


@pytest.fixture
def recorded():
    """All records at DEBUG, of loggers without levels of their own."""
    recorder = Recorder()
    recorder.setFormatter(logging.Formatter("%(name)s %(message)s"))
    root, names = logging.getLogger(), [""]
    names += [name for name in logging.root.manager.loggerDict if name.startswith(LIBRARIES)]
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.NOTSET)
    root.setLevel(logging.DEBUG)
    root.addHandler(recorder)
    yield recorder.lines
    root.removeHandler(recorder)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def lines_of(recorded, *libraries):
    return [line for line in recorded if line.startswith(libraries)]


@contextlib.asynccontextmanager
async def served(**arguments):
    fake = FakeMetron(issues=30, throttle=False)
    fake.add_account("anna", "password", TOKEN)
    async with fake.serve() as url, AsyncMetron(TOKEN, base_url=url, **arguments) as metron:
        yield metron, url


async def test_levels_stay_and_our_own_requests_are_silent(recorded):
    async with served() as (metron, _):
        await metron.issues.get(7)
        await metron.issues.get(7)
    assert [logging.getLogger(name).level for name in LIBRARIES] == [logging.NOTSET] * 5
    assert lines_of(recorded, *LIBRARIES) == []
    assert len(lines_of(recorded, "metron_async.requests GET")) == 2
    for line in recorded:
        assert_clean(line, line)


async def test_what_the_application_does_itself_is_still_logged(recorded, tmp_path):
    async with served() as (metron, url), httpx.AsyncClient() as own:
        await asyncio.gather(metron.issues.get(7), own.get(f"{url}/nowhere/"))
        async with aiosqlite.connect(tmp_path / "own.db") as database:
            await database.execute("SELECT 'own statement'")
    (line,) = lines_of(recorded, "httpx")
    assert "/nowhere/" in line
    assert lines_of(recorded, "httpcore.http11")
    assert any("own statement" in line for line in lines_of(recorded, "aiosqlite"))
    assert not any("issue/7" in line for line in lines_of(recorded, *LIBRARIES))


async def test_a_level_that_the_application_has_set_is_heeded(recorded):
    logging.getLogger("httpcore").setLevel(logging.DEBUG)
    logging.getLogger("aiosqlite").setLevel(logging.DEBUG)
    async with served() as (metron, _):
        await metron.issues.get(7)
    assert lines_of(recorded, "httpcore.http11")
    assert lines_of(recorded, "aiosqlite")
    assert lines_of(recorded, "httpx") == []
    for line in recorded:
        assert_clean(line, line)


async def test_a_warning_about_our_requests_is_logged(recorded):
    class Transport(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request):
            logging.getLogger("httpcore.http11").warning("broken")
            return httpx.Response(404, json={"detail": "Not found."})

    async with AsyncMetron(TOKEN, transport=Transport(), cache=None) as metron:
        with pytest.raises(NotFoundError):
            await metron.issues.get(7)
    assert lines_of(recorded, "httpcore") == ["httpcore.http11 broken"]


@pytest.fixture
def http2_server():
    command = [sys.executable, str(SERVER)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.stdin.close()


@pytest.mark.parametrize("level", [logging.NOTSET, logging.DEBUG])
async def test_http2_clients_do_not_log_the_token(recorded, http2_server, level):
    for name in ("h2", "hpack", "hpack.hpack", "hpack.table"):
        logging.getLogger(name).setLevel(level)
    transport = httpx.AsyncHTTPTransport(http1=False, http2=True)
    async with httpx.AsyncClient(transport=transport) as client:
        async with AsyncMetron(TOKEN, base_url=http2_server, http_client=client) as metron:
            for number in (1, 2):
                with pytest.raises(NotFoundError):
                    await metron.publishers.get(number)
        assert lines_of(recorded, *LIBRARIES) == []
        for line in recorded:
            assert_clean(line, line)
        # The search is not blind: what the application sends itself is logged.
        await client.get(f"{http2_server}/own/", headers={"Authorization": "Bearer own"})
    own = lines_of(recorded, "hpack")
    assert any("authorization" in line for line in own)
    assert any("Encoded header block" in line for line in own)
