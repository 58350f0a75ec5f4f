"""The server's decision about one request: a plain function from request to reply.

The order of the checks is the server's own, and quota costs follow from it: the URL (301, unknown
pages), the ``Accept`` header (406), credentials (401), permission (403), and only then the
throttle, after which every response costs a slot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metron_async.testing._server import messages as m
from metron_async.testing._server.auth import authenticate, authorize
from metron_async.testing._server.cache import ResponseCache
from metron_async.testing._server.endpoints import Call
from metron_async.testing._server.localization import DEFAULT, language_of, localized
from metron_async.testing._server.negotiation import as_html, wants_html
from metron_async.testing._server.servertime import http_date, parse_http_date
from metron_async.testing.throttle import UserQuota, Verdict, rate_headers, retry_after

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metron_async.testing._server.endpoints import Endpoint, Limit, Settings, State
    from metron_async.testing._server.serverclock import ServerClock
    from metron_async.testing.records import Account

__all__ = ["Core"]

LIFTED = 1_000_000
_LARGEST = 20 * 1024 * 1024
"""Bytes that the proxy lets through."""


class Core:
    """The server without its network.

    Args:
        state: Its data and services.
        endpoints: Its addresses; of two that fit, the first one is used.
    """

    def __init__(self, state: State, endpoints: Sequence[Endpoint]) -> None:
        self.state = state
        self.settings: Settings = state.settings
        self.clock: ServerClock = state.clock
        self.quotas: dict[int, UserQuota] = {}
        self._endpoints: dict[tuple[int, str], list[Endpoint]] = {}
        for endpoint in endpoints:
            key = len(endpoint.path), endpoint.path[0]
            self._endpoints.setdefault(key, []).append(endpoint)
        self._cache = ResponseCache()

    # -- one request ---------------------------------------------------------------------------

    def handle(self, request: m.Request) -> m.Reply:
        """Return the response to *request*, and count it."""
        try:
            reply = self._respond(request)
        except m.HttpError as error:
            reply = error.reply
        self._finish(request, reply)
        return reply

    def _finish(self, request: m.Request, reply: m.Reply) -> None:
        headers = reply.headers
        if reply.body is not None:
            headers.setdefault("content-type", "application/json")
        headers.setdefault("vary", "Accept-Language" if reply.page else "Accept, Accept-Language")
        headers["content-language"] = language_of(request.headers.get("accept-language"))
        headers["date"] = http_date(self.clock.moment())
        if reply.modified is not None:
            headers["last-modified"] = http_date(reply.modified)
        if request.method == "HEAD":
            reply.body = None

    def _respond(self, request: m.Request) -> m.Reply:
        if len(request.body) > _LARGEST:
            return m.html(413, "413 Request Entity Too Large")
        endpoint, ids = self._route(request)
        rates: dict[str, str] = {}
        account: Account | None = None
        in_html = False
        try:
            in_html = wants_html(request)
            account = authenticate(request.headers.get("authorization"), self.state.accounts)
            if endpoint.guarded:
                authorize(account, request.method)
            rates = self._throttle(account)
            reply = self._dispatch(endpoint, request, account, ids)
        except m.HttpError as error:
            reply = error.reply
        reply.account = account
        reply.headers |= rates
        if not reply.page:
            reply.headers["allow"] = endpoint.allow
            if in_html and reply.body is not None:
                as_html(reply)
        return reply

    def _route(self, request: m.Request) -> tuple[Endpoint, tuple[str, ...]]:
        root, *parts = request.path.strip("/").split("/")
        known = self._endpoints.get((len(parts), parts[0]), ()) if root == "api" and parts else ()
        for endpoint in known:
            ids = endpoint.fits(parts)
            if ids is None:
                continue
            if not request.path.endswith("/"):
                query = f"?{request.query}" if request.query else ""
                raise m.HttpError(m.moved_permanently(f"{request.path}/{query}"))
            return endpoint, ids
        raise m.HttpError(m.html(404, "Not Found"))

    def _throttle(self, account: Account) -> dict[str, str]:
        """Count a request of *account*, and return the six rate headers.

        Raises:
            HttpError: A 429, with these headers.
        """
        s, skew = self.settings, self.clock.skew
        burst, sustained = self._count(account)
        headers = rate_headers("burst", burst, s.burst_period, skew)
        headers |= rate_headers("sustained", sustained, s.sustained_period, skew)
        if not (burst.accepted and sustained.accepted):
            throttled = self._throttled((burst, sustained))
            throttled.reply.headers |= headers
            raise throttled
        return headers

    def _count(self, account: Account) -> tuple[Verdict, Verdict]:
        s, now = self.settings, self.clock.steady()
        quota = self.quotas.setdefault(account.id, UserQuota())
        limits = self.limits(account, now)
        return (
            quota.burst.ask(now, limits[0], s.burst_period),
            quota.sustained.ask(now, limits[1], s.sustained_period),
        )

    def limits(self, account: Account, now: float) -> tuple[int, int]:
        """Return the limits of both windows that hold for *account* at *now*."""
        s = self.settings
        if not s.throttle:
            return LIFTED, LIFTED

        def current(limit: Limit, own: int) -> int:
            if limit is None:
                return own
            return limit(now) if callable(limit) else limit

        return (
            current(s.burst_limit, account.burst),
            current(s.sustained_limit, account.sustained),
        )

    def spend(self, account: Account, requests: int) -> None:
        """Count *requests* of *account* that are not in the log."""
        for _ in range(requests):
            self._count(account)

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
        s = self.settings
        origin = s.public_url or request.origin
        reply = handler(Call(self.state, request, account, ids, origin))
        language = language_of(request.headers.get("accept-language"))
        if language != DEFAULT:
            reply.body = localized(reply.body, language)
        if method != "GET":
            return reply
        if endpoint.cache is not None:
            max_age = s.list_cache if endpoint.cache == "list" else s.detail_cache
            now = self.clock.steady()
            self._cache.exchange(request, reply, origin, now=now, max_age=max_age)
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
