"""What the tests of the mirror share: a fake server, a mirror of it, and how to compare the two."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any

from metron_async import AsyncMetron
from metron_async.mirror import SOURCES, Mirror
from metron_async.mirror.tables import table_of
from metron_async.testing import FakeMetron

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path


def fake_metron(issues: int = 600, **settings: Any) -> FakeMetron:
    return FakeMetron(issues, **{"throttle": False, **settings})


def client(fake: FakeMetron, **options: Any) -> AsyncMetron:
    return AsyncMetron(token=fake.token, transport=fake.transport(), **options)


@contextlib.asynccontextmanager
async def mirror_of(fake: FakeMetron, path: Path, **options: Any) -> AsyncGenerator[Mirror]:
    async with client(fake, **options) as metron, Mirror(metron, path) as mirror:
        yield mirror


def query(path: Path, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute(statement, values).fetchall()


def stored(path: Path, name: str) -> dict[int, tuple[Any, ...]]:
    """Return the rows of a table by id; fails on a row that is there twice."""
    table = table_of(name, SOURCES[name].row)
    columns = [f'"{c.name}"' for c in table.columns if not c.generated and c.name != "raw"]
    place = columns.index('"id"')
    rows = query(path, f'SELECT {", ".join(columns)} FROM "{name}"')  # noqa: S608
    found = {row[place]: row for row in rows}
    assert len(found) == len(rows)
    return found


async def served(fake: FakeMetron, name: str, **filters: Any) -> dict[int, tuple[Any, ...]]:
    """Return what the server has, as the table would hold it."""
    table = table_of(name, SOURCES[name].row)
    steady = fake.settings.unstable
    fake.settings.unstable = False
    async with client(fake, cache=None) as metron:
        if name == "wish_list":
            rows: list[Any] = await metron.wish_list.items().collect()
        else:
            rows = await getattr(metron, name).iter(**filters).collect()
    fake.settings.unstable = steady
    return {row.id: table.encode(row) for row in rows}


def pages_asked(fake: FakeMetron, path: str = "/api/issue/") -> list[str]:
    return [asked.query for asked in fake.requests if asked.path == path]
