"""Waits of users: a chat with fifty users, a typeahead, and a call beside a bulk job.

Everything is ten times as fast as in reality: the quota's minute, round trips, typing. The results
are in seconds of reality.
"""

import asyncio
import contextlib
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

from benchmarks.comparison.contenders import Contender
from benchmarks.comparison.harness import MINUTE, SCALE, alone, counts, home, names, server, week
from benchmarks.comparison.timing import NARROW, line

USERS = 50
WAVES = 2
SPAN = 10 * MINUTE
"""How long the bulk job runs."""


def spread(waits: list[float]) -> dict[str, float]:
    """Return median and 95th percentile of waits, in seconds of real life."""
    scaled = [wait * SCALE for wait in waits]
    return {"p50": statistics.median(scaled), "p95": statistics.quantiles(scaled, n=20)[-1]}


async def timed(call: Awaitable[Any]) -> float:
    """Return how long *call* took."""
    began = time.perf_counter()
    await call
    return time.perf_counter() - began


# -- the week's releases ---------------------------------------------------------------------------


async def chat(kind: type[Contender], url: str, home: str, day: date) -> tuple[float, list[float]]:
    """Fifty users ask at once what is out this week; a minute later, fifty others do."""
    waits: list[float] = []
    began = time.perf_counter()
    async with kind(url, home, MINUTE) as client:
        for _ in range(WAVES):
            asked = [timed(client.rows("issue", store_date=day)) for _ in range(USERS)]
            waits += await asyncio.gather(*asked)
            ended = time.perf_counter()
            await asyncio.sleep(MINUTE)
    return ended - began, waits


def chatting(kind: type[Contender]) -> dict[str, Any]:
    """Tell the week's releases to 2 x 50 users."""
    with home() as directory, server(**NARROW) as fake:
        day = fake.tell(week)
        seconds, waits = alone(chat, kind, fake.url, directory, day)
        return line(kind, fake.tell(counts), seconds, **spread(waits))


# -- typeahead -------------------------------------------------------------------------------------


async def type_words(
    kind: type[Contender], url: str, home: str, words: list[str]
) -> tuple[float, list[float], int]:
    """Fifty users type a word each; with each key, the search before it is given up.

    Returns:
        Seconds until the last answer, the waits for the answers to whole words, and how many
        searches were started.
    """
    rng, waits, started = random.Random(3), [], 0
    async with kind(url, home, MINUTE) as client:

        async def user(number: int) -> None:
            nonlocal started
            word = words[number % len(words)].lower()
            await asyncio.sleep(rng.uniform(0, MINUTE))
            search: asyncio.Task[Any] | None = None
            for length in range(2, len(word) + 1):
                if search is not None and not search.done():
                    search.cancel()  # what a web server does when the browser has left
                search = asyncio.ensure_future(client.rows("series", name=word[:length]))
                started += 1
                last = time.perf_counter()
                if length < len(word):
                    await asyncio.sleep(rng.uniform(0.15, 0.4) / SCALE)
            assert search is not None
            await search
            waits.append(time.perf_counter() - last)

        began = time.perf_counter()
        await asyncio.gather(*(user(number) for number in range(USERS)))
        seconds = time.perf_counter() - began
    return seconds, waits, started


def typing(kind: type[Contender]) -> dict[str, Any]:
    """Search as fifty users type."""
    with home() as directory, server(**NARROW) as fake:
        words = fake.tell(names, 12)
        seconds, waits, started = alone(type_words, kind, fake.url, directory, words)
        more = {"searches": started, **spread(waits)}
        return line(kind, fake.tell(counts), seconds, **more)


# -- beside a bulk job -----------------------------------------------------------------------------


async def mixed(kind: type[Contender], url: str, home: str) -> tuple[float, list[float], int]:
    """Fetch issue after issue, and every 40 seconds one that somebody is waiting for."""
    waits: list[float] = []
    fetched = 0
    async with kind(url, home, MINUTE) as client:
        loop = asyncio.get_running_loop()
        ids = iter(range(1, 5000))
        end = loop.time() + SPAN

        async def bulk() -> None:
            nonlocal fetched
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(end):
                    for number in ids:
                        await client.issue(number)
                        fetched += 1

        async def visitor() -> None:
            calls: list[asyncio.Task[float]] = []
            number = 5000
            while loop.time() < end - 30 / SCALE:
                await asyncio.sleep(40 / SCALE)
                number -= 1
                calls.append(asyncio.ensure_future(timed(client.issue(number, urgent=True))))
            waits.extend(await asyncio.gather(*calls))

        began = time.perf_counter()
        await asyncio.gather(visitor(), *(bulk() for _ in range(8)))
        return time.perf_counter() - began, waits, fetched


def interrupting(kind: type[Contender]) -> dict[str, Any]:
    """Make an interactive call every 40 s beside a saturated bulk job, for ten minutes."""
    with home() as directory, server(issues=5000, timed=True) as fake:
        seconds, waits, fetched = alone(mixed, kind, fake.url, directory)
        share = (fetched + len(waits)) / (20 * SPAN / MINUTE)
        return line(kind, fake.tell(counts), seconds, share=share, **spread(waits))


JOBS: dict[str, Callable[[type[Contender]], dict[str, Any]]] = {
    "chat": chatting,
    "typeahead": typing,
    "interactive": interrupting,
}
