"""Cache of responses, which are not requested again while they are fresh.

What may be kept and served is decided by pure functions (:mod:`~metron_async.cache.policy`,
:mod:`~metron_async.cache.vouching`, :mod:`~metron_async.cache.keys`); where it is kept is up to a
:class:`Cache`: :class:`SQLiteCache`, a file shared by every process of the user, or
:class:`MemoryCache`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metron_async._lazy import lazy

if TYPE_CHECKING:
    from metron_async.cache.base import *
    from metron_async.cache.entry import *
    from metron_async.cache.keys import *
    from metron_async.cache.memory import *
    from metron_async.cache.policy import *
    from metron_async.cache.redis import *
    from metron_async.cache.sqlite import *
    from metron_async.cache.vouching import *

__all__ = [
    "DEFAULT_FRESHNESS",
    "Cache",
    "CacheStats",
    "Decision",
    "Entry",
    "Failure",
    "Fetch",
    "FreshnessKey",
    "Kind",
    "MemoryCache",
    "Options",
    "Policy",
    "RedisCache",
    "Revalidate",
    "SQLiteCache",
    "Selector",
    "Serve",
    "Unavailable",
    "Verdict",
    "account_name",
    "consult",
    "make_key",
    "normalise_origin",
    "page_as_of",
    "vouch",
]

_HOMES = (
    "metron_async.cache.entry",
    "metron_async.cache.keys",
    "metron_async.cache.policy",
    "metron_async.cache.vouching",
    "metron_async.cache.base",
    "metron_async.cache.memory",
    "metron_async.cache.sqlite",
    "metron_async.cache.redis",
)

if not TYPE_CHECKING:  # a misspelled name is an error to type checkers
    __getattr__, __dir__ = lazy(__name__, _HOMES)
