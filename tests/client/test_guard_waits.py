"""Calls that the ban guard spaces: patient callers wait, impatient ones leave in time."""

import asyncio

import pytest

from metron_async import AsyncMetron, BlockedError, NotFoundError
from metron_async.testing import FakeMetron, Fault, run_virtual


async def provoke_spacing(metron: AsyncMetron, fake: FakeMetron) -> None:
    for number in range(10):
        with pytest.raises(NotFoundError):
            await metron.issues.get(900_000 + number)
    assert fake.bans == []


def test_a_call_that_may_be_a_404_is_spaced_and_a_list_is_not() -> None:
    async def scenario() -> None:
        fake = FakeMetron(issues=60, throttle=False)
        async with AsyncMetron(fake.token, transport=fake.transport()) as metron:
            clock = asyncio.get_running_loop().time
            await provoke_spacing(metron, fake)
            began = clock()
            await metron.issues.iter().first()
            assert clock() == began
            assert (await metron.issues.get(1)).id == 1
            assert 1 < clock() - began <= 13
            assert fake.bans == []

    run_virtual(scenario())


def test_an_impatient_caller_leaves_the_line_and_nothing_is_sent() -> None:
    async def scenario() -> None:
        fake = FakeMetron(issues=60, throttle=False)
        async with AsyncMetron(fake.token, transport=fake.transport()) as metron:
            clock = asyncio.get_running_loop().time
            await provoke_spacing(metron, fake)
            sent, began = len(fake.requests), clock()
            patient = asyncio.create_task(metron.issues.get(1))
            await asyncio.sleep(0)
            with pytest.raises(BlockedError, match="max_wait") as caught:
                await metron.with_options(max_wait=0.5).issues.get(1)
            assert clock() - began <= 0.5
            assert caught.value.retryable
            assert len(fake.requests) == sent
            assert (await patient).id == 1, "who stays is not hurt by who leaves"

    run_virtual(scenario())


@pytest.mark.parametrize("how", ["page", "start", "shrunk"])
def test_pages_that_the_caller_numbers_are_spaced_before_they_get_the_address_banned(
    how: str,
) -> None:
    """Sixty pages past the end of a list were sixty 404s without a pause."""

    async def scenario() -> None:
        fake = FakeMetron(issues=130, throttle=False)
        async with AsyncMetron(fake.token, transport=fake.transport(), cache=None) as metron:
            listed = metron.issues.iter()
            for number in range(25):
                if how == "shrunk":  # page 2 is gone when it is requested
                    counted = Fault.json(lambda body: body | {"count": 250, "next": "?page=2"})
                    fake.faults.add(counted)
                    assert await listed.last()
                    continue
                pages = listed.pages(start=1000 + number)
                with pytest.raises(NotFoundError):
                    await (anext(pages) if how == "start" else listed.page(1000 + number))
            assert fake.bans == []

    run_virtual(scenario())


def test_the_pages_that_a_list_announces_are_not_spaced() -> None:
    async def scenario() -> None:
        fake = FakeMetron(issues=250, throttle=False)
        async with AsyncMetron(fake.token, transport=fake.transport()) as metron:
            clock = asyncio.get_running_loop().time
            await provoke_spacing(metron, fake)
            began = clock()
            assert len(await metron.issues.iter().collect()) == 250
            assert len(await metron.characters.iter().page(1)) > 0
            assert clock() == began

    run_virtual(scenario())
