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
            above = sum(len(lanes[each]) for each in Priority if each < lane)
            assert queue.end_of_lane(waiter) == (len(lanes[lane]) - 1, above)
        elif lanes[lane]:
            waiter = lanes[lane].pop(number % len(lanes[lane]))
            for _ in range(2):  # the second time it is not there
                queue.remove(waiter, now)
        expected, higher = [], 0
        for waiters in lanes.values():
            expected += [(each, place, higher) for place, each in enumerate(waiters)]
            higher += len(waiters)
        assert list(queue.places()) == expected
        assert len(queue) == higher
        assert queue.next(now) is next((ws[0] for ws in lanes.values() if ws), None)
    everyone = queue.drain()
    assert everyone == [waiter for waiters in lanes.values() for waiter in waiters]
    for waiter in everyone:
        queue.add(waiter, 0)
    people = [place for each, place, _ in queue.places() if each.priority is Priority.INTERACTIVE]
    assert people == list(range(len(lanes[Priority.INTERACTIVE])))
