"""A Redis server that a test may kill, stop and start again."""

from __future__ import annotations

import pytest
from support.storages import RedisServer


@pytest.fixture
def redis_server(redis_program, tmp_path):
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
