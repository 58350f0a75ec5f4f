"""Checks the constructor's arguments, and opens the parts of a client on first use.

By default quota, ban guard and cache are files in the user's cache directory, so that programs
that run one after another, or side by side, share one quota, one record of bans, and one cache.
A transport that does not lead to a network keeps a client off these files, since its responses may
not be the real server's. So does ``METRON_ASYNC_STORAGE=:memory:``, as the pytest plugin sets it.
"""

from __future__ import annotations

import asyncio
import os
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from metron_async._engine.core import Parts
from metron_async._engine.credentials import resolve_credentials, scoped_key
from metron_async._engine.guard import Guard, MemoryGuardStore
from metron_async._engine.identity import (
    api_root_of,
    leads_to_this_machine,
    origin_of_url,
    user_agent,
)
from metron_async._engine.network import (
    check_environment,
    check_transport,
    is_network_transport,
)
from metron_async._engine.options import DEFAULT, is_whole
from metron_async._engine.response_cache import ResponseCache
from metron_async._engine.sender import Sender
from metron_async._engine.single_flight import SingleFlight
from metron_async._engine.transport import Transport
from metron_async._noise import hide_noise
from metron_async.cache import MemoryCache
from metron_async.errors import ConfigurationError, MetronWarning
from metron_async.quota import Limiter, MemoryStore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from metron_async._engine.guard import GuardStore
    from metron_async.cache import Cache
    from metron_async.quota import QuotaStore
    from metron_async.types import Stats

__all__ = ["Blueprint"]

S = TypeVar("S")

_STORAGE = "METRON_ASYNC_STORAGE"
_CALLER = 4  # frames from here to the program that makes a client
_SAME_CLOCK = 1.0  # seconds by which two readings of one clock can lie apart


class Blueprint:
    """The arguments of :class:`metron_async.AsyncMetron`, checked; and what they open.

    Args:
        arguments: The constructor's arguments by name, as listed in its signature.

    Attributes:
        api_root: Root of the API, ending with a slash.
        origin: Scheme, host and port of the server.
        quota_key: Name of the account's budget in the quota store.
        credentials_key: Name of these credentials in the ban guard's store.
        cache: Where responses are kept, or ``None``.
        quota: Where the quota's log is kept.
        guards: Where the ban guard's counts are kept.
        owned: Closes the parts that the client did not get from its user.

    Raises:
        ConfigurationError: If any of the arguments cannot be used as it is.
    """

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self._http = {name: arguments[name] for name in ("transport", "http_client")}
        self._credentials = resolve_credentials(
            arguments["token"], arguments["username"], arguments["password"]
        )
        self.api_root: str = api_root_of(
            arguments["base_url"], allow_plain_http=arguments["allow_plain_http"]
        )
        self.origin: str = origin_of_url(self.api_root)
        self._agent = user_agent(arguments["user_agent"])
        self._max_in_flight: int = arguments["max_in_flight"]
        if not is_whole(self._max_in_flight) or self._max_in_flight < 1:
            msg = f"max_in_flight must be a whole number from 1, got {self._max_in_flight!r:.80}"
            raise ConfigurationError(msg)
        account = self._credentials.account_name(arguments["account"])
        self.quota_key: str = scoped_key(self.origin, account)
        self.credentials_key: str = scoped_key(self.origin, self._credentials.guard_name)
        check_transport(**self._http)
        if not any(self._http.values()):
            check_environment(self.api_root)
        mocked = not is_network_transport(**self._http, url=self.api_root)
        in_memory = mocked or os.environ.get(_STORAGE) == ":memory:"
        given: QuotaStore | None = arguments["quota"]
        private = in_memory or isinstance(given, MemoryStore)
        elsewhere = not (mocked or leads_to_this_machine(self.api_root))
        if elsewhere and isinstance(given, MemoryStore):
            msg = "The quota is kept in memory only: other programs of the account do not see it"
            warnings.warn(msg, MetronWarning, stacklevel=_CALLER)
        self.cache: Cache | None = _cache_for(arguments["cache"], in_memory=in_memory)
        self.quota: QuotaStore = _quota_for(given, in_memory=in_memory)
        # A ban hits the machine, so what may lead to one is kept in its file in any case.
        self.guards: GuardStore = default_guards(in_memory=private and not elsewhere)
        self.owned: tuple[Callable[[], Awaitable[None]], ...] = tuple(
            part.aclose
            for part in (self.cache, self.quota, self.guards)
            if part is not None and part is not given and part is not arguments["cache"]
        )

    def connect(self) -> Transport:
        """Return the transport of the client."""
        return Transport(
            **self._http,
            api_root=self.api_root,
            credentials=self._credentials,
            agent=self._agent,
        )

    async def open(self, stats: Stats) -> Parts:
        """Open the parts of the client, on the running loop."""
        hide_noise()
        account = proof = ""  # first what takes time: if it is cancelled, nothing has been opened
        if self.cache is not None:
            account = proof = await self.cache.account(self._credentials.cache_name)
            if self.cache.policy.keep_private:
                proof = await self.cache.account(await self._credentials.proof())
        transport = self.connect()
        limiter = Limiter(self.quota, self.quota_key, max_in_flight=self._max_in_flight)
        guard = Guard(self.guards, credentials_key=self.credentials_key, host_key=self.origin)
        return Parts(
            transport=transport,
            limiter=limiter,
            guard=guard,
            in_flight=SingleFlight(limiter, stats),
            sender=Sender(transport, limiter, guard, stats, self.api_root),
            responses=ResponseCache(
                self.cache,
                account=account,
                proof=proof,
                api_root=self.api_root,
                wall=_wall_clock(),
                stats=stats,
            ),
        )


def _cache_for(cache: Any, *, in_memory: bool) -> Cache | None:
    if cache is None:
        return None
    if (isinstance(cache, str) and cache == ":memory:") or (cache is DEFAULT and in_memory):
        return MemoryCache()
    if cache is DEFAULT or isinstance(cache, str | os.PathLike):
        from metron_async.cache import SQLiteCache  # noqa: PLC0415 - loads aiosqlite

        return _in_cache_directory(
            lambda: SQLiteCache(None if cache is DEFAULT else Path(cast("os.PathLike[str]", cache)))
        )
    if not isinstance(cache, type) and hasattr(cache, "get_many"):
        found: Cache = cache
        return found
    msg = f"cache must be a path, a cache object, ':memory:' or None, got {type(cache).__name__}"
    raise ConfigurationError(msg)


def _quota_for(quota: QuotaStore | None, *, in_memory: bool) -> QuotaStore:
    if quota is not None:
        if isinstance(quota, type) or not hasattr(quota, "apply"):
            msg = f"quota must be a store of metron_async.quota, got {type(quota).__name__}"
            raise ConfigurationError(msg)
        return quota
    if in_memory:
        return MemoryStore()
    from metron_async.quota import default_store  # noqa: PLC0415 - loads aiosqlite

    return _in_cache_directory(default_store)


def default_guards(*, in_memory: bool) -> GuardStore:
    """Return the store of the ban guard."""
    if in_memory:
        return MemoryGuardStore()
    from metron_async._engine.guard import SQLiteGuardStore  # noqa: PLC0415 - loads aiosqlite

    return _in_cache_directory(SQLiteGuardStore)


def _in_cache_directory(make: Callable[[], S]) -> S:
    """Make a store whose file lies in the user's cache directory.

    Raises:
        ConfigurationError: If the user has no home directory.
    """
    try:
        return make()
    except OSError as error:
        msg = (
            "The user's cache directory cannot be determined, since no home directory is known."
            " Set HOME, or XDG_CACHE_HOME, to a directory"
        )
        raise ConfigurationError(msg) from error


def _wall_clock() -> Callable[[], float]:
    """Return the wall clock, or on a loop with virtual time one that moves with it."""
    loop = asyncio.get_running_loop()
    if abs(loop.time() - time.monotonic()) < _SAME_CLOCK:
        return time.time  # it also counts the hours that the machine was asleep
    offset = time.time() - loop.time()
    return lambda: loop.time() + offset
