"""When to try again, and after how long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metron_async import errors
from metron_async._engine.retry import backoff, is_outcome_unknown, may_retry

LIMITED = errors.RateLimitError("m", scope="burst", retry_after=30.0, status=429)
SERVER = errors.ServerError("m", status=503)


@pytest.mark.parametrize(
    ("error", "read", "write"),
    [
        (LIMITED, True, True),
        (errors.ServerError("m", status=500), True, False),
        (errors.ServerError("m", status=502), True, False),
        (errors.ServerError("m", status=503), True, False),
        (errors.ServerError("m", status=504), True, False),
        (errors.ServerError("m", status=501), False, False),
        (errors.ServerError("m", status=520), False, False),
        (errors.TransportError("m"), True, True),
        (errors.TransportError("m", outcome_unknown=True), True, False),
        (errors.RequestTimeoutError("m"), True, True),
        (errors.RequestTimeoutError("m", outcome_unknown=True), True, False),
        (errors.NotFoundError("m", status=404), False, False),
        (errors.ValidationError("m"), False, False),
        (errors.AuthenticationError("m", status=401), False, False),
        (errors.PermissionDeniedError("m", status=403), False, False),
        (errors.StatusError("m", status=418), False, False),
        (errors.DecodeError("m", status=200), False, False),
        (errors.BlockedError("m", reason="r", retry_after=1.0), False, False),
        (errors.StorageError("m"), False, False),
        (errors.ClosedError("m"), False, False),
    ],
)
def test_what_may_be_sent_again(error, read, write):
    assert may_retry(error, is_read=True) is read
    assert may_retry(error, is_read=False) is write


def test_pauses_double_from_one_second_and_end_at_a_minute():
    assert [backoff(attempt, SERVER, 1.0) for attempt in range(1, 9)] == [
        1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0,
    ]  # fmt: skip
    assert backoff(1, SERVER, 0.0) == 0.5
    assert backoff(10**6, SERVER, 1.0) == 60.0


def test_a_429_needs_no_pause_since_the_limiter_holds_the_next_try_back():
    assert backoff(1, LIMITED, 0.7) == 0.0


@given(st.integers(1, 100), st.floats(0, 1))
def test_pauses_are_spread_but_never_by_more_than_half(attempt, jitter):
    longest = backoff(attempt, SERVER, 1.0)
    assert longest / 2 <= backoff(attempt, SERVER, jitter) <= longest


@pytest.mark.parametrize(
    ("error", "unknown"),
    [
        (errors.TransportError("m"), False),
        (errors.TransportError("m", outcome_unknown=True), True),
        (errors.ServerError("m", status=502), True),
        (errors.DecodeError("m", status=201), True),
        (errors.ValidationError("m"), False),
        (LIMITED, False),
    ],
)
def test_which_failures_of_a_write_leave_a_doubt(error, unknown):
    assert is_outcome_unknown(error) is unknown
