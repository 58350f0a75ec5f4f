"""Every block of Python or SQL in README.md and in the documentation is executed.

The blocks of a page share one namespace and one event loop, and run from top to bottom, so that a
page can be read, and typed in, as one session of ``python -m asyncio``, where ``await`` may stand
at the top. A block that calls ``asyncio.run`` is a program of its own. Wherever a block would
talk to metron.cloud, it talks to a ``FakeMetron``, fresh for each page.

A block can ask for something with a comment on the line before it, ``<!-- snippet: pytest -->``:

``pytest``
    The block is a test module, and its tests must pass.
``redis``
    The block needs a Redis server; one is started, and takes the place of the URL in the block.

There is no way to ask for a block not to be run.

A block that prints is followed by a block of text with what it prints, where ``...`` stands for
anything.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import doctest
import inspect
import io
import re
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import metron_async
from metron_async.mirror import Mirror
from metron_async.testing import FakeMetron

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SECONDS = 60.0  # for a page

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<code>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
MARKER = re.compile(r"<!-- snippet: (\w+) -->\s*$")
OUTPUT = re.compile(r"\n\n(?P<indent> *)```text\n(?P<output>.*?)^(?P=indent)```$", FENCE.flags)
REDIS_URL = "redis://localhost:6379"


class Block(NamedTuple):
    """One Python block of a page."""

    page: Path
    line: int
    source: str
    asks: str | None
    output: str
    """What it prints, as the page shows it."""

    @property
    def is_program(self) -> bool:
        return "asyncio.run(" in self.source


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(text):
        if match["language"] in {"python", "py", "pycon"}:
            line = text.count("\n", 0, match.start("code"))
            asks = MARKER.search(text[: match.start()])
            source = textwrap.dedent(match["code"])
            shown = OUTPUT.match(text, match.end())
            output = textwrap.dedent(shown["output"]) if shown else ""
            found.append(Block(page, line, source, asks[1] if asks else None, output))
    return found


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


PAGES_WITH_BLOCKS = [page for page in PAGES if blocks_of(page)]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeMetron:
    """A server that every client of this test talks to which was not told of another one."""
    fake = FakeMetron(throttle=False)  # pages run in real time
    fake.add_account("ann", "secret", "ann-token")
    real = metron_async.AsyncMetron

    class Wired(real):
        def __init__(self, **arguments: Any) -> None:
            if not {"transport", "base_url", "http_client"} & set(arguments):
                arguments["transport"] = fake.transport()
            super().__init__(**arguments)

    monkeypatch.setattr(metron_async, "AsyncMetron", Wired)
    monkeypatch.setenv("METRON_TOKEN", fake.token)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return fake


def run_tests(block: Block) -> None:
    """Run a block that is a test module."""
    module = Path(f"test_{block.page.stem}_{block.line}.py")
    module.write_text(block.source, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "metron_async.testing.pytest_plugin",
        "-q",
        "-o",
        "asyncio_mode=auto",
        str(module),
    ]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=SECONDS)
    assert done.returncode == 0, f"{name_of(block.page)}:{block.line}\n{done.stdout}{done.stderr}"


def run_block(block: Block, source: str, namespace: dict[str, Any], runner: asyncio.Runner) -> None:
    """Run a block in *namespace*, and compare what it prints; errors tell the line of the page."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        execute(block, source, namespace, runner)
    want, got = block.output, printed.getvalue()
    if "fetch_many" in source:  # results come as they are ready
        want, got = ("".join(sorted(text.splitlines(keepends=True))) for text in (want, got))
    same = doctest.OutputChecker().check_output(want, got, doctest.ELLIPSIS)
    assert same, f"{name_of(block.page)}:{block.line} prints\n{printed.getvalue()}"


def execute(block: Block, source: str, namespace: dict[str, Any], runner: asyncio.Runner) -> None:
    padded = "\n" * block.line + source
    flags = 0 if block.is_program else ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code = compile(padded, str(block.page), "exec", flags=flags, dont_inherit=True)
    result = eval(code, {"__name__": "__main__"} if block.is_program else namespace)  # noqa: S307
    if inspect.iscoroutine(result):
        runner.run(asyncio.wait_for(result, SECONDS))


@pytest.mark.parametrize("page", PAGES_WITH_BLOCKS, ids=name_of)
@pytest.mark.usefixtures("fake")
def test_snippets_run(page: Path, request: pytest.FixtureRequest) -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with asyncio.Runner() as runner:
        for block in blocks_of(page):
            match block.asks:
                case None:
                    run_block(block, block.source, namespace, runner)
                case "pytest":
                    run_tests(block)
                case "redis":
                    assert REDIS_URL in block.source
                    url = request.getfixturevalue("redis_url")
                    run_block(block, block.source.replace(REDIS_URL, url), namespace, runner)
                case unknown:
                    pytest.fail(f"{name_of(page)}:{block.line}: nobody knows {unknown!r}")


async def test_queries_of_mirrors_select_rows(tmp_path: Path) -> None:
    """They need what the page says of them: mirrors of issues and series."""
    queries = [
        query
        for page in PAGES
        for match in FENCE.finditer(page.read_text(encoding="utf-8"))
        if match["language"] == "sql"
        for query in match["code"].split(";")
        if query.strip()
    ]
    assert queries
    metron = metron_async.AsyncMetron(
        "reader-token", transport=FakeMetron(throttle=False).transport()
    )
    async with metron, Mirror(metron, tmp_path / "comics.db") as mirror:
        await mirror.run("issues")
        await mirror.run("series")
    with contextlib.closing(sqlite3.connect(tmp_path / "comics.db")) as db:
        for query in queries:
            assert db.execute(query).fetchone(), query


def test_every_block_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```python title='a.py'\nx = 1\n```\n\n```text\n2\n```\n\n"
        "!!! note\n\n    ```py\n    x = 2\n    ```\n\n"
        "```console\n$ ls\n```\n\n<!-- snippet: pytest -->\n```python\nx = 3\n```\n",
        encoding="utf-8",
    )
    assert [block[2:] for block in blocks_of(page)] == [
        ("x = 1\n", None, "2\n"),
        ("x = 2\n", None, ""),
        ("x = 3\n", "pytest", ""),
    ]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_block_hides(page: Path) -> None:
    """What looks like Python in another dress would not be executed."""
    text = page.read_text(encoding="utf-8")
    openings = re.findall(r"^ *(?:```|~~~)(.*)$", text, re.MULTILINE)
    languages = {opening.split()[0] for opening in openings if opening.strip()}
    assert languages <= {"python", "console", "text", "toml", "ini", "json", "sql", "yaml"}
    assert "~~~" not in text
