"""The other three clients: httpx alone, hishel on it, and mokkari in threads."""

import asyncio
import functools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import msgspec

from benchmarks.comparison.contenders import (
    TOKEN,
    Contender,
    Found,
    Ours,
    Row,
    eight_at_a_time,
    plain,
)


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
    """hishel with a request to the server each time."""

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
