"""Settings and endpoints of the server, and the arguments of their handlers."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from metron_async.testing._server import messages as m

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metron_async.testing._data.accounts import Numbers
    from metron_async.testing._data.catalogue import Catalogue
    from metron_async.testing._reads.details import Renderer
    from metron_async.testing._reads.selection import Selection
    from metron_async.testing._server.serverclock import ServerClock
    from metron_async.testing.records import Account

__all__ = ["Call", "Endpoint", "Handler", "Limit", "Settings", "State"]

_ID = re.compile(r"-?[0-9]{1,18}")

Limit = int | Callable[[float], int] | None
"""A limit, or a function of the server's steady seconds; ``None`` for each account's own."""


@dataclasses.dataclass(slots=True)
class Settings:
    """Settings of the server.

    Attributes:
        newer: Whether it behaves like servers after August 2026.
        throttle: Whether there is a quota.
        burst_limit: Limit of the short window for all accounts; ``None`` for each account's own.
        sustained_limit: The same for the long window.
        burst_period: Length of the short window, in seconds.
        sustained_period: Length of the long window, in seconds.
        list_cache: Seconds for which the server's own cache keeps lists; 0 for not at all.
        detail_cache: Seconds for which it keeps details and issue lists.
        unstable: Whether rows of equal rank change their order from page to page.
        public_url: Scheme and host of URLs in responses; ``None`` for those of the request.
    """

    newer: bool = True
    throttle: bool = True
    burst_limit: Limit = None
    sustained_limit: Limit = None
    burst_period: float = 60.0
    sustained_period: float = 86_400.0
    list_cache: float = 0.0
    detail_cache: float = 0.0
    unstable: bool = False
    public_url: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class State:
    """Data and services that the handlers of requests share.

    Attributes:
        settings: Settings of the server.
        clock: The server's clock.
        catalogue: The objects that all accounts see.
        accounts: The accounts, by user name.
        numbers: Source of new ids for what accounts own.
        render: Renders records of the catalogue as JSON.
        selection: Applies filters to lists.
    """

    settings: Settings
    clock: ServerClock
    catalogue: Catalogue
    accounts: dict[str, Account]
    numbers: Numbers
    render: Renderer
    selection: Selection


@dataclasses.dataclass(slots=True)
class Call:
    """Request that passed the throttle.

    Attributes:
        state: The server's data and services.
        request: The request.
        account: The account that sent it.
        ids: The variable parts of the path.
        origin: Scheme and host of URLs in the response.
    """

    state: State
    request: m.Request
    account: Account
    ids: tuple[str, ...]
    origin: str

    def id(self, position: int = 0) -> int:
        """Return a part of the path as a number.

        Raises:
            HttpError: It is not a number, which the server does not expect (500).
        """
        if _ID.fullmatch(self.ids[position]) is None:
            raise m.server_error()
        return int(self.ids[position])


Handler = Callable[[Call], m.Reply]


@dataclasses.dataclass(slots=True)
class Endpoint:
    """One endpoint of the API.

    Attributes:
        path: Parts of its path after ``/api/``; ``*`` stands for a variable one.
        methods: Its handlers, by HTTP method.
        guarded: Whether methods other than reads need a permission on the catalogue.
        cache: How the server's own cache treats it: ``"list"``, ``"detail"`` or not at all.
    """

    path: tuple[str, ...]
    methods: dict[str, Handler]
    guarded: bool = False
    cache: str | None = None

    @property
    def allow(self) -> str:
        """The ``Allow`` header."""
        names = list(self.methods)
        if "GET" in names:
            names.append("HEAD")
        return ", ".join([*names, "OPTIONS"])

    def fits(self, parts: Sequence[str]) -> tuple[str, ...] | None:
        """Return the variable parts of a path, or ``None`` if it is not this endpoint's."""
        if any(own not in {"*", part} for own, part in zip(self.path, parts, strict=True)):
            return None
        return tuple(p for own, p in zip(self.path, parts, strict=True) if own == "*")
