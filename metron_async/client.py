"""The client: :class:`AsyncMetron`, its namespaces, options and lifecycle."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from metron_async.engine.caller import Caller
from metron_async.engine.core import Core, Settings
from metron_async.engine.credentials import resolve_credentials, scoped_key
from metron_async.engine.identity import api_root_of, origin_of_url
from metron_async.engine.identity import user_agent as make_user_agent
from metron_async.engine.messages import CallOptions
from metron_async.engine.options import checked_options
from metron_async.engine.parts import DEFAULT, choose_parts
from metron_async.engine.transport import Transport, leads_elsewhere
from metron_async.errors import ConfigurationError
from metron_async.resources.arcs import Arcs
from metron_async.resources.characters import Characters
from metron_async.resources.collection import Collection
from metron_async.resources.creators import Creators
from metron_async.resources.credits import Credits
from metron_async.resources.imprints import Imprints
from metron_async.resources.issues import Issues
from metron_async.resources.publishers import Publishers
from metron_async.resources.pull_list import PullLists
from metron_async.resources.reading_lists import ReadingLists
from metron_async.resources.roles import Roles
from metron_async.resources.series import SeriesNamespace
from metron_async.resources.series_types import SeriesTypes
from metron_async.resources.teams import Teams
from metron_async.resources.universes import Universes
from metron_async.resources.variants import Variants
from metron_async.resources.wish_list import WishLists

if TYPE_CHECKING:
    import os
    from types import TracebackType
    from typing import Self, Unpack

    import httpx

    from metron_async.cache import Cache
    from metron_async.engine.messages import Origin
    from metron_async.engine.options import OptionArguments
    from metron_async.engine.parts import Default
    from metron_async.engine.stats import Stats
    from metron_async.quota import QuotaState, QuotaStore

__all__ = ["AsyncMetron", "MetronView"]


class MetronView:
    """A client's namespaces, with one set of options.

    Namespaces are made when they are first used; they hold no state of their own.
    """

    def __init__(self, core: Core, options: CallOptions) -> None:
        self._core = core
        self._options = options
        self._caller = Caller(core, options)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._core!r}>"

    @functools.cached_property
    def arcs(self) -> Arcs:
        """Story arcs."""
        return Arcs(self._caller)

    @functools.cached_property
    def characters(self) -> Characters:
        """Characters."""
        return Characters(self._caller)

    @functools.cached_property
    def collection(self) -> Collection:
        """The account's own comics."""
        return Collection(self._caller)

    @functools.cached_property
    def creators(self) -> Creators:
        """Writers, artists and others who make comics."""
        return Creators(self._caller)

    @functools.cached_property
    def credits(self) -> Credits:
        """Who did what in an issue; for editors."""
        return Credits(self._caller)

    @functools.cached_property
    def imprints(self) -> Imprints:
        """Imprints of publishers."""
        return Imprints(self._caller)

    @functools.cached_property
    def issues(self) -> Issues:
        """Single issues."""
        return Issues(self._caller)

    @functools.cached_property
    def publishers(self) -> Publishers:
        """Publishers."""
        return Publishers(self._caller)

    @functools.cached_property
    def pull_list(self) -> PullLists:
        """The series that the account follows."""
        return PullLists(self._caller)

    @functools.cached_property
    def reading_lists(self) -> ReadingLists:
        """Reading lists, public ones and the account's own."""
        return ReadingLists(self._caller)

    @functools.cached_property
    def roles(self) -> Roles:
        """Roles of creators."""
        return Roles(self._caller)

    @functools.cached_property
    def series(self) -> SeriesNamespace:
        """Series, each one run of issues."""
        return SeriesNamespace(self._caller)

    @functools.cached_property
    def series_types(self) -> SeriesTypes:
        """Types of series."""
        return SeriesTypes(self._caller)

    @functools.cached_property
    def teams(self) -> Teams:
        """Teams of characters."""
        return Teams(self._caller)

    @functools.cached_property
    def universes(self) -> Universes:
        """Universes that stories are set in."""
        return Universes(self._caller)

    @functools.cached_property
    def variants(self) -> Variants:
        """Variant covers; for editors."""
        return Variants(self._caller)

    @functools.cached_property
    def wish_list(self) -> WishLists:
        """The issues that the account wants."""
        return WishLists(self._caller)

    @property
    def stats(self) -> Stats:
        """What the client has done so far: requests, hits, waits, and more."""
        return self._core.stats

    @property
    def cache(self) -> Cache | None:
        """The cache, to ``clear`` or ``purge`` it; ``None`` if the client has none."""
        return self._core.settings.cache

    async def quota(self) -> QuotaState:
        """Tell how the account stands: both windows, requests in flight, and who waits.

        Costs no request; it is what the last answers told, moved on to this moment.

        Raises:
            QuotaStoreError: If the store cannot be read.
        """
        return await (await self._core.limiter()).snapshot()

    async def retry_credentials(self) -> None:
        """Let credentials that the server has refused be tried once more.

        After a 401 the same credentials are refused locally, also by later processes, since the
        server's firewall bans an address for a day after three. Call this when the account has
        been mended on the server's side.
        """
        await (await self._core.guard()).clear()

    def origin_of(self, value: object) -> Origin | None:
        """Tell where an object came from, and how old it is.

        Args:
            value: An object that a ``get`` of this client has returned. (A page of a list
                carries its own ``origin``.)

        Returns:
            Its origin, or ``None`` for anything else, an equal copy included.
        """
        return self._core.origins.of(value)

    def with_options(self, **options: Unpack[OptionArguments]) -> MetronView:
        """Return a view of the same client whose calls behave differently.

        It shares everything else: connections, quota, cache, statistics. Making one costs next
        to nothing, so it can be made for a single call.

        Args:
            options: See :class:`~metron_async.engine.options.OptionArguments`.

        Raises:
            UsageError: If an option is unknown, or a value cannot be meant.

        Example:
            >>> quick = metron.with_options(priority=Priority.INTERACTIVE, max_wait=2)
        """
        return MetronView(self._core, checked_options(self._options, options))


class AsyncMetron(MetronView):
    """The asynchronous client for Metron, the open comic-book database.

    Use it as an async context manager, or call :meth:`aclose` at the end. Nothing is opened before
    the first call. One client serves any number of concurrent calls on one event loop.

    Args:
        token: API token, sent as ``Authorization: Bearer``. Without any credentials given,
            ``METRON_TOKEN``, or ``METRON_USERNAME`` and ``METRON_PASSWORD``, are taken from the
            environment.
        username: User name for HTTP Basic, which Metron is phasing out.
        password: Password for HTTP Basic.
        account: Name of the Metron user whose quota is spent. Give it where several tokens of
            one user are in use, so that they share one budget.
        base_url: The server. Plain http is refused except to this machine.
        user_agent: Appended to ours, such as ``"my-bot/2.1 (me@example.org)"``.
        transport: Any httpx transport, such as ``FakeMetron().transport()``. Unless it is one of
            httpx's own network transports, the default stores are kept in memory.
        http_client: An :class:`httpx.AsyncClient` to send with; never closed here. Its cookies,
            headers, credentials and base URL are not used.
        cache: Path of the cache's file, ``":memory:"``, a cache, or ``None`` for off. By default
            a file in the user's cache directory.
        quota: Store of the quota's log; by default a file in the user's cache directory, shared
            by all programs of this user.
        max_in_flight: Requests under way at once, from 1.
        options: Defaults for all calls; see
            :class:`~metron_async.engine.options.OptionArguments`.

    Raises:
        ConfigurationError: If credentials are missing or half given, or anything else cannot be
            used as it is.

    Example:
        >>> async with AsyncMetron(token="...") as metron:  # doctest: +SKIP
        ...     issue = await metron.issues.get(31660)
    """

    def __init__(
        self,
        token: str | None = None,
        *,
        username: str | None = None,
        password: str | None = None,
        account: str | None = None,
        base_url: str = "https://metron.cloud",
        user_agent: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        http_client: httpx.AsyncClient | None = None,
        cache: Cache | str | os.PathLike[str] | Default | None = DEFAULT,
        quota: QuotaStore | None = None,
        max_in_flight: int = 8,
        **options: Unpack[OptionArguments],
    ) -> None:
        credentials = resolve_credentials(token, username, password)
        api_root = api_root_of(base_url)
        origin = origin_of_url(api_root)
        agent = make_user_agent(user_agent)
        in_memory = leads_elsewhere(transport, http_client)
        if type(max_in_flight) is not int or max_in_flight < 1:
            msg = f"max_in_flight must be a whole number from 1, got {max_in_flight!r}"
            raise ConfigurationError(msg)
        checked = checked_options(CallOptions(), options)
        parts = choose_parts(cache, quota, in_memory=in_memory)

        def connect() -> Transport:  # a closure: the repr of a partial would tell the secret
            return Transport.opened(
                http_client,
                transport,
                api_root=api_root,
                authorization=credentials.header,
                agent=agent,
            )

        settings = Settings(
            connect=connect,
            api_root=api_root,
            origin=origin,
            quota_key=scoped_key(origin, credentials.account_name(account)),
            latch_key=scoped_key(origin, credentials.latch_name),
            cache_name=credentials.cache_name,
            cache=parts.cache,
            quota=parts.quota,
            guards=parts.guards,
            owned=tuple(parts.owned),
            max_in_flight=max_in_flight,
        )
        super().__init__(Core(settings), checked)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the client; requests in flight are given a few seconds to end.

        Calls that are still waiting end with :class:`~metron_async.errors.ClosedError`. What was
        handed in (a client, a cache, a store) stays open. Closing twice is fine.
        """
        await self._core.close()
