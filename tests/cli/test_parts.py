"""The parts of the command, in this process: options from filters, exit codes, progress."""

from __future__ import annotations

import argparse
import datetime as dt
import io
import re
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from metron_async import errors
from metron_async.cli.app import main
from metron_async.cli.exits import EXITS, exit_code
from metron_async.cli.filters import add_filters, filters_in
from metron_async.cli.mirror import describe, make_progress, summarize
from metron_async.cli.output import counted
from metron_async.cli.parser import make_parser
from metron_async.cli.progress import PlainProgress, Progress, remark
from metron_async.enums import BookFormat, SeriesStatus
from metron_async.filters import CollectionFilters, IssueFilters, encode_filters, filter_names
from metron_async.mirror import (
    SOURCES,
    Deleted,
    DetailFailed,
    DetailsStored,
    MirrorBusyError,
    MirrorFileError,
    PageStored,
    Plan,
    Repeating,
    Report,
    RowSkipped,
    Started,
    Waiting,
)


def parsed(schema: type, *arguments: str) -> dict[str, object]:
    parser = argparse.ArgumentParser()
    add_filters(parser, schema)
    return filters_in(parser.parse_args(arguments))


@pytest.mark.parametrize("name", SOURCES)
def test_every_filter_is_an_option_with_help(name: str) -> None:
    schema = SOURCES[name].filters
    parser = argparse.ArgumentParser()
    add_filters(parser, schema)
    ours = [action for action in parser._actions if action.dest.startswith("filter:")]
    assert {action.dest.removeprefix("filter:") for action in ours} == filter_names(schema)
    assert all(action.help for action in ours)
    parser.format_help()


def test_values_are_read_as_filters_take_them() -> None:
    found = parsed(
        IssueFilters,
        *("--role-id", "1,2", "--cover-year", "2026", "--no-missing-cv-id", "--number", "80.BEY"),
        *("--store-date", "2026-11-20", "--modified-gt", "2026-11-20T17:00+00:00"),
    )
    assert found == {
        "role_id": [1, 2],
        "cover_year": 2026,
        "missing_cv_id": False,
        "number": "80.BEY",
        "store_date": dt.date(2026, 11, 20),
        "modified_gt": dt.datetime(2026, 11, 20, 17, tzinfo=dt.UTC),
    }
    assert encode_filters(IssueFilters, found)


def test_codes_can_be_named() -> None:
    found = parsed(
        CollectionFilters,
        *("--book-format", "print", "--grade", "9.8", "--is-read"),
        *("--date-read-gt", "2026-11-20", "--date-read-lt", "2026-11-21"),
    )
    assert found["book_format"] is BookFormat.PRINT
    assert found["date_read_gt"] == dt.date(2026, 11, 20)
    assert found["date_read_lt"] == dt.date(2026, 11, 21)
    assert encode_filters(CollectionFilters, found)
    series = parsed(SOURCES["series"].filters, "--status", "4")
    assert series == {"status": SeriesStatus.ONGOING}
    lists = parsed(SOURCES["reading_lists"].filters, "--average-rating-gte", "3.5")
    assert lists == {"average_rating__gte": Decimal("3.5")}


def test_underscores_do_as_well_in_names_of_lists() -> None:
    for name in ("reading-lists", "reading_lists"):
        assert make_parser().parse_args(["list", name]).source == "reading_lists"


def test_exit_codes_are_distinct_and_the_nearest_counts() -> None:
    codes = [code for _, code in EXITS]
    assert len(set(codes)) == len(codes)
    assert exit_code(errors.ConfigurationError("x")) == 3
    assert exit_code(errors.UsageError("x")) == 2
    assert exit_code(errors.RequestTimeoutError("x")) == 12
    assert exit_code(errors.TransportError("x")) == 11
    assert exit_code(errors.IncompleteListError("x")) == 14
    assert exit_code(errors.PaginationError("x")) == 13
    assert exit_code(MirrorBusyError("x")) == 16
    assert exit_code(MirrorFileError("x")) == 15
    assert exit_code(OSError()) == 1


def test_help_and_version_are_no_errors(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["--version"], ["mirror", "x.db", "issues", "--help"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 0
    assert "--publisher-name TEXT" in capsys.readouterr().out


NOW = dt.datetime(2026, 11, 20, 17, tzinfo=dt.UTC)


def plan(**changes: Any) -> Plan:
    values: dict[str, Any] = {
        "name": "issues",
        "filters": (),
        "kind": "full",
        "rows": 100_000,
        "requests": 1001,
        "minutes": 52.0,
        "finishes_at": NOW,
        "days": 1,
        "spent": 1,
    }
    return Plan(**{**values, **changes})


def test_a_plan_in_one_line() -> None:
    assert describe(plan()).startswith("issues: 100,000 rows, 1,001 requests, about 52 min; done")
    assert "less than a minute" in describe(plan(minutes=0.5))
    long = describe(plan(kind="resume", minutes=2000.0, days=3))
    assert "more rows" in long
    assert "over 3 days of quota" in long
    assert "about 33 h 20 min" in long
    assert "20 Nov 2026" in long


def test_a_report_in_one_line() -> None:
    report = Report("issues", (), requests=3, added=2, updated=1, missing=4)
    assert summarize(report, "x.db") == "issues: 2 new, 1 changed, 4 missing; 3 requests; x.db"


def quota(left: int = 7) -> Any:
    burst = SimpleNamespace(limit=20, remaining=left, resets_in=10.0)
    day = SimpleNamespace(limit=5000, remaining=4000, resets_in=100.0)
    return SimpleNamespace(burst=burst, sustained=day)


def test_events_that_are_worth_a_line() -> None:
    worth = [
        Started("issues", "full", 4),
        Waiting(60.0, "quota", "burst"),
        Repeating("issues", 3),
        Repeating("issues", 0),
        RowSkipped("issues", 5, errors.DecodeError("odd")),
        DetailFailed("issues", 5, errors.DecodeError("odd")),
        Deleted("issues", (1, 2)),
    ]
    assert all(remark(event) for event in worth)
    assert remark(Started("issues", "full", 1)) is None
    assert remark(Waiting(3.0, "quota", "burst")) is None


def test_plain_lines_come_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("metron_async.cli.progress.time.monotonic", lambda: clock[0])
    stream = io.StringIO()
    with PlainProgress(plan(rows=1000, requests=100), stream) as progress:
        for number in range(1, 11):
            clock[0] += 3
            progress.event(PageStored("issues", "full", number, 100, number * 100, 1000))
            progress.quota(quota())
        progress.event(PageStored("issues", "check", 1, 100, 100, 1000))
        progress.event(PageStored("issues", "changes", 1, 5, 5, 5))
        progress.event(DetailsStored("issues", 1, 5))
        progress.event(Repeating("issues", 1))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3
    assert (
        "issues: 400 of 1,000, 2,667 rows/min on average, quota 7/20 4,000/5,000, done at"
        in lines[0]
    )
    assert progress.tracker.what == "issues: details"
    assert progress.tracker.finishes_at > dt.datetime.now(dt.UTC)


def test_quiet_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    progress = make_progress(plan(), quiet=True)
    assert type(progress) is Progress
    with progress:
        progress.event(Repeating("issues", 1))
    assert capsys.readouterr().err == ""
    assert progress.tracker.quota_left == ""


def test_the_documented_codes_are_the_codes() -> None:
    page = Path(__file__).parents[2] / "docs" / "howto" / "command-line.md"
    listed = re.findall(r"^\| (\d+) \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert {int(code) for code in listed} == {0, 1, 130} | {code for _, code in EXITS}


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (1, "entries", "1 entry"),
        (1, "rows", "1 row"),
        (0, "rows", "0 rows"),
        (2000, "files", "2,000 files"),
    ],
)
def test_one_thing_is_one_thing(number: int, noun: str, text: str) -> None:
    assert counted(number, noun) == text
