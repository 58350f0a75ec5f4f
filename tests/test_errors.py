"""The tree of errors: what each carries, and that they survive copying and pickling."""

import copy
import pickle

import pytest

from metron_async import errors

EXAMPLES = [
    errors.MetronError("m", path="issue/1/", status=500),
    errors.UsageError("m"),
    errors.ConfigurationError("m"),
    errors.ClosedError("m", path="issue/1/"),
    errors.NotFoundError("m", path="issue/1/", status=404, detail="gone"),
    errors.AuthenticationError("m", status=401),
    errors.PermissionDeniedError("m", status=403),
    errors.ValidationError("m", path="p", fields={"name": ("too long",)}),
    errors.ServerError("m", status=502),
    errors.RateLimitError("m", scope="sustained", retry_after=7.5, limit=20, path="p", status=429),
    errors.TransportError("m", path="p", outcome_unknown=True),
    errors.RequestTimeoutError("m", path="p"),
    errors.DecodeError("m", path="p", status=200, where="$.id"),
    errors.InterceptedError("m", path="p", status=403),
    errors.PaginationError("m", path="p"),
    errors.IncompleteListError("m", path="p", missing=3),
    errors.BlockedError("m", reason="404s", retry_after=3.0, path="p"),
    errors.CacheError("m"),
    errors.StorageError("m"),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("clone", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])  # noqa: S301 - our own
def test_errors_survive_copying_and_pickling(error, clone):
    twin = clone(error)
    assert type(twin) is type(error)
    assert twin is not error
    assert twin.__dict__ == error.__dict__
    assert str(twin) == str(error)
    assert twin.args == error.args


def test_the_place_is_told_with_the_message():
    assert str(errors.MetronError("broken")) == "broken"
    assert str(errors.MetronError("broken", path="issue/1/")) == "broken [issue/1/]"
    assert str(errors.MetronError("broken", path="issue/1/", status=500)) == "broken [500 issue/1/]"
    assert str(errors.MetronError("broken", status=500)) == "broken [500]"


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        (errors.UsageError, ValueError),
        (errors.ClosedError, RuntimeError),
        (errors.RequestTimeoutError, errors.TransportError),
        (errors.RateLimitError, errors.RetryLaterError),
        (errors.BlockedError, errors.RetryLaterError),
        (errors.InterceptedError, errors.DecodeError),
        (errors.IncompleteListError, errors.DecodeError),
        (errors.IncompleteListWarning, UserWarning),
    ],
)
def test_errors_can_be_caught_by_their_meaning(kind, base):
    assert issubclass(kind, base)


def test_every_error_is_a_metron_error_and_public():
    for name in errors.__all__:
        kind = getattr(errors, name)
        assert issubclass(kind, errors.MetronError | errors.MetronWarning)
    retryable = {name for name in errors.__all__ if getattr(getattr(errors, name), "retryable", 0)}
    assert retryable == {
        "BlockedError",
        "RateLimitError",
        "ServerError",
        "RequestTimeoutError",
        "RetryLaterError",
        "StorageError",
        "TransportError",
    }


def test_fields_are_a_copy_and_never_missing():
    given = {"name": ("x",)}
    error = errors.ValidationError("m", fields=given)
    given.clear()
    assert error.fields == {"name": ("x",)}
    assert errors.ValidationError("m").fields == {}
    assert errors.ValidationError("m").status == 400


def test_a_hint_is_appended():
    error = errors.TransportError("Could not connect", path="issue/1/")
    error.add_hint("Possibly banned")
    assert str(error) == "Could not connect. Possibly banned [issue/1/]"
    assert not error.outcome_unknown
    assert errors.TransportError("m", outcome_unknown=True).outcome_unknown


def test_doubt_about_a_write_is_told_and_makes_it_unrepeatable():
    error = errors.ServerError("The server failed", status=502)
    error.doubt_outcome()
    assert error.outcome_unknown
    assert not error.retryable
    assert "may duplicate" in str(error)
    assert errors.ServerError.retryable
