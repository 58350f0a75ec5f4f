"""Faults on demand: what a test wants to go wrong with the next requests.

Example:
    >>> fake = FakeMetron()
    >>> fake.faults.add(Fault.html_page(), times=2, path="/api/issue/")
    >>> fake.faults.add(Fault.status(502), method="GET", skip=3)
"""

from __future__ import annotations

import dataclasses
import gzip
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode, urlsplit, urlunsplit

import msgspec

from metron_async.testing.messages import Reply, Request, html

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Fault", "Faults", "Planned"]

Drop = Literal["connect", "before", "after"]
_RATE = "x-ratelimit-"
_FOREIGN = "evil.example"


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong. Use the constructors below.

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

    # -- time and connections ----------------------------------------------------------------------

    @classmethod
    def latency(cls, seconds: float) -> Fault:
        """Let the server think for *seconds* before it answers."""
        return cls("latency", seconds=seconds)

    @classmethod
    def connect_error(cls) -> Fault:
        """Refuse the connection; nothing is sent. (Over a socket it is closed unread.)"""
        return cls("connect error", drop="connect")

    @classmethod
    def drop_before(cls) -> Fault:
        """Lose the connection before the server handles the request: it costs no quota."""
        return cls("dropped before", drop="before")

    @classmethod
    def drop_after(cls) -> Fault:
        """Handle the request, and lose the connection before the answer."""
        return cls("dropped after", drop="after")

    @classmethod
    def cut_body(cls, share: float = 0.5) -> Fault:
        """Lose the connection when *share* of the body is sent."""
        return cls("cut body", cut=lambda body: int(len(body) * share))

    # -- other answers -------------------------------------------------------------------------------

    @classmethod
    def status(cls, status: int, *, page: bool | None = None, **headers: str) -> Fault:
        """Answer with *status* and no rate headers, as the proxy does.

        Args:
            status: The status.
            page: Send nginx's HTML page rather than JSON; by default for 502, 503 and 504.
            headers: Headers to add, with ``_`` for ``-``.
        """
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
    def html_page(cls, status: int = 200) -> Fault:
        """Answer with the anti-bot proxy's page, which has status 200."""
        return cls("html page", instead=lambda _: html(status, "Making sure you're not a bot!"))

    @classmethod
    def redirect(cls, location: str, status: int = 302) -> Fault:
        """Send the client to *location*."""
        return cls("redirect", instead=lambda _: Reply(status, b"", {"location": location}))

    @classmethod
    def redirect_host(cls, host: str = _FOREIGN) -> Fault:
        """Send the client to the same path on another host."""
        return cls._redirected("redirect to a host", lambda url: _moved(url, host=host))

    @classmethod
    def redirect_http(cls) -> Fault:
        """Send the client to the same address without TLS."""
        return cls._redirected("redirect to http", lambda url: _moved(url, scheme="http"))

    @classmethod
    def redirect_loop(cls) -> Fault:
        """Send the client to where it is."""
        return cls._redirected("redirect loop", lambda url: url)

    @classmethod
    def _redirected(cls, name: str, move: Callable[[str], str]) -> Fault:
        def instead(request: Request) -> Reply:
            return Reply(302, b"", {"location": move(_url(request))})

        return cls(name, instead=instead)

    # -- bodies and headers ----------------------------------------------------------------------------

    @classmethod
    def body(cls, change: Callable[[bytes], bytes], name: str = "body", **headers: str) -> Fault:
        """Replace the bytes of the body, and set headers (with ``_`` for ``-``)."""
        named = {header.replace("_", "-"): value for header, value in headers.items()}

        def changed(_: Request, reply: Reply) -> Reply:
            return dataclasses.replace(
                reply, body=change(reply.content()), headers=reply.headers | named
            )

        return cls(name, change=changed)

    @classmethod
    def truncated(cls, share: float = 0.5) -> Fault:
        """Send only *share* of the body, as if that were all of it."""
        return cls.body(lambda body: body[: int(len(body) * share)], "truncated")

    @classmethod
    def garbled(cls) -> Fault:
        """Send a body in which bytes are wrong."""
        return cls.body(lambda body: body[:10] + b"\xff\xfe}{" + body[14:], "garbled")

    @classmethod
    def bad_gzip(cls) -> Fault:
        """Claim gzip, and send something that is not (a gzip stream with broken bytes)."""

        def broken(body: bytes) -> bytes:
            packed = gzip.compress(body, mtime=0)
            return packed[:10] + b"\xff" * 8 + packed[18:]

        return cls.body(broken, "bad gzip", content_encoding="gzip")

    @classmethod
    def gzip_bomb(cls, size: int = 200_000_000) -> Fault:
        """Send a small body that unpacks to *size* bytes."""
        return cls.body(
            lambda _: gzip.compress(b" " * size, mtime=0), "gzip bomb", content_encoding="gzip"
        )

    @classmethod
    def content_type(cls, value: str = "text/plain") -> Fault:
        """Send the right body under a wrong content type."""
        return cls.body(lambda body: body, "content type", content_type=value)

    @classmethod
    def empty_body(cls) -> Fault:
        """Send no body at all."""
        return cls.body(lambda _: b"", "empty body")

    @classmethod
    def huge_body(cls, size: int = 100_000_000) -> Fault:
        """Send *size* bytes of JSON white space before the body."""
        return cls.body(lambda body: b" " * size + body, "huge body")

    @classmethod
    def no_rate_headers(cls) -> Fault:
        """Leave the rate headers out (and ``Retry-After``)."""

        def changed(_: Request, reply: Reply) -> Reply:
            kept = {
                name: value
                for name, value in reply.headers.items()
                if not name.startswith(_RATE) and name != "retry-after"
            }
            return dataclasses.replace(reply, headers=kept)

        return cls("no rate headers", change=changed)

    @classmethod
    def headers(cls, **headers: str) -> Fault:
        """Set headers (with ``_`` for ``-``)."""
        return cls.body(lambda body: body, "headers", **headers)

    # -- lists -------------------------------------------------------------------------------------------

    @classmethod
    def json(cls, change: Callable[[Any], Any], name: str = "json") -> Fault:
        """Replace the JSON body: *change* takes it decoded and returns what is sent."""

        def changed(_: Request, reply: Reply) -> Reply:
            return dataclasses.replace(reply, body=change(msgspec.json.decode(reply.content())))

        return cls(name, change=changed)

    @classmethod
    def repeated_page(cls, page: int = 1) -> Fault:
        """Answer with *page*, whichever was asked for."""

        def prepare(request: Request) -> Request:
            query = urlencode(request.params | {"page": str(page)})
            return dataclasses.replace(request, query=query)

        def keep_numbers(request: Request, reply: Reply) -> Reply:
            # The list goes on from the page that was asked for: only the rows are repeated.
            body = msgspec.json.decode(reply.content())
            if not isinstance(body, dict) or "results" not in body:
                return reply
            asked = int(request.params.get("page", "1"))
            last = -(-body["count"] // max(1, len(body["results"])))
            origin = request.origin
            body["next"] = request.address(origin=origin, page=asked + 1) if asked < last else None
            return dataclasses.replace(reply, body=body)

        return cls("repeated page", prepare=prepare, change=keep_numbers)

    @classmethod
    def looping_next(cls) -> Fault:
        """Let ``next`` point at the page itself."""

        def changed(request: Request, reply: Reply) -> Reply:
            return _with_next(reply, _url(request))

        return cls("looping next", change=changed)

    @classmethod
    def foreign_next(cls, host: str = _FOREIGN) -> Fault:
        """Let ``next`` point at another host."""
        return cls("foreign next", change=lambda _, reply: _with_next(reply, host=host))

    @classmethod
    def http_next(cls) -> Fault:
        """Let ``next`` point at the same host without TLS."""
        return cls("http next", change=lambda _, reply: _with_next(reply, scheme="http"))

    @classmethod
    def detail_instead(cls) -> Fault:
        """Send the first row in place of the list that holds it."""
        return cls.json(lambda body: (body["results"] or [{}])[0], "detail instead of a list")

    @classmethod
    def lost_rows(cls, rows: int = 1) -> Fault:
        """Leave out the first *rows* rows, as if others had moved to a page already read."""
        return cls.json(
            lambda body: body | {"results": body["results"][rows:]}, "lost rows"
        )

    @classmethod
    def recounted(cls, difference: int) -> Fault:
        """Let the list's ``count`` differ: it grows or shrinks while it is read."""
        return cls.json(lambda body: body | {"count": body["count"] + difference}, "recounted")

    @classmethod
    def during(cls, edit: Callable[[], object]) -> Fault:
        """Run *edit* just before the server handles the request: the catalogue changes."""

        def prepare(request: Request) -> Request:
            edit()
            return request

        return cls("edit", prepare=prepare)


def _url(request: Request) -> str:
    query = f"?{request.query}" if request.query else ""
    return f"{request.origin}{request.path}{query}"


def _moved(url: str, *, host: str | None = None, scheme: str | None = None) -> str:
    parts = urlsplit(url)
    moved = parts._replace(scheme=scheme or parts.scheme, netloc=host or parts.netloc)
    return urlunsplit(moved)


def _with_next(
    reply: Reply, url: str | None = None, *, host: str | None = None, scheme: str | None = None
) -> Reply:
    """Return *reply* with another ``next``; a last page stays one, unless *url* is given."""
    body = msgspec.json.decode(reply.content())
    if url is not None:
        body["next"] = url
    elif body.get("next"):
        body["next"] = _moved(body["next"], host=host, scheme=scheme)
    return dataclasses.replace(reply, body=body)


@dataclasses.dataclass(slots=True)
class Planned:
    """A fault that waits for its requests.

    Attributes:
        fault: What will go wrong.
        left: How often it still will; ``None`` for ever.
        skip: Matching requests that it lets pass first.
        path: Path, or its beginning with a ``*`` at the end, or a predicate; ``None`` for any.
        method: HTTP method, or ``None`` for any.
        met: How often it has struck.
    """

    fault: Fault
    left: int | None = 1
    skip: int = 0
    path: str | Callable[[Request], bool] | None = None
    method: str | None = None
    met: int = 0

    def matches(self, request: Request) -> bool:
        """Return whether this request is meant."""
        if self.method is not None and request.method != self.method.upper():
            return False
        if self.path is None:
            return True
        if not isinstance(self.path, str):
            return self.path(request)
        if self.path.endswith("*"):
            return request.path.startswith(self.path[:-1])
        return request.path == self.path


class Faults:
    """The faults that are to come, first come, first served: one per request."""

    def __init__(self) -> None:
        self.planned: list[Planned] = []

    def add(
        self,
        fault: Fault,
        *,
        times: int | None = 1,
        path: str | Callable[[Request], bool] | None = None,
        method: str | None = None,
        skip: int = 0,
    ) -> Planned:
        """Plan *fault* for the next *times* requests that match.

        Args:
            fault: What goes wrong.
            times: For how many requests; ``None`` for all of them.
            path: Path of the requests; one ending in ``*`` is a beginning. Or a predicate.
            method: Method of the requests.
            skip: How many matching requests pass unharmed first.

        Returns:
            What was planned; its ``met`` counts how often it struck.
        """
        planned = Planned(fault, left=times, skip=skip, path=path, method=method)
        self.planned.append(planned)
        return planned

    def clear(self) -> None:
        """Forget all faults that are to come."""
        self.planned.clear()

    def take(self, request: Request) -> Fault | None:
        """Return what goes wrong with *request*."""
        for planned in self.planned:
            if planned.left == 0 or not planned.matches(request):
                continue
            if planned.skip:
                planned.skip -= 1
                continue
            planned.met += 1
            if planned.left is not None:
                planned.left -= 1
                if planned.left == 0:
                    self.planned.remove(planned)
            return planned.fault
        return None
