"""The four clients behind one interface: the same work, done as each one's users would do it.

* metron_async with its defaults: quota and cache in SQLite files.
* mokkari 5.0.0 with its limiter and its cache. It is synchronous: its users call it from threads.
* hishel 2 on httpx, as a private cache by the rules of HTTP. Who calls it waits after a 429.
* httpx alone, by somebody who waits after a 429 as the server says.

All but metron_async run at most eight requests of one job at a time; that is its own default.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple, Self

from msgspec.structs import replace

from metron_async import AsyncMetron, Priority
from metron_async.admission import DEFAULT_RULES, Controller

TOKEN = "reader-token"  # noqa: S105 - it opens FakeMetron
AT_ONCE = 8


class Row(NamedTuple):
    """A row of a list, as far as the work needs it."""

    id: int
    text: str


class Found(NamedTuple):
    """An issue in full, as far as the work needs it."""

    id: int
    desc: str
    modified: Any


class Contender:
    """One client; a context manager."""

    name = ""

    def __init__(self, url: str, home: str, minute: float | None) -> None:
        self.url, self.home, self.minute = url, Path(home), minute

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Open the client."""

    async def stop(self) -> None:
        """Close the client."""

    async def rows(self, path: str, **filters: Any) -> list[Row]:
        """Return all rows of a list."""
        raise NotImplementedError

    async def items(self, number: int) -> list[int]:
        """Return the issues of a reading list."""
        raise NotImplementedError

    async def issue(self, number: int, *, urgent: bool = False) -> Found:
        """Return one issue in full; *urgent* if somebody is waiting for it."""
        raise NotImplementedError

    async def issues(self, ids: Iterable[int]) -> list[Found]:
        """Return many issues in full."""
        return await eight_at_a_time(self.issue, ids)

    async def walk(self, series: int, known: dict[int, Any]) -> list[Found]:
        """Return all issues of a series; of *known* ones ``modified`` is given."""
        del known
        rows = await self.rows("issue", series_id=series)
        return await self.issues(row.id for row in rows)

    async def refresh(self, since: str, known: dict[int, Any]) -> list[Found]:
        """Return those of the *known* issues that have changed."""
        del since
        return await self.issues(known)


async def eight_at_a_time(
    call: Callable[[int], Awaitable[Found | None]], ids: Iterable[int]
) -> list[Found]:
    """Call for each id, a few at once, and return what was found."""
    queue, found = iter(ids), []

    async def work() -> None:
        for number in queue:
            one = await call(number)
            if one is not None:
                found.append(one)

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return found


def plain(filters: dict[str, Any]) -> dict[str, str]:
    """Return filters as text, for clients that do not know dates."""
    return {
        name: value.isoformat() if isinstance(value, date) else str(value)
        for name, value in filters.items()
    }


class Ours(Contender):
    """This package."""

    name = "metron_async"

    async def start(self) -> None:
        period = self.minute or 60.0
        if self.minute:  # the client has no option for a server whose minutes are short
            burst = replace(DEFAULT_RULES.burst, period=period, margin=0.05)
            rules = replace(
                DEFAULT_RULES, burst=burst, stale_after=1.5 * period, stale_above=period / 12
            )
            vars(Controller)["__init__"].__kwdefaults__["rules"] = rules
        self.metron = AsyncMetron(TOKEN, base_url=self.url, storage=self.home)

    async def stop(self) -> None:
        await self.metron.aclose()

    async def rows(self, path: str, **filters: Any) -> list[Row]:
        view = self.metron.with_options(priority=Priority.INTERACTIVE)
        space: Any = {"issue": view.issues, "series": view.series}[path]
        field = {"issue": "issue_name", "series": "display_name"}[path]
        return [Row(row.id, getattr(row, field)) async for row in space.iter(**filters)]

    async def items(self, number: int) -> list[int]:
        return [item.issue.id async for item in self.metron.reading_lists.items(number)]

    async def issue(self, number: int, *, urgent: bool = False) -> Found:
        lane = Priority.INTERACTIVE if urgent else Priority.BULK
        view = self.metron.with_options(priority=lane, max_wait=math.inf)
        issue = await view.issues.get(number)
        return Found(issue.id, issue.desc, issue.modified)

    async def issues(self, ids: Iterable[int]) -> list[Found]:
        found = []
        async for one in self.metron.issues.fetch_many(ids, concurrency=AT_ONCE):
            issue = one.unwrap()
            found.append(Found(issue.id, issue.desc, issue.modified))
        return found

    async def walk(self, series: int, known: dict[int, Any]) -> list[Found]:
        del known
        details = self.metron.issues.iter(series_id=series).details()
        return [Found(issue.id, issue.desc, issue.modified) async for issue in details]

    async def refresh(self, since: str, known: dict[int, Any]) -> list[Found]:
        changed = self.metron.issues.iter(modified_gt=datetime.fromisoformat(since)).details()
        found = [Found(issue.id, issue.desc, issue.modified) async for issue in changed]
        return [one for one in found if one.id in known]
