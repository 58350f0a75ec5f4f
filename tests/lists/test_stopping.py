"""Which errors stop a run over many ids, what a run costs when all is lost, and its progress."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from support.virtual import virtual

from metron_async import (
    AsyncMetron,
    AuthenticationError,
    BlockedError,
    CacheError,
    ClosedError,
    DecodeError,
    NotFoundError,
    Priority,
    Progress,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    TransportError,
    UsageError,
    Wait,
)
from metron_async.lists.bulk import STOP_AFTER, FailureStreak, FetchMany
from metron_async.testing import FakeMetron, Fault

if TYPE_CHECKING:
    from collections.abc import Callable

HOW = ["yield", "skip"]


def client(fake: FakeMetron, **options: Any) -> AsyncMetron:
    return AsyncMetron(
        token=options.pop("token", fake.token), transport=fake.transport(), **options
    )


async def drain(results: Any, into: list[Any]) -> None:
    async for one in results:
        into.append(one)  # noqa: PERF401 - what came before an error counts


# --- Errors that concern the run ------------------------------------------------------------------


@pytest.mark.parametrize("how", HOW)
def test_the_end_of_the_days_quota_ends_the_run(how: Any) -> None:
    """It ended in silence after 57 of 200, or with 143 identical errors."""
    fake = FakeMetron(300)

    async def main() -> None:
        async with client(fake) as metron:
            await metron.issues.get(201)
            fake.spend("reader", 4_960)
            got: list[Any] = []
            with pytest.raises(RateLimitError) as caught:
                await drain(metron.issues.fetch_many(range(1, 201), on_error=how), got)
            assert caught.value.scope == "sustained"
            assert 0 < len(got) < 60
            assert all(one.error is None for one in got)

    virtual(main())


@pytest.mark.parametrize("how", HOW)
def test_refused_credentials_end_the_run(how: Any) -> None:
    fake = FakeMetron(60)

    async def main() -> None:
        async with client(fake, token="wrong") as metron:
            got: list[Any] = []
            with pytest.raises((AuthenticationError, BlockedError)):
                await drain(metron.issues.fetch_many(range(1, 50), on_error=how), got)
            assert got == []
            assert len(fake.requests) <= 1

    virtual(main())


@pytest.mark.parametrize("how", HOW)
def test_a_refusal_within_max_wait_ends_the_run(how: Any) -> None:
    fake = FakeMetron(100)

    async def main() -> None:
        async with client(fake) as metron:
            quick = metron.with_options(max_wait=0.5)
            got: list[Any] = []
            with pytest.raises(RateLimitError):
                await drain(quick.issues.fetch_many(range(1, 90), on_error=how), got)
            assert 10 <= len(got) <= 20

    virtual(main())


@pytest.mark.parametrize(
    "error", [ClosedError("closed"), BlockedError("", reason="", retry_after=1)]
)
async def test_what_no_id_can_escape_ends_the_run(error: Exception) -> None:
    async def fetch(number: int) -> int:
        if number == 3:
            raise error
        return number

    got: list[Any] = []
    with pytest.raises(type(error)):
        await drain(FetchMany(fetch, range(100), on_error="skip"), got)
    assert len(got) < 10


async def test_objects_that_came_with_the_last_error_are_yielded() -> None:
    together = asyncio.Event()

    async def fetch(number: int) -> int:
        if number == 3:
            together.set()
        await together.wait()
        if number == 0:
            msg = "closed"
            raise ClosedError(msg)
        return number

    got: list[Any] = []
    with pytest.raises(ClosedError):
        await drain(FetchMany(fetch, range(4)), got)
    assert {one.id for one in got} == {1, 2, 3}


# --- A server that is down ------------------------------------------------------------------------

DOWN: dict[str, tuple[Callable[[], Fault], type[Exception]]] = {
    "503": (lambda: Fault.status(503), ServerError),
    "connection": (Fault.connect_error, TransportError),
    "page of a proxy": (Fault.html_page, DecodeError),
}


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("concurrency", [1, 4, 50])
@pytest.mark.parametrize("down", DOWN)
def test_a_server_that_is_down_costs_at_most_60_requests(
    down: str, concurrency: int, how: Any
) -> None:
    """It cost 900, and an hour, for 300 ids."""
    make, kind = DOWN[down]
    fake = FakeMetron(300)

    async def main() -> None:
        async with client(fake) as metron:
            fault = fake.faults.add(make(), times=None)
            got: list[Any] = []
            many = metron.issues.fetch_many(range(1, 301), on_error=how, concurrency=concurrency)
            with pytest.raises(kind) as caught:
                await drain(many, got)
            assert "5 failures in a row" in caught.value.__notes__[0]
            assert len(got) == (STOP_AFTER - 1 if how == "yield" else 0)
            assert fault.met <= 60

    virtual(main())


def test_a_server_that_goes_down_on_the_way_ends_the_run() -> None:
    fake = FakeMetron(300, throttle=False, bans=False)

    async def main() -> None:
        async with client(fake) as metron:
            fault = fake.faults.add(Fault.status(500), times=None, skip=100)
            got: list[Any] = []
            with pytest.raises(ServerError):
                await drain(metron.issues.fetch_many(range(1, 301), on_error="skip"), got)
            assert len(got) == 100
            assert fault.met <= 60

    virtual(main())


def test_single_failures_do_not_end_the_run() -> None:
    fake = FakeMetron(60, throttle=False, bans=False)

    async def main() -> None:
        for number in range(1, 60, 5):
            path = f"/api/issue/{number}/"
            fake.faults.add(Fault.status(500, page=False), path=path, times=None)
        async with client(fake, retries=0) as metron:
            got = await metron.issues.fetch_many(range(1, 61), concurrency=1).collect()
            assert len(got) == 60
            failed = [one.id for one in got if one.error is not None]
            assert failed == [*range(1, 60, 5)]
            assert all(isinstance(one.error, ServerError) for one in got if one.id in failed)

    virtual(main())


def outcomes() -> list[tuple[Any, int]]:
    missing = NotFoundError("gone", status=404)
    down = ServerError("down", status=500)
    shape = DecodeError("not promised", status=200, where="$.id")
    page = DecodeError("an HTML page", status=200)
    late = RequestTimeoutError("late")
    return [
        ([down] * 4, 4),
        ([down, late, page, down], 4),
        ([down, missing], 0),
        ([down, None, down], 1),
        ([down, down, UsageError("not an id"), CacheError("offline")], 2),
        ([down, shape, down], 1),
    ]


@pytest.mark.parametrize(("errors", "failures"), outcomes(), ids=range(6))
def test_a_streak_counts_failures_in_a_row(errors: list[Any], failures: int) -> None:
    streak = FailureStreak()
    assert streak.room(2) == 2
    assert streak.room(50) == STOP_AFTER
    for error in errors:
        assert not streak.add(error)
    last = ServerError("down", status=500)
    assert [streak.add(last) for _ in range(STOP_AFTER - failures)][-1]
    streak.add(None)
    assert streak.room(50) == 50
    streak.add(last)
    assert streak.room(50) == STOP_AFTER - 1


async def test_ids_of_other_libraries_are_ids() -> None:
    class Int64:
        def __index__(self) -> int:
            return 3

    fake = FakeMetron(60, throttle=False)
    async with client(fake) as metron:
        got = await metron.issues.fetch_many([Int64(), True, 2.0, 4]).collect()  # type: ignore[list-item]
        assert {type(one.id) for one in got if one.error is None} == {int}
        assert sorted(one.id for one in got if one.error is None) == [3, 4]
        assert (await metron.issues.get(Int64())).id == 3  # type: ignore[arg-type]
        with pytest.raises(UsageError):
            await metron.issues.get(True)


# --- Progress -------------------------------------------------------------------------------------


def test_fetch_many_reports_its_progress() -> None:
    fake = FakeMetron(60)
    seen: list[Progress] = []
    waits: list[Wait] = []

    async def main() -> None:
        async with client(fake, priority=Priority.BULK, on_wait=waits.append) as metron:
            await metron.issues.get(1)
            many = metron.issues.fetch_many([*range(1, 31), 999], progress=seen.append)
            assert len(await many.collect()) == 31
            done = [one for one in seen if not one.waiting]
            assert [one.done for one in done] == [*range(1, 32)]
            assert {one.total for one in seen} == {31}
            assert seen[-1].requests == 30
            assert [one.requests for one in seen] == sorted(one.requests for one in seen)
            waiting = [one.waiting for one in seen if one.waiting]
            assert waiting
            assert waiting == [wait.seconds for wait in waits]
            seen.clear()
            await metron.issues.fetch_many(iter([1, 2]), progress=seen.append).collect()
            assert [(one.done, one.total) for one in seen] == [(1, None), (2, None)]
            assert seen[-1].requests == 0

    virtual(main())


def test_details_report_their_progress() -> None:
    fake = FakeMetron(30)
    seen: list[Progress] = []

    async def main() -> None:
        async with client(fake) as metron:
            fake.faults.add(Fault.status(404, page=False), path="/api/publisher/3/", times=None)
            lazy = metron.publishers.iter().details(progress=seen.append)
            found = await lazy.collect()
            done = [one for one in seen if not one.waiting]
            total = len(found) + 1
            assert [one.done for one in done] == [*range(1, total + 1)]
            assert {one.total for one in done} == {total}
            assert seen[-1].requests == total + 1

    virtual(main())


async def test_a_callback_that_fails_ends_the_run() -> None:
    def broken(_: Progress) -> None:
        raise LookupError

    fake = FakeMetron(30, throttle=False)
    async with client(fake) as metron:
        with pytest.raises(LookupError):
            await metron.issues.fetch_many([1, 2], progress=broken).collect()
        for wrong in (5, "print"):
            with pytest.raises(UsageError, match="progress"):
                metron.issues.fetch_many([1], progress=wrong)  # type: ignore[arg-type]
            with pytest.raises(UsageError, match="progress"):
                metron.issues.iter().details(progress=wrong)  # type: ignore[arg-type]
