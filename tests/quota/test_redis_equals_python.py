"""The Lua script decides exactly as the Python core does."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metron_async.quota import Rules, WindowRules, apply, fresh_state
from metron_async.quota.state import Acquire, Peek, Release, Renew, Reply, Settle, State

redis = pytest.importorskip("redis")
redis_store = pytest.importorskip("metron_async.quota.redis_store")

RULES = Rules(
    burst=WindowRules(limit=6, period=10.0, margin=0.05, grain=0.0, reserve=1),
    sustained=WindowRules(limit=40, period=300.0, margin=2.0, grain=5.0, reserve=0.05),
    lease=4.0,
    doubt=15.0,
    doubt_above=2.0,
)

leases = st.integers(0, 12)
seconds = st.floats(0, 20, allow_nan=False)


@st.composite
def readings(draw):
    if draw(st.integers(0, 5)) == 0:
        return ()
    limit = draw(st.integers(1, 12))
    reset = draw(st.one_of(st.just(-1.0), st.integers(0, 14).map(float)))
    return (float(limit), float(draw(st.integers(0, limit))), reset)


@st.composite
def day_readings(draw):
    if draw(st.integers(0, 5)) == 0:
        return ()
    limit = draw(st.integers(10, 60))
    return (float(limit), float(draw(st.integers(0, limit))), float(draw(st.integers(0, 310))))


commands = st.one_of(
    st.builds(Acquire, leases, st.integers(0, 2), st.integers(1, 4), hurried=st.booleans()),
    st.builds(Acquire, st.integers(100, 2**48), st.just(1), st.just(8)),
    st.builds(
        Settle,
        leases,
        counted=st.integers(0, 9).map(bool),
        throttled=st.integers(0, 5).map(lambda n: n == 0),
        retry_after=st.sampled_from([-1.0, 0.0, 3.0, 9.0, 40.0]),
        jitter=st.sampled_from([0.0, 0.25]),
        burst=readings(),
        sustained=day_readings(),
    ),
    st.builds(Release, leases),
    st.builds(Renew, st.lists(leases, max_size=3).map(tuple)),
    st.builds(Peek, st.integers(0, 2), st.integers(0, 30)),
)
# Mostly forwards, at times backwards, as when a clock is set.
steps = st.one_of(st.sampled_from([0.0, 0.01, 0.3, 1.0, 5.0]), seconds, st.floats(-30, -0.1))


@pytest.fixture(scope="module")
def lua(redis_url):
    client = redis.Redis.from_url(redis_url)
    source = redis_store._SCRIPT
    clock = "local now = time[1] + time[2] / 1e6"
    assert clock in source
    script = client.register_script(source.replace(clock, "local now = tonumber(ARGV[4])"))
    yield client, script
    client.close()


def same(mine, theirs):
    """Compare two decoded states, in which Lua writes whole floats as integers."""
    if isinstance(mine, list | tuple):
        return len(mine) == len(theirs) and all(map(same, mine, theirs))
    return mine == theirs


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(work=st.lists(st.tuples(steps, commands), min_size=1, max_size=60))
def test_lua_decides_as_python_does(lua, work):
    client, script = lua
    client.delete("state")
    now = 1_000_000.5
    state = fresh_state(RULES, now)
    for step, command in work:
        now += step
        expected = apply(state, RULES, now, command)
        packed = script(
            keys=["state"],
            args=[
                msgspec.msgpack.encode(command), msgspec.msgpack.encode(RULES), 60_000, repr(now)
            ],
        )
        answer = msgspec.msgpack.decode(packed, type=Reply)
        assert msgspec.to_builtins(answer) == msgspec.to_builtins(expected)
        # The stored state reads as the same, too.
        stored = msgspec.msgpack.decode(client.get("state"), type=State)
        assert stored == state
        assert math.isfinite(stored.now)
