"""FakeMetron: a fake server, in process or on a socket."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from metron_async.testing._data.accounts import Numbers, fill_shelf
from metron_async.testing._data.arguments import checked
from metron_async.testing._data.catalogue import Catalogue
from metron_async.testing._data.own_builders import OwnBuilders
from metron_async.testing._reads.details import Renderer
from metron_async.testing._reads.selection import Selection
from metron_async.testing._server.checks import require_count
from metron_async.testing._server.controls import Controls
from metron_async.testing._server.core import Core
from metron_async.testing._server.endpoints import Settings, State
from metron_async.testing._server.routes import endpoints
from metron_async.testing._server.serverclock import ServerClock
from metron_async.testing._server.servertime import local
from metron_async.testing._server.transport import FakeTransport
from metron_async.testing._server.wire import Wire
from metron_async.testing.records import Account

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Sequence

    import msgspec
    from starlette.applications import Starlette

__all__ = ["FakeMetron"]


class FakeMetron(Controls, OwnBuilders):
    """Fake Metron server for tests and demonstrations: same responses, same quota, same bans.

    It needs neither a network nor an account, and works on a virtual-time loop. Its clock, its
    limits and its data can be changed, and faults can be planned.

    Args:
        issues: Number of issues in the catalogue; its other sizes follow from it.
        seed: Another seed generates another catalogue, and other latencies.
        today: Day around which running series publish their issues, as date or an ISO string; by
            default the clock's. Tests that compare dates or names of series choose one.
        token: Bearer token of the account ``reader``.
        throttle: Whether there is a quota; without one, the headers announce a huge limit.
        burst: Requests of each default account per short window.
        sustained: The same for the long window.
        burst_period: Length of the short window, in seconds.
        sustained_period: Length of the long window, in seconds.
        newer: Behave like servers after August 2026, which have more filters and fields.
        bans: Whether the firewall bans addresses.
        list_cache: Seconds for which the server's own cache keeps lists (real server: 120).
        detail_cache: Seconds for which it keeps details and issue lists (real server: 86,400).
        public_url: Scheme and host of URLs in responses; by default those of the request.
        unstable: Whether rows of equal rank change their order from page to page, as on the real
            server.
        keep_requests: Number of requests that the log keeps; ``None`` for all.

    Example:
        >>> fake = FakeMetron()
        >>> async with AsyncMetron(token=fake.token, transport=fake.transport()) as metron:
        ...     issue = await metron.issues.get(1)
    """

    def __init__(
        self,
        issues: int = 600,
        seed: int = 1,
        *,
        today: dt.date | str | None = None,
        token: str = "reader-token",  # noqa: S107 - of a fake server
        throttle: bool = True,
        burst: int = 20,
        sustained: int = 5000,
        burst_period: float = 60.0,
        sustained_period: float = 86_400.0,
        newer: bool = True,
        bans: bool = True,
        list_cache: float = 0.0,
        detail_cache: float = 0.0,
        public_url: str | None = None,
        unstable: bool = False,
        keep_requests: int | None = None,
    ) -> None:
        self.clock: ServerClock = ServerClock()
        self.settings: Settings = Settings(
            unstable=unstable,
            newer=newer,
            throttle=throttle,
            burst_period=burst_period,
            sustained_period=sustained_period,
            list_cache=list_cache,
            detail_cache=detail_cache,
            public_url=public_url,
        )
        require_count("issues", issues)
        if isinstance(today, str):
            today = dt.date.fromisoformat(today)
        day = today if today is not None else local(self.clock.moment()).date()
        self.catalogue: Catalogue = Catalogue(issues, seed, day)
        self.catalogue.usernames = self._username
        self.accounts: dict[str, Account] = {}
        self._numbers = Numbers()
        state = State(
            settings=self.settings,
            clock=self.clock,
            catalogue=self.catalogue,
            accounts=self.accounts,
            numbers=self._numbers,
            render=Renderer(self.catalogue, newer=newer),
            selection=Selection(self.catalogue, newer=newer),
        )
        self._core = Core(state, endpoints())
        self.wire: Wire = Wire(self._core, seed=seed, keep_requests=keep_requests, bans=bans)
        self._add_default_accounts(token, burst, sustained)

    # -- accounts ------------------------------------------------------------------------------

    def _add_default_accounts(self, token: str, burst: int, sustained: int) -> None:
        defaults = {
            "editor": ("editor-token", sustained),
            "reader": (token, sustained),
            "reader2": ("reader2-token", sustained),
            "donor": ("donor-token", 25_000),
        }
        for name, (own, daily) in defaults.items():
            editor = name == "editor"
            password = f"{name}-password"
            self.add_account(name, password, own, editor=editor, burst=burst, sustained=daily)
        fill_shelf(self.accounts["reader"].shelf, self.catalogue, self._numbers)

    @property
    def token(self) -> str:
        """Token of the account ``reader``."""
        return self.accounts["reader"].tokens[0]

    def add_account(
        self,
        username: str,
        password: str,
        token: str | Sequence[str],
        *,
        editor: bool = False,
        may_delete: bool = False,
        burst: int = 20,
        sustained: int = 5000,
    ) -> Account:
        """Add an account with an empty shelf.

        Args:
            username: Its name.
            password: Its password, for Basic authentication.
            token: Its Bearer token, or several that share one quota.
            editor: Whether it may change the catalogue.
            may_delete: Whether it has the permission to delete, so that a DELETE is a 405.
            burst: Requests in the short window.
            sustained: Requests in the long window.
        """
        values: dict[str, Any] = {
            "username": username,
            "password": password,
            "tokens": (token,) if isinstance(token, str) else token,
            "editor": editor,
            "may_delete": may_delete,
            "burst": burst,
            "sustained": sustained,
        }
        values = checked(Account, values, self.catalogue)
        account = Account(id=self._numbers.take("account"), **values)
        self.accounts[username] = account
        return account

    def _username(self, rid: int) -> str:
        return next((a.username for a in self.accounts.values() if a.id == rid), "deleted")

    # -- edits ---------------------------------------------------------------------------------

    def touch(self, kind: str, rid: int, **changes: Any) -> Any:
        """Change fields of an object and move its ``modified`` to now.

        Args:
            kind: Kind of object, as in its path: ``"issue"``, ``"series"``, ...
            rid: Its id.
            changes: Fields and their new values; dates may be ISO strings.

        Returns:
            The record.

        Raises:
            KeyError: The object does not exist.
            AttributeError: The object has no such field.
            TypeError: A value has the wrong type.
            ValueError: A value is not one of the choices, or an id is unknown.

        Example:
            >>> FakeMetron().touch("issue", 1, title="Part one", store_date="2026-11-25").title
            'Part one'
        """
        record: msgspec.Struct = self.catalogue.existing(kind, rid)
        changes = checked(type(record), changes, self.catalogue)
        return self.catalogue.change(kind, rid, changes, self.clock.moment())

    def rename(self, kind: str, rid: int, name: str) -> Any:
        """Rename an object; objects that embed its name do not move their ``modified``."""
        return self.touch(kind, rid, name=name)

    def delete(self, kind: str, rid: int) -> None:
        """Delete an object; the server keeps no trace of it."""
        self.catalogue.remove(kind, rid)

    # -- connections ---------------------------------------------------------------------------

    @property
    def app(self) -> Starlette:
        """The server as an ASGI application."""
        from metron_async.testing._server.asgi import application  # noqa: PLC0415 - an extra

        return application(self.wire)

    def serve(
        self, host: str = "127.0.0.1", port: int = 0
    ) -> contextlib.AbstractAsyncContextManager[str]:
        """Listen on a socket, in this event loop.

        Args:
            host: Address to listen on.
            port: Port to listen on; 0 for a free one.

        Returns:
            An async context manager that yields the URL to use as ``base_url``. At its end, all
            tasks and sockets are closed.

        Raises:
            ImportError: ``metron-async[testing]`` is not installed.

        Example:
            >>> async with FakeMetron().serve() as url:
            ...     print(httpx.get(f"{url}/api/issue/").status_code)
            401
        """
        from metron_async.testing._server.asgi import serve  # noqa: PLC0415 - an extra

        return serve(self.wire, host, port)

    def transport(self, client: str = "127.0.0.1") -> FakeTransport:
        """Return a transport for ``httpx.AsyncClient`` to this server.

        Args:
            client: Address of the client; bans are per address.
        """
        return FakeTransport(self.wire, client)
