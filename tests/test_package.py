"""The package as it is shipped: in one file, without extras, and from an sdist."""

from __future__ import annotations

import inspect
import shutil
import subprocess
import sys
import tomllib
import zipapp
from pathlib import Path

import metron_async
import metron_async.cli

PACKAGE = Path(metron_async.__file__).parent
PROJECT = Path(__file__).parents[1] / "pyproject.toml"


def run(*arguments: str | Path, **how: str) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        **how,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_runs_from_a_zip_file(tmp_path: Path) -> None:
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "app" / "metron_async", ignore=ignore)
    zipapp.create_archive(
        tmp_path / "app", tmp_path / "metron.pyz", main="metron_async.cli:main", compressed=True
    )
    rows = run("-I", tmp_path / "metron.pyz", "--demo", "list", "roles", cwd=str(tmp_path))
    assert "Writer" in rows


def test_the_command_is_a_function_and_no_module() -> None:
    assert inspect.isfunction(metron_async.cli.main)
    assert not (PACKAGE / "cli" / "main.py").exists()
    scripts = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["scripts"]
    assert scripts == {"metron-async": "metron_async.cli:main"}


WITHOUT_REDIS = """
import sys
sys.modules["redis"] = None  # as where the extra is not installed
import metron_async.cache, metron_async.storage
from metron_async import AsyncMetron, ConfigurationError
from metron_async.cache import *
from metron_async.storage import *

assert "RedisStorage" in dir(metron_async.storage) and "RedisCache" in dir(metron_async.cache)
for make in (RedisStorage, RedisCache, lambda url: AsyncMetron("t0ken", storage=url)):
    try:
        make("redis://localhost")
    except ConfigurationError as error:
        assert "metron-async[redis]" in str(error), error
    else:
        raise AssertionError(make)
"""


def test_without_the_extra_redis_is_a_hint_and_breaks_nothing_else() -> None:
    run("-c", WITHOUT_REDIS, cwd=str(PACKAGE.parent))
