"""Requests and replies as the fake's core sees them: plain values, free of any web framework."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import msgspec

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from metron_async.testing._data.accounts import Account

__all__ = ["HttpError", "Reply", "Request", "encode", "error", "html", "not_found"]

_encoder = msgspec.json.Encoder()


def encode(body: Any) -> bytes:
    """Return *body* as JSON."""
    return _encoder.encode(body)


@dataclasses.dataclass(slots=True)
class Request:
    """One request, after it was read in full.

    Attributes:
        method: HTTP method.
        path: Path, decoded.
        query: Query string, as sent.
        headers: Headers, names in lower case.
        body: Body, as sent.
        client: Address it came from, by which the firewall counts.
        origin: Scheme and host under which it came in.
        params: The query; of a repeated name the last value.
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
        """Return the absolute URL of another page of this list; the first one has no number."""
        params = sorted((name, value) for name, value in self.params.items() if name != "page")
        if page > 1:
            params = sorted([*params, ("page", str(page))])
        query = f"?{urlencode(params)}" if params else ""
        return f"{origin}{self.path}{query}"


@dataclasses.dataclass(slots=True)
class Reply:
    """One answer.

    Attributes:
        status: HTTP status.
        body: What is sent as JSON, or bytes as they are, or ``None``.
        headers: Headers, names in lower case.
        modified: What ``Last-Modified`` tells, and a conditional request is compared with.
        account: Who asked, where that is known.
    """

    status: int
    body: Any = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict[str, str])
    modified: dt.datetime | None = None
    account: Account | None = None

    def content(self) -> bytes:
        """Return the bytes of the body."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else encode(self.body)


class HttpError(Exception):
    """Ends a request with an answer other than success."""

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


def html(status: int, title: str) -> Reply:
    """Return a page, as the server or the proxy in front of it sends instead of JSON."""
    body = (
        f"<!doctype html>\n<html><head><title>{title}</title></head>"
        f"<body><h1>{title}</h1></body></html>\n"
    )
    return Reply(status, body.encode(), {"content-type": "text/html; charset=utf-8"})
