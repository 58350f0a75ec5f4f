"""The first examples run as a newcomer runs them: as programs, without an account."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, *arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("METRON_")}
    environment |= {"XDG_CACHE_HOME": str(home), "PYTHONWARNINGS": "error"}
    return subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_quickstart_walks_a_catalogue(tmp_path: Path) -> None:
    done = run("quickstart.py", "--limit", "5", home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert sum(" #" in line and line.startswith("  ") for line in lines) == 5
    assert "credits: " in done.stdout
    assert "2 requests; 18 more this minute." in done.stdout
    assert list(tmp_path.iterdir()) == [], "a made-up server leaves nothing on the disk"


def test_quickstart_with_nothing_to_show(tmp_path: Path) -> None:
    done = run("quickstart.py", "--publisher", "no such publisher", home=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 issues" in done.stdout


@pytest.mark.parametrize("weeks", ["0", "1"])
def test_weekly_releases_prints_a_table_of_one_request(tmp_path: Path, weeks: str) -> None:
    done = run("weekly_releases.py", "--weeks-ahead", weeks, home=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Wed " in done.stdout
    assert "\n1 request(s)" in done.stdout


def test_an_error_is_one_line(tmp_path: Path) -> None:
    done = run("quickstart.py", "--limit", "-1", home=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "error: limit must be a whole number from 0, got -1\n"
