"""The throttle behind the network: exact on arrival, for all latencies and disconnections."""

import asyncio
import contextlib

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bare import client_of
from support.virtual import on_virtual_time

from metron_async.testing import FakeMetron, run_virtual

SENT = st.lists(
    st.tuples(
        st.floats(0, 150),  # when it is sent
        st.floats(0, 2),  # up
        st.floats(0, 2),  # down
        st.one_of(st.none(), st.floats(0.001, 3)),  # when the client disconnects
    ),
    min_size=1,
    max_size=40,
)


@settings(deadline=None, max_examples=60)
@given(SENT, st.integers(1, 6), st.integers(5, 30))
def test_accepted_iff_fewer_than_the_limits_were_accepted(sent, burst, sustained):
    async def main():
        fake = FakeMetron(issues=1, burst=burst, sustained=sustained, sustained_period=100.0)
        fake.wire.firewall.rules.clear()
        verdicts = {}

        async def ask(name, when, up, down, leave):
            await asyncio.sleep(when)
            fake.latency = lambda: (up, down)
            with contextlib.suppress(httpx.ReadTimeout):
                response = await client.get("role/", params={"n": name}, timeout=leave)
                verdicts[str(name)] = response.status_code

        async with client_of(fake) as client:
            await asyncio.gather(*(ask(name, *row) for name, row in enumerate(sent)))
            await asyncio.sleep(10)
        assert len(fake.requests) == len(sent)
        check(fake.requests, verdicts, burst, sustained)

    run_virtual(main())


def check(requests, verdicts, burst, sustained):
    short, long = [], []
    for asked in requests:
        in_short = sum(time > asked.time - 60 for time in short)
        in_long = sum(time > asked.time - 100 for time in long)
        if in_short < burst:
            short.append(asked.time)
        if in_long < sustained:
            long.append(asked.time)
        expected = 200 if in_short < burst and in_long < sustained else 429
        assert verdicts.get(asked.params["n"], expected) == expected
        assert asked.status in {expected, 499}


@on_virtual_time
async def test_latency_may_be_a_callable_that_returns_one_number():
    fake = FakeMetron(issues=1)
    fake.latency = lambda: 4.0
    async with client_of(fake) as client:
        await client.get("role/")
    assert asyncio.get_running_loop().time() == pytest.approx(4.0)


@on_virtual_time
async def test_the_selections_that_pages_share_are_bounded():
    fake = FakeMetron(issues=20, throttle=False, list_cache=60)
    async with client_of(fake) as client:
        for page in range(40):
            await client.get("issue/", params={"cv_id": page})
    assert len(fake._core.state.selection._found) == 32


def test_an_unknown_field_is_an_error_and_changes_nothing():
    fake = FakeMetron(issues=5)
    before = fake.catalogue.tables.issue[1].title
    with pytest.raises(AttributeError, match="no field 'colour'"):
        fake.touch("issue", 1, title="x", colour="red")
    assert fake.catalogue.tables.issue[1].title == before
    with pytest.raises(KeyError):
        fake.touch("issue", 99)
    with pytest.raises(KeyError):
        fake.delete("arc", 4711)


@pytest.mark.parametrize("issues", [0, 1, 7])
def test_tiny_catalogues(issues):
    assert len(FakeMetron(issues=issues).catalogue.tables.issue) == issues


def test_servers_of_the_same_catalogue_share_no_record():
    one, other = FakeMetron(issues=20), FakeMetron(issues=20)
    one.touch("issue", 1, title="Changed")
    one.catalogue.tables.reading_list[1].items[0].order = 99
    one.delete("arc", 1)
    fresh = FakeMetron(issues=20)
    assert other.catalogue.tables == fresh.catalogue.tables
    assert one.catalogue.tables != fresh.catalogue.tables
