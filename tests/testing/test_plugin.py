"""The pytest plugin, in a pytest run of its own."""

from __future__ import annotations

import os
import subprocess
import sys

TESTS = """
import os, sys
import pytest

LATE = {"metron_async.testing.fake", "msgspec", "httpx", "starlette", "redis", "sqlite3"}


def test_nothing_is_loaded_before_it_is_used():
    assert not LATE & set(sys.modules)


def test_state_is_kept_in_memory():
    assert os.environ["METRON_ASYNC_STORAGE"] == EXPECTED


def test_the_fixture_is_there(fake_metron):
    assert fake_metron.requests == []
"""


def run(folder, expected, **environment):
    (folder / "test_it.py").write_text(TESTS.replace("EXPECTED", repr(expected)))
    (folder / "pytest.ini").write_text("[pytest]\n")  # or that of a folder above would be read
    kept = {name: value for name, value in os.environ.items() if not name.startswith("METRON_")}
    options = ["-q", "-p", "metron_async.testing.pytest_plugin", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--rootdir", str(folder), str(folder)],
        env={**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **environment},
        capture_output=True,
        check=False,
        cwd=folder,
        text=True,
        timeout=60,
    )


def test_it_keeps_a_test_run_in_memory(tmp_path):
    done = run(tmp_path, ":memory:")
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_it_leaves_the_users_choice(tmp_path):
    done = run(tmp_path, "/somewhere", METRON_ASYNC_STORAGE="/somewhere")
    assert "3 passed" in done.stdout, done.stdout + done.stderr
