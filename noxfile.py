"""Sessions that check this project: ``python -m nox -l`` lists them.

They need only Python and pip. ``tests`` runs the suite once for every supported interpreter on the
machine. ``wheel`` runs it against the built distribution instead of the source tree. Each of the
other sessions checks one thing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
EXTRAS = ",".join(sorted(PROJECT["project"]["optional-dependencies"]))

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|venv"
nox.options.error_on_missing_interpreters = True
nox.options.sessions = ["lint", "types", "tests"]


# --- The interpreters of this machine -------------------------------------------------------------

OLDEST = (3, 11)
PROBE = """
import ctypes, ensurepip, platform, sqlite3, ssl, sys, venv
if sys.version_info.releaselevel == "final" and platform.python_implementation() == "CPython":
    print("%d.%d" % sys.version_info[:2])
"""


def output_of(*command: str) -> str:
    """Return the output of *command*, or an empty string if it fails."""
    try:
        done = subprocess.run(  # noqa: S603 - interpreters and pyenv, found on PATH
            command,
            capture_output=True,
            check=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=20,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


def numbers(version: str) -> tuple[int, ...]:
    """Return "3.12" as (3, 12), for comparisons."""
    return tuple(int(part) for part in version.split("."))


def pyenv_interpreters() -> list[str]:
    """Return the interpreters that pyenv has installed, the newest patch release first."""
    pyenv = shutil.which("pyenv")
    if pyenv is None:
        return []
    bare = output_of(pyenv, "versions", "--bare").split()
    releases = [release for release in bare if re.fullmatch(r"3\.\d+\.\d+", release)]
    releases = [release for release in releases if numbers(release) >= OLDEST]
    releases.sort(key=numbers, reverse=True)
    prefixes = [output_of(pyenv, "prefix", release).strip() for release in releases]
    return [str(Path(prefix, "bin", "python")) for prefix in prefixes if prefix]


def find_interpreters() -> dict[str, str]:
    """Return the path of one working CPython for each supported version, oldest first.

    Each one is started once: pyenv puts shims on PATH for versions that do not start, and Debian
    has a Python without the modules that an environment needs.
    """
    on_path = [
        str(program)
        for folder in os.get_exec_path()
        for program in sorted(Path(folder).glob("python3.*"))
        if re.fullmatch(r"python3\.\d+(\.exe)?", program.name)
    ]
    found: dict[str, str] = {}
    for interpreter in [sys.executable, *on_path, *pyenv_interpreters()]:
        version = output_of(interpreter, "-c", PROBE).strip()
        if version:
            found.setdefault(version, interpreter)
    supported = [version for version in found if numbers(version) >= OLDEST]
    return {version: found[version] for version in sorted(supported, key=numbers)}


INTERPRETERS = find_interpreters()


# --- What the sessions share ----------------------------------------------------------------------

PURE_MODULES = PROJECT["tool"]["metron_async"]["pure"]
TYPED = ["metron_async", "examples", "tests/typing"]
SCHEMAS = {
    "vendor.github-workflows": [str(path) for path in (ROOT / ".github/workflows").glob("*.yml")],
    "vendor.dependabot": [".github/dependabot.yml"],
    "vendor.readthedocs": [".readthedocs.yaml"],
}
PROSE = ["metron_async", "docs", "examples", "tests", "README.md", "CHANGELOG.md", "noxfile.py"]


def install(session: nox.Session, *groups: str, project: str = ".", editable: bool = True) -> None:
    """Install the project with its extras, and dependency groups of pyproject.toml.

    The groups are read here and not by pip, since the pip that comes with Python 3.11 does not
    know them.
    """
    requirements = nox.project.dependency_groups(PROJECT, *groups) if groups else ()
    target = [f"{project}[{EXTRAS}]"]
    session.install(*(["--editable", *target] if editable else target), *requirements)


def install_redis_server(session: nox.Session) -> None:
    """Install a Redis server for the tests that need one, unless the machine has its own."""
    if shutil.which("redis-server") is None:
        session.install(*nox.project.dependency_groups(PROJECT, "redis-server"))


def parallel(session: nox.Session, *arguments: str) -> None:
    """Run the suite with this session's interpreter, in a few processes."""
    processes = ["--numprocesses=auto", "--maxprocesses=4"]
    session.run("python", "-m", "pytest", *processes, *arguments)


def run_tests(session: nox.Session, *arguments: str) -> None:
    """Run the suite, with the session's own arguments."""
    parallel(session, *arguments, *session.posargs)


def lowest_versions() -> list[str]:
    """Return the lowest allowed version of each dependency, as exact requirements."""
    # The SDK of the tests needs the OpenTelemetry API of its own version.
    named = PROJECT["project"]["optional-dependencies"].items()
    extras = [requirements for name, requirements in named if name != "otel"]
    requirements = [
        *PROJECT["project"]["dependencies"],
        *(each for extra in extras for each in extra),
    ]
    return [re.sub(r">=([\w.]+)(,<\w+)?", r"==\1", each) for each in requirements]


# --- The sessions ---------------------------------------------------------------------------------


@nox.session
def nightly(session: nox.Session) -> None:
    """Run the reliability and security tests longer: more days, calls, damage and accounts."""
    install(session, "test")
    install_redis_server(session)
    session.env["METRON_ASYNC_NIGHTLY"] = "1"
    run_tests(session, "tests/reliability", "tests/security", "tests/mirror/test_histories.py")


@nox.session
def demo(session: nox.Session) -> None:
    """Walk a catalogue and print it: no account and no network, unless METRON_TOKEN is set."""
    session.install(f".[{EXTRAS}]")
    session.run("python", "examples/quickstart.py", *session.posargs)


@nox.session(python=False)
def tests(session: nox.Session) -> None:
    """Run the suite once for every supported interpreter that this machine has."""
    session.log("interpreters: %s", ", ".join(f"{v} ({p})" for v, p in INTERPRETERS.items()))
    for version in INTERPRETERS:
        session.notify(f"tests-{version}", posargs=session.posargs)


def tests_on(session: nox.Session) -> None:
    """Run the suite with one interpreter."""
    install(session, "test")
    install_redis_server(session)
    run_tests(session)


for _version, _interpreter in INTERPRETERS.items():
    nox.session(tests_on, name=f"tests-{_version}", python=_interpreter)


@nox.session
def coverage(session: nox.Session) -> None:
    """Measure branch coverage, and hold the pure modules to 100 % and the package to 95 %."""
    install(session, "test")
    install_redis_server(session)
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    session.run("coverage", "combine")
    session.run("coverage", "report", "--skip-covered", "--fail-under=95")
    session.run("coverage", "report", f"--include={','.join(PURE_MODULES)}", "--fail-under=100")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, formatting and spelling."""
    session.install(*nox.project.dependency_groups(PROJECT, "lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("codespell", *PROSE)
    for kind, files in SCHEMAS.items():
        session.run("check-jsonschema", "--builtin-schema", kind, *files)


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of the package, of the examples, and of the public names."""
    install(session, "types", "test", editable=False)
    session.run("mypy", "--strict", *TYPED)
    session.run("pyright", *TYPED)
    session.run("pyright", "--verifytypes", "metron_async", "--ignoreexternal")


@nox.session(python=False)
def drift(session: nox.Session) -> None:
    """Compare a server's schema with the committed one: ``-- URL_OR_FILE``."""
    session.run(sys.executable, "tests/support/drift.py", *session.posargs, external=True)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site into ``site/``; with ``-- serve``, serve it and rebuild it on changes."""
    install(session, "docs")
    session.env["NO_MKDOCS_2_WARNING"] = "1"  # an advertisement for a successor
    if session.posargs == ["serve"]:
        session.run("mkdocs", "serve")
    else:
        session.run("mkdocs", "build", "--strict", "--site-dir", "site", *session.posargs)
        session.run("python", "docs/_ext/check.py", "site")


@nox.session
def zensical(session: nox.Session) -> None:
    """Build the site with Zensical, which is to follow Material for MkDocs after May 2027."""
    install(session, "docs", "zensical")
    session.run("zensical", "build", "--strict", "--config-file", "mkdocs.yml")
    session.run("python", "docs/_ext/check.py", "site")


@nox.session
def examples(session: nox.Session) -> None:
    """Run the example programs against the fake server."""
    install(session, "test")
    install_redis_server(session)
    run_tests(session, "tests/examples")


def lowest_on(session: nox.Session) -> None:
    """Run the suite with the lowest versions that pyproject.toml allows."""
    groups = nox.project.dependency_groups(PROJECT, "test")
    newer = "httpx2"  # only passed in by callers, and needs a newer anyio than this package
    tools = [each for each in groups if not each.startswith(newer)]
    # In one command, so that the tests' tools are of versions that work with the lowest ones.
    session.install("--editable", f".[{EXTRAS}]", *tools, *lowest_versions())
    install_redis_server(session)
    run_tests(session, f"--ignore=tests/engine/test_{newer}.py")


for _version in sorted({"3.11", "3.13"} & set(INTERPRETERS)):
    nox.session(lowest_on, name=f"lowest-{_version}", python=INTERPRETERS[_version])


@nox.session(python=False)
def lowest(session: nox.Session) -> None:
    """Run the suite with the lowest allowed dependencies, on the oldest and a new interpreter."""
    for version in sorted({"3.11", "3.13"} & set(INTERPRETERS)):
        session.notify(f"lowest-{version}")


@nox.session
def wheel(session: nox.Session) -> None:
    """Run the tests of the source distribution against the built wheel.

    ``-- --dist FOLDER`` takes both from that folder instead of building them.
    """
    work = Path(session.create_tmp()).resolve()
    shutil.rmtree(work)
    if session.posargs[:1] == ["--dist"]:
        dist = (ROOT / session.posargs[1]).resolve()
    else:
        dist = work / "dist"
        session.install("build")
        session.run("python", "-m", "build", "--outdir", str(dist), silent=True)
    (built,), (source,) = dist.glob("*.whl"), dist.glob("*.tar.gz")
    install(session, "test", project=str(built), editable=False)
    install_redis_server(session)
    shutil.unpack_archive(source, work / "source")
    (unpacked,) = (work / "source").iterdir()
    shutil.rmtree(unpacked / "metron_async")  # what is tested is what is installed
    session.chdir(unpacked)
    parallel(session)


@nox.session
def frozen(session: nox.Session) -> None:
    """Freeze a program with PyInstaller, and run it away from the source tree."""
    session.install("pyinstaller>=6", f".[{EXTRAS}]")
    work = Path(session.create_tmp()).resolve()
    places = [f"--{name}path={work / name}" for name in ("dist", "work", "spec")]
    program = "tests/support/frozen_program.py"
    session.run("pyinstaller", "--noconfirm", "--log-level=ERROR", *places, program)
    session.chdir(work)
    name = Path(program).stem
    session.run(str(work / "dist" / name / name), external=True)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure this client beside its peers, write benchmarks/results, and check the targets.

    It takes about ten minutes. ``-- --only cost`` measures one part again, ``-- --render`` none.
    """
    install(session, "test", "bench", editable=False)
    session.run("python", "-m", "benchmarks.run", *session.posargs)


@nox.session(name="bench-long")
def bench_long(session: nox.Session) -> None:
    """Measure each part of the client by itself, at full length."""
    install(session, "test", "bench", editable=False)
    for script in sorted((ROOT / "benchmarks" / "components").glob("*.py")):
        if '__name__ == "__main__"' in script.read_text(encoding="utf-8"):
            session.run("python", "-m", f"benchmarks.components.{script.stem}", *session.posargs)
