"""Positions in the queue, found without a walk through it."""

from __future__ import annotations

import asyncio

import hypothesis.strategies as st
from hypothesis import given

from metron_async.quota.lanes import Claim, Lanes
from metron_async.types import Priority

LANE = st.sampled_from(Priority)


@given(st.lists(st.tuples(LANE, st.integers(-1, 30)), max_size=80))
def test_positions_are_those_of_a_walk(steps):
    loop = asyncio.new_event_loop()
    lanes, kept = Lanes(60), {lane: [] for lane in Priority}
    for now, (lane, victim) in enumerate(steps):
        if victim < 0 or not kept[lane]:
            claim = Claim(lane, loop.create_future())
            lanes.add(claim, now)
            kept[lane].append(claim)
        else:
            lanes.remove(kept[lane].pop(victim % len(kept[lane])), now)
        for claims in kept.values():
            for place, claim in enumerate(claims):
                higher = sum(len(kept[above]) for above in Priority if above < claim.priority)
                assert lanes.ahead(claim) == (place, higher)
    loop.close()
