"""A Redis server that a test may kill, stop and start again."""

from __future__ import annotations

import os
import shutil

import pytest
from support.storages import RedisServer


@pytest.fixture
def redis_server(tmp_path):
    if shutil.which("redis-server") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("redis-server was not found on PATH")
    server = RedisServer(tmp_path)
    yield server
    server.resume()
    server.kill()


@pytest.fixture(autouse=True)
def temporary_directory(tmp_path, monkeypatch):
    """Keep the fallback out of the machine's directory for temporary files."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(directory))
    return directory
