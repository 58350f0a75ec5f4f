"""Positions in the queue, against a list for each lane."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from metron_async.admission.queue import Queue, Waiter
from metron_async.types import Priority


@given(st.lists(st.tuples(st.sampled_from(["add", "remove"]), st.integers(0, 30))))
def test_positions_and_heads_are_those_of_plain_lists(steps):
    queue, lanes = Queue(), {lane: [] for lane in Priority}
    for now, (step, number) in enumerate(steps):
        lane = list(Priority)[number % 3]
        if step == "add":
            waiter = Waiter(lane)
            queue.add(waiter, now)
            lanes[lane].append(waiter)
        elif lanes[lane]:
            waiter = lanes[lane].pop(number % len(lanes[lane]))
            for _ in range(2):  # the second time it is not there
                queue.remove(waiter, now)
        higher = 0
        for waiters in lanes.values():
            expected = [(place, higher) for place in range(len(waiters))]
            assert [queue.ahead(each) for each in waiters] == expected
            higher += len(waiters)
        assert len(queue) == higher
        assert queue.next(now) is next((ws[0] for ws in lanes.values() if ws), None)
    everyone = queue.drain()
    assert everyone == [waiter for waiters in lanes.values() for waiter in waiters]
    for waiter in everyone:
        queue.add(waiter, 0)
    assert [queue.ahead(each) for each in everyone if each.priority is Priority.INTERACTIVE] == [
        (place, 0) for place in range(len(lanes[Priority.INTERACTIVE]))
    ]
