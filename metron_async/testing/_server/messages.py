"""Requests and replies as plain values, independent of any web framework."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import msgspec

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from metron_async.testing.records import Account

__all__ = [
    "HttpError",
    "Reply",
    "Request",
    "encode",
    "error",
    "html",
    "invalid",
    "moved_permanently",
    "not_found",
    "page",
    "server_error",
]

_encoder = msgspec.json.Encoder()


def encode(body: Any) -> bytes:
    """Return *body* as JSON."""
    return _encoder.encode(body)


@dataclasses.dataclass(slots=True)
class Request:
    """One complete request.

    Attributes:
        method: HTTP method.
        path: Path, decoded.
        query: Query string, as sent.
        headers: Headers, names in lower case.
        body: Body, as sent.
        client: Address of the client, by which the firewall counts.
        origin: Scheme and host of its URL.
        params: The query; the last value of a repeated name.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    client: str
    origin: str
    params: dict[str, str] = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        self.params = dict(parse_qsl(self.query, keep_blank_values=True)) if self.query else {}

    def address(self, *, origin: str, page: int) -> str:
        """Return the absolute URL of a page of this list; that of the first has no number."""
        params = sorted((name, value) for name, value in self.params.items() if name != "page")
        if page > 1:
            params = sorted([*params, ("page", str(page))])
        query = f"?{urlencode(params)}" if params else ""
        return f"{origin}{self.path}{query}"


@dataclasses.dataclass(slots=True)
class Reply:
    """One response.

    Attributes:
        status: HTTP status.
        body: A value to send as JSON, or bytes, or ``None``.
        headers: Headers, names in lower case.
        modified: Instant of ``Last-Modified``, with which a conditional request is compared.
        account: The user that sent the request, if authenticated.
        page: Whether it is a page of the framework or of a proxy, not a response of the API.
    """

    status: int
    body: Any = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict[str, str])
    modified: dt.datetime | None = None
    account: Account | None = None
    page: bool = False

    def content(self) -> bytes:
        """Return the bytes of the body."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else encode(self.body)


class HttpError(Exception):
    """Ends a request with a response other than success."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"{reply.status}")
        self.reply = reply


def error(status: int, detail: str, **headers: str) -> HttpError:
    """Return an error with the server's usual body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpError(Reply(status, {"detail": detail}, named))


def invalid(messages: Mapping[str, Any]) -> HttpError:
    """Return a 400 with messages by field."""
    return HttpError(Reply(400, messages))


_NAMES = {
    "reading_list": "ReadingList",
    "collection": "CollectionItem",
    "pull_list": "PullList",
    "wish_list": "WishList",
    "wish_list_item": "WishListItem",
}


def not_found(kind: str) -> HttpError:
    """Return the 404 for an object of *kind*."""
    return error(404, f"No {_NAMES.get(kind, kind.title())} matches the given query.")


def page(title: str, content: str) -> bytes:
    """Return an HTML page."""
    text = (
        f"<!doctype html>\n<html><head><title>{title}</title></head>"
        f"<body><h1>{title}</h1>{content}</body></html>\n"
    )
    return text.encode()


def html(status: int, title: str) -> Reply:
    """Return a page that the framework, or a proxy in front of it, sends instead of JSON."""
    headers = {"content-type": "text/html; charset=utf-8"}
    return Reply(status, page(title, ""), headers, page=True)


def server_error() -> HttpError:
    """Return the 500 of a request that the server does not expect."""
    return HttpError(html(500, "Server Error (500)"))


def moved_permanently(location: str) -> Reply:
    """Return the 301 to a URL with its trailing slash."""
    headers = {"location": location, "content-type": "text/html; charset=utf-8"}
    return Reply(301, b"", headers, page=True)
