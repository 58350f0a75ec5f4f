"""Chooses the cache and the stores of a client.

By default they are files in the user's cache directory, so that programs which run one after
another, or side by side, share one quota, one memory of bans, and one cache. Two things keep a
client off these files: a transport that is none of httpx's own network transports, since what
answers through it may well not be the real server; and a quota store in memory, since then
nothing is meant to be shared.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from metron_async._engine.guard import MemoryGuardStore
from metron_async._engine.options import DEFAULT, Default
from metron_async.cache import MemoryCache
from metron_async.errors import ConfigurationError
from metron_async.quota import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from metron_async._engine.guard import GuardStore
    from metron_async.cache import Cache
    from metron_async.quota import QuotaStore

__all__ = ["Parts", "choose_parts"]


class Parts:
    """The stores of one client, and those among them that are its own to close."""

    def __init__(self, cache: Cache | None, quota: QuotaStore, guards: GuardStore) -> None:
        self.cache = cache
        self.quota = quota
        self.guards = guards
        self.owned: list[Callable[[], Awaitable[None]]] = []


def choose_parts(
    cache: Cache | str | os.PathLike[str] | Default | None,
    quota: QuotaStore | None,
    *,
    in_memory: bool,
) -> Parts:
    """Return the parts for what a client was given.

    Args:
        cache: A path, ``":memory:"``, a cache, ``None`` for off, or :data:`DEFAULT`.
        quota: A store, or ``None`` for the default one.
        in_memory: Whether the defaults are to keep off the disk.

    Raises:
        ConfigurationError: If one of them is not what it should be.
    """
    if quota is not None and (isinstance(quota, type) or not hasattr(quota, "apply")):
        msg = f"quota must be a store of metron_async.quota, or one of your own, got {quota!r}"
        raise ConfigurationError(msg)
    parts = Parts(
        cache=_choose_cache(cache, in_memory=in_memory),
        quota=quota if quota is not None else _default_quota(in_memory=in_memory),
        guards=_default_guards(in_memory=in_memory or isinstance(quota, MemoryStore)),
    )
    if parts.cache is not None and parts.cache is not cache:
        parts.owned.append(parts.cache.aclose)
    if quota is None:
        parts.owned.append(parts.quota.aclose)
    parts.owned.append(parts.guards.aclose)
    return parts


def _choose_cache(
    cache: Cache | str | os.PathLike[str] | Default | None, *, in_memory: bool
) -> Cache | None:
    if cache is None:
        return None
    if cache == ":memory:" or (cache is DEFAULT and in_memory):
        return MemoryCache()
    if cache is DEFAULT or isinstance(cache, str | os.PathLike):
        from metron_async.cache import SQLiteCache  # noqa: PLC0415 - loads aiosqlite

        return SQLiteCache(None if cache is DEFAULT else Path(cache))
    if not isinstance(cache, type) and hasattr(cache, "get_many"):
        return cache
    msg = f"cache must be a path, a cache object, ':memory:' or None, got {cache!r}"
    raise ConfigurationError(msg)


def _default_quota(*, in_memory: bool) -> QuotaStore:
    if in_memory:
        return MemoryStore()
    from metron_async.quota import default_store  # noqa: PLC0415 - loads aiosqlite

    return default_store()


def _default_guards(*, in_memory: bool) -> GuardStore:
    if in_memory:
        return MemoryGuardStore()
    from metron_async._engine.guard import SQLiteGuardStore  # noqa: PLC0415 - loads aiosqlite

    return SQLiteGuardStore()
