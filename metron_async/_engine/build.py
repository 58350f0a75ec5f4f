"""Checks the constructor's arguments, without loading httpx, which takes a while.

By default the state that programs share (quota, bans, requests in flight) and the cache are files
in the user's cache directory. ``storage=`` moves all of it, and ``cache=`` the cache alone. A
transport that does not lead to a network keeps a client off these files, since its responses may
not be the real server's.
"""

from __future__ import annotations

import copy
import os
import sys
import warnings
from typing import TYPE_CHECKING, Any

from metron_async._engine.credentials import resolve_credentials, scoped_key
from metron_async._engine.environment import check_environment
from metron_async._engine.identity import (
    api_root_of,
    leads_to_this_machine,
    origin_of_url,
    user_agent,
)
from metron_async._engine.options import is_whole
from metron_async._engine.places import find_places
from metron_async.errors import ConfigurationError, MetronWarning
from metron_async.storage.choose import address_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metron_async._engine.credentials import Credentials
    from metron_async._engine.places import Places

__all__ = ["Blueprint"]

_BASE_URL, _DEFAULT_URL = "METRON_BASE_URL", "https://metron.cloud"
_CALLER = 4  # frames from here to the program that makes a client


class Blueprint:
    """The arguments of :class:`metron_async.AsyncMetron`, checked.

    Args:
        arguments: The constructor's arguments by name, as listed in its signature.

    Attributes:
        api_root: Root of the API, ending with a slash.
        http: The transport and the client of httpx that were passed in.
        agent: Value of the ``User-Agent`` header.
        max_in_flight: Requests in flight at a time.
        credentials: The credentials.
        address: Name of the network address's state in the storage.
        origin: Scheme, host and port of the server.
        account: Name of the account's state in the storage.
        places: Where the state and the responses are kept.

    Raises:
        ConfigurationError: If any of the arguments cannot be used as it is.
    """

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self.http: dict[str, Any] = {name: arguments[name] for name in ("transport", "http_client")}
        if "httpx2" in sys.modules:
            from metron_async._engine.httpx2 import adapted

            self.http = dict(zip(self.http, adapted(*self.http.values()), strict=True))
        base_url = arguments["base_url"]
        self.api_root: str = api_root_of(
            os.environ.get(_BASE_URL) or _DEFAULT_URL if base_url is None else base_url,
            allow_plain_http=arguments["allow_plain_http"],
        )
        self.origin: str = origin_of_url(self.api_root)
        self.agent: str = user_agent(arguments["user_agent"])
        self.max_in_flight: int = arguments["max_in_flight"]
        if not is_whole(self.max_in_flight) or self.max_in_flight < 1:
            msg = f"max_in_flight must be a whole number from 1, got {self.max_in_flight!r:.80}"
            raise ConfigurationError(msg)
        self.identify(arguments)
        self.address: str = address_name(arguments["address"])
        if leads_to_this_machine(self.api_root):  # a server under test has no firewall in common
            self.address = scoped_key(self.origin, self.address)
        if self.is_given:
            from metron_async._engine.network import check_transport

            check_transport(**self.http)
        else:
            check_environment(self.api_root)
        self._given = arguments["storage"], arguments["cache"]
        self.places: Places = self._find_places()
        if self._given[0] is not None and self.places.in_memory and self.places.remote:
            msg = "The quota is kept in memory only: other programs of the account do not see it"
            warnings.warn(msg, MetronWarning, stacklevel=_CALLER)

    @property
    def is_given(self) -> bool:
        """Whether a transport or a client was passed in."""
        return any(value is not None for value in self.http.values())

    def _find_places(self) -> Places:
        mocked = self._is_mocked()
        remote = not (mocked or leads_to_this_machine(self.api_root))
        return find_places(*self._given, mocked=mocked, remote=remote)

    def _is_mocked(self) -> bool:
        """Return whether a transport or a library for tests answers in this process."""
        if not self.is_given and "httpx" not in sys.modules:
            return False  # what is not loaded is not patched
        from metron_async._engine.network import is_network_transport

        return not is_network_transport(**self.http, url=self.api_root)

    def identify(self, arguments: Mapping[str, Any]) -> None:
        """Take the credentials from *arguments*."""
        self.credentials: Credentials = resolve_credentials(
            arguments["token"], arguments["username"], arguments["password"]
        )
        account = self.credentials.account_name(arguments["account"])
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

    def settle_places(self, shared: Places | None) -> None:
        """Choose the places again at first use, since a library for tests may have begun.

        Args:
            shared: Places of the client whose storage and cache are shared.
        """
        if shared is not None:
            self.places = shared._replace(owned=())
            return
        found = self._find_places()
        if found.mocked != self.places.mocked:
            self.places = found
