"""Where the state and the responses of a client are kept, as its arguments and surroundings say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from metron_async._engine.options import DEFAULT
from metron_async.cache.memory import MemoryCache
from metron_async.cache.sqlite import FILE_NAME, SQLiteCache
from metron_async.errors import ConfigurationError
from metron_async.storage.choose import choose_storage
from metron_async.storage.memory import MemoryStorage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from metron_async.cache import Cache
    from metron_async.storage import Storage

__all__ = ["Places", "find_places"]


class Places(NamedTuple):
    """Where the parts of a client keep what they know."""

    storage: Storage
    """Storage of the state that is shared."""
    cache: Cache | None
    """Cache of the responses."""
    owned: tuple[Callable[[], Awaitable[None]], ...]
    """Functions that close what the user did not pass in."""
    in_memory: bool
    """Whether other programs do not see the state."""
    mocked: bool
    """Whether a library for tests or a transport answers in this process."""
    remote: bool
    """Whether requests go over the network to another machine."""


def find_places(storage: Any, cache: Any, *, mocked: bool, remote: bool) -> Places:
    """Return the places for the constructor's *storage* and *cache*.

    A client that is mocked keeps off the files of the default, since its responses may not be the
    real server's.

    Raises:
        ConfigurationError: If either cannot be used.
    """
    chosen = choose_storage(":memory:" if mocked and storage is None else storage, remote=remote)
    found = _cache_for(cache, chosen.place)
    owned = [chosen.storage.aclose] if chosen.owned else []
    if found is not None and found is not cache:
        owned.insert(0, found.aclose)
    in_memory = isinstance(chosen.place, MemoryStorage)
    return Places(chosen.storage, found, tuple(owned), in_memory, mocked, remote)


def _cache_for(cache: Any, place: Storage) -> Cache | None:
    """Return the cache that the user chose, or the one that belongs to the storage at *place*."""
    if cache is DEFAULT:
        return _cache_in(place)
    if isinstance(cache, str) and cache == ":memory:":
        return MemoryCache()
    if isinstance(cache, str | os.PathLike):
        return _in_file(Path(cast("os.PathLike[str]", cache)))
    if cache is None or (not isinstance(cache, type) and hasattr(cache, "get_many")):
        return cast("Cache | None", cache)
    msg = f"cache must be a path, a cache object, ':memory:' or None, got {type(cache).__name__}"
    raise ConfigurationError(msg)


def _cache_in(place: Storage) -> Cache:
    if isinstance(place, MemoryStorage):
        return MemoryCache()
    server = getattr(place, "server", None)
    if server is None:
        return _in_file(directory=getattr(place, "directory", None))
    from metron_async.cache import RedisCache  # noqa: PLC0415 - loads redis

    return RedisCache(server)


def _in_file(path: Path | None = None, directory: Path | None = None) -> Cache:
    try:
        return SQLiteCache(path if directory is None else directory / FILE_NAME)
    except OSError as error:
        msg = (
            "The user's cache directory cannot be determined, since no home directory is known."
            " Set HOME, or XDG_CACHE_HOME, to a directory"
        )
        raise ConfigurationError(msg) from error
