"""What a write drops from the cache, what it leaves there, and what may not come back."""

import asyncio
from datetime import date

import pytest
from support.exchanges import PNG, client_of
from support.virtual import on_virtual_time

from metron_async import (
    NotFoundError,
    ServerError,
    Source,
    TransportError,
    UsageError,
    ValidationError,
)
from metron_async import models as m
from metron_async.cache import MemoryCache, SQLiteCache
from metron_async.testing import FakeMetron, Fault


@pytest.fixture
def fake():
    return FakeMetron(issues=300, throttle=False)


@pytest.fixture
def cache():
    return MemoryCache()


def asked(fake, path):
    return sum(request.path == f"/api/{path}" for request in fake.requests)


async def is_kept(metron, fake, get, number):
    """Tell whether a detail comes from the cache."""
    before = len(fake.requests)
    await get(number)
    return len(fake.requests) == before


@on_virtual_time
async def test_who_writes_reads_what_he_wrote(fake, cache):
    async with client_of(fake, "editor", cache=cache) as metron:
        assert (await metron.arcs.get(1)).desc != "new"
        await metron.arcs.update(1, m.ArcInput(desc="new"))
        arc = await metron.arcs.get(1)
    assert arc.desc == "new"
    assert metron.origin_of(arc).source is Source.NETWORK


@on_virtual_time
async def test_only_what_may_be_stale_is_dropped(fake, cache):
    async with client_of(fake, "editor", cache=cache) as metron:
        assert await metron.teams.issues(1).first()  # a list with rows, or it would not be kept
        for number in (1, 2):
            await metron.arcs.get(number)
            await metron.issues.get(number)
        await metron.arcs.iter().first()
        await metron.teams.iter().first()
        await metron.arcs.update(1, m.ArcInput(desc="new"))
        assert await is_kept(metron, fake, metron.arcs.get, 2)
        assert await is_kept(metron, fake, metron.issues.get, 1)
        assert not await is_kept(metron, fake, metron.arcs.get, 1)
        before = len(fake.requests)
        await metron.teams.iter().first()
        await metron.teams.issues(1).first()
        assert len(fake.requests) == before
        await metron.arcs.iter().first()
        assert len(fake.requests) == before + 1


@on_virtual_time
async def test_a_new_name_is_shown_wherever_it_is_embedded(fake, cache):
    async with client_of(fake, "editor", cache=cache) as metron:
        issue = await metron.issues.get(1)
        creator = issue.credits[0].id
        await metron.creators.update(creator, m.CreatorInput(name="Somebody Else"))
        issue = await metron.issues.get(1)
    assert issue.credits[0].creator == "Somebody Else"


@on_virtual_time
async def test_issues_credits_and_variants_drop_details_and_all_rows(fake, cache):
    async with client_of(fake, "editor", cache=cache) as metron:
        writes = [
            lambda: metron.issues.update(1, m.IssueInput(desc="x")),
            lambda: metron.credits.create(
                [m.CreditInput(issue=1, creator=fake.catalogue.next_id("creator") - 1, role=[1])]
            ),
            lambda: metron.variants.create(m.VariantInput(issue=1, image=PNG)),
        ]
        series = fake.catalogue.tables.issue[1].series
        for write in writes:
            await metron.issues.get(1)
            await metron.issues.get(2)
            await metron.issues.iter(series_id=series).first()
            await metron.series.issues(series).first()
            await write()
            before = len(fake.requests)
            issue = await metron.issues.get(1)
            row = await metron.issues.iter(series_id=series, number="1").first()
            await metron.series.issues(series).first()
            assert len(fake.requests) == before + 3
            assert issue.modified == row.modified
            assert await is_kept(metron, fake, metron.issues.get, 2)


@on_virtual_time
async def test_a_new_object_is_no_longer_known_as_missing(fake, cache):
    coming = fake.catalogue.next_id("arc")
    async with client_of(fake, "editor", cache=cache) as metron:
        with pytest.raises(NotFoundError):
            await metron.arcs.get(coming)
        with pytest.raises(NotFoundError):
            await metron.arcs.get(coming)
        assert asked(fake, f"arc/{coming}/") == 1
        made = await metron.arcs.create(m.ArcInput(name="Coming"))
        assert made.id == coming
        assert (await metron.arcs.get(coming)).name == "Coming"


@on_virtual_time
async def test_other_accounts_keep_their_entries(fake, cache):
    async with (
        client_of(fake, "editor", cache=cache) as editor,
        client_of(fake, "reader", cache=cache) as reader,
    ):
        await editor.arcs.get(1)
        await reader.arcs.get(1)
        await editor.arcs.update(1, m.ArcInput(desc="new"))
        assert await is_kept(reader, fake, reader.arcs.get, 1)
        assert not await is_kept(editor, fake, editor.arcs.get, 1)


@on_virtual_time
async def test_private_data_are_dropped_where_they_are_kept(fake):
    cache = MemoryCache(keep_private=True, freshness={"collection": 3600.0, "wish_list": 3600.0})
    async with client_of(fake, "editor", cache=cache) as metron:
        item, _ = await metron.collection.add(1)
        wish, _ = await metron.wish_list.add(2)
        await asyncio.sleep(1)
        assert (await metron.collection.get(item.id)).rating is None
        assert await is_kept(metron, fake, metron.collection.get, item.id)
        await metron.collection.rate(item.id, 5)
        assert (await metron.collection.get(item.id)).rating == 5
        await asyncio.sleep(1)
        stats = await metron.collection.stats()
        await metron.wish_list.acquire(wish.id)
        after = await metron.collection.stats()
    assert after.total_items == stats.total_items + 1


@on_virtual_time
async def test_a_rating_is_seen_in_the_issue(fake, cache):
    async with client_of(fake, "editor", cache=cache) as metron:
        await metron.issues.get(1)
        await metron.collection.scrobble(1)
        assert await is_kept(metron, fake, metron.issues.get, 1)
        await metron.collection.scrobble(1, rating=5)
        assert not await is_kept(metron, fake, metron.issues.get, 1)


@pytest.mark.parametrize("known", [True, False])
@on_virtual_time
async def test_a_rating_of_an_item_is_seen_in_its_issue(fake, cache, known):
    """The response names no issue, and the cached issue kept the mean of before."""
    async with client_of(fake, "editor", cache=cache) as metron:
        item, _ = await metron.collection.add(1)
        await metron.issues.get(1)
        await metron.issues.get(2)
        assert await is_kept(metron, fake, metron.issues.get, 1)
        await metron.collection.rate(item.id, 5, issue_id=1 if known else None)
        assert await is_kept(metron, fake, metron.issues.get, 1) is not known
        assert await is_kept(metron, fake, metron.issues.get, 2)
        with pytest.raises(UsageError, match="issue_id"):
            await metron.collection.rate(item.id, 5, issue_id=0)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.drop_after(), TransportError),
        (Fault.status(502), ServerError),
    ],
)
@on_virtual_time
async def test_an_unknown_outcome_drops_too(fake, cache, fault, error):
    async with client_of(fake, "editor", cache=cache) as metron:
        await metron.arcs.get(1)
        fake.faults.add(fault, method="PATCH")
        with pytest.raises(error):
            await metron.arcs.update(1, m.ArcInput(desc="new"))
        assert not await is_kept(metron, fake, metron.arcs.get, 1)


@on_virtual_time
async def test_a_write_to_what_is_gone_forgets_it(fake, cache):
    async with client_of(fake, "editor", cache=cache) as metron:
        await metron.arcs.get(1)
        fake.delete("arc", 1)
        with pytest.raises(NotFoundError):
            await metron.arcs.update(1, m.ArcInput(desc="new"))
        with pytest.raises(NotFoundError):
            await metron.arcs.get(1)


@on_virtual_time
async def test_what_was_refused_or_never_sent_drops_nothing(fake, cache):
    async with client_of(fake, "editor", cache=cache) as metron:
        issue = await metron.issues.get(1)
        other = await metron.issues.get(2)
        with pytest.raises(ValidationError):
            await metron.issues.update(1, m.IssueInput(number=other.number))
        fake.faults.add(Fault.connect_error(), times=None, method="PATCH")
        with pytest.raises(TransportError):
            await metron.issues.update(1, m.IssueInput(desc="x"))
        assert await is_kept(metron, fake, metron.issues.get, issue.id)


@on_virtual_time
async def test_an_unknown_variant_write_drops_every_issue(fake, cache):
    async with client_of(fake, "editor", cache=cache) as metron:
        made = await metron.variants.create(m.VariantInput(issue=1, image=PNG))
        await metron.issues.get(1)
        await metron.issues.get(2)
        await metron.variants.update(made.id, m.VariantInput(name="x"))
        assert await is_kept(metron, fake, metron.issues.get, 2)
        assert not await is_kept(metron, fake, metron.issues.get, 1)
        await metron.variants.update(made.id, m.VariantInput(issue=2))
        assert not await is_kept(metron, fake, metron.issues.get, 1)
        fake.faults.add(Fault.drop_after(), method="PATCH")
        with pytest.raises(TransportError):
            await metron.variants.update(made.id, m.VariantInput(name="y"))
        assert not await is_kept(metron, fake, metron.issues.get, 1)


def slow_read_before_a_write(fake):
    """The read's answer is made at once, and arrives long after the write."""

    def latency():
        return (0.0, 20.0) if not fake.requests else 0.5

    fake.latency = latency


@on_virtual_time
async def test_a_read_overtaken_by_a_write_is_not_kept(fake, cache):
    async with client_of(fake, "editor", cache=cache) as metron:
        await metron.teams.get(1)  # the quota is known: more than one request at once from here
        fake.reset_log()
        slow_read_before_a_write(fake)
        read = asyncio.ensure_future(metron.arcs.get(1))
        await asyncio.sleep(1)
        await metron.arcs.update(1, m.ArcInput(desc="new"))
        assert not read.done(), "the race is not one"
        await asyncio.sleep(1)
        # Nobody who asks after the write may join the read that was sent before it.
        assert (await metron.arcs.get(1)).desc == "new"
        assert (await read).desc != "new"  # asked before, told before
        # And its late answer must not replace what is known now.
        assert (await metron.arcs.get(1)).desc == "new"
    assert [request.method for request in fake.requests] == ["GET", "PATCH", "GET"]


@on_virtual_time
async def test_a_late_answer_is_not_kept_where_nobody_read_meanwhile(fake, cache):
    async with client_of(fake, "editor", cache=cache) as metron:
        await metron.teams.get(1)
        fake.reset_log()
        slow_read_before_a_write(fake)
        read = asyncio.ensure_future(metron.arcs.get(1))
        await asyncio.sleep(1)
        await metron.arcs.update(1, m.ArcInput(desc="new"))
        await read
        assert (await metron.arcs.get(1)).desc == "new"


@on_virtual_time
async def test_a_read_of_a_caller_who_gave_up_on_his_write_is_not_from_before(fake, cache):
    async with client_of(fake, "editor", cache=cache) as metron:
        await metron.arcs.get(1)
        fake.faults.add(Fault.latency(30), method="PATCH")
        hasty = metron.with_options(timeout=5)
        with pytest.raises(TransportError):
            await hasty.arcs.update(1, m.ArcInput(desc="new"))
        # The server has not written yet. What it says now must not outlast the write; and it is
        # asked, though the cache still knew.
        assert not await is_kept(metron, fake, metron.arcs.get, 1)
        await asyncio.sleep(60)
        assert (await metron.arcs.get(1)).desc == "new"


@on_virtual_time
async def test_a_write_whose_caller_left_still_drops(fake, cache):
    async with client_of(fake, "editor", cache=cache) as metron:
        await metron.arcs.get(1)
        fake.latency = 3.0
        call = asyncio.ensure_future(metron.arcs.update(1, m.ArcInput(desc="new")))
        await asyncio.sleep(1)
        call.cancel()
        await asyncio.sleep(10)
        assert (await metron.arcs.get(1)).desc == "new"


@on_virtual_time
async def test_a_write_torn_down_by_closing_still_drops(fake, cache):
    metron = client_of(fake, "editor", cache=cache)
    await metron.arcs.get(1)
    fake.latency = 3600.0
    call = asyncio.ensure_future(metron.arcs.update(1, m.ArcInput(desc="new")))
    await asyncio.sleep(1)
    await metron.aclose()
    await asyncio.gather(call, return_exceptions=True)
    fake.latency = 0.0
    async with client_of(fake, "editor", cache=cache) as metron:
        assert not await is_kept(metron, fake, metron.arcs.get, 1)


async def test_in_a_file_it_is_dropped_for_every_client_that_shares_it(fake, tmp_path):
    one, two = (SQLiteCache(tmp_path / "cache.db") for _ in range(2))
    async with (
        client_of(fake, "editor", cache=one) as writer,
        client_of(fake, "editor", cache=two) as other,
        client_of(fake, "reader", cache=two) as reader,
    ):
        await writer.arcs.get(1)
        await one.flush()
        assert await is_kept(other, fake, other.arcs.get, 1)
        await reader.arcs.get(1)
        await two.flush()
        await writer.arcs.update(1, m.ArcInput(desc="new"))
        assert (await other.arcs.get(1)).desc == "new"
        assert await is_kept(reader, fake, reader.arcs.get, 1)
    await one.aclose()
    await two.aclose()


@on_virtual_time
async def test_a_new_issue_is_counted_in_its_series(fake, cache):
    async with client_of(fake, "editor", cache=cache) as metron:
        before = await metron.series.get(1)
        await metron.series.get(2)
        await metron.issues.create(
            m.IssueInput(series=1, number="999", cover_date=date(2026, 1, 1))
        )
        assert (await metron.series.get(1)).issue_count == before.issue_count + 1
        assert await is_kept(metron, fake, metron.series.get, 2)


@on_virtual_time
async def test_a_write_that_left_the_queue_drops_nothing(cache):
    fake = FakeMetron(issues=300)
    async with client_of(fake, "editor", cache=cache) as metron:
        await metron.arcs.get(1)
        for _ in range(19):
            await metron.pull_list.get()
        call = asyncio.ensure_future(metron.arcs.update(1, m.ArcInput(desc="new")))
        await asyncio.sleep(1)
        call.cancel()
        await asyncio.sleep(1)
        assert await is_kept(metron, fake, metron.arcs.get, 1)
