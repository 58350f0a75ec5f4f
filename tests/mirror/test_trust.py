"""What a mirror believes: clocks, single rows, newer versions, and the user's own filters."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import msgspec
import pytest
from support.mirrors import client, fake_metron, mirror_of, query, served, stored

from metron_async import DecodeError, PaginationError
from metron_async.mirror import SOURCES, Mirror, MirrorFileError, PageStored, RowSkipped
from metron_async.mirror.selection import Selection
from metron_async.mirror.walk import Arrived, Walk
from metron_async.mirror.walker import Walker
from metron_async.testing import Fault, run_virtual

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from metron_async.mirror import Event
    from metron_async.mirror.sources import Source
    from metron_async.types import Progress


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "comics.db"


def change(path: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


# --- clocks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["issues", "publishers"])
async def test_a_watermark_from_the_future_is_healed_by_the_next_run(path: Path, name: str) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path) as mirror:
        await mirror.run(name)
        change(path, f"UPDATE mirror_selections SET watermark = {time.time() + 30 * 86400}")  # noqa: S608
        fake.touch(name[:-1], 5, **({"upc": "1"} if name == "issues" else {"desc": "x"}))
        await mirror.run(name)
        (selection,) = await mirror.selections()
    assert selection.watermark is not None
    assert selection.watermark < time.time() + 60
    assert stored(path, name) == await served(fake, name)


@pytest.mark.parametrize("name", ["issues", "publishers"])
async def test_without_dates_a_clock_that_is_ahead_does_not_freeze_the_mirror(
    path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = fake_metron()
    real = time.time
    fake.faults.add(Fault.headers(date=""), times=None)
    ahead = lambda: real() + 30 * 86400  # noqa: E731
    monkeypatch.setattr("metron_async._engine.opening._wall_clock", lambda: ahead)
    async with mirror_of(fake, path, cache=None) as mirror:
        assert (await mirror.run(name)).complete
        fake.touch(name[:-1], 5, **({"upc": "1"} if name == "issues" else {"desc": "x"}))
        assert (await mirror.run(name)).complete
        (selection,) = await mirror.selections()
    assert selection.watermark is not None
    assert selection.watermark < real() + 60
    assert stored(path, name) == await served(fake, name)


async def test_a_full_walk_believes_the_server(path: Path) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path) as mirror:
        await mirror.run("issues")
        change(
            path,
            "UPDATE issues SET modified = '2099-01-01T00:00:00.000000Z', number = '?' WHERE id = 7",
        )
        await mirror.run("issues", full=True)
    assert stored(path, "issues") == await served(fake, "issues")


async def test_a_detail_that_is_newer_than_its_row_is_fetched_again(path: Path) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path, cache=None) as mirror:
        await mirror.run("issues", details=True, series_id=1)
        change(
            path, "UPDATE issue_details SET modified = '2099-01-01T00:00:00.000000Z', number = '?'"
        )
        report = await mirror.run("issues", full=True, series_id=1)
    assert report.details == report.rows > 0
    assert query(path, "SELECT count(*) FROM issue_details WHERE number = '?'") == [(0,)]


# --- rows -----------------------------------------------------------------------------------------


def spoil(row_id: int, **values: Any) -> Callable[[Any], Any]:
    def changed(body: Any) -> Any:
        for row in body["results"]:
            if row["id"] == row_id:
                row.update(values)
        return body

    return changed


@pytest.mark.parametrize(
    "values", [{"number": 5}, {"modified": "soon"}, {"id": 2**63}, {"series": None}]
)
async def test_a_bad_row_is_named_or_skipped_and_counted(
    path: Path, values: dict[str, Any]
) -> None:
    fake = fake_metron()
    fake.faults.add(Fault.json(spoil(7, **values)), times=None, path="/api/issue/")
    events: list[Event] = []
    async with mirror_of(fake, path) as mirror:
        with pytest.raises(DecodeError, match=f"id {values.get('id', 7)} "):
            await mirror.run("issues")
        report = await mirror.run("issues", on_bad_row="skip", on_event=events.append)
        assert (report.skipped, report.missing, report.complete) == (1, 0, False)
        assert len(stored(path, "issues")) == 599
        assert [type(event) for event in events].count(RowSkipped) == 1
        again = await mirror.run("issues", on_bad_row="skip")
        assert (again.skipped, again.complete, again.requests) == (1, False, 2)
        fake.faults.clear()
        assert (await mirror.run("issues", deletions=True)).complete
    assert stored(path, "issues") == await served(fake, "issues")


async def test_a_row_without_an_id_is_skipped_too(path: Path) -> None:
    fake = fake_metron()
    fake.faults.add(Fault.json(spoil(7, id="x")), times=None, path="/api/issue/")
    async with mirror_of(fake, path) as mirror:
        with pytest.raises(DecodeError, match="id unknown"):
            await mirror.run("issues")
        assert (await mirror.run("issues", on_bad_row="skip")).skipped == 1


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("0001-01-01T00:00:00+05:00", "0001-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59-05:00", "9999-12-31T23:59:59.999999Z"),
        ("0999-01-01T00:00:00Z", "0999-01-01T00:00:00.000000Z"),
    ],
)
async def test_datetimes_at_the_edges_are_stored(path: Path, moment: str, text: str) -> None:
    fake = fake_metron()
    fake.faults.add(Fault.json(spoil(7, modified=moment)), times=None, path="/api/issue/")
    async with mirror_of(fake, path) as mirror:
        await mirror.run("issues")
        await mirror.run("issues")
    assert query(path, "SELECT modified FROM issues WHERE id = 7") == [(text,)]


async def test_raw_keeps_the_json_as_the_server_sent_it(path: Path) -> None:
    fake = fake_metron()
    fake.faults.add(
        Fault.json(spoil(7, news={"b": 1, "a": [1.50]})), times=None, path="/api/issue/"
    )
    async with client(fake) as metron, Mirror(metron, path) as mirror:
        await metron.issues.get(7)
        await mirror.run(
            "issues", raw=True, details=True, series_id=fake.catalogue.tables.issue[7].series
        )
    (text,) = query(path, "SELECT raw FROM issues WHERE id = 7")[0]
    assert json.loads(text)["news"] == {"b": 1, "a": [1.5]}
    (text,) = query(path, "SELECT raw FROM issue_details WHERE id = 7")[0]
    assert "resource_url" in json.loads(text)


async def test_nested_columns_have_the_attribute_names(path: Path) -> None:
    fake = fake_metron()
    async with client(fake, cache=None) as metron, Mirror(metron, path) as mirror:
        await mirror.run("issues", details=True, series_id=1)
        issue = await metron.issues.get(query(path, "SELECT min(id) FROM issues")[0][0])
    (text,) = query(path, "SELECT credits FROM issue_details WHERE id = ?", issue.id)[0]
    assert json.loads(text) == issue.to_dict()["credits"]


# --- versions -------------------------------------------------------------------------------------


async def test_a_table_widened_by_a_newer_version_keeps_its_watermark(path: Path) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path) as mirror:
        await mirror.run("issues")
        (before,) = await mirror.selections()
        change(path, "ALTER TABLE issues ADD COLUMN news TEXT")
        fake.clock.advance(3600)
        fake.touch("issue", 5, upc="1")
        report = await mirror.run("issues")
        (after,) = await mirror.selections()
    assert (report.updated, report.complete) == (1, True)
    assert after.watermark == before.watermark
    assert stored(path, "issues") == await served(fake, "issues")


async def test_complete_objects_are_not_updated_in_a_widened_table(path: Path) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path) as mirror:
        await mirror.run("issues", details=True, series_id=1)
        change(path, "ALTER TABLE issue_details ADD COLUMN news TEXT")
        with pytest.raises(MirrorFileError, match="widened by a newer version"):
            await mirror.run("issues", series_id=1)


# --- filters, plans and reports -------------------------------------------------------------------


async def test_the_users_modified_gt_holds_beside_the_watermark(path: Path) -> None:
    fake = fake_metron()
    early, late = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    async with mirror_of(fake, path) as mirror:
        await mirror.run("issues", modified_gt=early)
        fake.reset_log()
        await mirror.run("issues", modified_gt=early)
        check, changes = [request.params["modified_gt"] for request in fake.requests]
        assert check.startswith("2000")
        assert changes > "2020"  # the watermark is later, so it is what is asked for
        await mirror.run("issues", modified_gt=late)
        fake.reset_log()
        await mirror.run("issues", modified_gt=late)
        assert all(request.params["modified_gt"].startswith("2100") for request in fake.requests)


async def test_a_plan_counts_only_the_details_that_must_be_fetched(path: Path) -> None:
    fake = fake_metron()
    async with mirror_of(fake, path, cache=None) as mirror:
        await mirror.run("issues", details=True, series_id=1)
        ids = [number for (number,) in query(path, "SELECT id FROM issues ORDER BY id")]
        for number in ids[:9]:  # within the overlap of the watermark
            fake.touch("issue", number, desc="News")
        await mirror.run("issues", series_id=1)
        for number in ids[:2]:
            fake.touch("issue", number, desc="More news")
        plan = await mirror.plan("issues", series_id=1)
        report = await mirror.run("issues", series_id=1)
    assert plan.rows == 9
    assert (report.details, plan.requests) == (2, 3)
    assert (plan.requests, plan.spent) == (report.requests, 1)


async def test_a_report_is_json(path: Path) -> None:
    async with mirror_of(fake_metron(), path) as mirror:
        report = await mirror.run("issues", series_id=1)
    loaded = json.loads(json.dumps(report.to_dict()))
    assert (loaded["complete"], loaded["filters"]) == (True, {"series_id": "1"})
    assert loaded["added"] == report.added > 0


async def test_progress_is_that_of_fetch_many(path: Path) -> None:
    heard: list[Progress] = []
    async with mirror_of(fake_metron(), path) as mirror:
        await mirror.run("issues", progress=heard.append)
        assert [(each.done, each.total) for each in heard[:6]] == [
            (number, 600) for number in range(100, 700, 100)
        ]
        assert (heard[5].requests, heard[5].waiting) == (6, 0.0)
        heard.clear()
        report = await mirror.run("issues", details=True, series_id=1, progress=heard.append)
    assert (heard[-1].done, heard[-1].total) == (report.details, report.details)


def test_progress_shows_waits(path: Path) -> None:
    heard: list[Progress] = []

    async def main() -> None:
        async with mirror_of(fake_metron(3000, throttle=True), path) as mirror:
            await mirror.run("issues", progress=heard.append)

    run_virtual(main())
    assert any(each.waiting > 0 for each in heard)


# --- lists that show no changes, and pages that repeat --------------------------------------------


@pytest.fixture
def untraced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the list of issues show its changes as little as a wish list does."""
    source = msgspec.structs.replace(SOURCES["issues"], by_change=False, traced=False)
    monkeypatch.setitem(cast("dict[str, Source]", SOURCES), "issues", source)


@pytest.mark.usefixtures("untraced")
async def test_a_list_that_shows_no_changes_is_walked_until_two_walks_are_the_same(
    path: Path,
) -> None:
    fake = fake_metron()
    order = list(await served(fake, "issues"))
    fake.reset_log()
    left = [1]

    def listen(event: Event) -> None:
        if isinstance(event, PageStored) and event.page == 3 and left:
            left.pop()
            fake.delete("issue", order[150])
            fake.add_issue(fake.catalogue.tables.issue[order[-1]].series, "9999999")

    async with mirror_of(fake, path) as mirror:
        assert (await mirror.run("issues")).requests == 12
        plan = await mirror.plan("issues")
        report = await mirror.run("issues", on_event=listen)
    assert plan.requests == 12
    assert (report.complete, report.requests) == (True, 24)
    assert stored(path, "issues") == await served(fake, "issues")


@pytest.mark.usefixtures("untraced")
def test_after_a_long_gap_it_starts_from_the_first_page(path: Path) -> None:
    async def main() -> None:
        fake = fake_metron()
        order = list(await served(fake, "issues"))

        async def interrupt() -> None:
            async with mirror_of(fake, path) as mirror:
                async for event in mirror.events("issues"):
                    if isinstance(event, PageStored) and event.page == 3:
                        return

        await interrupt()
        await asyncio.sleep(3600)
        fake.delete("issue", order[150])
        fake.add_issue(fake.catalogue.tables.issue[order[-1]].series, "9999999")
        async with mirror_of(fake, path) as mirror:
            assert (await mirror.run("issues")).complete
        assert stored(path, "issues") == await served(fake, "issues")

    run_virtual(main())


def test_a_page_is_compared_with_the_one_before_of_the_same_walk_only() -> None:
    selection = Selection(id=1, name="issues", filters=())
    nothing: Any = None
    walker = Walker(nothing, nothing, selection, lambda _: None, keep_watermark=False)
    page = Arrived(rows=((1, 0.0),), count=9, has_next=True, as_of=0.0)

    def check(kind: Any, number: int, arrived: Arrived = page) -> None:
        walker._check_progress(Walk(kind=kind, generation=1, page=number), arrived)

    check("changes", 1)
    check("full", 2)  # a proof that shows the same rows is another walk
    check("full", 2)  # the same page again
    check("full", 1)  # a step back
    with pytest.raises(PaginationError, match="Page 2 repeats page 1"):
        check("full", 2)
    check("full", 2, msgspec.structs.replace(page, has_next=False))


def test_files_of_cache_and_mirror_work_on_virtual_time(tmp_path: Path) -> None:
    async def main() -> None:
        fake = fake_metron()
        async with client(fake, cache=tmp_path / "c.db") as metron:
            async with Mirror(metron, tmp_path / "m.db") as mirror:
                assert (await mirror.run("issues", details=True, series_id=1)).complete
            await metron.issues.get(1)
            await metron.issues.get(1)
            assert metron.stats.hits == 1

    run_virtual(main())
