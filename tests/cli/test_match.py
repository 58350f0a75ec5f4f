"""The command ``match``: what it finds, writes, prints, and how it goes on."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from metron_async import AsyncMetron
from metron_async.cli import demo
from metron_async.cli.app import main
from metron_async.cli.matching import _make_progress
from metron_async.cli.matching_progress import Lines, Silent
from metron_async.matching import MatchProgress
from metron_async.testing import FakeMetron

if TYPE_CHECKING:
    from pathlib import Path

STATE = MatchProgress(done=1, total=2, decided=1, ambiguous=0, failed=0, requests=3)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeMetron:
    fake = FakeMetron(throttle=False)

    def connect(max_wait: float | None) -> AsyncMetron:
        return AsyncMetron(
            token=fake.token,
            transport=fake.transport(),
            max_wait=max_wait,
            cache=None,
            retries=0,
        )

    monkeypatch.setattr(demo, "demo_client", connect)
    (tmp_path / "comics").mkdir()
    monkeypatch.chdir(tmp_path / "comics")
    for number in range(1, 6):
        (tmp_path / "comics" / f"Amazing Phantom {number:03} (1968).cbz").touch()
    (tmp_path / "comics" / "Zzyx 001.cbz").touch()
    return fake


def run(*arguments: str) -> int:
    return main(["match", *arguments, "--demo"])


def test_files_are_found(fake: FakeMetron, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(".") == 0
    out, err = capsys.readouterr()
    assert "Amazing Phantom 001 (1968).cbz: Amazing Phantom (1968) #1 [81]\n" in out
    assert "Not decided:\n  Zzyx 001.cbz: no issue found\n" in out
    assert "5 found, 0 ambiguous, 1 unknown, 0 failed; 4 requests\n" in out
    assert err == "6 files of 2 series: about 3 requests, less than a minute\n"
    assert len(fake.requests) == 4


def test_a_plan_sends_nothing(fake: FakeMetron, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(".", "--plan") == 0
    assert capsys.readouterr().out.startswith("6 files of 2 series: about 3 requests")
    assert fake.requests == []


def test_what_was_written_is_not_asked_again(
    fake: FakeMetron, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(".", "--write", "json") == 0
    fake.reset_log()
    assert run(".", "--write", "json", "--quiet") == 0
    assert fake.requests == []
    assert run(".", "--write", "json", "--details", "--quiet") == 0
    assert [asked.path for asked in fake.requests] == [f"/api/issue/{n}/" for n in range(81, 86)]
    fake.reset_log()
    assert run(".", "--write", "json", "--details", "--retry", "--quiet") == 0
    assert all("zzyx" in str(asked.params) for asked in fake.requests)
    capsys.readouterr()


def test_json(fake: FakeMetron, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(".", "--json", "--details") == 0
    out, err = capsys.readouterr()
    lines = [json.loads(line) for line in out.splitlines()]
    found = {line["file"]: line for line in lines}
    assert found["Amazing Phantom 003 (1968).cbz"]["issue"]["id"] == 83
    assert found["Amazing Phantom 003 (1968).cbz"]["detail"]["id"] == 83
    assert found["Zzyx 001.cbz"]["why"] == "no issue found"
    assert sum(line["requests"] for line in lines) == len(fake.requests)
    assert "5 found" in err


def test_ambiguous_files_are_explained(
    fake: FakeMetron, capsys: pytest.CaptureFixture[str]
) -> None:
    series = fake.catalogue.tables.series[8]
    fake.catalogue.add("series", type(series)(**_fields(series) | {"id": 900, "volume": 2}))
    fake.add_issue(900, "3", cover_date=fake.catalogue.issues_of_series(8)[2].cover_date)
    assert run("Amazing Phantom 003 (1968).cbz") == 0
    out = capsys.readouterr().out
    assert "Amazing Phantom 003 (1968).cbz: 2 issues fit equally well\n" in out
    assert "  Amazing Phantom (1968) #3 [83]: series Amazing Phantom, number 3" in out
    assert "0 found, 1 ambiguous, 0 unknown" in out


def _fields(record: object) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__struct_fields__}  # type: ignore[attr-defined]


def test_refused_credentials_end_the_run(
    fake: FakeMetron,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def connect(max_wait: float | None) -> AsyncMetron:
        return AsyncMetron(token="wrong", transport=fake.transport(), max_wait=max_wait)

    monkeypatch.setattr(demo, "demo_client", connect)
    code = run(".", "--write", "json")
    out, err = capsys.readouterr()
    assert code == 5
    assert "0 found" in out
    assert "metron-async:" in err
    assert not list((tmp_path / "comics").glob("*Phantom*.json"))


@pytest.mark.usefixtures("fake")
def test_a_folder_without_comics_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert run(str(tmp_path / "empty")) == 2
    assert "No comics in" in capsys.readouterr().err
    assert run("nowhere") == 2


@pytest.mark.usefixtures("fake")
def test_a_name_that_says_nothing_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "comics" / "[].cbz").touch()
    assert run("[].cbz") == 0
    assert "[].cbz: Nothing in the query identifies an issue" in capsys.readouterr().out


def test_progress(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert type(_make_progress(2, quiet=True)) is Silent
    lines = _make_progress(2, quiet=False)
    assert type(lines) is Lines
    lines.show(STATE)
    assert capsys.readouterr().err == ""
    lines._next = 0
    lines.show(STATE)
    assert capsys.readouterr().err == "1 of 2 files, 1 found, 3 requests\n"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with _make_progress(2, quiet=False) as bar:
        bar.show(STATE)
    assert type(bar).__name__ == "MatchBar"
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    monkeypatch.delitem(sys.modules, "metron_async.cli.matching_bar")
    assert type(_make_progress(2, quiet=False)) is Lines
