"""Faults of responses: bodies, headers, and lists that are inconsistent."""

from __future__ import annotations

import dataclasses
import gzip
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec

from metron_async.testing._faults.base import (
    FOREIGN,
    FaultBase,
    request_url,
    with_next,
)
from metron_async.testing._server.checks import require_callable, require_number

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from metron_async.testing._server.messages import Reply, Request

__all__ = ["BodyFaults"]

_RATE = "x-ratelimit-"


class BodyFaults(FaultBase):
    """Constructors of these faults."""

    # -- bodies and headers --------------------------------------------------------------------

    @classmethod
    def body(cls, change: Callable[[bytes], bytes], name: str = "body", **headers: str) -> Self:
        """Replace the bytes of the body, and set headers (with ``_`` for ``-``)."""
        require_callable("change", change)
        named = {header.replace("_", "-"): value for header, value in headers.items()}

        def changed(_: Request, reply: Reply) -> Reply:
            return dataclasses.replace(
                reply, body=change(reply.content()), headers=reply.headers | named
            )

        return cls(name, change=changed)

    @classmethod
    def truncated(cls, share: float = 0.5) -> Self:
        """Send only *share* of the body, a number from 0 to 1, as if it were complete."""
        require_number("share", share, 0.0, 1.0)
        return cls.body(lambda body: body[: int(len(body) * share)], "truncated")

    @classmethod
    def garbled(cls) -> Self:
        """Send a body with wrong bytes in it."""
        return cls.body(lambda body: body[:10] + b"\xff\xfe}{" + body[14:], "garbled")

    @classmethod
    def bad_gzip(cls) -> Self:
        """Send a gzip stream with wrong bytes in it."""

        def broken(body: bytes) -> bytes:
            packed = gzip.compress(body, mtime=0)
            return packed[:10] + b"\xff" * 8 + packed[18:]

        return cls.body(broken, "bad gzip", content_encoding="gzip")

    @classmethod
    def gzip_bomb(cls, size: int = 200_000_000) -> Self:
        """Send a small body that unpacks to *size* bytes."""
        return cls.body(
            lambda _: gzip.compress(b" " * size, mtime=0), "gzip bomb", content_encoding="gzip"
        )

    @classmethod
    def content_type(cls, value: str = "text/plain") -> Self:
        """Send the right body under a wrong content type."""
        return cls.body(lambda body: body, "content type", content_type=value)

    @classmethod
    def empty_body(cls) -> Self:
        """Send an empty body."""
        return cls.body(lambda _: b"", "empty body")

    @classmethod
    def huge_body(cls, size: int = 100_000_000) -> Self:
        """Send *size* bytes of JSON white space before the body."""
        return cls.body(lambda body: b" " * size + body, "huge body")

    @classmethod
    def no_rate_headers(cls) -> Self:
        """Omit the rate headers and ``Retry-After``."""

        def changed(_: Request, reply: Reply) -> Reply:
            kept = {
                name: value
                for name, value in reply.headers.items()
                if not name.startswith(_RATE) and name != "retry-after"
            }
            return dataclasses.replace(reply, headers=kept)

        return cls("no rate headers", change=changed)

    @classmethod
    def headers(cls, **headers: str) -> Self:
        """Set headers (with ``_`` for ``-``)."""
        return cls.body(lambda body: body, "headers", **headers)

    # -- lists ---------------------------------------------------------------------------------

    @classmethod
    def json(cls, change: Callable[[Any], Any], name: str = "json") -> Self:
        """Replace the JSON body by the result of *change*, which receives it decoded."""
        require_callable("change", change)

        def changed(_: Request, reply: Reply) -> Reply:
            return dataclasses.replace(reply, body=change(msgspec.json.decode(reply.content())))

        return cls(name, change=changed)

    @classmethod
    def repeated_page(cls, page: int = 1) -> Self:
        """Send the rows of *page* in place of those of the requested page."""

        def prepare(request: Request) -> Request:
            query = urlencode(request.params | {"page": str(page)})
            return dataclasses.replace(request, query=query)

        def keep_numbers(request: Request, reply: Reply) -> Reply:
            # Only the rows are repeated: the list continues after the requested page.
            body: dict[str, Any] = msgspec.json.decode(reply.content())
            if "results" not in body:
                return reply
            asked = int(request.params.get("page", "1"))
            last = -(-body["count"] // max(1, len(body["results"])))
            origin = request.origin
            body["next"] = request.address(origin=origin, page=asked + 1) if asked < last else None
            return dataclasses.replace(reply, body=body)

        return cls("repeated page", prepare=prepare, change=keep_numbers)

    @classmethod
    def looping_next(cls) -> Self:
        """Set ``next`` to the URL of the page itself."""

        def changed(request: Request, reply: Reply) -> Reply:
            return with_next(reply, request_url(request))

        return cls("looping next", change=changed)

    @classmethod
    def foreign_next(cls, host: str = FOREIGN) -> Self:
        """Set ``next`` to another host."""
        return cls("foreign next", change=lambda _, reply: with_next(reply, host=host))

    @classmethod
    def http_next(cls) -> Self:
        """Set ``next`` to the same host without TLS."""
        return cls("http next", change=lambda _, reply: with_next(reply, scheme="http"))

    @classmethod
    def detail_instead(cls) -> Self:
        """Send the first row in place of the list that holds it."""

        def first(body: Any) -> Any:
            return body["results"][0] if body["results"] else {"id": 1}

        return cls.json(first, "detail instead of a list")

    @classmethod
    def lost_rows(cls, rows: int = 1) -> Self:
        """Omit the first *rows* rows, as if they had moved to a page that was read before."""
        return cls.json(lambda body: body | {"results": body["results"][rows:]}, "lost rows")

    @classmethod
    def recounted(cls, difference: int) -> Self:
        """Change the list's ``count`` by *difference*, as if it changed while it is read."""
        return cls.json(lambda body: body | {"count": body["count"] + difference}, "recounted")

    @classmethod
    def during(cls, edit: Callable[[], object]) -> Self:
        """Run *edit* just before the server handles the request, to change the catalogue."""
        require_callable("edit", edit)

        def prepare(request: Request) -> Request:
            edit()
            return request

        return cls("edit", prepare=prepare)
