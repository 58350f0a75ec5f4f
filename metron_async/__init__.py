"""The asyncio-native client for Metron, the open comic-book database.

Example:
    >>> from metron_async import AsyncMetron
    >>> async with AsyncMetron(token="...") as metron:  # doctest: +SKIP
    ...     issue = await metron.issues.get(31660)

The names below are loaded when they are first used: ``import metron_async`` alone costs next to
nothing, and a program pays for what it uses.
"""

from typing import TYPE_CHECKING

from metron_async.lazy import load
from metron_async.version import __version__

if TYPE_CHECKING:
    from metron_async.cache import Source
    from metron_async.client import AsyncMetron, MetronView
    from metron_async.engine.messages import (
        NOT_MODIFIED,
        CallOptions,
        NotModified,
        Origin,
        Wait,
        Written,
    )
    from metron_async.engine.stats import Stats
    from metron_async.enums import (
        AttributionSource,
        BookFormat,
        Currency,
        Grade,
        GradingCompany,
        ListType,
        Rating,
        SeriesStatus,
        WishPriority,
        WishStatus,
    )
    from metron_async.errors import (
        AuthenticationError,
        BlockedError,
        CacheError,
        ClosedError,
        ConfigurationError,
        DecodeError,
        IncompleteListError,
        IncompleteListWarning,
        MetronError,
        MetronWarning,
        NotFoundError,
        PaginationError,
        PermissionDeniedError,
        QuotaStoreError,
        RateLimitError,
        RequestError,
        ServerError,
        StatusError,
        StorageError,
        TimeoutError,  # noqa: A004
        TransportError,
        UsageError,
        ValidationError,
    )
    from metron_async.pagination import Page, Paginator
    from metron_async.quota import Priority, QuotaState

__all__ = [
    "NOT_MODIFIED",
    "AsyncMetron",
    "AttributionSource",
    "AuthenticationError",
    "BlockedError",
    "BookFormat",
    "CacheError",
    "CallOptions",
    "ClosedError",
    "ConfigurationError",
    "Currency",
    "DecodeError",
    "Grade",
    "GradingCompany",
    "IncompleteListError",
    "IncompleteListWarning",
    "ListType",
    "MetronError",
    "MetronView",
    "MetronWarning",
    "NotFoundError",
    "NotModified",
    "Origin",
    "Page",
    "PaginationError",
    "Paginator",
    "PermissionDeniedError",
    "Priority",
    "QuotaState",
    "QuotaStoreError",
    "RateLimitError",
    "Rating",
    "RequestError",
    "SeriesStatus",
    "ServerError",
    "Source",
    "Stats",
    "StatusError",
    "StorageError",
    "TimeoutError",
    "TransportError",
    "UsageError",
    "ValidationError",
    "Wait",
    "WishPriority",
    "WishStatus",
    "Written",
    "__version__",
]

_HOMES = {
    "metron_async.cache": ("Source",),
    "metron_async.client": (
        "AsyncMetron",
        "MetronView",
    ),
    "metron_async.engine.messages": (
        "NOT_MODIFIED",
        "CallOptions",
        "NotModified",
        "Origin",
        "Wait",
        "Written",
    ),
    "metron_async.engine.stats": ("Stats",),
    "metron_async.enums": (
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
    ),
    "metron_async.errors": (
        "AuthenticationError",
        "BlockedError",
        "CacheError",
        "ClosedError",
        "ConfigurationError",
        "DecodeError",
        "IncompleteListError",
        "IncompleteListWarning",
        "MetronError",
        "MetronWarning",
        "NotFoundError",
        "PaginationError",
        "PermissionDeniedError",
        "QuotaStoreError",
        "RateLimitError",
        "RequestError",
        "ServerError",
        "StatusError",
        "StorageError",
        "TimeoutError",
        "TransportError",
        "UsageError",
        "ValidationError",
    ),
    "metron_async.pagination": (
        "Page",
        "Paginator",
    ),
    "metron_async.quota": (
        "Priority",
        "QuotaState",
    ),
}


def __getattr__(name: str) -> object:
    return load(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
