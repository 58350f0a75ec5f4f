"""The asyncio-native client for Metron, the open comic-book database.

Example:
    >>> from metron_async import AsyncMetron
    >>> async with AsyncMetron(token="...") as metron:  # doctest: +SKIP
    ...     issue = await metron.issues.get(31660)

The names below are loaded when they are first used: ``import metron_async`` alone costs next to
nothing, and a program pays for what it uses.
"""

from typing import TYPE_CHECKING

from metron_async._lazy import load
from metron_async._version import __version__

if TYPE_CHECKING:
    from metron_async.client import *
    from metron_async.enums import *
    from metron_async.errors import *
    from metron_async.lists.rows import *
    from metron_async.quota.outlook import *
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
    "RequestTimeoutError",
    "SeriesStatus",
    "ServerError",
    "Source",
    "Stats",
    "StatusError",
    "TransportError",
    "UsageError",
    "ValidationError",
    "Wait",
    "WishPriority",
    "WishStatus",
    "__version__",
]

_HOMES = (
    "metron_async.errors",
    "metron_async.enums",
    "metron_async.types",
    "metron_async.quota.outlook",
    "metron_async.lists.rows",
    "metron_async.client",
)
"""Modules that define the public names, the lightest first."""


def __getattr__(name: str) -> object:
    return load(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
