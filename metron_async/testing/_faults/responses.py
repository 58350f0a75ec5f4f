"""Faults of time and of connections, and responses of proxies in place of the server's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metron_async.testing._faults.base import FOREIGN, FaultBase, moved, request_url
from metron_async.testing._server.checks import require_number
from metron_async.testing._server.messages import Reply, Request, html

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

__all__ = ["ResponseFaults"]


class ResponseFaults(FaultBase):
    """Constructors of these faults."""

    # -- time and connections ------------------------------------------------------------------

    @classmethod
    def latency(cls, seconds: float) -> Self:
        """Delay the response of the server by *seconds*."""
        return cls("latency", seconds=seconds)

    @classmethod
    def connect_error(cls) -> Self:
        """Refuse the connection, so that nothing is sent; over a socket, close it."""
        return cls("connect error", drop="connect")

    @classmethod
    def drop_before(cls) -> Self:
        """Lose the connection before the server handles the request, which costs no quota."""
        return cls("dropped before", drop="before")

    @classmethod
    def drop_after(cls) -> Self:
        """Handle the request, and lose the connection before the response."""
        return cls("dropped after", drop="after")

    @classmethod
    def cut_body(cls, share: float = 0.5) -> Self:
        """Lose the connection after *share* of the body, a number from 0 to 1."""
        require_number("share", share, 0.0, 1.0)
        return cls("cut body", cut=lambda body: int(len(body) * share))

    # -- other responses -----------------------------------------------------------------------

    @classmethod
    def status(cls, status: int, *, page: bool | None = None, **headers: str) -> Self:
        """Respond with *status* and without rate headers, like the proxy.

        Args:
            status: The status.
            page: Whether the body is nginx's HTML page; by default for 502, 503 and 504.
            headers: Headers to add, with ``_`` for ``-``.
        """
        require_number("status", status, 100, 599)
        as_page = status in {502, 503, 504} if page is None else page
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        def instead(_: Request) -> Reply:
            if as_page:
                reply = html(status, f"{status} nginx")
            else:
                reply = Reply(status, {"detail": "A server error occurred."})
                reply.headers["content-type"] = "application/json"
            reply.headers |= named
            return reply

        return cls(f"status {status}", instead=instead)

    @classmethod
    def gateway_timeout(cls) -> Self:
        """Handle the request so slowly that the proxy sends its 504 page after 60 seconds.

        The request takes effect and costs quota.
        """
        return cls("gateway timeout", seconds=60.0, change=lambda _, __: html(504, "504 nginx"))

    @classmethod
    def html_page(cls, status: int = 200) -> Self:
        """Respond with the page of the anti-bot proxy, which has status 200."""
        return cls("html page", instead=lambda _: html(status, "Making sure you're not a bot!"))

    @classmethod
    def redirect(cls, location: str, status: int = 302) -> Self:
        """Redirect the client to *location*."""
        return cls("redirect", instead=lambda _: Reply(status, b"", {"location": location}))

    @classmethod
    def redirect_host(cls, host: str = FOREIGN) -> Self:
        """Redirect the client to the same path on another host."""
        return cls._redirected("redirect to a host", lambda url: moved(url, host=host))

    @classmethod
    def redirect_http(cls) -> Self:
        """Redirect the client to the same URL without TLS."""
        return cls._redirected("redirect to http", lambda url: moved(url, scheme="http"))

    @classmethod
    def redirect_loop(cls) -> Self:
        """Redirect the client to the same URL."""
        return cls._redirected("redirect loop", lambda url: url)

    @classmethod
    def _redirected(cls, name: str, move: Callable[[str], str]) -> Self:
        def instead(request: Request) -> Reply:
            return Reply(302, b"", {"location": move(request_url(request))})

        return cls(name, instead=instead)
