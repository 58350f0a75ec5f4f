"""The four clients behind one interface: the same work, done as each one's users would do it.

* metron_async with its defaults: quota and cache in SQLite files.
* mokkari 5.0.0 with its limiter and its cache. It is synchronous: its users call it from threads.
* hishel 2 on httpx, as a private cache by the rules of HTTP. Who calls it waits after a 429.
* httpx alone, by somebody who waits after a 429 as the server says.

All but metron_async run at most eight requests of one job at a time; that is its own default.
"""

from __future__ import annotations

import asyncio
import functools
import math
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple, Self

import httpx
import msgspec

from metron_async import AsyncMetron, Priority
from metron_async.quota import Rules, SQLiteStore, WindowRules

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
        rules = Rules(
            burst=WindowRules(20, period, 0.05, 0.0, 1),
            doubt=1.5 * period,
            doubt_above=period / 12,
        )
        self.metron = AsyncMetron(
            TOKEN,
            base_url=self.url,
            cache=self.home / "cache.sqlite3",
            quota=SQLiteStore(self.home / "quota.sqlite3", rules=rules),
        )

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
        details = self.metron.issues.iter_details(series_id=series)
        return [Found(issue.id, issue.desc, issue.modified) async for issue in details]

    async def refresh(self, since: str, known: dict[int, Any]) -> list[Found]:
        changed = self.metron.issues.iter_details(modified_gt=datetime.fromisoformat(since))
        found = [Found(issue.id, issue.desc, issue.modified) async for issue in changed]
        return [one for one in found if one.id in known]


class Bare(Contender):
    """httpx alone."""

    name = "httpx"

    def client(self) -> httpx.AsyncClient:
        """Return the client to send with."""
        return httpx.AsyncClient(**self.options())

    def options(self) -> dict[str, Any]:
        """Return what every client of httpx needs here."""
        headers = {"Authorization": f"Bearer {TOKEN}", "User-Agent": "bench/1.0"}
        return {"base_url": self.url, "headers": headers, "timeout": 90.0}

    async def start(self) -> None:
        self.http = self.client()

    async def stop(self) -> None:
        await self.http.aclose()

    async def get(self, path: str, **params: Any) -> Any:
        """Return a JSON body; a 429 is waited out."""
        while True:
            answer = await self.http.get(path, params=params or None)
            if answer.status_code != 429:
                return msgspec.json.decode(answer.raise_for_status().content)
            await asyncio.sleep(float(answer.headers.get("retry-after", 60)))

    async def all_rows(self, path: str, **params: Any) -> list[Any]:
        """Return the rows of all pages."""
        rows: list[Any] = []
        page: Any = await self.get(path, **params)
        while True:
            rows += page["results"]
            if page["next"] is None:
                return rows
            page = await self.get(page["next"])

    async def stream(self) -> int:
        """Walk all issues, page by page, and return how many there are."""
        number, page = 0, await self.get("/api/issue/")
        while True:
            number += len(page["results"])
            if page["next"] is None:
                return number
            page = await self.get(page["next"])

    async def rows(self, path: str, **filters: Any) -> list[Row]:
        found = await self.all_rows(f"/api/{path}/", **plain(filters))
        return [Row(row["id"], row[path]) for row in found]

    async def items(self, number: int) -> list[int]:
        found = await self.all_rows(f"/api/reading_list/{number}/items/")
        return [row["issue"]["id"] for row in found]

    async def issue(self, number: int, *, urgent: bool = False) -> Found:
        del urgent
        issue = await self.get(f"/api/issue/{number}/")
        return Found(issue["id"], issue["desc"], issue["modified"])


class Hishel(Bare):
    """hishel on httpx."""

    name = "hishel"
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed

    def client(self) -> httpx.AsyncClient:
        from hishel import AsyncSqliteStorage  # noqa: PLC0415 - only where it is measured
        from hishel.httpx import AsyncCacheClient  # noqa: PLC0415

        options = self.options()
        options["headers"] |= self.headers
        storage = AsyncSqliteStorage(database_path=self.home / "hishel.db")
        return AsyncCacheClient(**options, storage=storage, rfc={"shared": False})


class HishelAsking(Hishel):
    """hishel, told to ask the server each time."""

    name = "hishel, no-cache"
    headers = {"Cache-Control": "no-cache"}  # noqa: RUF012


class Mokkari(Contender):
    """mokkari in threads."""

    name = "mokkari"
    threads = 64

    async def start(self) -> None:
        import mokkari  # noqa: PLC0415 - only where it is measured
        from mokkari.rate_limit import HeaderPacedRateLimiter  # noqa: PLC0415
        from mokkari.sqlite_cache import SqliteCache  # noqa: PLC0415

        self.session = mokkari.api(
            TOKEN,
            cache=SqliteCache(self.home / "mokkari.db"),
            user_agent="bench/1.0",
            rate_limiter=HeaderPacedRateLimiter(burst_period=self.minute or 60.0),
        )
        self.session.api_url = f"{self.url}/api/{{}}/"
        self.pool = ThreadPoolExecutor(self.threads)

    async def stop(self) -> None:
        self.pool.shutdown(wait=False, cancel_futures=True)

    async def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the session in a thread, again after a 429, which it raises."""
        from mokkari.exceptions import RateLimitError  # noqa: PLC0415

        work = functools.partial(getattr(self.session, method), *arguments)
        while True:
            try:
                return await asyncio.get_running_loop().run_in_executor(self.pool, work)
            except RateLimitError as error:
                await asyncio.sleep(error.retry_after)

    async def rows(self, path: str, **filters: Any) -> list[Row]:
        method = {"issue": "issues_list", "series": "series_list"}[path]
        rows = await self.call(method, plain(filters))
        field = {"issue": "issue_name", "series": "display_name"}[path]
        return [Row(row.id, getattr(row, field)) for row in rows]

    async def items(self, number: int) -> list[int]:
        return [item.issue.id for item in await self.call("reading_list_items", number)]

    async def issue(self, number: int, *, urgent: bool = False) -> Found:
        del urgent
        issue = await self.call("issue", number)
        return Found(issue.id, issue.desc, issue.modified)


class MokkariAsking(Mokkari):
    """mokkari, with if_modified_since for each issue that is known."""

    name = "mokkari, if_modified_since"

    async def _asked(self, known: dict[int, Any], number: int) -> Found | None:
        issue = await self.call("issue", number, known.get(number))
        return issue and Found(issue.id, issue.desc, issue.modified)

    async def walk(self, series: int, known: dict[int, Any]) -> list[Found]:
        rows = await self.rows("issue", series_id=series)
        ask = functools.partial(self._asked, known)
        return await eight_at_a_time(ask, [row.id for row in rows])

    async def refresh(self, since: str, known: dict[int, Any]) -> list[Found]:
        del since
        return await eight_at_a_time(functools.partial(self._asked, known), known)


class MokkariList(MokkariAsking):
    """mokkari, with a list of what has changed, and if_modified_since for what is on it."""

    name = "mokkari, modified_gt"

    async def refresh(self, since: str, known: dict[int, Any]) -> list[Found]:
        rows = await self.rows("issue", modified_gt=since)
        ask = functools.partial(self._asked, known)
        return await eight_at_a_time(ask, [row.id for row in rows if row.id in known])


FOUR: tuple[type[Contender], ...] = (Ours, Mokkari, Hishel, Bare)
