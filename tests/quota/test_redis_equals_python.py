"""The Lua script decides exactly as the Python core does."""

from __future__ import annotations

import random

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


class Driver:
    """Draws commands that make sense in a state most of the time, and not always."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.wild = self.rng.random() < 0.2
        self.throttles = self.rng.choice([0.0, 0.0, 0.02, 0.2])
        self.others = self.rng.choice([0, 0, 2, 8])

    def step(self):
        """Mostly forwards; at times backwards, as when a clock is set."""
        rng = self.rng
        if rng.random() < 0.01:
            return -rng.uniform(0.1, 30)
        return rng.choice([0.0, 0.01, 0.01, 0.3, rng.uniform(0, 3), rng.uniform(0, 12)])

    def command(self, state):
        rng = self.rng
        draw = rng.random()
        if draw < 0.45:
            lease = rng.choice([rng.randrange(2**48), rng.randrange(8)])
            hurried = rng.random() < 0.2
            return Acquire(lease, rng.randrange(3), rng.choice([2, 4, 8]), hurried=hurried)
        if draw < 0.85:
            return self.settle(state)
        if draw < 0.9:
            return Release(self.lease(state))
        if draw < 0.93:
            return Renew(tuple(self.lease(state) for _ in range(rng.randrange(3))))
        return Peek(rng.randrange(3), rng.choice([0, 1, rng.randrange(30)]))

    def lease(self, state):
        if state.leases and self.rng.random() < 0.95:
            return self.rng.choice(state.leases).id
        return self.rng.randrange(8)

    def settle(self, state):
        rng = self.rng
        return Settle(
            self.lease(state),
            counted=rng.random() < 0.95,
            throttled=rng.random() < self.throttles,
            retry_after=rng.choice([-1.0, 0.0, 3.0, 9.0, 25.0, 40.0]),
            jitter=rng.choice([0.0, 0.25]),
            burst=self.reading(state.burst, state.leases, (6, 6, 6, 4, 12)),
            sustained=self.reading(state.sustained, state.leases, (40, 40, 40, 30, 60)),
        )

    def reading(self, window, leases, limits):
        rng = self.rng
        if rng.random() < 0.1:
            return ()
        limit = rng.choice(limits)
        used = window.used + rng.randrange(len(leases) + 1) + rng.randint(0, self.others)
        if self.wild:
            used = rng.randrange(limit + 1)
        reset = rng.choice([-1, 0, 1, 4, rng.randrange(12), 300])
        return (float(limit), float(max(0, limit - used)), float(reset))


@pytest.fixture(scope="module")
def lua(redis_url):
    client = redis.Redis.from_url(redis_url)
    source = redis_store._SCRIPT
    clock = "local now = time[1] + time[2] / 1e6"
    assert clock in source
    script = client.register_script(source.replace(clock, "local now = tonumber(ARGV[4])"))
    yield client, script
    client.close()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_lua_decides_as_python_does(lua, seed):
    client, script = lua
    client.delete("state")
    driver = Driver(seed)
    now = 1_000_000.5
    state = fresh_state(RULES, now)
    for _ in range(200):
        now += driver.step()
        command = driver.command(state)
        expected = apply(state, RULES, now, command)
        encode = msgspec.msgpack.encode
        arguments = [encode(command), encode(RULES), 60_000, repr(now)]
        packed = script(keys=["state"], args=arguments)
        answer = msgspec.msgpack.decode(packed, type=Reply)
        assert msgspec.to_builtins(answer) == msgspec.to_builtins(expected)
        # The state that was stored is the same, too, down to the last bit.
        assert msgspec.msgpack.decode(client.get("state"), type=State) == state
