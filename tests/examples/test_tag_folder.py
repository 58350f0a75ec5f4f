"""The tagger, on folders of files that FakeMetron knows: what it finds, and what that costs."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from argparse import Namespace
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tag_folder import (
    COME_BACK,
    Progress,
    comics_in,
    main,
    read_sidecar,
    sidecar_path,
    tag,
    write_sidecar,
)
from tag_names import Sidecar, plain, plain_number, read_name

from metron_async import AsyncMetron, Priority, Wait
from metron_async.testing import FakeMetron, Fault, run_virtual

if TYPE_CHECKING:
    from collections.abc import Iterable

EXAMPLE = Path(__file__).parents[2] / "examples" / "tag_folder.py"


def make(folder: Path, names: Iterable[str]) -> None:
    for name in names:
        (folder / name).touch()


def run(fake: FakeMetron, folder: Path, **flags: bool) -> int:
    """Tag *folder* with a client that remembers nothing, on virtual time; return the exit code."""
    arguments = Namespace(**({"details": False, "retry": False, "exact": False} | flags))

    async def work() -> int:
        async with AsyncMetron(
            token=fake.token, transport=fake.transport(), cache=None, retries=0
        ) as metron:
            return await tag(metron, folder, arguments)

    fake.reset_log()
    return run_virtual(work())


def tags(folder: Path) -> dict[str, tuple[int, str] | None]:
    """Return the issue of each file, and what it was found by."""
    found = {}
    for comic in comics_in(folder):
        own = comic.sidecar.tag
        found[comic.path.name] = (own.issue_id, own.found_by) if own else None
    return found


def asked(fake: FakeMetron) -> list[tuple[str, dict[str, str]]]:
    return [(request.path.removeprefix("/api/"), request.params) for request in fake.requests]


# --- Requests -------------------------------------------------------------------------------------


def test_one_request_for_a_series(tmp_path: Path) -> None:
    fake = FakeMetron()
    make(tmp_path, (f"Amazing Phantom {number:03} (1968).cbz" for number in range(1, 12)))
    assert run(fake, tmp_path) == 0
    assert asked(fake) == [("issue/", {"series_name": "Amazing Phantom"})]
    assert [found[0] for found in tags(tmp_path).values() if found] == list(range(81, 92))


def test_one_request_for_one_file_by_the_best_that_is_known(tmp_path: Path) -> None:
    fake = FakeMetron()
    fake.touch("issue", 82, cv_id=777, gcd_id=888)
    upc = "76194120008300111"
    fake.touch("issue", 83, upc=upc)
    names = {
        "A [metron-81].cbz": 81,
        "B [cv-777].cbz": 82,
        "C [gcd-888].cbz": 82,
        f"D [upc-{upc}].cbz": 83,
        "Savage Knight 2.cbz": None,
    }
    make(tmp_path, names)
    assert run(fake, tmp_path) == 0
    assert asked(fake)[:3] == [
        ("issue/81/", {}),
        ("issue/", {"cv_id": "777"}),
        ("issue/", {"gcd_id": "888"}),
    ]
    assert asked(fake)[-1] == ("issue/", {"series_name": "Savage Knight", "number": "2"})
    assert len(fake.requests) == len(tags(tmp_path))
    found = tags(tmp_path)
    assert found[f"D [upc-{upc}].cbz"] == (83, "upc")
    assert found["A [metron-81].cbz"] == (81, "metron_id")
    assert found["B [cv-777].cbz"] == (82, "cv_id")
    assert found["C [gcd-888].cbz"] == (82, "gcd_id")
    assert found["Savage Knight 2.cbz"] is not None


def test_an_id_that_leads_nowhere_is_followed_by_the_next_best(tmp_path: Path) -> None:
    fake = FakeMetron()
    make(tmp_path, ["Amazing Phantom 3 [metron-99999] [cv-99999] [upc-1].cbz"])
    assert run(fake, tmp_path) == 0
    assert list(tags(tmp_path).values()) == [(83, "series and number")]
    assert len(fake.requests) == 4


def test_a_file_with_an_id_tells_the_series_of_the_others(tmp_path: Path) -> None:
    fake = FakeMetron()
    fake.touch("issue", 84, cv_id=777)
    make(tmp_path, (f"Phantom, Amazing {number}.cbz" for number in (1, 2, 3)))  # its own spelling
    make(tmp_path, ["Phantom, Amazing 4 [cv-777].cbz", "Phantom, Amazing 5 [cv-4].cbz"])
    assert run(fake, tmp_path) == 0
    # Comic Vine's id 4 is unknown: one more, if that file comes first.
    assert ("issue/", {"cv_id": "777"}) in asked(fake)
    assert asked(fake)[-1] == ("issue/", {"series_id": "8"})
    assert [found[0] for found in tags(tmp_path).values() if found] == [81, 82, 83, 84, 85]
    assert len(fake.requests) <= 3


def test_every_id_is_used_if_that_is_wanted(tmp_path: Path) -> None:
    fake = FakeMetron()
    make(tmp_path, (f"X {number} [metron-{number}].cbz" for number in range(1, 6)))
    assert run(fake, tmp_path, exact=True) == 0
    assert len(fake.requests) == 5


def test_a_second_run_costs_nothing_and_new_files_one_request(tmp_path: Path) -> None:
    fake = FakeMetron()
    make(tmp_path, (f"Amazing Phantom {number}.cbz" for number in range(1, 6)))
    make(tmp_path, ["No such comic 1.cbz"])
    run(fake, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.glob("*.json")}
    assert run(fake, tmp_path) == 0
    assert asked(fake) == []
    assert {path: path.read_bytes() for path in tmp_path.glob("*.json")} == before
    make(tmp_path, (f"Amazing Phantom {number}.cbz" for number in (6, 7)))
    run(fake, tmp_path)
    assert asked(fake) == [("issue/", {"series_id": "8"})]
    run(fake, tmp_path, retry=True)  # only what was not found
    assert asked(fake) == [("issue/", {"series_name": "No such comic", "number": "1"})]


def test_what_is_not_in_a_whole_list_is_not_asked_for_again(tmp_path: Path) -> None:
    fake = FakeMetron()
    make(tmp_path, (f"Amazing Phantom {number}.cbz" for number in range(9, 30)))
    assert run(fake, tmp_path) == 0
    assert len(fake.requests) == 1
    problems = [comic.sidecar.problem for comic in comics_in(tmp_path)]
    assert sum(problem is not None for problem in problems) == 18


def test_two_series_of_one_name_are_told_apart_by_their_years(tmp_path: Path) -> None:
    fake = FakeMetron()
    make(
        tmp_path,
        ["Lost Phantom 001 (1996).cbz", "Lost Phantom 001 (2018).cbz", "Lost Phantom 002.cbz"],
    )
    assert run(fake, tmp_path) == 0
    assert len(fake.requests) == 1
    found = tags(tmp_path)
    assert found["Lost Phantom 002.cbz"] is None  # it can be either
    series = {c.path.name: c.sidecar.tag.series_id for c in comics_in(tmp_path) if c.sidecar.tag}
    assert series == {"Lost Phantom 001 (1996).cbz": 24, "Lost Phantom 001 (2018).cbz": 22}


def test_a_long_series_is_not_walked_for_a_few_files(tmp_path: Path) -> None:
    fake = FakeMetron()
    for number in range(12, 901):
        fake.add_issue(8, str(number))
    make(tmp_path, [f"Amazing Phantom {number}.cbz" for number in (898, 899)])
    assert run(fake, tmp_path) == 0
    assert len(fake.requests) == 3  # where the whole list is nine pages
    assert None not in tags(tmp_path).values()


def test_a_name_that_is_in_many_is_asked_for(tmp_path: Path) -> None:
    fake = FakeMetron(issues=20_000)
    for number in range(1, 120):
        fake.rename("series", number, f"Wolf and Friend {number}")
    fake.touch("series", 50, name="Wolf", sort_name="Wolf")
    counted = Counter(issue.number for issue in fake.catalogue.issues_of_series(50))
    numbers = [number for number, count in counted.items() if count == 1][:6]
    make(tmp_path, [f"Wolf {number}.cbz" for number in numbers])
    assert run(fake, tmp_path) == 0
    assert asked(fake) == [
        ("issue/", {"series_name": "Wolf"}),
        ("series/", {"name": "Wolf"}),
        ("series/", {"name": "Wolf", "page": "2"}),
        ("issue/", {"series_id": "50"}),
    ]
    assert None not in tags(tmp_path).values()


def test_details_are_fetched_once_for_each_issue(tmp_path: Path) -> None:
    fake = FakeMetron()
    make(tmp_path, ["Amazing Phantom 1.cbz", "Amazing Phantom 2.cbz"])
    (tmp_path / "copies").mkdir()
    make(tmp_path / "copies", ["Amazing Phantom 1.cbz"])
    run(fake, tmp_path)
    assert run(fake, tmp_path, details=True) == 0
    assert sorted(path for path, _ in asked(fake)) == ["issue/81/", "issue/82/"]
    for comic in comics_in(tmp_path):
        assert comic.sidecar.details is not None
        assert comic.sidecar.details["id"] in {81, 82}
    run(fake, tmp_path, details=True)
    assert asked(fake) == []


def test_three_hundred_files_of_every_series(tmp_path: Path) -> None:
    """A whole collection: one request for a series, whatever the number of files."""
    fake = FakeMetron()

    async def names() -> list[tuple[str, int, int]]:
        free = FakeMetron(throttle=False)
        async with AsyncMetron(token=free.token, transport=free.transport()) as metron:
            rows = await metron.issues.iter().collect()
        return [
            (f"{r.series.name} {r.number} ({r.cover_date.year})", r.id, r.series.id) for r in rows
        ]

    known = [entry for entry in run_virtual(names()) if not set("/:") & set(entry[0])][:300]
    make(tmp_path, {f"{name}.cbz" for name, _, _ in known})
    assert run(fake, tmp_path) == 0
    found = tags(tmp_path)
    right = {f"{name}.cbz": number for name, number, _ in known}
    assert sum(1 for name, got in found.items() if got and got[0] == right[name]) > 0.95 * len(
        found
    )
    assert len(fake.requests) <= 2 * len({series for _, _, series in known})
    assert fake.throttled == 0


# --- What goes wrong ------------------------------------------------------------------------------


def test_the_days_quota_ends_and_the_next_run_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = FakeMetron(sustained=3)
    for name in (
        "Amazing Phantom",
        "Savage Knight",
        "Mighty Titan",
        "Crimson Titan",
        "Lost Phantom",
    ):
        make(tmp_path, [f"{name} {number} (x).cbz" for number in (2, 3)])
    assert run(fake, tmp_path) == COME_BACK
    assert "Run it again" in capsys.readouterr().err
    first = {name for name, found in tags(tmp_path).items() if found}
    assert len(first) >= 4
    fake.sustained_limit = 5000
    assert run(fake, tmp_path) == 0
    assert fake.throttled == 0
    assert {name for name, found in tags(tmp_path).items() if found} > first


def test_a_series_that_fails_does_not_end_the_run(tmp_path: Path) -> None:
    fake = FakeMetron()
    make(tmp_path, ["Amazing Phantom 2.cbz", "Savage Knight 2.cbz"])
    fake.faults.add(Fault.status(503))
    assert run(fake, tmp_path) == 1
    assert [found is None for found in tags(tmp_path).values()] == [True, False]
    assert not sidecar_path(tmp_path / "Amazing Phantom 2.cbz").exists()
    assert run(fake, tmp_path) == 0
    assert None not in tags(tmp_path).values()


def test_refused_credentials_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("METRON_TOKEN", "METRON_USERNAME", "METRON_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    assert main([str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    with pytest.raises(SystemExit):
        main([])


def test_a_damaged_sidecar_is_written_anew_and_hints_in_it_are_kept(tmp_path: Path) -> None:
    fake = FakeMetron()
    make(tmp_path, ["a.cbz", "b.cbz"])
    sidecar_path(tmp_path / "a.cbz").write_text('{"tag": {"issue_')
    sidecar_path(tmp_path / "b.cbz").write_text('{"series": "Amazing Phantom", "number": "004"}')
    assert run(fake, tmp_path) == 0
    written = read_sidecar(tmp_path / "b.cbz")
    assert written.series == "Amazing Phantom"
    assert written.tag is not None
    assert written.tag.issue_id == 84
    assert read_sidecar(tmp_path / "a.cbz").problem
    assert not list(tmp_path.glob("*.tmp"))


# --- Names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "series", "number", "year", "ids"),
    [
        ("Savage Wolf 003 (1966) (Digital).cbz", "Savage Wolf", "3", 1966, {}),
        ("Savage Wolf (1966) #3.cbz", "Savage Wolf", "3", 1966, {}),
        ("Savage_Wolf_#3_[CV-4711].cbz", "Savage Wolf", "3", None, {"cv": "4711"}),
        ("Savage Wolf - 80.BEY.cbr", "Savage Wolf", "80.BEY", None, {}),
        ("Savage Wolf 100AU.cbr", "Savage Wolf", "100AU", None, {}),
        ("Savage Wolf 000.pdf", "Savage Wolf", "0", None, {}),
        ("Savage Wolf -1.pdf", "Savage Wolf", "-1", None, {}),
        ("Savage Wolf.cbz", "Savage Wolf", "1", None, {}),
        ("2000 AD 12.cbz", "2000 AD", "12", None, {}),
        ("[metron-5][upc-76194].cbz", "", "1", None, {"metron": "5", "upc": "76194"}),
    ],
)
def test_names(name: str, series: str, number: str, year: int | None, ids: dict[str, Any]) -> None:
    comic = read_name(Path(name), Sidecar())
    assert (comic.series, comic.number, comic.year, comic.ids) == (series, number, year, ids)


def test_what_the_sidecar_says_goes_before_the_name() -> None:
    hints = Sidecar(metron_id=9, series="Other", number="07", year=2001)
    comic = read_name(Path("Savage Wolf 3 (1966) [metron-5].cbz"), hints)
    assert (comic.series, comic.number, comic.year) == ("Other", "7", 2001)
    assert comic.ids == {"metron": "9"}


def test_texts_are_compared_without_accents_and_signs() -> None:
    assert plain("Señora: X-Ray!") == "senora x ray"
    assert plain_number("-01") == "-1"


def test_sidecars_survive_a_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "a.cbz"
    write_sidecar(path, Sidecar(cv_id=4, problem="x"))
    assert read_sidecar(path) == Sidecar(cv_id=4, problem="x")
    assert json.loads(sidecar_path(path).read_text()) == {"cv_id": 4, "problem": "x"}


# --- The program ----------------------------------------------------------------------------------


def test_the_demonstration(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), "--demo"],
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path), "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "13 tagged" in done.stdout
    assert done.stderr == ""


def test_a_terminal_sees_a_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    progress = Progress(3)
    progress.step("first.cbz")
    progress.waiting(Wait(12.4, "quota", "burst", "issue/", Priority.BULK))
    progress.close()
    shown = capsys.readouterr().err.split("\r")
    assert [len(line.rstrip()) > 30 for line in shown[1:]] == [True, True]
    assert shown[1].startswith("█" * 10 + "░" * 20 + " 1/3 first.cbz")
    assert "1/3 waiting 12 s for the quota" in shown[2]


def test_two_series_of_one_name_in_a_long_list(tmp_path: Path) -> None:
    """Too many to walk, and the years say which of them is meant."""
    fake = FakeMetron(issues=20_000)
    for number in range(1, 40):
        fake.touch("series", number, name=f"Wolf and Friend {number}")
    fake.touch("series", 50, name="Wolf", sort_name="Wolf", year_began=1950, year_end=1955)
    fake.touch("series", 51, name="Wolf", sort_name="Wolf", year_began=1990, year_end=2100)
    issues = fake.catalogue.issues_of_series(51)
    counted = Counter(issue.number for issue in issues)
    chosen = [issue for issue in issues if counted[issue.number] == 1][:5]
    make(tmp_path, [f"Wolf {i.number} ({max(1990, i.cover_date.year)}).cbz" for i in chosen])
    assert run(fake, tmp_path) == 0
    assert ("issue/", {"series_id": "51"}) in asked(fake)
    assert len(fake.requests) <= 4


def test_ctrl_c_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(main: Any) -> int:
        main.close()
        raise KeyboardInterrupt

    monkeypatch.setattr(asyncio, "run", interrupted)
    assert main([str(tmp_path)]) == 130
    assert "goes on from here" in capsys.readouterr().err
