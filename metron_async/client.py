"""The client: :class:`AsyncMetron`, its resources, options and lifecycle.

Each resource with its models and filters is imported on first use, and httpx in a thread: a program
that reads issues never loads the rest, and its event loop is not held up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metron_async._engine.build import Blueprint
from metron_async._engine.caller import Caller
from metron_async._engine.core import Core
from metron_async._engine.options import DEFAULT, checked_options
from metron_async._signature import spelled_out
from metron_async.errors import ConfigurationError, MetronError
from metron_async.resources.all import AllResources
from metron_async.types import CallOptions, OptionArguments

if TYPE_CHECKING:
    import os
    from typing import Self, Unpack

    import httpx

    from metron_async._engine.options import Default
    from metron_async.admission import QuotaState
    from metron_async.cache import Cache
    from metron_async.storage import Storage
    from metron_async.types import Origin, Stats

__all__ = ["AsyncMetron", "MetronView"]


class MetronView(AllResources):
    """The resources of a client, with one set of options."""

    def __repr__(self) -> str:
        caller = vars(self).get("_caller")  # missing where the constructor failed
        return f"<{type(self).__name__} of {caller.core if caller else None!r}>"

    @property
    def stats(self) -> Stats:
        """Counters of what the client has done so far: requests, hits, waits, and more."""
        return self._caller.core.stats

    @property
    def cache(self) -> Cache | None:
        """The cache, to ``clear`` or ``purge`` it; ``None`` if the client has none."""
        return self._caller.core.blueprint.places.cache

    async def quota(self) -> QuotaState:
        """Return the current quota state: both windows, requests in flight, and calls that wait.

        It costs no request. It is the state after the last responses of all processes that share
        the storage, updated to the current time. Before the first response, ``known`` of a window
        is false, and its limit is a guess.

        Raises:
            StorageError: If the storage cannot be read.

        Example:
            >>> state = await metron.quota()
            >>> print(state.sustained.remaining, "requests left today")
        """
        return await (await self._caller.core.ready()).controller.quota()

    @property
    def last_quota(self) -> QuotaState | None:
        """The quota after this client's last response, without reading the storage.

        It is ``None`` before the first response. Collectors of metrics can read it at any time.
        """
        parts = self._caller.core.parts
        return None if parts is None else parts.controller.last_quota

    async def reset_quota(self) -> QuotaState:
        """Forget a spent quota, its limits and pauses, and return the quota state after that.

        Call this when the account has got another quota, or after a garbled response. The next
        responses show what is left. It does not lift what keeps the address from being banned.

        Raises:
            StorageError: If the storage cannot be written.
        """
        return await (await self._caller.core.ready()).controller.reset_quota()

    async def retry_credentials(self) -> None:
        """Allow credentials that the server has refused to be sent again.

        After a 401 the same credentials are refused locally for ten minutes, also by other
        processes, since the server's firewall bans an address for a day after three. Call this
        when the account has been repaired on the server's side.

        Raises:
            StorageError: If the storage cannot be written.
        """
        await (await self._caller.core.ready()).controller.retry_credentials()

    def origin_of(self, value: object) -> Origin | None:
        """Return where an object came from, and how old it is.

        Args:
            value: An object that a ``get`` of this client has returned. (A page of a list
                carries its own ``origin``.)

        Returns:
            Its origin, or ``None`` for anything else, an equal copy included.
        """
        return self._caller.core.origins.of(value)

    @spelled_out(OptionArguments)
    def with_options(self, **options: Unpack[OptionArguments]) -> MetronView:
        """Return a view of the same client whose calls behave differently.

        It shares everything else: connections, storage, cache, statistics. Making one costs next
        to nothing, so it can be made for a single call.

        Args:
            options: See :class:`~metron_async.OptionArguments`.

        Raises:
            UsageError: If an option is unknown, or a value is invalid.

        Example:
            >>> quick = metron.with_options(priority=Priority.INTERACTIVE, max_wait=2)
        """
        failure: MetronError
        try:
            checked = checked_options(self._caller.options, options)
        except MetronError as error:
            failure = error.with_traceback(None)
        else:
            return MetronView(type(self._caller)(self._caller.core, checked))
        del options  # an unknown one may be a secret, and tracebacks can show local variables
        raise failure


class AsyncMetron(MetronView):
    """The asynchronous client for Metron, the open comic-book database.

    Use it as an async context manager, or call :meth:`aclose` at the end. The constructor opens
    nothing; ``async with`` opens what the first call needs. One client serves any number of
    concurrent calls on one event loop.

    Args:
        token: API token, sent as ``Authorization: Bearer``. Without any credentials given, they
            are taken from the environment: ``METRON_TOKEN``; or ``METRON_TOKEN_FILE``, the path of
            a file that holds the token; or ``METRON_USERNAME`` and ``METRON_PASSWORD``.
        username: User name for HTTP Basic, which Metron is phasing out.
        password: Password for HTTP Basic.
        account: Name of the Metron user whose quota is spent. Pass it where several tokens of
            one user are in use, so that they share one budget.
        base_url: The server; by default ``METRON_BASE_URL`` of the environment, or
            ``https://metron.cloud``.
        allow_plain_http: Whether ``base_url`` may be plain http on another machine, such as
            ``http://metron:8000`` in a private network. Anybody on the way can then read the
            credentials. To this machine plain http is always allowed.
        user_agent: Appended to ours, such as ``"my-bot/2.1 (me@example.org)"``.
        transport: Any transport of httpx or httpx2, such as ``FakeMetron().transport()``. If it
            does not lead to a network, the default storage and cache are kept in memory.
        http_client: An ``AsyncClient`` of httpx or httpx2 to send with; never closed here. Its
            cookies, headers, credentials and base URL are not used.
        storage: Where everything lives that clients, processes and hosts share: the quota, what
            keeps the address from being banned, requests in flight, and the cache. A directory,
            ``":memory:"``, ``"redis://..."`` or ``"rediss://..."``, or a storage. By default
            ``METRON_ASYNC_STORAGE`` of the environment, or the user's cache directory.
        address: Name of this host's network address. Pass one where hosts that share a storage
            have addresses of their own; by default they count as one, which is always safe.
        cache: Overrides the cache alone: the path of its file, ``":memory:"``, a cache, or
            ``None`` for off. By default it lives in the storage.
        max_in_flight: Maximum number of requests in flight, from 1.
        options: Defaults for all calls; see :class:`~metron_async.OptionArguments`.

    Raises:
        ConfigurationError: If credentials are missing or incomplete, or an argument or the
            environment (proxy, certificates, home directory) is invalid.
        UsageError: If an option is unknown, or a value is invalid.

    Example:
        >>> async with AsyncMetron(token="...") as metron:  # doctest: +SKIP
        ...     issue = await metron.issues.get(31660)
    """

    @spelled_out(OptionArguments)
    def __init__(
        self,
        token: str | None = None,
        *,
        username: str | None = None,
        password: str | None = None,
        account: str | None = None,
        base_url: str | None = None,
        allow_plain_http: bool = False,
        user_agent: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        http_client: httpx.AsyncClient | None = None,
        storage: Storage | str | os.PathLike[str] | None = None,
        address: str | None = None,
        cache: Cache | str | os.PathLike[str] | Default | None = DEFAULT,
        max_in_flight: int = 8,
        **options: Unpack[OptionArguments],
    ) -> None:
        arguments = locals()  # the one list of the arguments is the signature
        failure: MetronError
        try:
            caller = _caller_for(arguments)
        except MetronError as error:
            failure = error.with_traceback(None)
        else:
            super().__init__(caller)
            return
        # Tracebacks can show local variables, and these may be secrets.
        del token, password, base_url, storage, cache, options, arguments
        raise failure

    async def __aenter__(self) -> Self:
        try:
            await self._caller.core.ready()
        except BaseException:  # __aexit__ is not called then
            await self._caller.core.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def with_credentials(
        self,
        token: str | None = None,
        *,
        username: str | None = None,
        password: str | None = None,
        account: str | None = None,
    ) -> AsyncMetron:
        """Return a client for other credentials that shares everything else with this one.

        A backend whose users connect their own accounts makes one for each of them: a thousand
        share one pool of connections, one storage and one cache. Each has a quota of its own. At
        most nine requests are in flight at a time, for all of them together. While 401s of other
        users' credentials hold up those that have not worked lately, calls with these raise a
        :class:`~metron_async.errors.BlockedError` that says so, for five minutes at most.

        Closing the new client is optional. It is closed with this one, whose options it has.

        Args:
            token: API token of the account.
            username: User name for HTTP Basic.
            password: Password for HTTP Basic.
            account: Name of the Metron user: see :class:`AsyncMetron`.

        Raises:
            ConfigurationError: If no credentials are given, or invalid ones.

        Example:
            >>> anna = metron.with_credentials(token="...")
        """
        arguments = locals()
        failure: MetronError
        core = self._caller.core
        try:
            if token is None and username is None and password is None:
                msg = "No credentials: pass token=..., or username=... and password=..."
                raise ConfigurationError(msg)
            blueprint = core.blueprint.with_credentials(arguments)
        except MetronError as error:
            failure = error.with_traceback(None)
        else:
            other = object.__new__(AsyncMetron)
            MetronView.__init__(other, Caller(Core(blueprint, core), self._caller.options))
            return other
        del token, username, password, arguments
        raise failure

    async def aclose(self) -> None:
        """Close the client; requests in flight are given a few seconds to end.

        Calls that are still waiting end with :class:`~metron_async.errors.ClosedError`. What was
        passed in (a client, a cache, a storage) stays open. Closing twice is fine.
        """
        await self._caller.core.close()


def _caller_for(arguments: dict[str, Any]) -> Caller:
    """Return the caller for the *arguments* of :class:`AsyncMetron`, which are its locals."""
    names = tuple(name for name in arguments if name not in {"self", "options", "__class__"})
    options = checked_options(CallOptions(), arguments["options"], names)
    return Caller(Core(Blueprint(arguments)), options)
