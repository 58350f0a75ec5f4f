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
import weakref
from typing import TYPE_CHECKING, Any

from metron_async._engine.core import Parts
from metron_async._engine.credentials import resolve_credentials, scoped_key
from metron_async._engine.httpx2 import adapted
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
from metron_async._engine.options import is_whole
from metron_async._engine.places import find_places
from metron_async._engine.response_cache import ResponseCache
from metron_async._engine.sender import Sender
from metron_async._engine.single_flight import SingleFlight
from metron_async._engine.transport import Transport
from metron_async._noise import hide_noise
from metron_async.admission import Controller
from metron_async.errors import ConfigurationError, MetronWarning
from metron_async.storage.choose import address_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from metron_async._engine.places import Places
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
        places: Where the state and the responses are kept.

    Raises:
        ConfigurationError: If any of the arguments cannot be used as it is.
    """

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        transport, http_client = adapted(arguments["transport"], arguments["http_client"])
        self._http = {"transport": transport, "http_client": http_client}
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
        self._given = arguments["storage"], arguments["cache"]
        self.places: Places = self._find_places()
        if self._given[0] is not None and self.places.in_memory and self.places.remote:
            msg = "The quota is kept in memory only: other programs of the account do not see it"
            warnings.warn(msg, MetronWarning, stacklevel=_CALLER)

    def _find_places(self) -> Places:
        mocked = not is_network_transport(**self._http, url=self.api_root)
        remote = not (mocked or leads_to_this_machine(self.api_root))
        return find_places(*self._given, mocked=mocked, remote=remote)

    def identify(self, arguments: Mapping[str, Any]) -> None:
        """Take the credentials from *arguments*."""
        self._credentials = resolve_credentials(
            arguments["token"], arguments["username"], arguments["password"]
        )
        account = self._credentials.account_name(arguments["account"])
        self.account: str = scoped_key(self.origin, account)

    def with_credentials(self, arguments: Mapping[str, Any]) -> Blueprint:
        """Return one for other credentials, whose client shares all parts of this one's.

        Raises:
            ConfigurationError: If there are no credentials in *arguments*, or invalid ones.
        """
        other = copy.copy(self)
        other.identify(arguments)
        other.places = self.places._replace(owned=())
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

    async def open(self, stats: Stats, shared: Parts | None = None) -> Parts:
        """Open the parts of the client, on the running loop.

        Args:
            stats: Counters for the parts to keep.
            shared: The parts of the client whose connections, storage and cache are shared.
        """
        hide_noise()
        if shared is None:
            found = self._find_places()
            if found.mocked != self.places.mocked:  # a library for tests has begun, or ended
                self.places = found
        else:
            self.places = shared.places._replace(owned=())
        places = self.places
        account = proof = ""  # first what takes time: if it is cancelled, nothing has been opened
        if places.cache is not None:
            account = proof = await places.cache.account(self._credentials.cache_name)
            if places.cache.policy.keep_private:
                proof = await places.cache.account(await self._credentials.proof())
        transport = self.connect(shared.transport if shared is not None else None)
        controller = Controller(
            places.storage,
            account=self.account,
            address=self._address,
            credentials=scoped_key(self.origin, self._credentials.guard_name),
            max_in_flight=self._max_in_flight,
            new_container=places.remote and is_container(),
        )
        return Parts(
            places=places,
            transport=transport,
            controller=controller,
            in_flight=SingleFlight(controller, stats),
            sender=Sender(transport, controller, stats, self.api_root, real=not places.mocked),
            responses=ResponseCache(
                places.cache,
                account=account,
                proof=proof,
                api_root=self.api_root,
                wall=_wall_clock(),
                stats=stats,
            ),
        )


_offsets: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, float]
_offsets = weakref.WeakKeyDictionary()


def _wall_clock() -> Callable[[], float]:
    """Return the wall clock, or on a loop with virtual time one that moves with it."""
    loop = asyncio.get_running_loop()
    if abs(loop.time() - time.monotonic()) < _SAME_CLOCK:
        return time.time  # it also counts the hours that the machine was asleep
    offset = _offsets.setdefault(loop, time.time() - loop.time())  # one for all its clients
    return lambda: loop.time() + offset
