"""How long a caller stays, and the error when it leaves."""

import math

import pytest

from metron_async import BlockedError, Priority, RateLimitError
from metron_async._engine.waiting import allowed_wait, spoken, wait_error
from metron_async.types import CallOptions, Wait


def wait(**details):
    known = {"seconds": 30.0, "reason": "quota", "scope": "burst", "path": "issue/1/"}
    return Wait(**(known | {"priority": Priority.NORMAL, "limit": 20} | details))


@pytest.mark.parametrize(
    ("max_wait", "spent", "details", "allowed"),
    [
        (None, 0.0, {}, math.inf),
        (None, 0.0, {"scope": "sustained"}, 0.0),
        (None, 50.0, {"reason": "retry", "scope": None}, math.inf),
        (10.0, 0.0, {}, 10.0),
        (10.0, 4.0, {"scope": "sustained"}, 6.0),
        (10.0, 40.0, {}, 0.0),
        (0.0, 0.0, {"reason": "guard", "scope": None}, 0.5),
        (math.inf, 5.0, {"scope": "sustained"}, math.inf),
    ],
)
def test_how_long_a_caller_stays(max_wait, spent, details, allowed):
    assert allowed_wait(wait(**details), CallOptions(max_wait=max_wait), spent) == allowed


def test_a_refusal_tells_window_limit_and_time():
    error = wait_error(wait(), 12.34)
    assert isinstance(error, RateLimitError)
    assert (error.scope, error.retry_after, error.limit) == ("burst", 12.34, 20)
    assert "12.4 s" in str(error)
    error = wait_error(wait(scope="sustained", limit=5000), 86_445.0)
    assert isinstance(error, RateLimitError)
    assert (error.scope, error.limit) == ("sustained", 5000)
    assert "day's quota" in str(error)
    assert "24 h 1 min" in str(error)


def test_the_guard_refuses_in_its_own_name():
    error = wait_error(wait(reason="guard", scope=None, limit=None), 0.0)
    assert isinstance(error, BlockedError)
    assert error.reason == "spaced"
    assert error.retry_after > 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 s"),
        (0.01, "0.1 s"),
        (59.95, "60 s"),
        (89.0, "89 s"),
        (90.0, "2 min"),
        (3599.0, "1 h 0 min"),
        (11_520.0, "3 h 12 min"),
    ],
)
def test_a_span_of_time_as_one_says_it(seconds, text):
    assert spoken(seconds) == text
