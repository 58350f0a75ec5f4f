"""What the server decides about one request: a plain function from request to reply.

The order of the checks is the server's own, and it is what quota costs hang on: the address
(301, unknown pages), credentials (401), permission (403), and only then the throttle, after which
every answer costs a slot.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from metron_async.testing import messages as m
from metron_async.testing.auth import authenticate
from metron_async.testing.filters import compile_filters, filters_of, keep
from metron_async.testing.filters import FilterError
from metron_async.testing.newyork import http_date, parse_http_date
from metron_async.testing.throttle import UserQuota, Verdict, rate_headers, retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from metron_async.testing.accounts import Account, Numbers
    from metron_async.testing.catalogue import Catalogue
    from metron_async.testing.details import Renderer
    from metron_async.testing.filter_kinds import Filters
    from metron_async.testing.serverclock import ServerClock

__all__ = ["Call", "Core", "Endpoint", "Handler", "Settings"]

Limit = "int | Callable[[float], int] | None"
LIFTED = 1_000_000_000


@dataclasses.dataclass(slots=True)
class Settings:
    """How the server is set up.

    Attributes:
        newer: Whether it is one of those after August 2026.
        throttle: Whether there is a quota at all.
        burst_limit: Limit of the short window for everybody; ``None`` for each account's own.
        sustained_limit: The same for the long window.
        burst_period: Length of the short window, in seconds.
        sustained_period: Length of the long window, in seconds.
        list_cache: Seconds for which the server's own cache keeps lists; 0 for not at all.
        detail_cache: Seconds for which it keeps details and issue lists.
        public_url: Scheme and host the server believes it has; ``None`` for that of the request.
    """

    newer: bool = False
    throttle: bool = True
    burst_limit: int | Callable[[float], int] | None = None
    sustained_limit: int | Callable[[float], int] | None = None
    burst_period: float = 60.0
    sustained_period: float = 86_400.0
    list_cache: float = 0.0
    detail_cache: float = 0.0
    public_url: str | None = None


@dataclasses.dataclass(slots=True)
class Call:
    """A request that got past the throttle.

    Attributes:
        core: The server.
        request: What was asked.
        account: Who asked.
        ids: The variable parts of the path.
        origin: Scheme and host the server believes it has.
    """

    core: Core
    request: m.Request
    account: Account
    ids: tuple[str, ...]
    origin: str

    def id(self, position: int = 0) -> int:
        """Return a part of the path as a number.

        Raises:
            HttpError: It is none, which the server does not expect (500).
        """
        try:
            return int(self.ids[position])
        except ValueError:
            raise m.HttpError(m.html(500, "Server Error (500)")) from None


if TYPE_CHECKING:
    Handler = Callable[[Call], m.Reply]


@dataclasses.dataclass(slots=True)
class Endpoint:
    """One address of the API.

    Attributes:
        path: Its parts after ``/api/``; ``*`` stands for a variable one.
        methods: What it answers to.
        editors: Whether only editors may change anything here.
        cache: How the server's own cache treats it: ``"list"``, ``"detail"`` or not at all.
    """

    path: tuple[str, ...]
    methods: dict[str, Handler]
    editors: bool = False
    cache: str | None = None

    @property
    def allow(self) -> str:
        """The ``Allow`` header."""
        names = list(self.methods)
        if "GET" in names:
            names.append("HEAD")
        return ", ".join([*names, "OPTIONS"])

    def fits(self, parts: Sequence[str]) -> tuple[str, ...] | None:
        """Return the variable parts of a path that is this endpoint's, else ``None``."""
        if any(own not in {"*", part} for own, part in zip(self.path, parts, strict=True)):
            return None
        return tuple(p for own, p in zip(self.path, parts, strict=True) if own == "*")


class Core:
    """The server without its wires."""

    def __init__(
        self,
        settings: Settings,
        clock: ServerClock,
        catalogue: Catalogue,
        accounts: dict[str, Account],
        numbers: Numbers,
        render: Renderer,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.catalogue = catalogue
        self.accounts = accounts
        self.numbers = numbers
        self.render = render
        self.quotas: dict[int, UserQuota] = {}
        self.endpoints: dict[int, list[Endpoint]] = {}
        self._filters: dict[str, Filters] = {}
        self._found: OrderedDict[tuple[object, ...], list[Any]] = OrderedDict()
        self._cached: OrderedDict[tuple[object, ...], tuple[float, Any]] = OrderedDict()

    def register(self, endpoints: Sequence[Endpoint]) -> None:
        """Add addresses; of two that fit, the first one answers."""
        for endpoint in endpoints:
            self.endpoints.setdefault(len(endpoint.path), []).append(endpoint)

    # -- one request -----------------------------------------------------------------------------

    def handle(self, request: m.Request) -> m.Reply:
        """Answer *request*, and count it."""
        try:
            reply = self._answer(request)
        except m.HttpError as error:
            reply = error.reply
        self._finish(request, reply)
        return reply

    def _finish(self, request: m.Request, reply: m.Reply) -> None:
        headers = reply.headers
        if reply.body is not None:
            headers.setdefault("content-type", "application/json")
        headers.setdefault("vary", "Accept, Accept-Language")
        headers.setdefault("content-language", "en")
        headers["date"] = http_date(self.clock.moment())
        if reply.modified is not None:
            headers["last-modified"] = http_date(reply.modified)
        if request.method == "HEAD":
            reply.body = None

    def _answer(self, request: m.Request) -> m.Reply:
        endpoint, ids = self._route(request)
        headers = {"allow": endpoint.allow}
        account: Account | None = None
        try:
            account = authenticate(request.headers.get("authorization"), self.accounts.values())
            if endpoint.editors and not account.editor and request.method not in _SAFE:
                raise m.error(403, "You do not have permission to perform this action.")
            self._throttle(account, headers)
            reply = self._dispatch(endpoint, request, account, ids)
        except m.HttpError as error:
            reply = error.reply
        reply.account = account
        reply.headers = headers | reply.headers
        return reply

    def _route(self, request: m.Request) -> tuple[Endpoint, tuple[str, ...]]:
        parts = request.path.strip("/").split("/")
        if parts and parts[0] == "api":
            for endpoint in self.endpoints.get(len(parts) - 1, ()):
                ids = endpoint.fits(parts[1:])
                if ids is None:
                    continue
                if not request.path.endswith("/"):
                    query = f"?{request.query}" if request.query else ""
                    page = m.Reply(301, b"", {"location": f"{request.path}/{query}"})
                    page.headers["content-type"] = "text/html; charset=utf-8"
                    raise m.HttpError(page)
                return endpoint, ids
        raise m.HttpError(m.html(404, "Not Found"))

    def _throttle(self, account: Account, headers: dict[str, str]) -> None:
        s, now = self.settings, self.clock.steady()
        quota = self.quotas.setdefault(account.id, UserQuota())
        limits = self.limits(account, now)
        burst = quota.burst.ask(now, limits[0], s.burst_period)
        sustained = quota.sustained.ask(now, limits[1], s.sustained_period)
        headers |= rate_headers("burst", burst, s.burst_period, self.clock.skew)
        headers |= rate_headers("sustained", sustained, s.sustained_period, self.clock.skew)
        if not (burst.accepted and sustained.accepted):
            raise self._throttled((burst, sustained))

    def limits(self, account: Account, now: float) -> tuple[int, int]:
        """Return the limits of both windows that hold for *account* at *now*."""
        s = self.settings
        if not s.throttle:
            return LIFTED, LIFTED

        def current(limit: int | Callable[[float], int] | None, own: int) -> int:
            if limit is None:
                return own
            return limit(now) if callable(limit) else limit

        return (
            current(s.burst_limit, account.burst),
            current(s.sustained_limit, account.sustained),
        )

    def spend(self, account: Account, requests: int) -> None:
        """Count *requests* of *account* that nobody sees."""
        s, now = self.settings, self.clock.steady()
        quota = self.quotas.setdefault(account.id, UserQuota())
        limits = self.limits(account, now)
        for _ in range(requests):
            quota.burst.ask(now, limits[0], s.burst_period)
            quota.sustained.ask(now, limits[1], s.sustained_period)

    @staticmethod
    def _throttled(verdicts: tuple[Verdict, ...]) -> m.HttpError:
        wait = retry_after(verdicts)
        if wait is None:
            return m.error(429, "Request was throttled.")
        unit = "second" if wait == 1 else "seconds"
        message = f"Request was throttled. Expected available in {wait} {unit}."
        return m.error(429, message, retry_after=str(wait))

    def _dispatch(
        self, endpoint: Endpoint, request: m.Request, account: Account, ids: tuple[str, ...]
    ) -> m.Reply:
        method = "GET" if request.method == "HEAD" else request.method
        if method == "OPTIONS":
            return m.Reply(200, {"name": endpoint.path[0], "description": ""})
        handler = endpoint.methods.get(method)
        if handler is None:
            raise m.error(405, f'Method "{request.method}" not allowed.')
        origin = self.settings.public_url or request.origin
        reply = handler(Call(self, request, account, ids, origin))
        if method != "GET":
            return reply
        if endpoint.cache is not None:
            self._through_cache(endpoint.cache, request, reply, origin)
        return self._conditional(request, reply)

    @staticmethod
    def _conditional(request: m.Request, reply: m.Reply) -> m.Reply:
        asked = request.headers.get("if-modified-since")
        since = parse_http_date(asked) if asked is not None else None
        if since is None or reply.modified is None:
            return reply
        if reply.modified.replace(microsecond=0) > since:
            return reply
        return m.Reply(304, modified=reply.modified)

    def _through_cache(self, kind: str, request: m.Request, reply: m.Reply, origin: str) -> None:
        """Answer with what the server's own cache holds, if that is set up and young enough.

        A detail is kept under its ``modified``: its own changes show at once, and those of the
        objects whose names it embeds do not.
        """
        s, now = self.settings, self.clock.steady()
        age = s.list_cache if kind == "list" else s.detail_cache
        reply.headers["x-cache"] = "MISS"
        if age <= 0:
            return
        key = (origin, request.path, tuple(sorted(request.params.items())), reply.modified)
        stored = self._cached.get(key)
        if stored is not None and now - stored[0] <= age:
            reply.body = stored[1]
            reply.headers["x-cache"] = "HIT"
            return
        self._cached[key] = (now, reply.content())
        self._cached.move_to_end(key)
        if len(self._cached) > _KEPT:
            self._cached.popitem(last=False)

    # -- what handlers need ------------------------------------------------------------------------

    def moment(self) -> dt.datetime:
        """Return the time that an edit made now is stamped with."""
        return self.clock.moment()

    def filters(self, kind: str) -> Filters:
        """Return the filters of a list."""
        if kind not in self._filters:
            self._filters[kind] = filters_of(kind, newer=self.settings.newer)
        return self._filters[kind]

    def select(self, kind: str, records: Sequence[Any], params: Mapping[str, str]) -> list[Any]:
        """Return the *records* that the query asks for.

        Raises:
            HttpError: A 400 with messages by filter.
        """
        try:
            predicates = compile_filters(self.filters(kind), self.catalogue, params)
        except FilterError as error:
            raise m.invalid(error.messages) from None
        return keep(records, predicates)

    def listed(self, kind: str, params: Mapping[str, str]) -> list[Any]:
        """Return the rows of a whole list; the pages of one query are found once."""
        known = self.filters(kind)
        asked = tuple(sorted((k, value) for k, value in params.items() if k in known))
        key = (kind, self.catalogue.version, asked)
        found = self._found.get(key)
        if found is None:
            found = self.select(kind, self.catalogue.ordered(kind), params)
            self._found[key] = found
            if len(self._found) > _KEPT_LISTS:
                self._found.popitem(last=False)
        return found


_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_KEPT = 10_000
_KEPT_LISTS = 32
