"""What a fault is made of."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit, urlunsplit

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async.testing._server.messages import Reply, Request

__all__ = [
    "FOREIGN",
    "FaultBase",
    "moved",
    "request_url",
    "require_callable",
    "require_number",
    "with_next",
]

Drop = Literal["connect", "before", "after"]
FOREIGN = "evil.example"
"""A host that must never get credentials."""


class FaultBase:
    """One thing that goes wrong.

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
        self.seconds = require_number("seconds", seconds, 0.0)
        self.prepare = prepare
        self.instead = instead
        self.change = change
        self.drop = drop
        self.cut = cut

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.name}>"


def require_number(name: str, value: float, least: float, most: float = math.inf) -> float:
    """Return *value*, if it is a number from *least* to *most*.

    Raises:
        TypeError: It is not a number.
        ValueError: It is out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        msg = f"Invalid {name}: expected a number, got {type(value).__name__}"
        raise TypeError(msg)
    if not least <= value <= most:
        wanted = f"at least {least}" if most == math.inf else f"from {least} to {most}"
        msg = f"Invalid {name}: expected a number {wanted}, got {value}"
        raise ValueError(msg)
    return value


def require_callable(name: str, value: object) -> None:
    """Check that *value* can be called later.

    Raises:
        TypeError: It cannot, perhaps since it is the result of a call.
    """
    if not callable(value):
        msg = (
            f"Invalid {name}: expected a function, got {type(value).__name__}. "
            "Pass the function itself, or a lambda"
        )
        raise TypeError(msg)


def request_url(request: Request) -> str:
    """Return the address of *request*."""
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
    """Return *reply* with another ``next``; a last page stays one, unless *url* is given."""
    body = msgspec.json.decode(reply.content())
    if url is not None:
        body["next"] = url
    elif body.get("next"):
        body["next"] = moved(body["next"], host=host, scheme=scheme)
    return dataclasses.replace(reply, body=body)
