"""The mirror's file: what is refused, what is migrated, what users find in it."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import sqlite3
import stat
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from support.mirrors import fake_metron, mirror_of, query, served, stored
from support.systems import needs_posix

from metron_async.mirror import MirrorBusyError, MirrorFileError, files
from metron_async.mirror.files import SCHEMA_VERSION, open_mirror
from metron_async.mirror.sources import SOURCES
from metron_async.mirror.store import Store
from metron_async.mirror.tables import datetime_text, table_of
from metron_async.mirror.walk import Outcome
from metron_async.models import Issue, IssueSummary

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "comics.db"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def make(path: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE issues (id INTEGER)", "INSERT INTO issues VALUES (1)"],
        ["PRAGMA application_id = 7"],
        ["PRAGMA user_version = 3"],
        ["PRAGMA journal_mode = WAL", "CREATE TABLE mirror_rows (id INTEGER)"],
    ],
)
async def test_a_foreign_database_is_refused_and_left_alone(
    path: Path, statements: list[str]
) -> None:
    make(path, *statements)
    before = digest(path)
    with pytest.raises(MirrorFileError, match="not modified"):
        async with mirror_of(fake_metron(), path):
            pass
    assert digest(path) == before


@pytest.mark.parametrize(
    "content", [b"not a database, but long enough to look at" * 20, b"\0" * 5000]
)
def test_what_is_no_database_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(MirrorFileError, match="not modified"):
        open_mirror(path)
    assert path.read_bytes() == content


def test_a_folder_and_a_place_that_is_not_there_are_refused(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none" / "comics.db"):
        with pytest.raises(MirrorFileError, match="opened"):
            open_mirror(place)


def test_a_newer_version_is_refused_with_its_number(path: Path) -> None:
    open_mirror(path).close()
    make(path, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(MirrorFileError, match=f"newer version .*schema {SCHEMA_VERSION + 1}"):
        open_mirror(path)


def test_an_older_version_is_migrated(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_mirror(path).close()
    monkeypatch.setattr(files, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    steps = {SCHEMA_VERSION: lambda db: db.execute("CREATE TABLE mirror_more (id INTEGER)")}
    monkeypatch.setattr(files, "_MIGRATIONS", steps)
    open_mirror(path).close()
    open_mirror(path).close()
    assert query(path, "SELECT name FROM sqlite_master WHERE name = 'mirror_more'")
    assert query(path, "PRAGMA user_version") == [(SCHEMA_VERSION + 1,)]


def test_a_migration_that_fails_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_mirror(path).close()
    monkeypatch.setattr(files, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    monkeypatch.setattr(files, "_MIGRATIONS", {})
    with pytest.raises(KeyError):
        open_mirror(path)
    assert query(path, "PRAGMA user_version") == [(SCHEMA_VERSION,)]


@needs_posix
def test_the_file_is_for_its_owner(path: Path) -> None:
    open_mirror(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_fields_that_models_gain_become_columns_and_are_asked_for(path: Path) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path) as mirror:
        await mirror.run("issues")
    make(path, "DROP INDEX issues_series_id", "ALTER TABLE issues DROP COLUMN cover_hash")
    async with mirror_of(fake, path) as mirror:
        await mirror.run("issues")
    assert stored(path, "issues") == await served(fake, "issues")
    assert query(path, "SELECT 1 FROM sqlite_master WHERE name = 'issues_series_id'")


async def test_users_can_ask_in_plain_sql(path: Path) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path) as mirror:
        await mirror.run("issues", raw=True)
        await mirror.run("series")
        await mirror.run("issues", details=True, series_id=1)
    wanted = sum(issue.series == 3 for issue in fake.catalogue.tables.issue.values())
    joined = "SELECT count(*) FROM issues i JOIN series s ON s.id = i.series_id WHERE s.id = 3"
    assert query(path, joined) == [(wanted,)]
    assert query(path, "SELECT typeof(price), typeof(series_name) FROM issue_details LIMIT 1") == [
        ("real", "text")
    ]
    assert query(path, "SELECT count(*) FROM issues WHERE datetime(modified) IS NULL") == [(0,)]
    (raw,) = query(path, "SELECT raw FROM issues WHERE id = 2")[0]
    assert msgspec.json.decode(raw, type=IssueSummary).id == 2


async def test_a_table_of_the_users_own_is_left_alone(path: Path) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path) as mirror:
        await mirror.run("series")
        make(path, "CREATE TABLE notes (id INTEGER)", "INSERT INTO notes VALUES (1)")
        await mirror.run("series", deletions=True)
    assert query(path, "SELECT * FROM notes") == [(1,)]


async def test_a_reader_does_not_disturb(path: Path) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path) as mirror:
        await mirror.run("series")
        with contextlib.closing(sqlite3.connect(path)) as db:
            db.execute("BEGIN")
            db.execute("SELECT count(*) FROM series").fetchone()
            assert (await mirror.run("issues")).complete


async def test_a_file_that_is_locked_for_long_says_so(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_BUSY_TIMEOUT", 0.05)
    async with mirror_of(fake_metron(), path) as mirror:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            with pytest.raises(MirrorBusyError, match="locked"):
                await mirror.run("series")
        assert (await mirror.run("series")).complete


async def test_errors_of_the_file_are_the_mirrors(path: Path) -> None:
    async with mirror_of(fake_metron(), path) as mirror:
        await mirror.run("series")
        make(path, "DROP TABLE mirror_rows")
        with pytest.raises(MirrorFileError, match=r"comics\.db: no such table"):
            await mirror.run("series")


async def test_a_mirror_can_be_closed_twice_and_used_again(path: Path) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path) as mirror:
        assert "comics.db" in repr(mirror)
        await mirror.aclose()
        await mirror.aclose()
        assert (await mirror.run("series")).complete


async def test_a_transaction_on_an_outdated_state_is_refused(path: Path) -> None:
    store = await Store.open(path)
    outdated, _ = await store.declare("series", (), details=False, raw=False)
    await store.end(outdated, Outcome(None, watermark=1.0), keep_watermark=False)
    with pytest.raises(MirrorBusyError):
        await store.end(outdated, Outcome(None, watermark=2.0), keep_watermark=False)
    (found,) = await store.selections()
    assert found.watermark == 1.0
    await store.close()


async def test_tables_of_all_models_can_be_made(path: Path) -> None:
    store = await Store.open(path)
    for source in SOURCES.values():
        await store.declare(source.name, (), details=source.detail is not None, raw=False)
    await store.close()
    names = {name for (name,) in query(path, "SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {"issues", "issue_details", "series_details", "wish_list"} <= names


def test_values_are_kept_as_sql_can_compare_them() -> None:
    moment = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.timezone(dt.timedelta(hours=-5)))
    assert datetime_text(moment) == "2026-11-20T17:00:00.000000Z"
    columns: dict[str, Any] = {
        column.name: column.declaration for column in table_of("issue_details", Issue).columns
    }
    assert columns["price"] == '"price" NUMERIC'
    assert columns["store_date"] == '"store_date" TEXT'
    assert columns["average_rating"] == '"average_rating" REAL'
    assert "json_extract" in columns["publisher_id"]
    assert str(Decimal("3.99")) == "3.99"


async def test_a_mirror_of_the_first_version_is_upgraded_and_walked_again(path: Path) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path) as mirror:
        await mirror.run("issues")
    make(path, "ALTER TABLE mirror_rows DROP COLUMN skipped", "PRAGMA user_version = 1")
    async with mirror_of(fake, path) as mirror:
        assert (await mirror.selections())[0].watermark is None
        assert (await mirror.run("issues")).complete
    assert query(path, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    assert stored(path, "issues") == await served(fake, "issues")
