"""The eight jobs, done by several processes at once: what a fleet costs beside one process.

Every process does the whole job, at the same moment: as web workers do that are asked the same, or
hosts that run the same nightly script. The quota is lifted, so that all of it is counted. A round
trip takes 50 ms. metron_async shares a directory, or one Redis server; mokkari shares the quota by
its Redis limiter, and its cache file where the processes are on one machine.
"""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.comparison.contenders import TOKEN, Contender, Ours
from benchmarks.comparison.harness import (
    Server,
    add,
    change,
    counts,
    files,
    names,
    one_series,
    reset,
    server,
    spawn,
    week,
)
from benchmarks.comparison.peers import Mokkari
from metron_async import AsyncMetron
from metron_async.cache import Cache, RedisCache, SQLiteCache
from metron_async.cache.sqlite import FILE_NAME
from metron_async.testing import FakeMetron
from tests.support import redis_server

LENGTH, CHANGED = 200, [7, 23, 56, 89, 199]
FILES, USERS, UNSEEN = 30, 50, range(1300, 1400)
OLD, NEW = list(range(5, 1205, 30)), 10
ROUND_TRIP = 0.05


class Place(NamedTuple):
    """Where one process is.

    Attributes:
        url: The API.
        home: Directory of its machine.
        redis: URL of the Redis server, or nothing where processes share the directory only.
        rank: Its number.
        many: How many processes there are.
    """

    url: str
    home: str
    redis: str
    rank: int
    many: int


class OursInFleet(Ours):
    """This package, on the storage that the processes share."""

    place: Place

    async def start(self) -> None:
        shared, path = self.place.redis, self.place.home
        self.cache: Cache = (
            RedisCache(shared, keep_private=True)
            if shared
            else SQLiteCache(Path(path, FILE_NAME), keep_private=True)
        )
        self.metron = AsyncMetron(
            TOKEN, base_url=self.url, storage=shared or path, cache=self.cache
        )

    async def stop(self) -> None:
        await super().stop()
        await self.cache.aclose()


class MokkariInFleet(Mokkari):
    """mokkari, with the limiter that processes share."""

    place: Place

    async def start(self) -> None:
        import redis  # noqa: PLC0415 - only where it is measured
        from mokkari.redis_rate_limit import RedisRateLimiter  # noqa: PLC0415

        await super().start()
        limiter = RedisRateLimiter(redis.Redis.from_url(self.place.redis), "reader")
        self.session.rate_limiter = limiter


# -- the jobs, as one process does them ------------------------------------------------------------


async def walk(client: Contender, place: Place) -> int:
    """Walk a series in full."""
    del place
    return len(await client.walk(1, {}))


async def refresh(client: Contender, place: Place, since: str) -> int:
    """Refresh the issues of that series, which are known."""
    del place
    return len(await client.refresh(since, dict.fromkeys(range(1, LENGTH + 1))))


async def tag(client: Contender, place: Place, wanted: list[tuple[str, int, str]]) -> int:
    """Find each file's issue by series and number, and fetch it in full."""
    del place
    for name, year, number in wanted:
        rows = await client.rows("issue", series_name=name, series_year_began=year, number=number)
        await client.issue(rows[0].id)
    return len(wanted)


async def read(client: Contender, place: Place) -> int:
    """Fetch the items of a reading list, and each issue in full."""
    del place
    return len(await client.issues(await client.items(1)))


async def sync(client: Contender, place: Place, since: str | None) -> int:
    """Ask what has changed, and fetch it."""
    del place
    if since is None:  # yesterday, some of it was looked at
        return len(await client.issues(OLD))
    if isinstance(client, Ours):
        changed = client.metron.issues.iter(modified_gt=datetime.fromisoformat(since))
        return len(await changed.details().collect())
    rows = await client.rows("issue", modified_gt=datetime.fromisoformat(since))
    return len(await client.issues(row.id for row in rows))


async def chat(client: Contender, place: Place, day: date) -> int:
    """Answer this process's part of 100 users who ask at once what is out this week."""
    mine = range(place.rank, 2 * USERS, place.many)
    return len(await asyncio.gather(*(client.rows("issue", store_date=day) for _ in mine)))


async def typeahead(client: Contender, place: Place, words: list[str]) -> int:
    """Search as this process's part of 50 users type; each waits for what was found."""

    async def user(number: int) -> None:
        word = words[number % len(words)].lower()
        for length in range(2, len(word) + 1):
            await client.rows("series", name=word[:length])

    mine = range(place.rank, USERS, place.many)
    await asyncio.gather(*(user(number) for number in mine))
    return len(mine)


async def interactive(client: Contender, place: Place) -> int:
    """Run a bulk job, beside calls that somebody waits for."""
    del place
    urgent = [client.issue(number, urgent=True) for number in UNSEEN[-15:]]
    await asyncio.gather(client.issues(UNSEEN), *urgent)
    return len(UNSEEN)


# -- the processes ---------------------------------------------------------------------------------


def slow(fake: FakeMetron, _scale: float, seconds: float) -> None:
    """Let round trips take as long."""
    fake.latency = seconds


async def serve(pipe: Any, kind: type[Any], place: Place) -> None:
    """Do what the pipe says with one client."""
    contender = kind(place.url, place.home, None)
    contender.place = place
    loop = asyncio.get_running_loop()
    async with contender as client:
        pipe.send(None)
        while (order := await loop.run_in_executor(None, pipe.recv)) is not None:
            job, arguments = order
            pipe.send(await job(client, place, *arguments))


class Fleet:
    """Processes with a client each."""

    def __init__(self, pipes: list[Any]) -> None:
        self._pipes = pipes

    def do(self, job: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Have all processes do *job* at once, and return what they return."""
        for pipe in self._pipes:
            pipe.send((job, arguments))
        return [pipe.recv() for pipe in self._pipes]


@contextmanager
def fleet(kind: type[Any], url: str, redis: str, many: int, hosts: int) -> Iterator[Fleet]:
    """Start *many* processes on *hosts* machines, as far as directories make machines."""
    with ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True)
        home = Path(stack.enter_context(temporary))
        pipes = []
        for rank in range(many):
            own = home / str(rank % hosts)
            own.mkdir(exist_ok=True)
            place = Place(url, str(own), redis, rank, many)
            pipes.append(stack.enter_context(spawn(serve, kind, place)))
        for pipe in pipes:
            pipe.recv()
        yield Fleet(pipes)
        for pipe in pipes:
            pipe.send(None)


def jobs(fake: Server, crew: Fleet) -> dict[str, int]:
    """Do all eight jobs, and return how many requests each cost."""
    found: dict[str, int] = {}

    def counted(name: str, job: Callable[..., Any], *arguments: Any) -> None:
        fake.tell(reset)
        crew.do(job, *arguments)
        found[name] = fake.tell(counts).requests

    fake.tell(one_series, LENGTH)
    day, wanted, words = fake.tell(week), fake.tell(files, FILES), fake.tell(names, 12)
    counted("read", read)
    counted("tag", tag, wanted)
    counted("chat", chat, day)
    counted("typeahead", typeahead, words)
    crew.do(sync, None)
    since = datetime.now(UTC).isoformat()
    fake.tell(change, OLD)
    fake.tell(add, NEW)
    counted("sync", sync, since)
    crew.do(walk)
    since = datetime.now(UTC).isoformat()
    fake.tell(change, CHANGED)
    counted("walk", walk)
    fake.tell(change, CHANGED)
    counted("refresh", refresh, since)
    counted("interactive", interactive)
    return found


def measure() -> list[dict[str, Any]]:
    """Measure one process, four, eight, and two hosts."""
    lines = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as stack:
        redis = stack.enter_context(redis_server.running(Path(folder)))
        for name, kind, shared, many, hosts in (
            ("1 process", OursInFleet, "", 1, 1),
            ("4 processes, one directory", OursInFleet, "", 4, 1),
            ("8 processes, one directory", OursInFleet, "", 8, 1),
            ("8 processes, one Redis", OursInFleet, redis, 8, 1),
            ("2 hosts, one Redis", OursInFleet, redis, 2, 2),
            ("1 process, mokkari", MokkariInFleet, redis, 1, 1),
            ("8 processes, mokkari", MokkariInFleet, redis, 8, 1),
            ("2 hosts, mokkari", MokkariInFleet, redis, 2, 2),
        ):
            flush(redis)
            with server(issues=1500) as fake:
                fake.tell(slow, ROUND_TRIP)
                with fleet(kind, fake.url, shared, many, hosts) as crew:
                    lines.append({"fleet": name, **jobs(fake, crew)})
                print(lines[-1], flush=True)
    return lines


def flush(url: str) -> None:
    """Empty the Redis server."""
    import redis  # noqa: PLC0415

    with redis.Redis.from_url(url) as client:
        client.flushall()
