"""The command in processes of its own: output, exit codes, terminals, Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from support.command import TOKEN, environment, run, start
from support.systems import needs_posix

from metron_async import AsyncMetron
from metron_async.testing import FakeMetron, Fault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def fake() -> FakeMetron:
    return FakeMetron(throttle=False)


@pytest.fixture
async def url(fake: FakeMetron) -> AsyncIterator[str]:
    async with fake.serve() as found:
        yield found


def held(path: Path, table: str = "issues") -> int:
    with contextlib.closing(sqlite3.connect(path)) as db:
        found: int = db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
    return found


async def test_get_prints_one_object(url: str, tmp_path: Path) -> None:
    ran = await run(tmp_path, "get", "issue", "5", "--base-url", url)
    assert (ran.code, ran.err) == (0, "")
    assert "series:" in ran.out
    ran = await run(tmp_path, "get", "issue", "5", "--json", "--base-url", url)
    assert json.loads(ran.out)["id"] == 5


async def test_list_prints_rows_with_filters(url: str, tmp_path: Path) -> None:
    ran = await run(
        tmp_path,
        *("list", "issues", "--publisher-name", "marvel", "--json", "--base-url", url),
    )
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.code == 0
    assert 0 < len(rows) < 600
    ran = await run(
        tmp_path, "list", "series", "--status", "ongoing", "--limit", "2", "--base-url", url
    )
    assert len(ran.out.splitlines()) == 2


async def test_quota_tells_both_windows(url: str, tmp_path: Path) -> None:
    ran = await run(tmp_path, "quota", "--json", "--base-url", url)
    assert json.loads(ran.out)["minute"]["limit"] == 20
    ran = await run(tmp_path, "quota", "--base-url", url)
    assert ran.out.startswith("minute")
    assert ran.out.count("a guess") == 2
    await run(tmp_path, "get", "issue", "5", "--base-url", url)
    ran = await run(tmp_path, "quota", "--base-url", url)
    assert "a guess" not in ran.out


async def test_the_storage_is_shared_with_other_programs(
    fake: FakeMetron, url: str, tmp_path: Path
) -> None:
    where = tmp_path / "shared"
    async with AsyncMetron(fake.token, base_url=url, storage=where) as metron:
        await metron.issues.get(5)
    environment = {"METRON_ASYNC_STORAGE": str(where)}
    quota = ("quota", "--json", "--base-url", url)
    for more, variables in ((("--storage", str(where)), {}), ((), environment)):
        told = json.loads((await run(tmp_path, *quota, *more, **variables)).out)
        assert told["minute"]["known"]
    assert not json.loads((await run(tmp_path, *quota)).out)["minute"]["known"]


async def test_mirror_fills_a_file_and_brings_it_up_to_date(
    fake: FakeMetron, url: str, tmp_path: Path
) -> None:
    arguments = ("mirror", "comics.db", "issues", "--base-url", url)
    planned = await run(tmp_path, *arguments, "--plan")
    assert "600 rows, 7 requests, less than a minute" in planned.out
    ran = await run(tmp_path, *arguments)
    assert (ran.code, held(tmp_path / "comics.db")) == (0, 600)
    assert "600 new" in ran.out
    assert "600 rows, 7 requests" in ran.err
    fake.touch("issue", 5, upc="1")
    fake.delete("issue", 6)
    ran = await run(tmp_path, *arguments, "--quiet")
    assert ran.err == ""
    assert "0 new, 1 changed, 1 no longer on the server" in ran.out
    ran = await run(tmp_path, *arguments, "--deletions", "--raw")
    assert "1 deleted" in ran.out
    assert held(tmp_path / "comics.db") == 599


async def test_mirror_takes_details_too(url: str, tmp_path: Path) -> None:
    ran = await run(
        tmp_path,
        *("mirror", "comics.db", "issues", "--series-id", "1", "--details", "--base-url", url),
    )
    assert ran.code == 0
    path = tmp_path / "comics.db"
    assert held(path, "issue_details") == held(path) > 0


# --- what goes wrong ------------------------------------------------------------------------------


def one_line(text: str) -> bool:
    return text.count("\n") == 1 and "Traceback" not in text


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["list", "issues", "--cover-year", "x"], 2),
        (["list", "issues", "--cover-year", "99999"], 2),
        (["list", "issues", "--limit", "-1"], 2),
        (["list", "issues", "--publisher", "marvel"], 2),
        (["list", "series", "--status", "somehow"], 2),
        (["list", "issues", "--modified-gt", "soon"], 2),
        (["list", "issues", "--store-date", "soon"], 2),
        (["list", "issues", "--role-id", "1,x"], 2),
        (["list", "reading-lists", "--average-rating-gte", "x"], 2),
        (["get", "issue", "x"], 2),
        (["get", "comic", "5"], 2),
        (["get", "issue", "999999"], 4),
        (["mirror", "notes.txt", "issues"], 15),
    ],
)
async def test_errors_are_one_line_and_a_code(
    url: str, tmp_path: Path, arguments: list[str], code: int
) -> None:
    (tmp_path / "notes.txt").write_text("not a database, and long enough to be looked at\n" * 50)
    extra = ["--base-url", url] if arguments else []
    ran = await run(tmp_path, *arguments, *extra)
    assert (ran.code, ran.out) == (code, "")
    assert one_line(ran.err), ran.err
    assert "not a database" in (tmp_path / "notes.txt").read_text()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.status(403, page=False), 6),
        (Fault.status(400, page=False), 7),
        (Fault.json(lambda body: body | {"number": 5}), 13),
    ],
)
async def test_answers_have_their_codes(
    fake: FakeMetron, url: str, tmp_path: Path, fault: Fault, code: int
) -> None:
    fake.faults.add(fault, times=None)
    ran = await run(tmp_path, "get", "issue", "5", "--base-url", url)
    assert ran.code == code, ran.err
    assert one_line(ran.err)


async def test_credentials_come_from_the_environment_and_are_never_shown(
    url: str, tmp_path: Path
) -> None:
    none = await run(tmp_path, "get", "issue", "5", "--base-url", url, METRON_TOKEN="")
    assert none.code == 3
    assert "METRON_TOKEN" in none.err
    wrong = await run(tmp_path, "get", "issue", "5", "--base-url", url, METRON_TOKEN="hunter2")
    assert wrong.code == 5
    for arguments in (["--token", "hunter2"], ["--token=hunter2"], ["--password=hunter2"]):
        ran = await run(tmp_path, "quota", *arguments)
        assert ran.code == 2
        wrong.err += ran.err + ran.out
    inside = await run(tmp_path, "quota", "--base-url", "https://me:hunter2@metron.cloud")
    assert inside.code == 3
    assert "hunter2" not in wrong.err + wrong.out + inside.err
    shown = await run(tmp_path, "get", "issue", "5", "--base-url", url)
    assert TOKEN not in shown.out + shown.err


async def test_nobody_there_is_a_code_of_its_own(tmp_path: Path) -> None:
    ran = await run(tmp_path, "mirror", "comics.db", "series", "--base-url", "http://127.0.0.1:9")
    assert ran.code == 11
    assert one_line(ran.err)
    assert "resume with: metron-async mirror comics.db series" in ran.err


async def test_a_spent_day_says_when_to_come_back(tmp_path: Path) -> None:
    fake = FakeMetron(sustained=5)
    async with fake.serve() as url:
        ran = await run(tmp_path, "mirror", "comics.db", "issues", "--base-url", url)
    assert ran.code == 8
    assert "try again in 2" in ran.err.splitlines()[-1]
    assert fake.throttled == 0


async def test_a_list_that_comes_short_has_its_code(
    fake: FakeMetron, url: str, tmp_path: Path
) -> None:
    fake.faults.add(Fault.recounted(1), times=None)
    ran = await run(tmp_path, "list", "publishers", "--base-url", url)
    assert ran.code == 14
    assert ran.out
    ran = await run(tmp_path, "mirror", "comics.db", "publishers", "--base-url", url)
    assert ran.code == 14
    assert "1 missing" in ran.out


async def test_a_reader_that_has_seen_enough_is_no_error(url: str, tmp_path: Path) -> None:
    process = await start(tmp_path, "list", "issues", "--base-url", url)
    assert process.stdout
    await process.stdout.readline()
    process.stdout._transport.close()  # type: ignore[attr-defined]
    assert process.stderr
    errors = await process.stderr.read()
    await process.wait()
    assert b"Traceback" not in errors
    assert b"Exception" not in errors


# --- Ctrl-C and terminals -------------------------------------------------------------------------


@needs_posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(tmp_path: Path, number: int) -> None:
    fake = FakeMetron(throttle=False)
    fake.latency = 0.2
    async with fake.serve() as url:
        process = await start(tmp_path, "mirror", "comics.db", "issues", "--base-url", url)
        while len(fake.requests) < 4:  # noqa: ASYNC110 - another process makes them
            await asyncio.sleep(0.01)
        process.send_signal(number)
        _, err = await asyncio.wait_for(process.communicate(), 20)
        assert process.returncode == 130
        last = err.decode().splitlines()[-1]
        assert last.endswith(f"resume with: metron-async mirror comics.db issues --base-url {url}")
        assert b"Traceback" not in err
        had = held(tmp_path / "comics.db")
        assert 0 < had < 600
        assert all(asked.status == 200 for asked in fake.requests)  # no connection was broken off
        ran = await run(tmp_path, "mirror", "comics.db", "issues", "--base-url", url)
        assert f"{600 - had} new" in ran.out
        assert "more rows" in ran.err


async def on_a_terminal(folder: Path, *arguments: str, **changes: str) -> tuple[int, str]:
    """Run the command with its standard error on a terminal, and return what that shows."""
    import pty  # noqa: PLC0415 - not on Windows

    leader, follower = pty.openpty()
    process = await start(folder, *arguments, stderr=follower, env=environment(folder, **changes))
    os.close(follower)
    shown = b""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):  # what a terminal gives when the last writer has gone
        while chunk := await loop.run_in_executor(None, os.read, leader, 65536):
            shown += chunk
    os.close(leader)
    await process.communicate()
    assert process.returncode is not None
    return process.returncode, shown.decode(errors="replace")


@needs_posix
async def test_on_a_terminal_there_is_a_bar_with_rate_quota_and_time(tmp_path: Path) -> None:
    pytest.importorskip("rich")
    fake = FakeMetron(throttle=False)
    fake.latency = 0.1
    async with fake.serve() as url:
        code, shown = await on_a_terminal(
            tmp_path, "mirror", "comics.db", "issues", "--base-url", url
        )
    assert code == 0
    for part in ("━", "100%", "rows/min", "quota ", "done "):
        assert part in shown


@needs_posix
async def test_without_rich_there_are_plain_lines(
    tmp_path: Path, fake: FakeMetron, url: str
) -> None:
    (tmp_path / "rich.py").write_text("raise ImportError('not here')\n")
    arguments: Any = ("mirror", "comics.db", "issues", "--base-url", url)
    code, shown = await on_a_terminal(tmp_path, *arguments, PYTHONPATH=str(tmp_path))
    assert code == 0
    assert "━" not in shown
    assert "600 rows" in shown


async def test_the_demo_needs_no_account(tmp_path: Path) -> None:
    ran = await run(tmp_path, "list", "issues", "--limit", "3", "--demo", METRON_TOKEN="")
    assert (ran.code, len(ran.out.splitlines())) == (0, 3)
    ran = await run(tmp_path, "mirror", "demo.db", "series", "--demo", METRON_TOKEN="")
    assert "42 new" in ran.out
