"""Checks the constructor's arguments, and opens the parts of a client on first use.

By default the state that programs share (quota, bans, requests in flight) and the cache are files
in the user's cache directory. ``storage=`` moves all of it, and ``cache=`` the cache alone. A
transport that does not lead to a network keeps a client off these files, since its responses may
not be the real server's.
"""

from __future__ import annotations

import asyncio
import copy
import os
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from metron_async._engine.core import Parts
from metron_async._engine.credentials import resolve_credentials, scoped_key
from metron_async._engine.identity import (
    api_root_of,
    leads_to_this_machine,
    origin_of_url,
    user_agent,
)
from metron_async._engine.network import (
    check_environment,
    check_transport,
    is_container,
    is_network_transport,
)
from metron_async._engine.options import DEFAULT, is_whole
from metron_async._engine.response_cache import ResponseCache
from metron_async._engine.sender import Sender
from metron_async._engine.single_flight import SingleFlight
from metron_async._engine.transport import Transport
from metron_async._noise import hide_noise
from metron_async.admission import Controller
from metron_async.cache import MemoryCache
from metron_async.errors import ConfigurationError, MetronWarning
from metron_async.storage.choose import address_name, choose_storage
from metron_async.storage.memory import MemoryStorage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from metron_async.cache import Cache
    from metron_async.storage import Storage
    from metron_async.types import Stats

__all__ = ["Blueprint"]

_BASE_URL, _DEFAULT_URL = "METRON_BASE_URL", "https://metron.cloud"
_CALLER = 4  # frames from here to the program that makes a client
_SAME_CLOCK = 1.0  # seconds by which two readings of one clock can lie apart


class Blueprint:
    """The arguments of :class:`metron_async.AsyncMetron`, checked; and what they open.

    Args:
        arguments: The constructor's arguments by name, as listed in its signature.

    Attributes:
        api_root: Root of the API, ending with a slash.
        origin: Scheme, host and port of the server.
        account: Name of the account's state in the storage.
        cache: Where responses are kept, or ``None``.
        storage: Where the state is kept that is shared.
        owned: Closes the parts that the client did not get from its user.

    Raises:
        ConfigurationError: If any of the arguments cannot be used as it is.
    """

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self._http = {name: arguments[name] for name in ("transport", "http_client")}
        base_url = arguments["base_url"]
        self.api_root: str = api_root_of(
            os.environ.get(_BASE_URL) or _DEFAULT_URL if base_url is None else base_url,
            allow_plain_http=arguments["allow_plain_http"],
        )
        self.origin: str = origin_of_url(self.api_root)
        self._agent = user_agent(arguments["user_agent"])
        self._max_in_flight: int = arguments["max_in_flight"]
        if not is_whole(self._max_in_flight) or self._max_in_flight < 1:
            msg = f"max_in_flight must be a whole number from 1, got {self._max_in_flight!r:.80}"
            raise ConfigurationError(msg)
        self.identify(arguments)
        self._address = address_name(arguments["address"])
        check_transport(**self._http)
        if not any(self._http.values()):
            check_environment(self.api_root)
        mocked = not is_network_transport(**self._http, url=self.api_root)
        self._remote = not (mocked or leads_to_this_machine(self.api_root))
        given, cache = arguments["storage"], arguments["cache"]
        chosen = choose_storage(
            ":memory:" if mocked and given is None else given, remote=self._remote
        )
        if given is not None and self._remote and isinstance(chosen.place, MemoryStorage):
            msg = "The quota is kept in memory only: other programs of the account do not see it"
            warnings.warn(msg, MetronWarning, stacklevel=_CALLER)
        self.storage: Storage = chosen.storage
        self.cache: Cache | None = _cache_for(cache, chosen.place)
        self.owned: tuple[Callable[[], Awaitable[None]], ...] = tuple(
            part.aclose
            for part, owned in (
                (self.cache, self.cache is not cache),
                (self.storage, chosen.owned),
            )
            if part is not None and owned
        )

    def identify(self, arguments: Mapping[str, Any]) -> None:
        """Take the credentials from *arguments*."""
        self._credentials = resolve_credentials(
            arguments["token"], arguments["username"], arguments["password"]
        )
        account = self._credentials.account_name(arguments["account"])
        self.account = scoped_key(self.origin, account)

    def with_credentials(self, arguments: Mapping[str, Any]) -> Blueprint:
        """Return one for other credentials, whose client shares all parts of this one's.

        Raises:
            ConfigurationError: If there are no credentials in *arguments*, or invalid ones.
        """
        other = copy.copy(self)
        other.identify(arguments)
        other.owned = ()
        return other

    def connect(self, shared: Transport | None = None) -> Transport:
        """Return the transport of the client, on the connections of *shared* if that is given."""
        if shared is not None:
            return shared.with_credentials(self._credentials)
        return Transport(
            **self._http,
            api_root=self.api_root,
            credentials=self._credentials,
            agent=self._agent,
        )

    async def open(self, stats: Stats, shared: Transport | None = None) -> Parts:
        """Open the parts of the client, on the running loop and the connections of *shared*."""
        hide_noise()
        account = proof = ""  # first what takes time: if it is cancelled, nothing has been opened
        if self.cache is not None:
            account = proof = await self.cache.account(self._credentials.cache_name)
            if self.cache.policy.keep_private:
                proof = await self.cache.account(await self._credentials.proof())
        transport = self.connect(shared)
        controller = Controller(
            self.storage,
            account=self.account,
            address=self._address,
            credentials=scoped_key(self.origin, self._credentials.guard_name),
            max_in_flight=self._max_in_flight,
            new_container=self._remote and is_container(),
        )
        return Parts(
            transport=transport,
            controller=controller,
            in_flight=SingleFlight(controller, stats),
            sender=Sender(transport, controller, stats, self.api_root),
            responses=ResponseCache(
                self.cache,
                account=account,
                proof=proof,
                api_root=self.api_root,
                wall=_wall_clock(),
                stats=stats,
            ),
        )


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
    from metron_async.cache.sqlite import FILE_NAME, SQLiteCache  # noqa: PLC0415 - loads aiosqlite

    try:
        return SQLiteCache(path if directory is None else directory / FILE_NAME)
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
