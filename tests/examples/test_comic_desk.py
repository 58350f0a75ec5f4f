"""What both bots know: answers and requests, on virtual time."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from comic_desk import Desk, apology, best_match

from metron_async import (
    AsyncMetron,
    MetronError,
    NotFoundError,
    Priority,
    RateLimitError,
    ServerError,
)
from metron_async.models import SeriesSummary
from metron_async.testing import FakeMetron, run_virtual

if TYPE_CHECKING:
    from collections.abc import Callable


def at_desk(fake: FakeMetron, script: Callable[[Desk, AsyncMetron], Any]) -> Any:
    async def main() -> Any:
        async with AsyncMetron(token=fake.token, transport=fake.transport()) as metron:
            return await script(Desk(metron), metron)

    return run_virtual(main())


def row(number: int, name: str, year: int) -> SeriesSummary:
    return SeriesSummary(
        id=number,
        display_name=name,
        year_began=year,
        volume=1,
        issue_count=1,
        modified=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("wolf", 3),
        ("Wolf (1990)", 2),
        ("lost", 1),
        ("  WÖLF ", 3),
        ("something else", 3),  # the server had its reasons; the newest of them
    ],
)
def test_the_best_match(words: str, expected: int) -> None:
    rows = [
        row(1, "Lost Wolf (2000)", 2000),
        row(2, "Wolf (1990)", 1990),
        row(3, "Wolf (2020) TPB", 2020),
        row(4, "Wolf Pack (2019)", 2019),
    ]
    best = best_match(words, rows)
    assert best is not None
    assert best.id == expected
    assert best_match(words, []) is None


def test_turning_pages_costs_one_request_for_a_hundred_issues() -> None:
    fake = FakeMetron()
    for number in range(12, 131):
        fake.add_issue(8, str(number))

    async def script(desk: Desk, metron: AsyncMetron) -> None:
        found = await desk.find("amazing phantom")
        assert found is not None
        titles = []
        for position in range(1, 101):
            card = await desk.card(found.id, position)
            assert card is not None
            titles.append(card.title)
            await asyncio.sleep(5)  # people read; lists are fresh for two minutes only
        assert titles[0] == "Amazing Phantom (1968) #1"
        assert len(set(titles)) == 100
        assert metron.stats.requests == 2
        last = await desk.card(found.id, 0)  # turned back from the first
        assert last is not None
        assert (last.position, last.total) == (130, 130)
        assert last.title not in titles
        first = await desk.card(found.id, 131)
        assert first is not None
        assert first.position == 1
        assert metron.stats.requests == 3

    at_desk(fake, script)


def test_nothing_is_found() -> None:
    fake = FakeMetron()

    async def script(desk: Desk, _: AsyncMetron) -> None:
        assert await desk.find("xqz") is None
        assert await desk.card(999_999) is None

    at_desk(fake, script)


def test_fifty_people_ask_the_same_at_once() -> None:
    fake = FakeMetron()
    fake.latency = 0.3

    async def script(desk: Desk, metron: AsyncMetron) -> None:
        found = await asyncio.gather(*(desk.find("wolf") for _ in range(50)))
        assert {series.display_name for series in found if series} == {"Café Wolf (2026)"}
        assert metron.stats.requests == 1

    at_desk(fake, script)


def test_the_week_in_order() -> None:
    fake = FakeMetron()
    monday = dt.date(2026, 3, 2)
    fake.add_issue(1, "99", store_date=monday + dt.timedelta(days=6))
    fake.add_issue(1, "98", store_date=monday)
    fake.add_issue(1, "97", store_date=monday + dt.timedelta(days=7))

    async def script(desk: Desk, metron: AsyncMetron) -> None:
        week = await desk.week(monday + dt.timedelta(days=3))
        assert week.title == "Comics of the week from 02 March 2026"
        assert week.lines[0] == "Mon Uncanny Machine: Machine (2026) #98"
        assert week.lines[-1] == "Sun Uncanny Machine: Machine (2026) #99"
        await desk.week(monday)  # somebody else asks
        assert metron.stats.requests == 1
        await desk.week(monday, asked=False)
        assert metron.stats.requests == 2
        await asyncio.sleep(601)
        await desk.week(monday)
        assert metron.stats.requests == 3
        nothing = await desk.week(dt.date(1950, 1, 1))
        assert nothing.lines == ["Nothing on the pull list comes out this week."]

    at_desk(fake, script)


def test_commands_overtake_the_weekly_post() -> None:
    fake = FakeMetron()
    fake.latency = 0.1

    async def script(desk: Desk, metron: AsyncMetron) -> None:
        clock = asyncio.get_running_loop().time
        bulk = metron.with_options(priority=Priority.BULK)

        async def job() -> None:
            async for _ in bulk.issues.fetch_many(range(1, 300)):
                pass

        working = asyncio.create_task(job())
        await asyncio.sleep(120)
        waits = []
        for number in range(10):
            began = clock()
            await desk.find(f"wolf {number}")
            waits.append(clock() - began)
            await asyncio.sleep(20)
        working.cancel()
        assert max(waits) < 3

    at_desk(fake, script)
    assert fake.throttled == 0


def test_too_many_questions_are_refused_and_not_queued_for_ever() -> None:
    fake = FakeMetron()

    async def script(desk: Desk, _: AsyncMetron) -> list[Any]:
        return await asyncio.gather(
            *(desk.find(f"word {number}") for number in range(30)), return_exceptions=True
        )

    answers = at_desk(fake, script)
    refused = [answer for answer in answers if isinstance(answer, MetronError)]
    assert len(refused) == 10
    assert all(apology(error).startswith("Too many requests") for error in refused)
    assert (len(fake.requests), fake.throttled) == (20, 0)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RateLimitError("x", scope="burst", retry_after=0.1), "in 1 s"),
        (ServerError("x"), "later"),
        (NotFoundError("x"), "will not help"),
    ],
)
def test_apologies(error: MetronError, words: str) -> None:
    assert words in apology(error)
