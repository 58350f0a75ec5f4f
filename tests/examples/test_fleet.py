"""A fleet, as processes with a real Redis and a real socket."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support import redis_server

FOLDER = Path(__file__).parents[2] / "examples" / "fleet"


def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("METRON_")}
    return subprocess.run(
        [sys.executable, str(FOLDER / "fleet.py"), *arguments],
        env=kept | {"PYTHONWARNINGS": "error", **changes},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def server_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the program find a Redis server as a user's program would."""
    folder = Path(redis_server.program() or "").parent
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


@pytest.mark.usefixtures("redis_url", "server_on_path")
def test_the_demonstration_makes_one_request_for_each_issue() -> None:
    ran = run("demo", "--workers", "2", "--visitors", "10")
    assert (ran.returncode, ran.stderr) == (0, "")
    *processes, last = ran.stdout.splitlines()
    found = [json.loads(line) for line in processes]
    assert [each["role"] for each in found] == ["web", "web", "nightly"]
    assert sum(each["requests"] for each in found) <= 8  # five popular issues, three others
    assert sum(each["429s"] for each in found) == 0
    assert last.endswith("0 429s")


def test_what_is_missing_is_said_in_one_line() -> None:
    ran = run("demo", PATH="/nowhere")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "redis-server was not found" in ran.stderr
    ran = run("nightly")
    assert ran.returncode == 1
    assert "METRON_TOKEN" in ran.stderr


def test_the_compose_file_starts_the_commands_that_there_are() -> None:
    compose = (FOLDER / "compose.yaml").read_text()
    assert re.findall(r"^    command: (\w+)$", compose, re.MULTILINE) == ["web", "nightly"]
    assert "METRON_ASYNC_STORAGE: redis://redis:6379" in compose
    assert "COPY fleet.py" in (FOLDER / "Dockerfile").read_text()
