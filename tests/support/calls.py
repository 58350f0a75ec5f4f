"""One call of every kind, and what is true of its value: what the tests of trouble run."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any

from metron_async.models import ArcInput, CreditInput, IssueInput

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from metron_async import AsyncMetron
    from metron_async.testing import FakeMetron

LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
NEVER = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
ISSUE = 7
WANTED = (3, 4, 5, 6, 8)
SIZE = 130  # issues of the fake's catalogue: two pages, and quickly made
OWN = 125  # an issue that is in no collection yet
KEPT = 131  # the item that :func:`furnish` gives the editor; the reader has 130


@dataclasses.dataclass(frozen=True)
class Read:
    """A read: its value is what a client without cache and without trouble gets."""

    name: str
    run: Callable[[AsyncMetron], Awaitable[Any]]
    requests: int = 1  # the least it sends
    warm: bool = False  # made once before the trouble begins, so that there is something to serve


@dataclasses.dataclass(frozen=True)
class Write:
    """A write, and a count at the server that it moves by one.

    Attributes:
        count: Tells the server's side of it.
        then: A read which shows what was written, made before as well, so that it is cached.
    """

    name: str
    run: Callable[[AsyncMetron], Awaitable[Any]]
    count: Callable[[FakeMetron], int]
    then: Callable[[AsyncMetron], Awaitable[Any]]
    bodiless: bool = False


async def _details(metron: AsyncMetron) -> Any:
    return await metron.publishers.iter().details().collect()


async def _many(metron: AsyncMetron) -> Any:
    found = [got async for got in metron.issues.fetch_many(WANTED, on_error="raise")]
    return sorted((got.id, got.value) for got in found)


async def _stale_details(metron: AsyncMetron) -> Any:
    return await metron.with_options(fresh_for=0).issues.get(ISSUE)


READS = (
    Read("get", lambda m: m.issues.get(ISSUE)),
    Read("get anew", _stale_details, warm=True),
    Read("get private", lambda m: m.collection.get(KEPT)),
    Read("get_if_modified", lambda m: m.issues.get_if_modified(ISSUE, LONG_AGO)),
    Read("get_if_modified, unchanged", lambda m: m.issues.get_if_modified(ISSUE, NEVER)),
    Read("page", lambda m: m.issues.iter().page(2)),
    Read("collect", lambda m: m.issues.iter().collect(strict=True), requests=2),
    Read("issue list", lambda m: m.series.issues(1).collect(strict=True)),
    Read("details", _details, requests=13),
    Read("fetch_many", _many, requests=5),
)

# Each edit must be different, or two could not be distinguished from one.
_counters = {"edit": 0}


async def _edit(metron: AsyncMetron) -> Any:
    _counters["edit"] += 1
    return await metron.issues.update(ISSUE, IssueInput(desc=f"edit {_counters['edit']}"))


def _edits(fake: FakeMetron) -> int:
    return sum(
        asked.method == "PATCH" and asked.account is not None and asked.status in {0, 200}
        for asked in fake.requests
    )


def _items(fake: FakeMetron) -> int:
    return len(fake.accounts["editor"].shelf.items)


def _reads(fake: FakeMetron) -> int:
    return sum(len(item.reads) for item in fake.accounts["editor"].shelf.items.values())


WRITES = (
    Write(
        "create, a form",
        lambda m: m.arcs.create(ArcInput(name="A new arc")),
        lambda fake: len(fake.catalogue.tables.arc),
        lambda m: m.with_options(refresh=True).arcs.iter(name="A new arc").collect(),
    ),
    Write("update, JSON", _edit, _edits, lambda m: m.issues.get(ISSUE)),
    Write(
        "create, an array",
        lambda m: m.credits.create([CreditInput(issue=ISSUE, creator=1, role=[1])]),
        lambda fake: sum(
            asked.path == "/api/credit/" and asked.status in {0, 201} and asked.account is not None
            for asked in fake.requests
        ),
        lambda m: m.issues.get(ISSUE),
    ),
    Write(
        "add",
        lambda m: m.collection.add(OWN),
        _items,
        lambda m: m.collection.iter().collect(),
    ),
    Write(
        "scrobble",
        lambda m: m.collection.scrobble(OWN - 1),
        _reads,
        lambda m: m.collection.iter().collect(),
    ),
    Write(
        "remove",
        lambda m: m.collection.remove(KEPT),
        lambda fake: -_items(fake),
        lambda m: m.collection.iter().collect(),
        bodiless=True,
    ),
)


async def furnish(metron: AsyncMetron) -> None:
    """Give the editor one item, to be removed."""
    item, _ = await metron.collection.add(1)
    assert item.id == KEPT


def plain(value: Any) -> Any:
    """Return *value* without the parts that may differ between two equal responses."""
    if type(value).__name__ == "Page":
        return [value.number, value.rows, value.count, value.has_next]
    return value
