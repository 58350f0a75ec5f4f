"""The command line survives its surroundings: encodings, pipes, terminals, words in any order."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
import json
import os
import re
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from support.command import environment, run, start
from support.systems import needs_posix

from metron_async.cli import output
from metron_async.cli.app import main
from metron_async.cli.doctor import _address
from metron_async.cli.parser import make_parser
from metron_async.errors import RequestTimeoutError
from metron_async.testing import FakeMetron, Fault

if TYPE_CHECKING:
    from pathlib import Path

DEMO = {"METRON_TOKEN": ""}


# --- encodings ------------------------------------------------------------------------------------


async def raw(folder: Path, *arguments: str, encoding: str) -> tuple[int | None, bytes, bytes]:
    env = environment(folder, PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    process = await start(folder, *arguments, "--demo", env=env)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, out, err


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "ascii", "utf-8"])
async def test_rows_are_printed_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    code, out, err = await raw(tmp_path, "list", "series", encoding=encoding)
    assert (code, err) == (0, b"")
    assert len(out.decode(encoding).splitlines()) == 42


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-16", "utf-8"])
async def test_json_is_utf_8_or_escaped(tmp_path: Path, encoding: str) -> None:
    code, out, _ = await raw(tmp_path, "list", "series", "--json", encoding=encoding)
    assert code == 0
    text = out.decode(encoding)
    rows = [json.loads(line) for line in text.splitlines()]
    assert any("é" in row["display_name"] for row in rows)
    assert text.isascii() == (encoding != "utf-8")
    code, out, _ = await raw(tmp_path, "get", "issue", "5", "--json", encoding=encoding)
    assert json.loads(out.decode(encoding))["story_titles"]


def test_characters_beyond_sixteen_bits_are_escaped_as_json_has_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", stream)
    output.print_json({"é": "\N{GRINNING FACE}\u2028"}, indent=0)
    written = stream.buffer.getvalue()  # type: ignore[attr-defined]
    assert written == b'{"\\u00e9":"\\ud83d\\ude00\\u2028"}\n'
    assert json.loads(written) == {"é": "\N{GRINNING FACE}\u2028"}


# --- streams --------------------------------------------------------------------------------------


async def shell(folder: Path, script: str) -> tuple[int | None, str, str]:
    env = environment(folder, METRON_TOKEN="", PY=sys.executable)
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", script, env=env, cwd=str(folder), stdout=-1, stderr=-1
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, out.decode(), err.decode()


@needs_posix
async def test_a_reader_that_leaves_early_is_a_success(tmp_path: Path) -> None:
    script = 'set -o pipefail; "$PY" -m metron_async list issues --demo | head -n 1'
    code, out, err = await shell(tmp_path, script)
    assert (code, len(out.splitlines()), err) == (0, 1, "")


@needs_posix
@pytest.mark.parametrize("command", ["quota --demo", "get issue 5 --demo", "--help", ""])
async def test_a_closed_standard_output_is_one_line_and_code_1(
    tmp_path: Path, command: str
) -> None:
    code, _, err = await shell(tmp_path, f'"$PY" -m metron_async {command} >&-')
    assert (code, err) == (1, "metron-async: the standard output is closed\n")


@needs_posix
async def test_a_closed_standard_error_changes_nothing(tmp_path: Path) -> None:
    code, out, _ = await shell(tmp_path, '"$PY" -m metron_async mirror x.db series --demo 2>&-')
    assert (code, "42 new" in out) == (0, True)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
async def test_a_full_disk_is_one_line_and_code_1(tmp_path: Path) -> None:
    code, _, err = await shell(tmp_path, '"$PY" -m metron_async quota --demo >/dev/full')
    assert (code, err.count("\n")) == (1, 1)
    assert "No space left" in err


# --- terminals ------------------------------------------------------------------------------------


async def on_a_terminal(
    folder: Path, *arguments: str, columns: int = 150, interrupt: bool = False
) -> tuple[int | None, str]:
    """Run the command on a terminal, and return its exit code and what it has written there."""
    import fcntl  # noqa: PLC0415 - not on Windows
    import pty  # noqa: PLC0415
    import struct  # noqa: PLC0415
    import termios  # noqa: PLC0415

    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = environment(folder, COLUMNS=str(columns))
    process = await start(folder, *arguments, stderr=follower, env=env)
    os.close(follower)
    shown = b""
    loop = asyncio.get_running_loop()
    try:
        while chunk := await loop.run_in_executor(None, os.read, leader, 65536):
            shown += chunk
            if interrupt and b"%" in shown.replace(b" 0%", b""):
                interrupt = False
                process.send_signal(signal.SIGINT)
    except OSError:  # a terminal's way to say that the last writer has gone
        pass
    os.close(leader)
    await process.communicate()
    return process.returncode, shown.decode(errors="replace")


def screen(shown: str) -> list[str]:
    """Return the lines that a terminal shows in the end."""
    lines, row = [""], 0
    for part in re.split(r"(\x1b\[[0-9;?]*[A-Za-z]|\r|\n)", shown):
        if part == "\n":
            row += 1
            lines += [""] * (row - len(lines) + 1)
        elif part.endswith("A") and part.startswith("\x1b["):
            row = max(0, row - int(part[2:-1] or 1))
        elif part == "\x1b[2K":
            lines[row] = ""
        elif not part.startswith("\x1b") and part not in {"\r", ""}:
            lines[row] += part
    return [line.rstrip() for line in lines if line.strip()]


@needs_posix
@pytest.mark.parametrize("columns", [48, 60, 150])
async def test_the_bar_fits_into_the_terminal(tmp_path: Path, columns: int) -> None:
    pytest.importorskip("rich")
    fake = FakeMetron(throttle=False)
    async with fake.serve() as url:
        arguments = ("mirror", "x.db", "issues", "--details", "--series-id", "1")
        code, shown = await on_a_terminal(tmp_path, *arguments, "--base-url", url, columns=columns)
    assert code == 0
    bars = [line for line in screen(shown) if "%" in line]
    assert len(bars) == 1
    assert "━" in bars[0]
    assert len(bars[0]) <= columns
    assert ("objects/min" in bars[0]) == (columns == 150)


@needs_posix
async def test_ctrl_c_leaves_no_bar_and_one_line(tmp_path: Path) -> None:
    pytest.importorskip("rich")
    fake = FakeMetron(throttle=False)
    fake.latency = 0.2
    async with fake.serve() as url:
        arguments = ("mirror", "x.db", "issues", "--base-url", url)
        code, shown = await on_a_terminal(tmp_path, *arguments, interrupt=True)
    assert code == 130
    lines = screen(shown)
    assert not [line for line in lines if "%" in line]
    assert [line for line in lines if "stopped." in line] == lines[-1:]


# --- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (86_443, "24 h"),
        (86_580, "24 h 3 min"),
        (3 * 86_400 + 7200, "3 d 2 h"),
        (4 * 86_400, "4 d"),
        (-5, "0 s"),
    ],
)
def test_durations_have_two_units(seconds: float, text: str) -> None:
    assert output.duration(seconds) == text


def test_a_time_of_another_day_has_its_date() -> None:
    now = dt.datetime.now().astimezone()
    assert output.clock(now) == f"{now:%H:%M}"
    assert output.clock(now, seconds=True) == f"{now:%H:%M:%S}"
    later = now + dt.timedelta(days=1)
    assert output.clock(later) == f"{later:%d %b %Y %H:%M}"


def test_no_arguments_show_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    shown = capsys.readouterr()
    assert "usage: metron-async" in shown.err
    assert "mirror" in shown.err
    assert shown.out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--demo", "mirror", "x.db", "series"],
        ["mirror", "--demo", "x.db", "series"],
        ["mirror", "x.db", "--demo", "series"],
        ["mirror", "x.db", "series", "--demo"],
        ["list", "--demo", "roles"],
        ["get", "--demo", "issue", "5"],
        ["get", "issue", "--demo", "5"],
        ["get", "issue", "5", "--demo"],
        ["doctor", "--demo"],
    ],
)
def test_demo_stands_anywhere(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 0


async def test_the_demo_needs_no_extra(tmp_path: Path) -> None:
    for name in ("starlette", "uvicorn", "python_multipart", "multipart", "rich"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('not here')\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    for arguments in (
        ["quota"],
        ["get", "issue", "5"],
        ["list", "roles"],
        ["mirror", "x.db", "series"],
        ["doctor"],
    ):
        ran = await run(tmp_path, *arguments, "--demo", PYTHONPATH=path, METRON_TOKEN="")
        assert (ran.code, "Traceback" in ran.err) == (0, False), ran.err


def test_lists_are_called_by_what_they_hold(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["list", "--help"])
    assert "the series that the account follows" in capsys.readouterr().out


def test_credits_are_shown_with_their_roles(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["get", "issue", "5", "--demo"]) == 0
    assert "Maren Eriksen (Inker), " in capsys.readouterr().out


# --- mirror --json, doctor, cache -----------------------------------------------------------------


def test_the_report_and_the_plan_of_a_mirror_as_json(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    arguments = ["mirror", str(tmp_path / "x.db"), "series", "--demo", "--json"]
    assert main([*arguments, "--plan"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 42
    assert main(arguments) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["added"], report["complete"]) == (42, True)


async def test_doctor_makes_one_request_and_shows_no_secret(tmp_path: Path) -> None:
    fake = FakeMetron(throttle=False)
    async with fake.serve() as url:
        proxy = "http://me:hunter2@127.0.0.1:9"
        ran = await run(tmp_path, "doctor", METRON_BASE_URL=url, https_proxy=proxy)
        assert (ran.code, len(fake.requests)) == (0, 1), ran.err
        for part in (
            "not banned",
            "user:          reader",
            "left:",
            "size:",
            "httpx:",
            "127.0.0.1:9",
        ):
            assert part in ran.out
        assert "hunter2" not in ran.out + ran.err
        assert "reader-token" not in ran.out + ran.err
        wrong = await run(tmp_path, "doctor", "--json", METRON_BASE_URL=url, METRON_TOKEN="hunter2")
    assert wrong.code == 5
    assert json.loads(wrong.out)["address"]["state"].startswith("not banned")
    gone = await run(tmp_path, "doctor", METRON_BASE_URL="http://127.0.0.1:9")
    assert gone.code == 11
    assert "not tested: the server was not reached" in gone.out


async def test_doctor_names_the_file_of_the_token(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    fake = FakeMetron(throttle=False)
    secret.write_text(fake.token, encoding="utf-8")
    async with fake.serve() as url:
        variables = {"METRON_TOKEN": "", "METRON_TOKEN_FILE": str(secret)}
        ran = await run(tmp_path, "doctor", METRON_BASE_URL=url, **variables)
    assert ran.code == 0, ran.err
    assert "credentials:   token from METRON_TOKEN_FILE" in ran.out


async def test_doctor_shows_why_calls_are_refused(tmp_path: Path) -> None:
    fake = FakeMetron(throttle=False)
    fake.faults.add(Fault.status(401), times=None)
    async with fake.serve() as url:
        await run(tmp_path, "get", "issue", "5", METRON_BASE_URL=url)
        ran = await run(tmp_path, "doctor", METRON_BASE_URL=url)
    assert ran.code == 9
    assert "blocked locally" in ran.out
    assert len(fake.requests) == 1


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--resource=issues", "did you mean issue?"),
        ("--older-than=-1", "'-1' is not a number of days"),
        ("--older-than=nan", "'nan' is not a number of days"),
        ("--older-than=1e20", "'1e20' is not a number of days"),
        ("--older-than=old", "'old' is not a number of days"),
    ],
)
def test_a_purge_refuses_what_it_cannot_select(
    option: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["cache", "purge", option])
    assert (left.value.code, said in capsys.readouterr().err) == (2, True)


def test_names_are_understood_with_either_dash() -> None:
    parse = make_parser().parse_args
    assert parse(["get", "reading_list", "1"]).kind == "reading-list"
    assert parse(["cache", "purge", "--resource", "series-type"]).resource == "series_type"


@pytest.mark.parametrize(
    ("sent", "said"),
    [(False, "banned by the server's firewall"), (True, "not known: no response in time")],
)
def test_doctor_suspects_a_ban_where_no_connection_was_made(*, sent: bool, said: str) -> None:
    error = RequestTimeoutError("slow", path="/api/collection/", outcome_unknown=sent)
    assert said in _address(error)


async def test_the_cache_is_shown_and_emptied_without_credentials(tmp_path: Path) -> None:
    fake = FakeMetron(throttle=False)
    async with fake.serve() as url:
        await run(tmp_path, "get", "issue", "5", METRON_BASE_URL=url)
        await run(tmp_path, "get", "series", "1", METRON_BASE_URL=url)
    info = await run(tmp_path, "cache", "info", "--json", **DEMO)
    assert json.loads(info.out)["entries"] == 2
    assert "2 entries, " in (await run(tmp_path, "cache", "info", **DEMO)).out
    assert (await run(tmp_path, "cache", "purge", **DEMO)).code == 2
    gone = await run(tmp_path, "cache", "purge", "--resource", "issue", **DEMO)
    assert (gone.code, "1 entry removed" in gone.out) == (0, True)
    old = await run(tmp_path, "cache", "purge", "--older-than", "3", "--json", **DEMO)
    assert json.loads(old.out)["removed"] == 0
    gone = await run(tmp_path, "cache", "clear", "--json", **DEMO)
    assert json.loads(gone.out)["removed"] == 1
    assert (await run(tmp_path, "cache", "info", "--demo")).code == 18
