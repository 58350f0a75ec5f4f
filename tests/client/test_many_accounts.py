"""Clients that differ in their credentials alone share everything else."""

from __future__ import annotations

import asyncio
import threading
import tracemalloc

import pytest
from support.systems import open_files
from support.virtual import virtual

from metron_async import (
    AsyncMetron,
    AuthenticationError,
    BlockedError,
    ClosedError,
    ConfigurationError,
)
from metron_async.testing import FakeMetron

MANY = 1000


def fake_of(count=3):
    fake = FakeMetron(issues=60)
    for number in range(count):
        fake.add_account(f"user{number}", f"password{number}", f"token{number}")
    return fake


def test_each_has_its_own_quota_and_they_share_one_connection_pool():
    async def main():
        fake = fake_of()
        async with AsyncMetron("token0", transport=fake.transport()) as first:
            second = first.with_credentials("token1")
            basic = first.with_credentials(username="user2", password="password2")
            for metron in (first, second, basic):
                assert (await metron.issues.get(7)).id == 7
                assert (await metron.quota()).burst.remaining == 19
            assert [asked.account for asked in fake.requests] == ["user0", "user1", "user2"]
            cores = [metron._caller.core for metron in (first, second, basic)]
            assert len({core.parts.transport._client for core in cores}) == 1

    virtual(main())


def test_closing_one_leaves_the_others_open_and_the_first_closes_all():
    async def main():
        fake = fake_of()
        first = AsyncMetron("token0", transport=fake.transport())
        second, third = first.with_credentials("token1"), first.with_credentials("token2")
        async with second:
            await second.issues.get(7)
        with pytest.raises(ClosedError):
            await second.issues.get(8)
        assert (await third.issues.get(8)).id == 8
        await first.aclose()
        with pytest.raises(ClosedError):
            await third.issues.get(9)

    virtual(main())


@pytest.mark.parametrize("arguments", [{}, {"token": ""}, {"username": "x"}, {"token": "a b"}])
def test_credentials_must_be_given(arguments, monkeypatch):
    monkeypatch.setenv("METRON_TOKEN", "of-the-environment")
    metron = AsyncMetron("t0ken", transport=FakeMetron().transport())
    with pytest.raises(ConfigurationError):
        metron.with_credentials(**arguments)


def test_two_wrong_tokens_hold_up_only_what_is_not_proven_and_not_for_long():
    async def main():
        fake = fake_of(4)
        async with AsyncMetron("token0", transport=fake.transport()) as first:
            known = first.with_credentials("token1")
            await known.issues.get(7)
            for wrong in ("wrong1", "wrong2"):
                with pytest.raises(AuthenticationError):
                    await first.with_credentials(wrong).issues.get(7)
            assert (await known.issues.get(8)).id == 8
            unproven = first.with_credentials("token2")
            with pytest.raises(BlockedError, match="not proven") as caught:
                await unproven.issues.get(7)
            assert 0 < caught.value.retry_after < 305.1
            await asyncio.sleep(caught.value.retry_after)
            assert (await unproven.issues.get(7)).id == 7
            assert not fake.bans

    virtual(main())


async def test_a_thousand_accounts_share_threads_and_files(tmp_path):
    fake = fake_of(MANY)
    before, others = len(open_files()), {*threading.enumerate()}
    async with (
        fake.serve() as url,
        AsyncMetron("token0", base_url=url, storage=tmp_path) as first,
    ):
        await first.issues.get(1)
        tracemalloc.start()
        clients = [first.with_credentials(f"token{number}") for number in range(1, MANY)]
        for metron in clients[:50]:
            await metron.issues.get(7)
        for metron in clients[50:]:
            await metron._caller.core.ready()
        used, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len({*threading.enumerate()} - others) <= 4, "five with the main one"
        assert len(open_files()) - before <= 50
        assert used / MANY <= 30_000
