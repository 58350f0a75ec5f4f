"""The asyncio-native client for Metron, the open comic-book database.

Example:
    >>> from metron_async import AsyncMetron
    >>> async with AsyncMetron(token="...") as metron:  # doctest: +SKIP
    ...     issue = await metron.issues.get(31660)
"""

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
    TimeoutError,  # noqa: A004
    TransportError,
    UsageError,
    ValidationError,
)
from metron_async.pagination import Page, Paginator
from metron_async.quota import Priority, QuotaState
from metron_async.version import __version__

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
