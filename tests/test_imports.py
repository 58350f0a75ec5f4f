"""The shape of the package: imports point one way, stay light, and modules stay small.

The layers stand in one table, ``LAYERS``. A part may import from the layers before its own and
from itself, wherever the import stands: at the top, in a function, or under TYPE_CHECKING.
"""

from __future__ import annotations

import ast
import graphlib
import importlib
import json
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import metron_async

PACKAGE = Path(metron_async.__file__).parent

LAYERS: list[set[str]] = [
    {"errors", "_html", "_lazy", "_noise", "_version"},
    {"types", "enums", "_httpdate", "storage", "_values", "_signature"},
    {"models", "filters"},
    {"cache", "admission"},
    {"_otel"},
    {"_tracers"},
    {"telemetry"},
    {"_engine"},
    {"lists"},
    {"matching"},
    {"resources"},
    {"client"},
    {"mirror"},
    {"__init__"},
    {"cli"},
    {"__main__"},
]
"""Parts of the package (modules and folders), from the ground up."""

TESTING_MAY_IMPORT = {"testing", "_lazy", "errors", "enums", "models"}
"""The fake server is a server: what it knows of clients would be a test agreeing with itself."""

MAY_IMPORT_TESTING = {"cli/demo.py"}
"""Runs the command against the fake server, where somebody asks for that."""

MAY_IMPORT_HTTPX = {
    f"_engine/{name}.py" for name in ("environment", "failures", "httpx2", "network", "transport")
}
MAY_IMPORT_HTTPX |= {"client.py"}

LATER = [
    "starlette",
    "uvicorn",
    "opentelemetry",
    "redis",
    "rich",
    "python_multipart",
    "metron_async.testing",
]
"""What ``import metron_async`` must not bring along: needed by some users, later or never."""

IMPURE = {"aiosqlite", "anyio", "asyncio", "httpx", "logging", "platformdirs", "random", "redis"}
IMPURE |= {"secrets", "socket", "sqlite3", "subprocess", "threading", "time"}
"""What brings clocks, chance and I/O. (Of os and pathlib, the types of paths are harmless.)"""

MODULE_LINES = 250
FUNCTION_LINES = 40
"""Limits for code and comments. Docstrings and signatures are free: nobody should save on those."""

LONG_MODULES: dict[str, str] = {}
"""Modules over the limit, each with the reason why splitting it would not help."""

LONG_FUNCTIONS: dict[str, str] = {}
"""Functions over the limit (``path:name``), each with its reason."""


class Import(NamedTuple):
    """One imported module, and the line that imports it."""

    module: str
    line: int


@cache
def parse(path: str) -> ast.Module:
    return ast.parse((PACKAGE / path).read_text(encoding="utf-8"))


def modules() -> list[str]:
    return sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def dotted(path: str) -> str:
    parts = ["metron_async", *Path(path).with_suffix("").parts]
    return ".".join(part for part in parts if part != "__init__")


def part_of(path: str) -> str:
    return Path(path).parts[0].removesuffix(".py")


def imports_of(path: str) -> list[Import]:
    """Return every import in a module, relative ones made absolute."""
    found = []
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            found += [Import(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                folders = ("metron_async", *Path(path).parent.parts)
                kept = folders[: len(folders) - (node.level - 1)]
                base = ".".join([*kept, base] if base else kept)
            # `from metron_async import cache` names a module in the alias and not in the base.
            found += [Import(f"{base}.{alias.name}", node.lineno) for alias in node.names]
    return found


def imported_parts(path: str) -> list[tuple[str, int]]:
    """Return the parts of this package that a module imports."""
    known = {part_of(name) for name in modules()}
    found = []
    for module, line in imports_of(path):
        package, _, rest = module.partition(".")
        if package == "metron_async":
            part = rest.partition(".")[0]
            found.append((part if part in known else "__init__", line))
    return found


def rank(part: str) -> int:
    return next(number for number, layer in enumerate(LAYERS) if part in layer)


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports for type checkers, and those inside functions, count as well."""
    known = {dotted(path): path for path in modules()}
    graph: dict[str, set[str]] = {}
    for path in modules():
        names = {
            name for each in imports_of(path) for name in (each[0], each[0].rpartition(".")[0])
        }
        # A package's face hands names on, and loads them late.
        found = {known[name] for name in names & known.keys()} - {path}
        graph[path] = {each for each in found if not each.endswith("__init__.py")}
    assert list(graphlib.TopologicalSorter(graph).static_order())


def test_every_part_has_a_layer() -> None:
    parts = {part_of(path) for path in modules()} - {"testing"}
    assert parts <= set().union(*LAYERS)


@pytest.mark.parametrize("path", [path for path in modules() if part_of(path) != "testing"])
def test_imports_point_one_way(path: str) -> None:
    own = part_of(path)
    wrong = [
        f"{path}:{line} imports {part}"
        for part, line in imported_parts(path)
        if (part == "testing" and path not in MAY_IMPORT_TESTING)
        or (part not in {own, "testing"} and rank(part) >= rank(own))
    ]
    assert not wrong


@pytest.mark.parametrize("path", [path for path in modules() if part_of(path) == "testing"])
def test_the_fake_server_knows_no_client(path: str) -> None:
    wrong = [
        f"{path}:{line} imports {part}"
        for part, line in imported_parts(path)
        if part not in TESTING_MAY_IMPORT
    ]
    assert not wrong


def test_only_the_transport_and_the_client_know_httpx() -> None:
    users = {
        path
        for path in modules()
        if part_of(path) != "testing"
        and any(found.module.split(".")[0] in {"httpx", "httpcore"} for found in imports_of(path))
    }
    assert users <= MAY_IMPORT_HTTPX


@pytest.mark.parametrize(
    ("module", "later"),
    [
        ("metron_async", LATER),
        ("metron_async.mirror", ["metron_async.mirror.mirror", "aiosqlite", "httpx"]),
        (
            "metron_async.cli.app",
            ["metron_async.client", "metron_async.mirror.mirror", "metron_async.matching", "httpx"],
        ),
    ],
)
def test_an_import_is_light(module: str, later: list[str]) -> None:
    program = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, check=True, text=True, timeout=60
        ).stdout
    )
    assert module in loaded
    early = [name for name in loaded if any(f"{name}.".startswith(f"{late}.") for late in later)]
    assert not early


@pytest.mark.parametrize("path", [path for path in modules() if not path.endswith("__main__.py")])
def test_public_names_exist(path: str) -> None:
    module = importlib.import_module(dotted(path))
    names = getattr(module, "__all__", [])
    assert sorted(set(names)) == sorted(names)
    assert [name for name in names if not hasattr(module, name)] == []


PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"
PURE: list[str] = tomllib.loads(PYPROJECT.read_text("utf-8"))["tool"]["metron_async"]["pure"]


@pytest.mark.parametrize("pattern", PURE)
def test_what_decides_is_pure(pattern: str) -> None:
    found = sorted(PACKAGE.parent.glob(pattern))
    assert found, "no such module"
    wrong = [
        f"{path.name}:{line} imports {module}"
        for path in found
        for module, line in imports_of(path.relative_to(PACKAGE).as_posix())
        if module.split(".")[0] in IMPURE
    ]
    assert not wrong


def lines_between(first: ast.stmt, last: ast.stmt) -> int:
    return (last.end_lineno or last.lineno) - first.lineno + 1


def docstring_lines(node: ast.AST) -> int:
    """Return how many lines of *node* are docstrings, those below attributes included."""
    return sum(
        lines_between(inner, inner)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Expr)
        and isinstance(inner.value, ast.Constant)
        and isinstance(inner.value.value, str)
    )


def lines_of(path: str) -> int:
    whole = len((PACKAGE / path).read_text(encoding="utf-8").splitlines())
    return whole - docstring_lines(parse(path))


def functions_of(path: str) -> dict[str, int]:
    return {
        f"{path}:{node.name}": lines_between(node.body[0], node.body[-1]) - docstring_lines(node)
        for node in ast.walk(parse(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_modules_are_small() -> None:
    long = {path: lines_of(path) for path in modules() if lines_of(path) > MODULE_LINES}
    assert {path: size for path, size in long.items() if path not in LONG_MODULES} == {}
    assert set(LONG_MODULES) <= set(long), "no longer an exception"


def test_functions_are_small() -> None:
    long = {
        name: size
        for path in modules()
        for name, size in functions_of(path).items()
        if size > FUNCTION_LINES
    }
    assert {name: size for name, size in long.items() if name not in LONG_FUNCTIONS} == {}
    assert set(LONG_FUNCTIONS) <= set(long), "no longer an exception"


@pytest.mark.parametrize(
    ("path", "source", "expected"),
    [
        ("cache/sqlite.py", "from ..storage import x", "metron_async.storage.x"),
        ("cache/sqlite.py", "from . import policy", "metron_async.cache.policy"),
        ("cache/__init__.py", "from .policy import x", "metron_async.cache.policy.x"),
        ("client.py", "from .admission.window import W", "metron_async.admission.window.W"),
        ("client.py", "def f():\n    import httpx", "httpx"),
        ("client.py", "if TYPE_CHECKING:\n    from httpx import URL", "httpx.URL"),
    ],
)
def test_imports_are_found_wherever_they_stand(
    monkeypatch: pytest.MonkeyPatch, path: str, source: str, expected: str
) -> None:
    monkeypatch.setattr(f"{__name__}.parse", lambda _path: ast.parse(source))
    assert [found.module for found in imports_of(path)] == [expected]
