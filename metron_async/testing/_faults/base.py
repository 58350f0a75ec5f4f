"""What a fault is made of."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit, urlunsplit

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async.testing._server.messages import Reply, Request

__all__ = ["FOREIGN", "FaultBase", "moved", "request_url", "with_next"]

Drop = Literal["connect", "before", "after"]
FOREIGN = "evil.example"
"""A host that must never get credentials."""


@dataclasses.dataclass(frozen=True)
class FaultBase:
    """One thing that goes wrong.

    Attributes:
        name: What it is, for messages.
        seconds: Time the server thinks before it answers.
        prepare: Runs before the server sees the request; may replace it.
        instead: Answers in the server's place: what a proxy sends. It costs no quota.
        change: Replaces the server's answer.
        drop: When the connection is lost: while connecting, before the request is handled, or
            after it was, without an answer.
        cut: Bytes of the body after which the connection is lost.
    """

    name: str
    seconds: float = 0.0
    prepare: Callable[[Request], Request] | None = None
    instead: Callable[[Request], Reply] | None = None
    change: Callable[[Request, Reply], Reply] | None = None
    drop: Drop | None = None
    cut: Callable[[bytes], int] | None = None


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
