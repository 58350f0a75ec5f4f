"""What the server decides about one request: a plain function from request to reply.

The order of the checks is the server's own, and it is what quota costs hang on: the address
(301, unknown pages), credentials (401), permission (403), and only then the throttle, after which
every answer costs a slot.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from metron_async.testing._server import messages as m
from metron_async.testing._server.auth import authenticate
from metron_async.testing._server.endpoints import Call
from metron_async.testing._server.servertime import http_date, parse_http_date
from metron_async.testing.throttle import UserQuota, Verdict, rate_headers, retry_after

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metron_async.testing._data.accounts import Account
    from metron_async.testing._server.endpoints import Endpoint, Limit, State

__all__ = ["Core"]

LIFTED = 1_000_000


class Core:
    """The server without its network.

    Args:
        state: Its data and services.
        endpoints: Its addresses; of two that fit, the first one is used.
    """

    def __init__(self, state: State, endpoints: Sequence[Endpoint]) -> None:
        self.state = state
        self.settings = state.settings
        self.clock = state.clock
        self.quotas: dict[int, UserQuota] = {}
        self._endpoints: dict[int, list[Endpoint]] = {}
        for endpoint in endpoints:
            self._endpoints.setdefault(len(endpoint.path), []).append(endpoint)
        self._cached: OrderedDict[tuple[object, ...], tuple[float, Any]] = OrderedDict()

    # -- one request ---------------------------------------------------------------------------

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
        if len(request.body) > _LARGEST:
            return m.html(413, "413 Request Entity Too Large")
        endpoint, ids = self._route(request)
        headers = {"allow": endpoint.allow}
        account: Account | None = None
        try:
            account = authenticate(
                request.headers.get("authorization"), self.state.accounts.values()
            )
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
            for endpoint in self._endpoints.get(len(parts) - 1, ()):
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

        def current(limit: Limit, own: int) -> int:
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
        reply = handler(Call(self.state, request, account, ids, origin))
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


_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_KEPT = 10_000
_LARGEST = 20 * 1024 * 1024
"""Bytes that the proxy lets through."""
