"""Public names: the exact list, where each is found, and what help and completion show."""

import inspect
import pydoc

import pytest

import metron_async
from metron_async import AsyncMetron, types

VALUES = [
    "NOT_MODIFIED",
    "Added",
    "CallOptions",
    "Fetched",
    "NotModified",
    "OptionArguments",
    "Origin",
    "Page",
    "Priority",
    "Progress",
    "RequestEvent",
    "Row",
    "Source",
    "Stats",
    "Wait",
]
ENUMS = [
    "AttributionSource",
    "BookFormat",
    "Currency",
    "Grade",
    "GradingCompany",
    "ListType",
    "Rating",
    "SeriesStatus",
    "WishPriority",
    "WishStatus",
]
ERRORS = [
    "AuthenticationError",
    "BlockedError",
    "CacheError",
    "ClosedError",
    "ConfigurationError",
    "DecodeError",
    "IncompleteListError",
    "IncompleteListWarning",
    "InterceptedError",
    "MetronError",
    "MetronWarning",
    "NotFoundError",
    "PaginationError",
    "PermissionDeniedError",
    "WindowState",
    "RateLimitError",
    "RequestError",
    "RequestTimeoutError",
    "RetryLaterError",
    "ServerError",
    "StatusError",
    "StorageError",
    "TransportError",
    "UsageError",
    "ValidationError",
]
OTHERS = [
    "AsyncMetron",
    "MetronView",
    "DetailedList",
    "LazyList",
    "RowList",
    "QuotaState",
    "__version__",
]


def test_the_exact_public_names():
    assert sorted(metron_async.__all__) == sorted(VALUES + ENUMS + ERRORS + OTHERS)
    assert sorted(types.__all__) == sorted(VALUES)
    assert metron_async.__all__ == sorted(
        metron_async.__all__, key=lambda name: (not name.isupper(), name)
    )


@pytest.mark.parametrize("name", sorted(VALUES + ENUMS + ERRORS + OTHERS))
def test_every_public_name_is_there_and_documented(name):
    value = getattr(metron_async, name)
    assert name in dir(metron_async)
    if name in VALUES:
        assert value is getattr(types, name)
    if inspect.isclass(value):
        assert inspect.getdoc(value)


def test_what_is_not_public_is_not_found():
    with pytest.raises(AttributeError, match="no attribute 'Answer'"):
        _ = metron_async.Answer


def test_completion_of_a_client_shows_resources_and_calls_only():
    metron = AsyncMetron(token="t0ken", cache=None)
    shown = [name for name in dir(metron) if not name.startswith("_")]
    assert shown == sorted(
        [
            "aclose",
            "arcs",
            "cache",
            "characters",
            "collection",
            "creators",
            "credits",
            "imprints",
            "issues",
            "last_quota",
            "origin_of",
            "publishers",
            "pull_list",
            "quota",
            "reading_lists",
            "reset_quota",
            "retry_credentials",
            "roles",
            "series",
            "series_types",
            "stats",
            "teams",
            "universes",
            "variants",
            "wish_list",
            "with_credentials",
            "with_options",
        ]
    )
    assert list(vars(metron)) == ["_caller"]


def test_help_and_the_signature_show_every_argument():
    signature = inspect.signature(AsyncMetron)
    options = list(types.OptionArguments.__annotations__)
    arguments = list(signature.parameters)
    assert arguments[-len(options) :] == options
    shown = pydoc.plain(pydoc.render_doc(AsyncMetron))
    described = shown.partition("Args:")[2].partition("Raises:")[0]
    for name in [*arguments[: -len(options)], "options"]:
        assert f"  {name}:" in described
    assert len(arguments) - len(options) == 13
    with_options = pydoc.plain(pydoc.render_doc(AsyncMetron.with_options))
    assert "metron_async.OptionArguments" in with_options
    assert "stale_if_error" in with_options
