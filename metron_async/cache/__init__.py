"""The cache: what was learnt once is not asked for again while it is good.

What may be kept and served is decided by pure functions (:mod:`~metron_async.cache.policy`,
:mod:`~metron_async.cache.vouching`, :mod:`~metron_async.cache.keys`); where it is kept is up to a
:class:`Cache`: :class:`SQLiteCache`, a file shared by every process of the user, or
:class:`MemoryCache`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metron_async.lazy import load

if TYPE_CHECKING:
    from metron_async.cache.base import Cache, CacheStats, consult, consult_many
    from metron_async.cache.entry import Entry, Kind, Selector, Source
    from metron_async.cache.keys import account_name, make_key, normalise_origin
    from metron_async.cache.memory import MemoryCache
    from metron_async.cache.policy import (
        DEFAULT_FRESHNESS,
        Decision,
        Failure,
        Fetch,
        FreshnessKey,
        Options,
        Policy,
        Revalidate,
        Serve,
        Unavailable,
    )
    from metron_async.cache.sqlite import SQLiteCache
    from metron_async.cache.vouching import Verdict, page_as_of, vouch

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
    "Revalidate",
    "SQLiteCache",
    "Selector",
    "Serve",
    "Source",
    "Unavailable",
    "Verdict",
    "account_name",
    "consult",
    "consult_many",
    "make_key",
    "normalise_origin",
    "page_as_of",
    "vouch",
]

_HOMES = {
    "metron_async.cache.base": (
        "Cache",
        "CacheStats",
        "consult",
        "consult_many",
    ),
    "metron_async.cache.entry": (
        "Entry",
        "Kind",
        "Selector",
        "Source",
    ),
    "metron_async.cache.keys": (
        "account_name",
        "make_key",
        "normalise_origin",
    ),
    "metron_async.cache.memory": ("MemoryCache",),
    "metron_async.cache.policy": (
        "DEFAULT_FRESHNESS",
        "Decision",
        "Failure",
        "Fetch",
        "FreshnessKey",
        "Options",
        "Policy",
        "Revalidate",
        "Serve",
        "Unavailable",
    ),
    "metron_async.cache.vouching": (
        "Verdict",
        "page_as_of",
        "vouch",
    ),
    "metron_async.cache.sqlite": ("SQLiteCache",),
}


def __getattr__(name: str) -> object:
    return load(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
