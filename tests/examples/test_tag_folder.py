"""The tagger, on folders of files that FakeMetron knows: what it finds, and what that costs."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.virtual import virtual
from tag_folder import COME_BACK, main, tag

from metron_async import AsyncMetron
from metron_async.matching import find_comics, read_comic
from metron_async.testing import FakeMetron, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

EXAMPLE = Path(__file__).parents[2] / "examples" / "tag_folder.py"


@pytest.fixture(autouse=True)
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read and write files in the loop: virtual time does not pass while a thread works."""

    async def inline(function: Callable[..., object], *args: object, **kwargs: object) -> object:
        return function(*args, **kwargs)

    monkeypatch.setattr(asyncio, "to_thread", inline)


def make(folder: Path, names: Iterable[str]) -> None:
    for name in names:
        (folder / name).touch()


def run(
    fake: FakeMetron, folder: Path, *, details: bool = False, retry: bool = False
) -> tuple[int, int]:
    """Tag *folder* on virtual time; return the exit code and the number of requests."""

    async def work() -> int:
        async with AsyncMetron(
            token=fake.token, transport=fake.transport(), cache=None, retries=0
        ) as metron:
            return await tag(metron, folder, details=details, retry=retry)

    fake.reset_log()
    return virtual(work()), len(fake.requests)


def tags(folder: Path) -> list[int | None]:
    return [read_comic(path).issue_id for path in find_comics([folder])]


def test_files_of_one_series_share_its_list(tmp_path: Path) -> None:
    make(tmp_path, (f"Amazing Phantom {number:03} (1968).cbz" for number in range(1, 11)))
    fake = FakeMetron()
    assert run(fake, tmp_path) == (0, 2)
    assert tags(tmp_path) == list(range(81, 91))
    assert run(fake, tmp_path) == (0, 0)
    make(tmp_path, ["Amazing Phantom 011 (1968).cbz"])
    assert run(fake, tmp_path) == (0, 1)


def test_full_issues_are_fetched_once(tmp_path: Path) -> None:
    make(tmp_path, (f"Amazing Phantom {number:03} (1968).cbz" for number in range(1, 4)))
    fake = FakeMetron()
    assert run(fake, tmp_path) == (0, 2)
    assert run(fake, tmp_path, details=True) == (0, 5)
    assert all(read_comic(path).has_detail for path in find_comics([tmp_path]))
    assert run(fake, tmp_path, details=True) == (0, 0)


def test_what_is_not_found_is_tried_again_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path, ["Zzyx 001.cbz", "[].cbz"])
    fake = FakeMetron()
    code, first = run(fake, tmp_path)
    assert code == 0
    assert first > 0
    assert run(fake, tmp_path) == (0, 0)
    assert run(fake, tmp_path, retry=True) == (0, first)
    out = capsys.readouterr().out
    assert "Zzyx 001.cbz: no issue found" in out
    assert "[].cbz: Nothing in the query identifies an issue" in out


def test_the_days_quota_ends_and_the_next_run_continues(tmp_path: Path) -> None:
    make(tmp_path, ["Amazing Phantom 001.cbz", "Mighty Wolf 002.cbz", "Zzyx 001.cbz"])
    fake = FakeMetron(sustained=3)
    code, requests = run(fake, tmp_path)
    assert code == COME_BACK
    assert requests <= 3
    fake.accounts["reader"].sustained = 5000
    assert run(fake, tmp_path)[0] == 0
    assert [found is not None for found in tags(tmp_path)] == [True, True, False]


def test_a_series_that_fails_does_not_end_the_run(tmp_path: Path) -> None:
    make(tmp_path, ["Amazing Phantom 001 (1968).cbz", "Mighty Wolf 002.cbz"])
    fake = FakeMetron()
    fake.faults.add(Fault.status(500), times=1)
    assert run(fake, tmp_path)[0] == 1
    assert sorted(found is None for found in tags(tmp_path)) == [False, True]
    assert run(fake, tmp_path) == (0, 1)


def test_the_demo_runs_as_a_program() -> None:
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLE.parents[1])}
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), "--demo"],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
        timeout=60,
    )
    assert "14 of 14 files tagged" in done.stdout


def test_missing_credentials_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path, ["Amazing Phantom 001 (1968).cbz"])
    assert main([str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_the_program_is_short() -> None:
    assert len(EXAMPLE.read_text(encoding="utf-8").splitlines()) < 150
