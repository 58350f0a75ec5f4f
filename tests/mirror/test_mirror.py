"""The mirror against the fake server: first runs, later ones, edits at bad moments, deletions."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from support.mirrors import client, fake_metron, mirror_of, query, served, stored

from metron_async import PaginationError, Priority, RateLimitError, TransportError, UsageError
from metron_async.mirror import (
    Deleted,
    DetailFailed,
    Finished,
    Mirror,
    MirrorBusyError,
    PageStored,
    Repeating,
    Started,
    Waiting,
)
from metron_async.testing import Fault, run_virtual

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from metron_async.mirror import Event
    from metron_async.testing import FakeMetron


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "comics.db"


def asked(fake: FakeMetron) -> list[dict[str, str]]:
    """Return the queries since the log was last reset, and reset it."""
    found = [request.params for request in fake.requests]
    fake.reset_log()
    return found


def at_page(number: int, change: Callable[[], Any]) -> Callable[[Event], None]:
    """Return a listener that makes a change when a page has been stored for the first time."""
    left = [change]

    def listen(event: Event) -> None:
        if isinstance(event, PageStored) and event.page == number and left:
            left.pop()()

    return listen


# --- first run and later ones ---------------------------------------------------------------------


async def test_the_first_run_has_everything(path: Path) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path) as mirror:
        report = await mirror.run("issues")
    assert (report.added, report.rows, report.complete) == (600, 600, True)
    assert stored(path, "issues") == await served(fake, "issues")


async def test_a_later_run_costs_what_has_changed(path: Path) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path) as mirror:
        await mirror.run("issues")
        fake.clock.advance(3600)
        for number in range(1, 51):
            fake.touch("issue", number, upc=f"{number:012}")
        fake.reset_log()
        report = await mirror.run("issues")
    assert len(fake.requests) == report.requests == 2
    assert (report.added, report.updated, report.surplus) == (0, 50, 0)
    assert stored(path, "issues") == await served(fake, "issues")


async def test_new_rows_are_found_by_a_later_run(path: Path) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path) as mirror:
        await mirror.run("issues", series_id=1)
        fake.clock.advance(3600)
        fake.add_issue(1, "999")
        report = await mirror.run("issues", series_id=1)
    assert report.added == 1
    assert stored(path, "issues") == await served(fake, "issues", series_id=1)


async def test_a_small_list_costs_one_request(path: Path) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path) as mirror:
        for _ in range(3):
            fake.reset_log()
            await mirror.run("publishers")
            assert len(fake.requests) == 1
    assert stored(path, "publishers") == await served(fake, "publishers")


@pytest.mark.parametrize(
    "name",
    [
        *("arcs", "characters", "collection", "creators", "imprints", "publishers", "pull_list"),
        *("reading_lists", "roles", "series", "series_types", "teams", "universes", "wish_list"),
    ],
)
async def test_every_list_can_be_mirrored(path: Path, name: str) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path) as mirror:
        first = await mirror.run(name)
        again = await mirror.run(name)
    assert first.complete
    assert first.added == first.rows > 0
    assert (again.added, again.updated) == (0, 0)
    if name != "pull_list":
        assert stored(path, name) == await served(fake, name)


async def test_nothing_of_it_goes_into_the_clients_cache(path: Path) -> None:
    fake = fake_metron()
    async with client(fake) as metron, Mirror(metron, path) as mirror:
        await mirror.run("issues")
        fake.touch("issue", 1, upc="1")
        await metron.issues.iter().first()
        assert metron.stats.hits == 0


async def test_the_filters_of_the_selection_stay_beside_the_watermark(path: Path) -> None:
    fake = fake_metron()
    late = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
    async with mirror_of(fake, path) as mirror:
        await mirror.run("issues", modified_gt=late)
        await mirror.run("issues", modified_gt=late)
        assert all(query["modified_gt"].startswith("2100") for query in asked(fake))


async def test_filters_that_an_older_server_ignores_hold_all_the_same(path: Path) -> None:
    fake = fake_metron()
    early = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    async with mirror_of(fake, path) as mirror:
        for _ in range(2):
            assert (await mirror.run("issues", modified_lt=early)).complete
        before = dt.date(2026, 1, 1)
        assert (await mirror.run("issues", cover_date_range_before=before)).complete
    held = stored(path, "issues")
    wanted = await served(fake, "issues", modified_lt=early)
    wanted |= await served(fake, "issues", cover_date_range_before=before)
    assert held == wanted


# --- edits at bad moments -------------------------------------------------------------------------


async def test_a_deletion_during_the_walk_hides_no_row(path: Path) -> None:
    fake = fake_metron()
    gone = min(await served(fake, "issues", series_id=41), default=570)
    first = next(iter(await served(fake, "issues")))
    async with mirror_of(fake, path) as mirror:
        await mirror.run("issues", on_event=at_page(2, lambda: fake.delete("issue", first)))
        await mirror.run("issues", on_event=at_page(2, lambda: fake.delete("issue", gone)))
    truth = await served(fake, "issues")
    held = stored(path, "issues")
    assert {number: held[number] for number in truth} == truth
    assert set(held) - set(truth) <= {first, gone}


async def test_an_edit_that_moves_a_row_behind_the_reader_is_caught(path: Path) -> None:
    fake = fake_metron()
    order = list(await served(fake, "issues"))
    fake.clock.advance(86_400)

    def move() -> None:
        target = fake.catalogue.tables.issue[order[0]].series
        fake.touch("issue", order[-1], series=target)
        fake.add_issue(target, "77")

    async with mirror_of(fake, path) as mirror:
        report = await mirror.run("issues", on_event=at_page(3, move))
    assert report.complete
    assert stored(path, "issues") == await served(fake, "issues")


async def test_an_edit_that_moves_a_row_ahead_of_the_reader_is_noticed_by_the_count(
    path: Path,
) -> None:
    fake = fake_metron()
    order = list(await served(fake, "issues"))
    events: list[Event] = []

    def move() -> None:
        fake.touch("issue", order[0], series=fake.catalogue.tables.issue[order[-1]].series)

    listen = at_page(3, move)
    async with mirror_of(fake, path) as mirror:
        report = await mirror.run("issues", on_event=lambda e: (listen(e), events.append(e)))
    assert any(isinstance(event, Repeating) for event in events)
    assert report.complete
    assert stored(path, "issues") == await served(fake, "issues")


async def test_an_order_that_is_not_total_is_told_and_walked_again(path: Path) -> None:
    fake = fake_metron(2000, unstable=True)
    for number in list(fake.catalogue.tables.creator)[:250]:
        fake.touch("creator", number, name="Same Name")
    async with mirror_of(fake, path) as mirror:
        report = await mirror.run("creators")
        truth = await served(fake, "creators")
        assert report.missing == len(truth) - len(stored(path, "creators")) > 0
        fake.settings.unstable = False
        assert (await mirror.run("creators")).complete
    assert stored(path, "creators") == truth


async def test_rows_that_never_show_leave_the_watermark_where_it_is(path: Path) -> None:
    fake = fake_metron()
    lie = Fault.json(lambda body: body | {"count": body["count"] + 1})
    fake.faults.add(lie, times=None, path="/api/issue/")
    async with mirror_of(fake, path) as mirror:
        report = await mirror.run("issues")
        assert (report.missing, report.complete) == (1, False)
        assert len(asked(fake)) == 18
        (selection,) = await mirror.selections()
        assert selection.watermark is None
        fake.faults.clear()
        assert (await mirror.run("issues")).complete


async def test_rows_that_come_without_a_trace_are_found_by_the_count(path: Path) -> None:
    """Moving a series to another publisher does not change its issues."""
    fake = fake_metron()
    async with mirror_of(fake, path) as mirror:
        await mirror.run("issues", publisher_id=1)
        before = len(stored(path, "issues"))
        moved = next(s.id for s in fake.catalogue.tables.series.values() if s.publisher != 1)
        fake.clock.advance(3600)
        fake.touch("series", moved, publisher=1)
        report = await mirror.run("issues", publisher_id=1)
    assert report.complete
    assert len(stored(path, "issues")) > before
    assert stored(path, "issues") == await served(fake, "issues", publisher_id=1)


async def test_a_page_that_repeats_the_one_before_is_refused(path: Path) -> None:
    fake = fake_metron()
    first: dict[str, Any] = {}

    def same(body: dict[str, Any]) -> dict[str, Any]:
        first.setdefault("results", body["results"])
        return body | first

    fake.faults.add(Fault.json(same), times=None, path="/api/issue/")
    async with mirror_of(fake, path) as mirror:
        with pytest.raises(PaginationError, match="Page 2 repeats page 1"):
            await mirror.run("issues")


async def test_an_older_state_never_replaces_a_newer_one(path: Path) -> None:
    fake = fake_metron(list_cache=120.0)
    async with mirror_of(fake, path) as mirror:
        await mirror.run("series")
        fake.touch("series", 1, name="Renamed")
        async with client(fake) as other:
            await (
                other.series.iter().first()
            )  # the page without filters stays in the server's cache
        await mirror.run("series")  # the check meets that page, the changes bring the news
        fake.clock.advance(600)
        await mirror.run("series")
    assert stored(path, "series") == await served(fake, "series")


# --- deletions ------------------------------------------------------------------------------------


async def test_deletions_are_told_and_removed_on_request(path: Path) -> None:
    fake = fake_metron()
    events: list[Event] = []
    async with mirror_of(fake, path) as mirror:
        await mirror.run("issues")
        for number in (3, 4, 500):
            fake.delete("issue", number)
        assert (await mirror.run("issues")).surplus == 3
        assert len(stored(path, "issues")) == 600
        report = await mirror.run("issues", deletions=True, on_event=events.append)
    assert report.deleted == 3
    assert Deleted("issues", (3, 4, 500)) in events
    assert stored(path, "issues") == await served(fake, "issues")


async def test_a_deletion_during_a_walk_for_deletions_counts_as_well(path: Path) -> None:
    fake = fake_metron()
    order = list(await served(fake, "issues"))
    async with mirror_of(fake, path) as mirror:
        await mirror.run("issues")
        gone = at_page(4, lambda: fake.delete("issue", order[5]))
        await mirror.run("issues", deletions=True, on_event=gone)
    assert stored(path, "issues") == await served(fake, "issues")


async def test_a_row_that_another_selection_holds_stays(path: Path) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path) as mirror:
        await mirror.run("issues", series_id=1)
        await mirror.run("issues", publisher_id=fake.catalogue.tables.series[1].publisher)
        held = len(stored(path, "issues"))
        for issue in list(fake.catalogue.tables.issue.values()):
            if issue.series == 1:
                fake.touch("issue", issue.id, series=2)
        await mirror.run("issues", series_id=1, deletions=True)
        assert len(stored(path, "issues")) == held
        assert len(await mirror.selections()) == 2


async def test_a_collection_is_walked_in_full_so_a_re_read_shows(path: Path) -> None:
    fake = fake_metron()
    items = fake.accounts["reader"].shelf.items
    async with client(fake) as metron, Mirror(metron, path) as mirror:
        await mirror.run("collection")
        some = next(iter(items.values()))
        await metron.collection.scrobble(some.issue)
        await metron.collection.scrobble(some.issue)
        del items[max(items)]
        report = await mirror.run("collection")
        assert report.deleted == 1
    assert stored(path, "collection") == await served(fake, "collection")


# --- going on where it stopped --------------------------------------------------------------------


class Stop(Exception):  # noqa: N818 - not an error
    """Breaks a run off."""


def stop_at(number: int) -> Callable[[Event], None]:
    def stop() -> None:
        raise Stop

    return at_page(number, stop)


async def test_it_goes_on_with_the_next_page(path: Path) -> None:
    fake = fake_metron()
    events: list[Event] = []
    async with mirror_of(fake, path) as mirror:
        with pytest.raises(Stop):
            await mirror.run("issues", on_event=stop_at(3))
    fake.reset_log()
    async with mirror_of(fake, path) as mirror:
        plan = await mirror.plan("issues")
        assert (plan.kind, plan.rows, plan.requests, plan.spent) == ("resume", 300, 4, 0)
        report = await mirror.run("issues", on_event=events.append)
    assert events[0] == Started("issues", "full", 4)
    assert isinstance(events[-1], Finished)
    assert [query.get("page") for query in asked(fake)] == ["4", "5", "6", None]
    assert report.complete
    assert stored(path, "issues") == await served(fake, "issues")


def test_after_a_long_pause_it_steps_back_over_what_may_have_slipped(path: Path) -> None:
    async def main() -> None:
        fake = fake_metron()
        order = list(await served(fake, "issues"))
        async with mirror_of(fake, path) as mirror:
            with pytest.raises(Stop):
                await mirror.run("issues", on_event=stop_at(3))
            await asyncio.sleep(86_400)
            fake.delete("issue", order[0])  # hidden from the count by what is added
            fake.add_issue(fake.catalogue.tables.issue[order[-1]].series, "9999")
            report = await mirror.run("issues")
            assert report.complete
        truth = await served(fake, "issues")
        held = stored(path, "issues")
        assert {number: held[number] for number in truth} == truth

    run_virtual(main())


async def test_a_list_that_has_shrunk_under_it_ends(path: Path) -> None:
    fake = fake_metron()
    order = list(await served(fake, "issues"))
    async with mirror_of(fake, path) as mirror:
        with pytest.raises(Stop):
            await mirror.run("issues", on_event=stop_at(5))
        for number in order[300:]:
            fake.delete("issue", number)
        report = await mirror.run("issues", deletions=True)
        assert report.complete
    assert stored(path, "issues") == await served(fake, "issues")


async def test_offline_it_fails_and_keeps_what_it_has(path: Path) -> None:
    fake = fake_metron()
    fake.faults.add(Fault.connect_error(), times=None, path=lambda asked: "page=3" in asked.query)
    async with mirror_of(fake, path, retries=0) as mirror:
        with pytest.raises(TransportError):
            await mirror.run("issues")
        assert len(stored(path, "issues")) == 200
        fake.faults.clear()
        await mirror.run("issues")
    assert stored(path, "issues") == await served(fake, "issues")


def nearly_spent() -> FakeMetron:
    """Return a server on which the day's quota has room for a few requests only."""
    fake = fake_metron(throttle=True, sustained=40)
    for _ in range(2):
        fake.spend("reader", 17)
        fake.clock.advance(120)
    return fake


def test_out_of_quota_it_ends_and_goes_on_another_day(path: Path) -> None:
    async def main() -> None:
        fake = nearly_spent()
        held = [0]
        for _ in range(5):
            async with mirror_of(fake, path, priority=Priority.BULK) as mirror:
                try:
                    report = await mirror.run("issues")
                    break
                except RateLimitError as error:
                    refused = error
            held.append(len(stored(path, "issues")))
            assert refused.scope == "sustained"
            assert 0 < held[-1] < 600
            await asyncio.sleep(refused.retry_after + 3600)
        assert report.complete
        assert len(held) > 1
        assert fake.throttled == 0
        fake.settings.throttle = False
        assert stored(path, "issues") == await served(fake, "issues")

    run_virtual(main())


def test_with_patience_it_waits_for_the_next_day_and_says_so(path: Path) -> None:
    events: list[Event] = []

    async def main() -> None:
        fake = nearly_spent()
        async with mirror_of(fake, path, max_wait=float("inf")) as mirror:
            report = await mirror.run("issues", on_event=events.append)
            assert report.complete
        assert fake.throttled < 50  # a spent day is probed once an hour
        assert asyncio.get_running_loop().time() > 80_000

    run_virtual(main())
    assert any(isinstance(e, Waiting) and e.scope == "sustained" for e in events)


def test_it_has_the_priority_of_the_view_so_that_others_pass(path: Path) -> None:
    fake = fake_metron(3000, throttle=True)

    async def main() -> None:
        bulk = {"priority": Priority.BULK}
        async with client(fake) as metron, Mirror(metron.with_options(**bulk), path) as mirror:
            run = asyncio.create_task(mirror.run("issues"))
            await asyncio.sleep(70)  # the first slots are all taken: no higher priority was in use
            started = asyncio.get_running_loop().time()
            await metron.with_options(priority=Priority.INTERACTIVE).issues.get(5)
            assert asyncio.get_running_loop().time() - started < 5
            assert (await run).complete
        assert fake.throttled == 0

    run_virtual(main())


# --- plans and events -----------------------------------------------------------------------------


def test_a_plan_tells_the_cost_before(path: Path) -> None:
    fake = fake_metron(100_000, throttle=True)

    async def main() -> None:
        async with mirror_of(fake, path) as mirror:
            plan = await mirror.plan("issues")
            assert (plan.kind, plan.rows, plan.requests, plan.days) == ("full", 100_000, 1001, 1)
            assert 50 < plan.minutes < 55
            assert plan.spent == len(fake.requests) == 1
            many = await mirror.plan("issues", details=True)
            assert many.requests == 101_001
            assert many.days > 20
            assert many.finishes_at > plan.finishes_at

    run_virtual(main())


async def test_a_plan_is_what_the_run_costs(path: Path) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path) as mirror:
        for _ in range(2):
            plan = await mirror.plan("issues")
            report = await mirror.run("issues")
            assert report.requests == plan.requests
            fake.clock.advance(3600)
            fake.touch("issue", 5, upc="1")
        assert (plan.kind, plan.rows) == ("changes", 1)


async def test_events_come_from_an_iterator_too(path: Path) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path) as mirror:
        events = [event async for event in mirror.events("issues")]
        pages = [event for event in events if isinstance(event, PageStored)]
        assert [page.done for page in pages if page.kind == "full"] == [
            100,
            200,
            300,
            400,
            500,
            600,
        ]
        assert isinstance(events[-1], Finished)
        with pytest.raises(UsageError):
            async for _ in mirror.events("issues", publisher_nam="x"):
                pass


async def test_closing_the_iterator_stops_the_run(path: Path) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path) as mirror:
        events = mirror.events("issues")
        async for event in events:
            if isinstance(event, PageStored):
                break
        await events.aclose()
        asked_for = len(fake.requests)
        await asyncio.sleep(0.05)
        assert len(fake.requests) == asked_for < 6
        assert (await mirror.run("issues")).complete


async def test_what_cannot_be_meant_is_refused_before_anything_is_sent(path: Path) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path) as mirror:
        with pytest.raises(UsageError, match="Unknown list 'issue'"):
            await mirror.run("issue")
        with pytest.raises(UsageError, match="publisher_name"):
            await mirror.plan("issues", publisher_nam="marvel")
        with pytest.raises(UsageError, match="complete objects"):
            await mirror.plan("collection", details=True)
    assert not fake.requests


async def test_two_tasks_do_not_walk_the_same_list(path: Path) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path) as mirror:
        both = await asyncio.gather(
            mirror.run("issues"), mirror.run("issues"), return_exceptions=True
        )
        assert sorted(type(result).__name__ for result in both) == ["MirrorBusyError", "Report"]
        await asyncio.gather(mirror.run("series"), mirror.run("issues", series_id=1))


async def test_two_processes_cannot_mix_their_pages(path: Path) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path) as one, mirror_of(fake, path) as two:
        both = await asyncio.gather(one.run("issues"), two.run("issues"), return_exceptions=True)
        assert any(isinstance(result, MirrorBusyError) for result in both)
        assert (await one.run("issues")).complete
    assert stored(path, "issues") == await served(fake, "issues")


# --- objects in full ------------------------------------------------------------------------------


async def test_details_are_fetched_once_and_then_only_what_changed(path: Path) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path, cache=None) as mirror:
        report = await mirror.run("issues", details=True, raw=True, series_id=1)
        count = len(stored(path, "issues"))
        assert report.details == count == query(path, "SELECT count(*) FROM issue_details")[0][0]
        fake.clock.advance(3600)
        fake.touch("issue", 1, desc="News")
        fake.reset_log()
        again = await mirror.run("issues", series_id=1)  # what was chosen before is kept
        assert (again.details, len(fake.requests)) == (1, 2)
    found = query(path, "SELECT desc, json_extract(raw, '$.desc') FROM issue_details WHERE id = 1")
    assert found == [("News", "News")]


async def test_details_that_the_cache_holds_are_not_fetched(path: Path) -> None:
    fake = fake_metron()
    async with client(fake) as metron, Mirror(metron, path) as mirror:
        known = [issue.id async for issue in metron.issues.iter(series_id=1).details()]
        fake.reset_log()
        report = await mirror.run("issues", details=True, series_id=1)
    assert report.details == len(known)
    assert not [request for request in fake.requests if request.path != "/api/issue/"]


async def test_one_bad_detail_does_not_end_the_run(path: Path) -> None:
    fake = fake_metron()
    events: list[Event] = []
    fake.faults.add(Fault.json(lambda body: body | {"number": 5}), path="/api/issue/2/", times=None)
    fake.faults.add(Fault.status(404), path="/api/issue/3/", times=None)
    async with mirror_of(fake, path) as mirror:
        report = await mirror.run("issues", details=True, series_id=1, on_event=events.append)
        assert (report.failed, report.complete) == (1, False)
        assert [event.id for event in events if isinstance(event, DetailFailed)] == [2]
        assert Deleted("issues", (3,)) in events
        fake.faults.clear()
        assert (await mirror.run("issues", series_id=1)).complete
    assert stored(path, "issues") == await served(fake, "issues", series_id=1)


async def test_an_error_that_meets_all_ends_the_run_and_the_next_goes_on(path: Path) -> None:
    fake = fake_metron()
    fake.faults.add(Fault.connect_error(), path="/api/issue/*", times=None, skip=5)
    async with mirror_of(fake, path, retries=0) as mirror:
        with pytest.raises(TransportError):
            await mirror.run("issues", details=True, series_id=1)
        had = query(path, "SELECT count(*) FROM issue_details")[0][0]
        assert had > 0
        fake.faults.clear()
        report = await mirror.run("issues", details=True, series_id=1)
    assert report.details + had == len(stored(path, "issues"))


async def test_a_plan_knows_which_details_are_there(path: Path) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path, cache=None) as mirror:
        await mirror.run("issues", details=True, series_id=1)
        plan = await mirror.plan("issues", details=True, full=True, series_id=1)
        assert plan.requests == 1
        fake.clock.advance(3600)
        fake.touch("issue", 1, desc="News")
        plan = await mirror.plan("issues", series_id=1)
        assert (plan.kind, plan.requests) == ("changes", 2)


def test_the_clients_own_hook_hears_of_waits_too(path: Path) -> None:
    heard: list[Any] = []

    async def main() -> None:
        options = {"on_wait": heard.append, "max_wait": float("inf")}
        async with mirror_of(nearly_spent(), path, **options) as mirror:
            await mirror.plan("issues")
            await mirror.run("issues")

    run_virtual(main())
    assert any(wait.scope == "sustained" for wait in heard)


def test_a_collection_left_for_a_day_is_walked_from_its_beginning(path: Path) -> None:
    async def main() -> None:
        fake = fake_metron()
        items = fake.accounts["reader"].shelf.items
        async with mirror_of(fake, path) as mirror:
            with pytest.raises(Stop):
                await mirror.run("collection", on_event=stop_at(1))
            await asyncio.sleep(86_400)
            del items[min(items)]
            items[max(items)].id += 1
            items[max(items) + 1] = items.pop(max(items))
            assert (await mirror.run("collection")).complete
        assert stored(path, "collection") == await served(fake, "collection")

    run_virtual(main())


def test_pages_from_the_servers_cache_are_given_time_to_leave_it(path: Path) -> None:
    events: list[Event] = []

    async def main() -> None:
        fake = fake_metron(list_cache=120.0)
        async with client(fake, cache=None) as other:
            await other.issues.iter().page(2)  # from now on in the server's cache
        series = fake.catalogue.ordered("issue")[0].series
        fake.add_issue(series, "0", cover_date=dt.date(1950, 1, 1))  # pushes a row onto page 2
        async with mirror_of(fake, path) as mirror:
            began = asyncio.get_running_loop().time()
            assert (await mirror.run("issues", on_event=events.append)).complete
            waited = asyncio.get_running_loop().time() - began
        await asyncio.sleep(200)
        assert stored(path, "issues") == await served(fake, "issues")
        assert waited > 120

    run_virtual(main())
    assert any(isinstance(event, Waiting) and event.reason == "server cache" for event in events)
