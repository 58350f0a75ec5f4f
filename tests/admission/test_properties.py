"""Whatever happens, in whatever order: no 429, no leak, no lost wake-up, and honest estimates."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.admission import CountingStorage, Server, admit
from support.virtual import virtual

from metron_async.admission import (
    Controller,
    EndKind,
    Priority,
    RequestEnd,
    Rules,
    Waiter,
    WindowRules,
)
from metron_async.admission import window as windows
from metron_async.admission.codec import decode_account, decode_address
from metron_async.admission.log import EntryLog
from metron_async.errors import BlockedError, RateLimitError, StorageError

RULES = Rules(burst=WindowRules(limit=5, period=60.0, margin=0.05, reserve=0.0))


@dataclass(frozen=True)
class Job:
    """One call: when, from which client, how long the line is, and what befalls it."""

    at: float
    client: int
    lane: Priority
    up: float
    down: float
    fate: str  # fine, lost before or after the server saw it, not sent
    cancel_after: float | None = None
    max_wait: float | None = math.inf
    promote_after: float | None = None


def jobs(*, calm: bool = False):
    fates = ["fine"] * 6 + ([] if calm else ["lost", "lost unseen", "not sent", "denied"])
    rare = st.none() if calm else st.one_of(st.none(), st.none(), st.floats(0, 150))
    job = st.builds(
        Job,
        at=st.one_of(st.floats(0, 3), st.floats(0, 200)),
        client=st.integers(0, 2),
        lane=st.sampled_from(list(Priority)),
        up=st.one_of(st.floats(0, 0.3), st.floats(0, 30)),
        down=st.one_of(st.floats(0, 0.3), st.floats(0, 30)),
        fate=st.sampled_from(fates),
        cancel_after=rare,
        max_wait=st.just(math.inf) if calm else st.sampled_from([math.inf, math.inf, None, 0, 70]),
        promote_after=rare,
    )
    return st.lists(job, min_size=1, max_size=30)


class CheckedStorage(CountingStorage):
    """A storage that checks at every transaction that no window holds more than its limit."""

    async def transact(self, account, address, decide):
        reply = await super().transact(account, address, decide)
        if reply.lease is not None:
            state = self.account()
            for window in (state.burst, state.sustained):
                total = window.used + len(state.leases) + window.foreign
                assert total <= window.limit, (total, window.limit)
                assert window.used == sum(each.count for each in window.log.oldest())
                assert window.confirmed == sum(each.confirmed for each in window.log.oldest())
            assert len(state.leases) <= 4
        return reply

    def account(self):
        return decode_account(self.state("me"), RULES, 0.0)


async def play(work, foreign=(), clients=1, latency=0.0):  # noqa: C901 - a whole world
    loop = asyncio.get_running_loop()
    server, storage = Server(limit=5), CheckedStorage(latency)
    ours = [
        Controller(
            storage, account="me", address="a", credentials="x", rules=RULES, max_in_flight=4
        )
        for _ in range(clients)
    ]
    too_late = []

    async def send(controller, job, permit):
        await asyncio.sleep(job.up)
        if job.fate == "not sent":
            controller.release(permit)
            return
        end = RequestEnd(EndKind.LOST, error=OSError("lost"))
        if job.fate == "denied":
            end = RequestEnd.answered(500, {})
        elif job.fate != "lost unseen":
            status, headers = server.handle(loop.time(), "ours")
            end = RequestEnd.answered(status, headers) if job.fate == "fine" else end
        await asyncio.sleep(job.down)
        controller.settle(permit, end)

    async def call(job):
        await asyncio.sleep(job.at)
        controller, began, waits = ours[job.client % clients], loop.time(), []
        waiter = Waiter(job.lane, on_wait=lambda it: waits.append((loop.time(), it.wait)))
        if job.promote_after is not None:
            loop.call_later(job.promote_after, controller.promote, waiter, Priority.INTERACTIVE)
        try:
            permit = await admit(controller, waiter, max_wait=job.max_wait)
        except (RateLimitError, BlockedError) as error:
            assert error.retry_after > 0  # noqa: PT017
            if job.max_wait is not None:
                assert loop.time() - began <= job.max_wait + 0.5
            return
        too_late.extend(
            (job, loop.time(), wait) for wait in waits if loop.time() < sum(wait) - 1e-6
        )
        await asyncio.shield(asyncio.ensure_future(send(controller, job, permit)))

    async def others():
        for time in sorted(foreign):
            await asyncio.sleep(max(0.0, time - loop.time()))
            server.handle(loop.time(), "others")

    tasks = []
    for job in work:
        task = asyncio.ensure_future(call(job))
        tasks.append(task)
        if job.cancel_after is not None:
            loop.call_later(job.at + job.cancel_after, task.cancel)
    for result in await asyncio.gather(*tasks, others(), return_exceptions=True):
        if isinstance(result, Exception):
            raise result
    finished = loop.time()
    await asyncio.sleep(300)  # what was cancelled while it was sent has ended
    for controller in ours:
        assert controller._client.in_flight == 0
        assert sum(controller.waiting.values()) == 0
        await controller.aclose()
    assert storage.account().leases == []
    assert not any(kind < 8 for kind, _ in decode_address((storage.state("a") or b"")[12:]))
    return [who for who, _ in server.log if who == "ours"], storage.account(), too_late, finished


@settings(max_examples=60, deadline=None)
@given(work=jobs(), clients=st.integers(1, 3), latency=st.sampled_from([0.0, 0.0, 0.05]))
def test_an_account_that_is_ours_alone_never_sees_a_429(work, clients, latency):
    rejected, account, _, _ = virtual(play(work, clients=clients, latency=latency))
    assert rejected == []
    assert account.burst.foreign == 0, "own requests were taken for foreign ones"


@settings(max_examples=40, deadline=None)
@given(
    work=jobs(),
    foreign=st.lists(st.floats(0, 300), max_size=25),
    clients=st.integers(1, 2),
)
def test_beside_foreign_requests_nothing_leaks_and_no_waiter_is_forgotten(work, foreign, clients):
    _, _, _, finished = virtual(play(work, foreign, clients))
    assert finished <= 61 * (len(work) + len(foreign) + 2) + 4000


@settings(max_examples=40, deadline=None)
@given(work=jobs(calm=True))
def test_announced_waits_are_lower_bounds(work):
    _, _, too_late, _ = virtual(play(work))
    assert too_late == []


def test_the_properties_catch_a_log_stamped_at_sending(monkeypatch):
    # The first of five requests is counted late; the sixth, a minute later, right away.
    work = [Job(0, 0, Priority.NORMAL, 0.1, 0.1, "fine")]
    work += [Job(1, 0, Priority.NORMAL, 20, 0, "fine") for _ in range(4)]
    work += [Job(2, 0, Priority.NORMAL, 0, 0, "fine") for _ in range(5)]
    assert virtual(play(work))[0] == []
    honest = EntryLog.record
    monkeypatch.setattr(
        EntryLog, "record", lambda log, sent, _, confirmed: honest(log, sent, sent, confirmed)
    )
    assert virtual(play(work))[0] != []


def test_the_properties_catch_a_slot_too_many(monkeypatch):
    work = [Job(0, i, Priority.NORMAL, 0.1, 0.1, "fine") for i in range(12)]
    monkeypatch.setattr(windows, "held", lambda window, in_flight: window.used + in_flight - 1)
    with pytest.raises(StorageError):
        virtual(play(work, clients=2))
