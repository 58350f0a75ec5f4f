"""FakeMetron: a fake server, in process or on a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metron_async.testing._data.accounts import Numbers, fill_shelf
from metron_async.testing._data.arguments import checked
from metron_async.testing._data.builders import CatalogueBuilders
from metron_async.testing._data.catalogue import Catalogue
from metron_async.testing._data.own_builders import OwnBuilders
from metron_async.testing._reads.details import Renderer
from metron_async.testing._reads.selection import Selection
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
    import datetime as dt
    from collections.abc import Sequence

    import msgspec
    from starlette.applications import Starlette

__all__ = ["FakeMetron"]


class FakeMetron(Controls, CatalogueBuilders, OwnBuilders):
    """A Metron server for tests and demonstrations: same answers, same quota, same bans.

    It needs no network and no account, works on a virtual-time loop, and does as it is told: its
    clock can be driven, its limits moved, and things can be made to go wrong.

    Args:
        issues: Size of the catalogue; everything else is sized to go with it.
        seed: Another seed gives another catalogue, and other latencies.
        today: The day around which running series bring out their issues; by default the clock's.
        token: Bearer token of the account ``reader``.
        throttle: Whether there is a quota; without, the headers announce a huge one.
        burst: Requests that ``reader`` and the other default accounts have per short window.
        sustained: The same for the long window.
        burst_period: Length of the short window, in seconds.
        sustained_period: Length of the long window, in seconds.
        newer: Behave like servers after August 2026, which have more filters and fields.
        bans: Whether addresses that misbehave are shut out.
        list_cache: Seconds for which the server's own cache keeps lists (the real one: 120).
        detail_cache: Seconds for which it keeps details and issue lists (the real one: 86,400).
        public_url: Scheme and host the server believes it has; by default what it was asked under.
        unstable: Let rows of equal rank change places from page to page, as on the real server.
        keep_requests: How many requests the log keeps; ``None`` for all.

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
        today: dt.date | None = None,
        token: str = "reader-token",  # noqa: S107 - it opens nothing
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
        tokens = {"editor": "editor-token", "reader": token, "reader2": "reader2-token"}
        for name, own in tokens.items():
            self.add_account(
                name,
                f"{name}-password",
                own,
                editor=name == "editor",
                burst=burst,
                sustained=sustained,
            )
        self.add_account("donor", "donor-password", "donor-token", burst=burst, sustained=25_000)
        fill_shelf(self.accounts["reader"].shelf, self.catalogue, self._numbers)

    # -- accounts ------------------------------------------------------------------------------

    @property
    def token(self) -> str:
        """A token of the account ``reader``."""
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
            token: Its Bearer token, or several, which share one quota.
            editor: Whether it may change the catalogue.
            may_delete: Whether it has the permission to delete, so that a DELETE is a 405.
            burst: Requests in the short window.
            sustained: Requests in the long window.
        """
        account = Account(
            id=self._numbers.take("account"),
            username=username,
            password=password,
            tokens=(token,) if isinstance(token, str) else tuple(token),
            editor=editor,
            may_delete=may_delete,
            burst=burst,
            sustained=sustained,
        )
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
            changes: Fields and their new values; dates may be ISO text.

        Returns:
            The record.

        Raises:
            KeyError: There is no such object.
            AttributeError: It has no such field.
            TypeError: A value has the wrong type.
            ValueError: A value is not one of the choices, or an id is unknown.

        Example:
            >>> FakeMetron().touch("issue", 1, title="Part one", store_date="2026-11-25").title
            'Part one'
        """
        record: msgspec.Struct = self.catalogue.table(kind)[rid]
        changes = checked(type(record), changes, self.catalogue)
        return self.catalogue.change(kind, rid, changes, self.clock.moment())

    def rename(self, kind: str, rid: int, name: str) -> Any:
        """Give an object another name; objects that embed it do not move their ``modified``."""
        return self.touch(kind, rid, name=name)

    def delete(self, kind: str, rid: int) -> None:
        """Delete an object, which leaves no trace."""
        self.catalogue.remove(kind, rid)

    # -- how to reach it -----------------------------------------------------------------------

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
            An async context manager, which gives the URL to use as ``base_url``. When it is left,
            no task and no socket is.

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
        """Return a transport for ``httpx.AsyncClient`` that leads to this server.

        Args:
            client: Address that requests seem to come from; bans are per address.
        """
        return FakeTransport(self.wire, client)
