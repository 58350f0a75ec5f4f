"""Base class of faults, and helpers for their constructors."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit, urlunsplit

import msgspec

from metron_async.testing._server.checks import require_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async.testing._server.messages import Reply, Request

__all__ = [
    "FOREIGN",
    "FaultBase",
    "moved",
    "request_url",
    "with_next",
]

Drop = Literal["connect", "before", "after"]
FOREIGN = "evil.example"
"""A host that must never receive credentials."""


class FaultBase:
    """Fault of one request or response.

    Args:
        name: Its name, for messages.
        seconds: Time that the server takes before it responds.
        prepare: Runs before the server handles the request; may replace it.
        instead: Returns the response of a proxy in place of the server's. It costs no quota.
        change: Replaces the server's response.
        drop: When the connection is lost without a response: while connecting, before the
            request is handled, or after.
        cut: Bytes of the body after which the connection is lost.
    """

    def __init__(
        self,
        name: str,
        *,
        seconds: float = 0.0,
        prepare: Callable[[Request], Request] | None = None,
        instead: Callable[[Request], Reply] | None = None,
        change: Callable[[Request, Reply], Reply] | None = None,
        drop: Drop | None = None,
        cut: Callable[[bytes], int] | None = None,
    ) -> None:
        # Attributes of the instance only: as defaults of the class they would look like
        # constructors (`Fault.drop`).
        self.name = name
        self.seconds: float = require_number("seconds", seconds, 0.0)
        self.prepare = prepare
        self.instead = instead
        self.change = change
        self.drop = drop
        self.cut = cut

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.name}>"


def request_url(request: Request) -> str:
    """Return the URL of *request*."""
    query = f"?{request.query}" if request.query else ""
    return f"{request.origin}{request.path}{query}"


def moved(url: str, *, host: str | None = None, scheme: str | None = None) -> str:
    """Return *url* on another host, or with another scheme."""
    parts = urlsplit(url)
    moved = parts._replace(scheme=scheme or parts.scheme, netloc=host or parts.netloc)
    return urlunsplit(moved)


def with_next(
    reply: Reply, url: str | None = None, *, host: str | None = None, scheme: str | None = None
) -> Reply:
    """Return *reply* with another ``next``; a last page keeps none, unless *url* is given."""
    body = msgspec.json.decode(reply.content())
    if url is not None:
        body["next"] = url
    elif body.get("next"):
        body["next"] = moved(body["next"], host=host, scheme=scheme)
    return dataclasses.replace(reply, body=body)
