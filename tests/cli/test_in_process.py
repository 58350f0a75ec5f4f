"""The command in this process, against a fake server of the test's choice."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from metron_async import AsyncMetron
from metron_async.cli import demo
from metron_async.cli.app import main
from metron_async.testing import FakeMetron, Fault

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeMetron:
    fake = FakeMetron(throttle=False)

    def connect(max_wait: float | None) -> AsyncMetron:
        return AsyncMetron(token=fake.token, transport=fake.transport(), max_wait=max_wait)

    monkeypatch.setattr(demo, "demo_client", connect)
    monkeypatch.chdir(tmp_path)
    return fake


def run(*arguments: str) -> int:
    return main([*arguments, "--demo"])


@pytest.mark.parametrize(
    "kind",
    [
        *("arc", "character", "collection", "creator", "imprint", "issue", "publisher"),
        *("reading-list", "series", "team", "universe"),
    ],
)
def test_get(fake: FakeMetron, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    items = fake.accounts["reader"].shelf.items
    number = str(next(iter(items)) if kind == "collection" else 1)
    assert run("get", kind, number) == 0
    assert f"id:                  {number}\n" in capsys.readouterr().out
    assert run("get", kind, number, "--json") == 0
    assert str(json.loads(capsys.readouterr().out)["id"]) == number


@pytest.mark.parametrize(
    "name",
    [
        *("arcs", "characters", "collection", "creators", "imprints", "issues", "publishers"),
        *("pull-list", "reading-lists", "roles", "series", "series-types", "teams", "universes"),
        "wish-list",
    ],
)
@pytest.mark.usefixtures("fake")
def test_list_and_mirror(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert run("list", name, "--limit", "3") == 0
    rows = capsys.readouterr().out.splitlines()
    assert 0 < len(rows) <= 3
    assert all(len(row.split(maxsplit=1)) == 2 for row in rows)
    assert "Struct" not in str(rows)
    assert run("list", name, "--limit", "0") == 0
    assert run("list", name, "--json") == 0
    count = len([json.loads(line) for line in capsys.readouterr().out.splitlines()])
    assert run("mirror", "x.db", name) == 0
    assert f"{count} new" in capsys.readouterr().out


@pytest.mark.usefixtures("fake")
def test_quota(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("quota") == 0
    assert "left" in capsys.readouterr().out
    assert run("quota", "--json") == 0
    assert json.loads(capsys.readouterr().out)["day"]["limit"] == 5000


@pytest.mark.usefixtures("fake")
def test_plan_and_patience(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("mirror", "x.db", "issues", "--plan", "--wait") == 0
    assert capsys.readouterr().out.startswith("issues: 600 rows")


def test_errors(fake: FakeMetron, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", "issues", "--limit", "-1") == 2
    assert run("get", "issue", "99999") == 4
    fake.faults.add(Fault.connect_error(), times=None)
    assert run("mirror", "x.db", "issues") == 11
    assert capsys.readouterr().err.count("\n") == 3
    assert main(["quota", "--base-url", "ftp://nowhere"]) == 3
    with pytest.raises(SystemExit):
        main(["quota", "--token", "hunter2"])
    assert "hunter2" not in capsys.readouterr().err


def test_a_spent_quota_says_when(fake: FakeMetron, capsys: pytest.CaptureFixture[str]) -> None:
    fake.settings.throttle = True
    fake.sustained_limit = 3
    assert run("mirror", "x.db", "issues") == 8
    assert "try again in 2" in capsys.readouterr().err


@pytest.mark.usefixtures("fake")
def test_ctrl_c(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    async def interrupted(*_: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("metron_async.cli.mirror.mirror", interrupted)
    assert run("mirror", "x.db", "issues") == 130
    assert "stopped." in capsys.readouterr().err

    async def cancelled(*_: Any) -> int:
        raise asyncio.CancelledError

    monkeypatch.setattr("metron_async.cli.mirror.mirror", cancelled)
    assert main(["mirror", "a b.db", "issues", "--base-url", "http://127.0.0.1:9"]) in {3, 130}


@pytest.mark.usefixtures("fake")
def test_the_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rich")
    from metron_async.cli import bar, progress  # noqa: PLC0415 - rich is an extra

    def make(plan: Any, *, quiet: bool) -> progress.Progress:
        assert not quiet
        return bar.BarProgress(plan)

    monkeypatch.setattr("metron_async.cli.mirror.make_progress", make)
    monkeypatch.setattr("metron_async.cli.mirror._LOOK_EVERY", 0.001)
    assert run("mirror", "x.db", "issues", "--details", "--series-id", "1") == 0
    assert run("mirror", "x.db", "issues", "--deletions") == 0
    assert "quota" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("list", "issues", "--publisher-nam=marvel"),
            "metron-async list issues: unknown argument --publisher-nam (did you mean --publish",
        ),
        (("list", "issues", "--zzz", "1"), "unknown argument --zzz; see metron-async list issues"),
        (("get", "issue", "1", "2"), "metron-async get: unknown argument 2;"),
        (("--zzz", "quota"), "metron-async: unknown argument --zzz;"),
    ],
)
def test_a_command_knows_its_options(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    complaint = capsys.readouterr().err
    assert said in complaint
    assert "=marvel" not in complaint


@pytest.mark.parametrize("command", [("get", "issue", "1"), ("list", "roles"), ("quota",)])
@pytest.mark.usefixtures("fake")
def test_demo_may_stand_before_the_command(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    assert main(["--demo", *command]) == 0
    assert capsys.readouterr().out


def test_the_demo_client_has_a_server_of_its_own() -> None:
    async def main() -> None:
        async with demo.demo_client(None) as metron:
            assert await metron.issues.iter().count() == 600

    asyncio.run(main())


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["lst"], "did you mean list?"),
        (["list", "issue"], "did you mean issues"),
        (["get", "issuez", "1"], "did you mean issue"),
        (["get", "comic", "1"], "choose from arc, "),
    ],
)
def test_a_wrong_name_is_met_with_the_right_one(
    capsys: pytest.CaptureFixture[str], arguments: list[str], meant: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert meant in said
    assert said.count("\n") == 1


def test_memory_that_was_asked_for_is_no_warning(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METRON_TOKEN", "x")
    monkeypatch.setenv("METRON_BASE_URL", "https://metron.example")
    assert main(["cache", "info", "--storage", ":memory:"]) in {0, 18}
    assert "MetronWarning" not in capsys.readouterr().err
