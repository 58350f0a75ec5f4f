"""A write is sent once: what fails after sending says so, and is never sent again by itself."""

import asyncio
import gc
import logging

import httpx
import pytest
from support.exchanges import client_of
from support.virtual import on_virtual_time

from metron_async import (
    AsyncMetron,
    BlockedError,
    CacheError,
    ClosedError,
    DecodeError,
    MetronError,
    PermissionDeniedError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    TransportError,
    UsageError,
)
from metron_async import models as m
from metron_async.testing import FakeMetron, Fault

SCROBBLE = "/api/collection/scrobble/"


@pytest.fixture
def fake():
    return FakeMetron(issues=300)


def assert_open(error):
    """The error says in every way it has that the write may have happened."""
    assert error.outcome_unknown
    assert not error.retryable, "a loop that repeats what is retryable would duplicate it"
    assert "unknown" in str(error)
    assert "duplicate" in str(error)


@on_virtual_time
async def test_a_scrobble_whose_connection_drops_is_sent_once_and_says_so(fake):
    fake.faults.add(Fault.drop_after(), path=SCROBBLE)
    async with client_of(fake, "editor") as metron:
        with pytest.raises(TransportError) as caught:
            await metron.collection.scrobble(7)
        assert_open(caught.value)
        assert len(fake.requests) == 1
        assert metron.stats.retries == 0
        # The server had read and obeyed it: once.
        items = await metron.collection.iter().collect()
        assert [(item.issue.id, item.read_count) for item in items] == [(7, 1)]


@pytest.mark.parametrize("fault", [Fault.drop_before(), Fault.cut_body(0.5)])
@on_virtual_time
async def test_any_connection_lost_after_sending_is_an_unknown_outcome(fake, fault):
    fake.faults.add(fault, path=SCROBBLE)
    async with client_of(fake, "editor") as metron:
        with pytest.raises(TransportError) as caught:
            await metron.collection.scrobble(7)
    assert_open(caught.value)
    assert len(fake.requests) <= 1


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.status(500), ServerError),
        (Fault.status(502), ServerError),
        (Fault.status(504), ServerError),
        (Fault.html_page(), DecodeError),
        (Fault.json(lambda _: {"id": "seven"}), DecodeError),
    ],
)
@on_virtual_time
async def test_failures_of_server_and_proxy_leave_the_outcome_open(fake, fault, kind):
    fake.faults.add(fault, path=SCROBBLE)
    async with client_of(fake, "editor") as metron:
        with pytest.raises(kind) as caught:
            await metron.collection.scrobble(7)
    assert_open(caught.value)
    assert metron.stats.requests == 1


@on_virtual_time
async def test_nothing_sent_is_tried_again(fake):
    planned = fake.faults.add(Fault.connect_error(), times=2)
    async with client_of(fake, "editor") as metron:
        result = await metron.collection.scrobble(7)
    assert planned.met == 2
    assert result.created
    assert [request.path for request in fake.requests if request.status == 201] == [SCROBBLE]


@on_virtual_time
async def test_nothing_ever_sent_is_no_unknown_outcome(fake):
    fake.faults.add(Fault.connect_error(), times=None)
    async with client_of(fake, "editor") as metron:
        with pytest.raises(TransportError) as caught:
            await metron.collection.scrobble(7)
    assert not caught.value.outcome_unknown
    assert caught.value.retryable
    assert "duplicate" not in str(caught.value)


@on_virtual_time
async def test_a_429_is_waited_out_and_sent_again():
    fake = FakeMetron(issues=300)
    async with client_of(fake, "editor") as metron:
        await metron.pull_list.get()  # the client knows the quota by now
        fake.spend("editor", 19)  # and somebody else uses it up
        result = await metron.collection.scrobble(7)
    assert fake.throttled == 1
    assert result.created
    statuses = [request.status for request in fake.requests if request.path == SCROBBLE]
    assert statuses == [429, 201]


@on_virtual_time
async def test_a_wait_longer_than_max_wait_sends_nothing():
    fake = FakeMetron(issues=300)
    async with client_of(fake, "editor", max_wait=1) as metron:
        for _ in range(20):
            await metron.pull_list.get()
        with pytest.raises(RateLimitError) as caught:
            await metron.collection.scrobble(7)
    assert not caught.value.outcome_unknown
    assert caught.value.retryable
    assert SCROBBLE not in {request.path for request in fake.requests}


@on_virtual_time
async def test_a_caller_who_times_out_is_told_and_the_write_goes_on(fake):
    fake.faults.add(Fault.latency(30), path=SCROBBLE)
    async with client_of(fake, "editor") as metron:
        with pytest.raises(RequestTimeoutError) as caught:
            await metron.with_options(timeout=5).collection.scrobble(7)
        assert_open(caught.value)
        await asyncio.sleep(60)
        assert [item.read_count for item in await metron.collection.iter().collect()] == [1]
    assert metron.stats.requests == 2


@on_virtual_time
async def test_a_write_still_queued_when_its_caller_leaves_is_never_sent():
    fake = FakeMetron(issues=300)
    async with client_of(fake, "editor") as metron:
        for _ in range(20):
            await metron.pull_list.get()
        with pytest.raises(RequestTimeoutError) as caught:
            await metron.with_options(timeout=5).collection.scrobble(7)
        assert not caught.value.outcome_unknown
        waiting = asyncio.ensure_future(metron.collection.scrobble(8))
        await asyncio.sleep(1)
        waiting.cancel()
        await asyncio.sleep(300)
    assert SCROBBLE not in {request.path for request in fake.requests}


@on_virtual_time
async def test_a_cancelled_caller_does_not_tear_the_write_down(fake):
    fake.latency = 3.0
    async with client_of(fake, "editor") as metron:
        call = asyncio.ensure_future(metron.collection.scrobble(7))
        await asyncio.sleep(1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.sleep(10)
        assert [item.read_count for item in await metron.collection.iter().collect()] == [1]
    assert not fake.bans


@on_virtual_time
async def test_a_write_is_not_tried_again_for_nobody(fake):
    """Who was told that the outcome is unknown must not have it sent later, behind his back."""
    fake.latency = 3.0
    fake.faults.add(Fault.status(429, retry_after="5"), path=SCROBBLE)
    async with client_of(fake, "editor") as metron:
        with pytest.raises(RequestTimeoutError):
            await metron.with_options(timeout=1).collection.scrobble(7)
        await asyncio.sleep(300)
    assert [request.status for request in fake.requests] == [429]


@on_virtual_time
async def test_equal_writes_are_never_one(fake):
    async with client_of(fake, "editor") as metron:
        await asyncio.gather(*(metron.collection.scrobble(7) for _ in range(3)))
        assert [item.read_count for item in await metron.collection.iter().collect()] == [3]
    assert metron.stats.coalesced == 0


@on_virtual_time
async def test_a_client_that_is_closed_says_what_became_of_its_writes(fake):
    fake.latency = 3600.0  # longer than the client waits at its end
    metron = client_of(fake, "editor")
    sent = asyncio.ensure_future(metron.collection.scrobble(7))
    queued = asyncio.ensure_future(metron.collection.scrobble(8))  # behind the first contact
    await asyncio.sleep(1)
    await metron.aclose()
    with pytest.raises(ClosedError) as unknown:
        await sent
    assert_open(unknown.value)
    with pytest.raises(ClosedError) as certain:
        await queued
    assert not certain.value.outcome_unknown
    assert len(fake.requests) <= 1


@on_virtual_time
async def test_a_client_that_is_closed_sends_no_write_any_more(fake):
    fake.latency = 3.0  # what was sent ends within the grace, and makes room for the next
    metron = client_of(fake, "editor")
    sent = asyncio.ensure_future(metron.collection.scrobble(7))
    queued = asyncio.ensure_future(metron.collection.scrobble(8))
    await asyncio.sleep(1)
    await metron.aclose()
    assert (await sent).created
    with pytest.raises(ClosedError) as certain:
        await queued
    assert not certain.value.outcome_unknown
    assert len(fake.requests) == 1


@on_virtual_time
async def test_a_redirected_write_is_not_followed(fake):
    fake.faults.add(Fault.redirect("/api/collection/elsewhere/", 307), path=SCROBBLE)
    async with client_of(fake, "editor") as metron:
        with pytest.raises(MetronError) as caught:
            await metron.collection.scrobble(7)
    assert caught.value.status == 307
    assert not caught.value.outcome_unknown
    assert metron.stats.requests == 1


@on_virtual_time
async def test_offline_writes_are_refused(fake):
    async with client_of(fake, "editor") as metron:
        with pytest.raises(CacheError, match="offline"):
            await metron.with_options(offline=True).collection.scrobble(7)
    assert not fake.requests


@on_virtual_time
async def test_plain_accounts_may_not_edit_and_the_guard_counts_it(fake):
    async with client_of(fake, "reader") as metron:
        seen = []
        for _ in range(8):
            try:
                await metron.arcs.update(1, m.ArcInput(desc="x"))
            except (PermissionDeniedError, BlockedError) as error:
                seen.append(error)
        assert type(seen[0]) is PermissionDeniedError
        assert type(seen[-1]) is BlockedError
        assert not any(error.outcome_unknown for error in seen)
        calls = (
            metron.variants.create(m.VariantInput(issue=1, image=b"\x89PNG\r\n\x1a\n0")),
            metron.credits.create([m.CreditInput(issue=1, creator=1, role=[1])]),
        )
        for call in calls:
            with pytest.raises(BlockedError):
                await call
    assert not fake.bans
    assert all(request.status == 403 for request in fake.requests)


@on_virtual_time
async def test_an_unheard_failure_is_logged_without_the_body(fake, caplog):
    fake.faults.add(Fault.drop_after(), path=SCROBBLE)
    fake.latency = 3.0
    async with client_of(fake, "editor") as metron:
        call = asyncio.ensure_future(metron.collection.scrobble(7, rating=4))
        with caplog.at_level(logging.INFO, "metron_async"):
            await asyncio.sleep(1)
            call.cancel()
            await asyncio.sleep(10)
    assert "no caller waiting" in caplog.text
    assert "rating" not in caplog.text
    assert "editor-token" not in caplog.text


@pytest.mark.parametrize("bad", [0, -1, True, "7", 7.0, None, 2**63])
@on_virtual_time
async def test_ids_are_checked_before_anything_is_sent(fake, bad):
    async with client_of(fake, "editor") as metron:
        calls = [
            metron.collection.add(bad),
            metron.collection.scrobble(bad),
            metron.collection.rate(bad, 5),
            metron.collection.remove(bad),
            metron.pull_list.add_series(bad),
            metron.pull_list.remove_series(bad),
            metron.wish_list.add(bad),
            metron.wish_list.acquire(bad),
            metron.wish_list.remove(bad),
            metron.arcs.update(bad, m.ArcInput(desc="x")),
            metron.arcs.replace(bad, m.ArcInput(name="x")),
            metron.variants.update(bad, m.VariantInput(name="x")),
        ]
        for call in calls:
            with pytest.raises(UsageError):
                await call
    assert not fake.requests


async def test_over_a_socket_a_dropped_scrobble_is_read_once(tmp_path, monkeypatch):
    """A real connection: the server reads the whole request, and hangs up."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    read = []

    async def serve(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        read.append(await reader.readexactly(length))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with (
        server,
        httpx.AsyncClient() as http,
        AsyncMetron(
            token="t",
            base_url=f"http://127.0.0.1:{port}",
            http_client=http,
            cache=None,
            storage=":memory:",
        ) as metron,
    ):
        with pytest.raises(TransportError) as caught:
            await metron.collection.scrobble(7, rating=5)
    assert_open(caught.value)
    assert read == [b'{"issue_id":7,"rating":5}']
    gc.collect()
