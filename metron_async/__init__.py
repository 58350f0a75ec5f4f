"""The asyncio-native client for Metron, the open comic-book database.

Example:
    >>> from metron_async import AsyncMetron
    >>> async with AsyncMetron(token="...") as metron:  # doctest: +SKIP
    ...     issue = await metron.issues.get(31660)

The names below are loaded on first use, so that a program loads only what it needs.
"""

from typing import TYPE_CHECKING

from metron_async._lazy import lazy
from metron_async._version import __version__

if TYPE_CHECKING:
    from metron_async.admission.quota_state import *
    from metron_async.client import *
    from metron_async.enums import *
    from metron_async.errors import *
    from metron_async.lists.base import *
    from metron_async.lists.details import *
    from metron_async.lists.pagination import *
    from metron_async.types import *

__all__ = [
    "NOT_MODIFIED",
    "Added",
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
    "DetailedList",
    "Fetched",
    "Grade",
    "GradingCompany",
    "IncompleteListError",
    "IncompleteListWarning",
    "InterceptedError",
    "LazyList",
    "ListType",
    "MetronError",
    "MetronView",
    "MetronWarning",
    "NotFoundError",
    "NotModified",
    "OptionArguments",
    "Origin",
    "Page",
    "PaginationError",
    "PermissionDeniedError",
    "Priority",
    "Progress",
    "QuotaState",
    "RateLimitError",
    "Rating",
    "RequestError",
    "RequestEvent",
    "RequestTimeoutError",
    "RetryLaterError",
    "Row",
    "RowList",
    "SeriesStatus",
    "ServerError",
    "Source",
    "Stats",
    "StatusError",
    "StorageError",
    "TransportError",
    "UsageError",
    "ValidationError",
    "Wait",
    "WindowState",
    "WishPriority",
    "WishStatus",
    "__version__",
]

_HOMES = (
    "metron_async.errors",
    "metron_async.enums",
    "metron_async.types",
    "metron_async.admission.quota_state",
    "metron_async.lists.base",
    "metron_async.lists.pagination",
    "metron_async.lists.details",
    "metron_async.client",
)
"""Modules that define the public names, the lightest first."""

if not TYPE_CHECKING:  # a misspelled name is an error to type checkers
    __getattr__, __dir__ = lazy(__name__, _HOMES)
