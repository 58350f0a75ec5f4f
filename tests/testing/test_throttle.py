"""The sliding log, against a model that keeps every request and counts from scratch."""

import math

from hypothesis import given
from hypothesis import strategies as st

from metron_async.testing.throttle import Window, rate_headers, retry_after

GAPS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.01, 0.5, 1.0, 3.0, 9.99, 10.0, 10.01, 25.0]), st.integers(0, 5)
    ),
    max_size=60,
)


@given(GAPS)
def test_a_request_is_accepted_iff_fewer_than_the_limit_lie_in_the_last_period(gaps):
    window, accepted, now = Window(), [], 1000.0
    for gap, limit in gaps:
        now += gap
        inside = [time for time in accepted if time > now - 10.0]
        verdict = window.ask(now, limit, 10.0)
        assert verdict.accepted == (len(inside) < limit)
        if verdict.accepted:
            accepted.append(now)
            inside.append(now)
        assert verdict.remaining == max(0, limit - len(inside))
        assert verdict.oldest == (inside[0] if inside else None)
        if not verdict.accepted:
            knows = len(inside) == limit and inside
            assert verdict.wait == (inside[0] + 10.0 - now if knows else None)


@given(GAPS)
def test_waiting_for_retry_after_is_enough_and_not_a_second_too_long(gaps):
    window, now = Window(), 1000.0
    for gap, limit in gaps:
        now += gap
        verdict = window.ask(now, limit, 10.0)
        if verdict.accepted or verdict.wait is None:
            continue
        assert not window.ask(now + verdict.wait - 0.001, limit, 10.0).accepted or (
            verdict.wait < 0.001
        )
        now += verdict.wait
        assert window.ask(now, limit, 10.0).accepted


def test_a_limit_that_dropped_below_the_window_leaves_retry_after_out():
    window = Window()
    for second in range(5):
        assert window.ask(second, 60, 60.0).accepted
    verdict = window.ask(6, 3, 60.0)
    assert not verdict.accepted
    assert verdict.wait is None
    assert verdict.remaining == 0
    assert retry_after((verdict,)) is None


def test_the_longer_wait_counts_and_is_rounded_up():
    short, long = Window(), Window()
    short.ask(0.0, 1, 60.0)
    long.ask(0.0, 1, 86_400.0)
    verdicts = (short.ask(0.5, 1, 60.0), long.ask(0.5, 1, 86_400.0))
    assert retry_after(verdicts[:1]) == 60
    assert retry_after(verdicts) == 86_400


def test_reset_is_when_the_oldest_leaves_in_the_skewed_clock_rounded_up():
    window = Window()
    window.ask(100.25, 2, 60.0)
    headers = rate_headers("burst", window.ask(130.0, 2, 60.0), 60.0, skew=-30.0)
    assert headers == {
        "x-ratelimit-burst-limit": "2",
        "x-ratelimit-burst-remaining": "0",
        "x-ratelimit-burst-reset": str(math.ceil(100.25 + 60 - 30)),
    }


def test_an_empty_window_that_takes_nothing_has_no_reset():
    assert "x-ratelimit-burst-reset" not in rate_headers(
        "burst", Window().ask(0.0, 0, 60.0), 60.0, skew=0.0
    )
