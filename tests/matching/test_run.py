"""Many queries: order, cost, errors of one and of all, resuming, and cancellation."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from support.match_corpus import Shop, match_all, source_of
from support.match_rows import full, row
from support.virtual import virtual

from metron_async import (
    AsyncMetron,
    MetronError,
    NotFoundError,
    RateLimitError,
    ServerError,
    UsageError,
)
from metron_async.matching.client import ClientSource
from metron_async.matching.query import IssueQuery
from metron_async.matching.run import MatchRun
from metron_async.matching.source import Chunk, Got, Listing, Meter
from metron_async.testing import FakeMetron, Fault

NOT_FOUND = NotFoundError("Not found.", status=404)
BROKEN = ServerError("Broken.", status=500)


class Script:
    """A source whose series have ten issues each, and which fails as it is told."""

    def __init__(self, fail=None):
        self.asked = []
        self.fail = fail or (lambda what: None)
        self.running = self.most = 0

    async def _enter(self, what):
        self.asked.append(what)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(1)
        finally:
            self.running -= 1
        if error := self.fail(what):
            raise error

    async def issue(self, number):
        await self._enter(("issue", number))
        return Got(full(id=number), 1)

    async def series(self, number):
        await self._enter(("series", number))
        raise NOT_FOUND

    async def issue_page(self, filters, page):
        await self._enter(("issues", dict(filters), page))
        name = filters.get("series_name", "Wolf").title()
        number = filters.get("number", "3")
        return Chunk([row(name, number, id=len(name) * 100 + int(number))], 1, 1)

    async def series_page(self, filters, page):
        raise AssertionError(filters)


def queries(*names, number="3"):
    return [IssueQuery(series=name, number=number) for name in names]


NAMES = ("Alpha", "Bravoo", "Charlie", "Deltaaaa", "Echoooooo")


def test_matches_have_their_places_and_come_as_they_are_known():
    script = Script()
    matches = virtual(MatchRun(script, queries(*NAMES), concurrency=2).collect())
    assert [match.issue.series.name for match in matches] == list(NAMES)
    assert [match.index for match in matches] == [0, 1, 2, 3, 4]
    assert script.most == 2


def test_nothing_is_sent_before_it_is_iterated():
    script = Script()
    run = MatchRun(script, queries(*NAMES))
    assert len(run) == 5
    assert run.plan().requests == 5
    assert run.state.done == 0
    assert repr(run) == "<MatchRun: 0 of 5 queries done>"
    assert script.asked == []


def test_progress_is_reported():
    seen = []
    run = MatchRun(Script(), queries(*NAMES), progress=seen.append)
    virtual(run.collect())
    assert [state.done for state in seen] == [1, 2, 3, 4, 5]
    assert seen[-1] == run.state
    assert run.state.decided == run.state.total == run.state.requests == 5


@pytest.mark.parametrize(("on_error", "kept"), [("yield", 5), ("skip", 4)])
def test_an_error_of_one_query_is_its_own(on_error, kept):
    script = Script(lambda what: BROKEN if "charlie" in str(what) else None)
    run = MatchRun(script, queries(*NAMES), on_error=on_error)
    matches = virtual(run.collect())
    assert len(matches) == kept
    failed = [match for match in matches if match.error]
    assert [match.query.series for match in failed] == (["Charlie"] if on_error == "yield" else [])
    assert all(match.why == str(BROKEN) and not match for match in failed)
    assert run.state.failed == 1


def test_an_error_can_end_the_run():
    script = Script(lambda what: BROKEN if "bravoo" in str(what) else None)
    with pytest.raises(ServerError):
        virtual(MatchRun(script, queries(*NAMES), on_error="raise").collect())


def test_a_spent_quota_ends_the_run_and_it_goes_on_where_it_stopped():
    spent = [True]

    def fail(what):
        if "deltaaaa" in str(what) and spent:
            return RateLimitError("spent", scope="sustained", retry_after=60)
        return None

    script = Script(fail)
    run = MatchRun(script, queries(*NAMES), concurrency=1)

    async def main():
        got = []

        async def consume():
            async for match in run:
                got.append(match.index)  # noqa: PERF401 - what came before an error counts

        with pytest.raises(RateLimitError):
            await consume()
        assert got == [0, 1, 2]
        spent.clear()
        script.asked.clear()
        await consume()
        assert got == [0, 1, 2, 3, 4]
        assert len(script.asked) == 2
        assert [match async for match in run] == []

    virtual(main())


def test_leaving_the_loop_stops_the_work_and_it_can_be_taken_up_again():
    script = Script()
    run = MatchRun(script, queries(*NAMES), concurrency=2)

    async def main():
        matches = aiter(run)
        first = await anext(matches)
        await matches.aclose()
        asked = len(script.asked)
        await asyncio.sleep(10)
        assert len(script.asked) == asked
        rest = [match.index async for match in run]
        assert sorted([first.index, *rest]) == [0, 1, 2, 3, 4]

    virtual(main())


def test_cancelling_leaves_no_task_behind():
    run = MatchRun(Script(), queries(*NAMES))

    async def main():
        task = asyncio.ensure_future(run.collect())
        await asyncio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    virtual(main())  # fails if a task is left


def test_two_loops_at_once_are_refused():
    run = MatchRun(Script(), queries(*NAMES))

    async def main():
        first = asyncio.ensure_future(anext(aiter(run)))
        await asyncio.sleep(0.5)
        with pytest.raises(UsageError, match="iterated already"):
            await run.first()
        await first

    virtual(main())


def test_a_loop_that_was_left_hands_over_to_the_next():
    run = MatchRun(Script(), queries(*NAMES), concurrency=1)

    async def main():
        async with contextlib.aclosing(aiter(run)) as left:
            first = await anext(left)
            rest = [match.index async for match in run]
            assert sorted([first.index, *rest]) == [0, 1, 2, 3, 4]
            with pytest.raises(UsageError, match="iterated already"):
                await anext(left)

    virtual(main())


@pytest.mark.parametrize("moment", [tenth / 10 for tenth in range(60)])
def test_leaving_at_any_moment_leaves_nothing_behind(moment):
    script = Script()
    run = MatchRun(script, queries(*NAMES), concurrency=2, details=True)

    async def main():
        found = []

        async def consume():
            async for match in run:
                found.append(match.index)
                await asyncio.sleep(0.3)

        task = asyncio.ensure_future(consume())
        await asyncio.sleep(moment)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(10)
        assert script.running == 0
        found += [match.index async for match in run]
        assert sorted(set(found)) == [0, 1, 2, 3, 4]

    virtual(main())


@pytest.mark.parametrize(
    "options", [{"concurrency": 0}, {"concurrency": True}, {"on_error": "ignore"}]
)
def test_wrong_options_are_refused(options):
    with pytest.raises(UsageError, match="must be"):
        MatchRun(Script(), queries(*NAMES), **options)


def test_what_is_not_a_query_is_refused():
    with pytest.raises(UsageError, match="must be IssueQuery objects, got 'Wolf'"):
        MatchRun(Script(), ["Wolf"])


def test_a_server_that_is_down_ends_the_run_soon():
    script = Script(lambda what: BROKEN)
    run = MatchRun(script, [IssueQuery(series=f"Wolf {n}", number="3") for n in range(300)])

    async def main():
        got = []
        with pytest.raises(ServerError):
            got += [match async for match in run]
        assert len(script.asked) < 20

    virtual(main())


@pytest.mark.parametrize("fault", [Fault.html_page, Fault.connect_error, lambda: Fault.status(503)])
def test_what_ends_fetch_many_ends_matching(fault):
    fake = FakeMetron(100)
    fake.faults.add(fault(), times=None)

    async def main():
        async with AsyncMetron(token=fake.token, transport=fake.transport(), retries=0) as metron:
            run = metron.issues.match_many([IssueQuery(metron_id=n) for n in range(1, 61)])
            with pytest.raises(MetronError):
                await run.collect()

    virtual(main())
    assert len(fake.requests) <= 10


def test_details_come_for_what_is_decided_alone():
    script = Script(lambda what: NOT_FOUND if what == ("issue", 603) else None)
    some = [*queries("Alpha", "Bravoo"), IssueQuery(series="Nothing", number="9", year=1990)]
    matches = virtual(MatchRun(script, some, details=True).collect())
    assert matches[0].detail.id == matches[0].issue.id
    assert matches[1].issue is not None
    assert isinstance(matches[1].error, NotFoundError)
    assert matches[2].detail is None
    assert [what for what in script.asked if what[0] == "issue"] == [("issue", 503), ("issue", 603)]


def test_cached_lists_cost_nothing():
    shop = Shop(issues=100)
    shop.run_of("Lone Wolf", 1966, range(1, 13))
    wanted = [IssueQuery(series="Lone Wolf", number=str(n)) for n in range(1, 11)]

    async def main():
        async with AsyncMetron(token=shop.fake.token, transport=shop.fake.transport()) as metron:
            source = ClientSource(metron.issues, metron.series, metron.origin_of)
            first = await MatchRun(source, wanted).collect()
            again = await MatchRun(source, wanted).collect()
        assert sum(match.requests for match in first) == len(shop.fake.requests) == 2
        assert sum(match.requests for match in again) == 0
        assert all(first)
        assert all(again)

    virtual(main())


def test_a_long_series_is_asked_by_number_for_few_files():
    shop = Shop(issues=100)
    shop.run_of("Ancient Tales", 1940, range(1, 901))
    wanted = [IssueQuery(series="Ancient Tales", number=str(n)) for n in (5, 350, 777)]
    matches = virtual(match_all(shop.fake, wanted))
    assert [match.issue.number for match in matches] == ["5", "350", "777"]
    assert len(shop.fake.requests) == 4
    wanted = [IssueQuery(series="Ancient Tales", number=str(n)) for n in range(701, 731)]
    before = len(shop.fake.requests)
    assert all(virtual(match_all(shop.fake, wanted)))
    assert len(shop.fake.requests) - before == 2  # the series, and the one page they are on


def test_a_known_series_shares_its_list_under_any_name():
    shop = Shop(issues=100)
    series = shop.run_of("Lone Wolf", 1966, range(1, 13))
    wanted = [IssueQuery(series_id=series, number=f"{n:03}") for n in range(1, 11)]
    matches = virtual(match_all(shop.fake, wanted))
    assert all(matches)
    assert {match.how for match in matches} == {"series_id"}
    assert len(shop.fake.requests) == 1
    named = [IssueQuery(series_id=series, series="Zzyx", number=f"{n}") for n in range(1, 11)]
    assert all(virtual(match_all(shop.fake, named)))


def test_known_ids_in_a_shared_list_cost_nothing():
    shop = Shop(issues=100)
    series = shop.run_of("Lone Wolf", 1966, range(1, 13))
    rows = shop.fake.catalogue.issues_of_series(series)
    wanted = [IssueQuery(series="Lone Wolf", number=i.number, metron_id=i.id) for i in rows[:5]]
    matches = virtual(match_all(shop.fake, wanted))
    assert [match.issue.id for match in matches] == [query.metron_id for query in wanted]
    assert {match.how for match in matches} == {"metron_id"}
    assert len(shop.fake.requests) == 2


def test_what_a_list_leaves_open_is_settled_by_ids():
    shop = Shop(issues=100)
    for volume in (1, 2):
        series = shop.series("Ghost", 1990, volume=volume)
        for number in range(1, 6):
            shop.issue(series, number, 1990, cv_id=9_000_000 + volume * 100 + number)
    wanted = [
        IssueQuery(series="Ghost", number=str(n), cv_id=9_000_200 + n if n < 3 else None)
        for n in range(1, 6)
    ]
    matches = virtual(match_all(shop.fake, wanted))
    assert [bool(match) for match in matches] == [True, True, False, False, False]
    assert {match.how for match in matches[:2]} == {"cv_id"}
    assert all(match.ambiguous for match in matches[2:])


def test_a_renamed_series_of_many_files_is_asked_for_once():
    shop = Shop(issues=100)
    shop.run_of("Doctor Marvellous", 1991, range(1, 13), alt_names=("Captain Wonder",))
    wanted = [IssueQuery(series="Captain Wonder", number=str(n)) for n in range(1, 9)]
    matches = virtual(match_all(shop.fake, wanted))
    assert all(matches)
    assert len(shop.fake.requests) == 4


def test_a_publisher_tells_series_of_many_files_apart():
    shop = Shop(issues=100, newer=False)
    shop.run_of("Ghost", 1990, range(1, 9), publisher="DC Comics")
    shop.run_of("Ghost", 1990, range(1, 9), publisher="Dark Horse Comics", volume=2)
    wanted = [
        IssueQuery(series="Ghost", number=str(n), publisher="Dark Horse") for n in range(1, 9)
    ]
    matches = virtual(match_all(shop.fake, wanted))
    assert [match.issue.series.volume for match in matches] == [2] * 8
    assert len(shop.fake.requests) == 3  # the series, the publisher's, and the issues of all
    unknown = [IssueQuery(series="Ghost", number=str(n), publisher="Zzyx") for n in range(1, 9)]
    assert not any(virtual(match_all(shop.fake, unknown)))


@pytest.mark.parametrize("newer", [True, False])
def test_newer_servers_name_the_publisher_in_the_list(newer):
    shop = Shop(issues=100, newer=newer)
    shop.run_of("Ghost", 1990, range(1, 9), publisher="DC Comics")
    shop.run_of("Ghost", 1990, range(1, 9), publisher="Dark Horse Comics", volume=2)
    wanted = [IssueQuery(series="Ghost", number=str(n), publisher="DC") for n in range(1, 9)]
    matches = virtual(match_all(shop.fake, wanted))
    assert [match.issue.series.volume for match in matches] == [1] * 8
    assert len(shop.fake.requests) == (2 if newer else 3)


def test_many_namesakes_are_asked_for_in_one_list():
    shop = Shop(issues=100)
    for place in range(12):
        shop.run_of("Ghost", 1960, range(1, 6), volume=place + 1)
    wanted = [IssueQuery(series="Ghost", number=str(n), volume=3) for n in range(1, 6)]
    matches = virtual(match_all(shop.fake, wanted))
    assert [match.issue.series.volume for match in matches] == [3] * 5
    unsaid = [IssueQuery(series="Ghost", number=str(n)) for n in range(1, 6)]
    before = len(shop.fake.requests)
    assert all(match.ambiguous for match in virtual(match_all(shop.fake, unsaid)))
    assert len(shop.fake.requests) - before == 2


def test_a_wrong_volume_is_forgiven_where_the_year_agrees():
    shop = Shop(issues=100)
    shop.run_of("Ghost", 1960, range(1, 6), volume=1, year_end=1962)
    shop.run_of("Ghost", 2010, range(1, 6), volume=2)
    wanted = [IssueQuery(series="Ghost", number=str(n), volume=1, year=2010) for n in range(1, 6)]
    matches = virtual(match_all(shop.fake, wanted))
    assert [match.issue.series.volume for match in matches] == [2] * 5


def test_a_name_that_is_in_hundreds_of_series_is_asked_by_number():
    shop = Shop(issues=100)
    for place in range(450):
        shop.series(f"Bat {place}", 1900)
    shop.run_of("Bat", 1995, range(1, 6))
    wanted = [IssueQuery(series="Bat", number=str(n)) for n in range(1, 4)]
    assert all(virtual(match_all(shop.fake, wanted)))


def test_a_failing_list_fails_its_group_alone():
    shop = Shop(issues=100)
    shop.run_of("Ghost", 1990, range(1, 9))
    shop.run_of("Hollow", 1990, range(1, 9))
    fake = shop.fake
    wanted = [
        IssueQuery(series=name, number=str(n)) for name in ("Ghost", "Hollow") for n in range(1, 5)
    ]

    async def main():
        async with source_of(fake) as source:
            real = source.series_page

            async def series_page(filters, page):
                if "ghost" in filters.get("name", ""):
                    raise BROKEN
                return await real(filters, page)

            source.series_page = series_page
            return await MatchRun(source, wanted).collect()

    matches = virtual(main())
    assert [match.error is not None for match in matches] == [True] * 4 + [False] * 4
    assert all(matches[4:])


def test_a_list_that_became_shorter_ends():
    async def fetch(number):
        if number == 2:
            raise NOT_FOUND
        return Chunk([row()], 150, 1)

    async def main():
        listing, meter = Listing(fetch), Meter()
        rows = await listing.walk(meter, 5)
        assert len(rows) == 1
        assert listing.complete
        assert meter.take() == 2
        assert meter.take() == 0

    virtual(main())


def test_a_list_that_is_not_there_is_an_error():
    async def fetch(number):
        raise NOT_FOUND

    with pytest.raises(NotFoundError):
        virtual(Listing(fetch).walk(Meter(), 5))


def test_many_files_of_a_series_that_is_spelled_otherwise():
    shop = Shop(issues=100)
    shop.run_of("The Amazing Spider-Man", 1963, range(1, 13))
    wanted = [IssueQuery(series="Amazing Spiderman", number=str(n)) for n in range(1, 11)]
    assert all(virtual(match_all(shop.fake, wanted)))
    assert len(shop.fake.requests) == 4  # by name, by other names, by beginnings, and the list


def test_many_files_of_a_series_with_a_typing_error_are_ambiguous():
    shop = Shop(issues=100)
    shop.run_of("Galaxy Rangers", 1990, range(1, 13))
    wanted = [IssueQuery(series="Galaxy Rngers", number=str(n)) for n in range(1, 11)]
    matches = virtual(match_all(shop.fake, wanted))
    assert not any(matches)
    assert len(shop.fake.requests) <= 4
    shop.fake.requests.clear()
    wanted = [IssueQuery(series="Galaxy Rangerz", number=str(n)) for n in range(1, 11)]
    matches = virtual(match_all(shop.fake, wanted))
    assert all(match.ambiguous for match in matches)
    assert [match.candidates[0].issue.number for match in matches] == [q.number for q in wanted]


def test_many_files_of_a_series_that_the_server_does_not_have_cost_little():
    shop = Shop(issues=100)
    wanted = [IssueQuery(series="Zzyx Quuxly", number=str(n)) for n in range(1, 101)]
    matches = virtual(match_all(shop.fake, wanted))
    assert not any(matches)
    assert not any(match.ambiguous for match in matches)
    assert len(shop.fake.requests) <= 3


def test_numbers_that_a_series_does_not_have_cost_little():
    shop = Shop(issues=100)
    shop.run_of("Ghost", 1990, range(1, 13))
    wanted = [IssueQuery(series="Ghost", number=str(n)) for n in range(5, 25)]
    matches = virtual(match_all(shop.fake, wanted))
    assert [bool(match) for match in matches] == [True] * 8 + [False] * 12
    assert len(shop.fake.requests) == 2
