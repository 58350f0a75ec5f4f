"""What the server's responses mean: pure functions of plain values.

Everything here rests on what a Metron server was measured to do:

- Errors are ``{"detail": text}``, or messages by field, or by row and field for a list of
  credits. Other shapes come from something in front of the server.
- An HTML page is not a response of the API, whatever its status: a bot filter, a captive portal
  or the server's own proxy sent it. So did a 429, 5xx or 200 without rate headers.
- 401 and 403 are decided before the throttle and cost no quota. Any other response costs a slot.
- ``Retry-After`` is in whole seconds, and can be missing.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, TypeAlias, cast
from urllib.parse import urlsplit

import msgspec

from metron_async.admission.headers import parse_rate_headers, parse_retry_after
from metron_async.errors import (
    AuthenticationError,
    DecodeError,
    InterceptedError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestError,
    ServerError,
    StatusError,
    ValidationError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metron_async._engine.messages import Request, Response

__all__ = [
    "DEFAULT_RETRY_AFTER",
    "check_success",
    "decompress",
    "error_of",
    "is_intercepted",
    "redirect_path",
]

Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | bool | None"

DEFAULT_RETRY_AFTER = 60.0
"""Seconds to wait after a 429 that does not say how long: one burst window."""

_MESSAGE_LIMIT = 500  # characters of the server's text that an error repeats
_MOST_FIELDS, _MOST_MESSAGES, _DEEPEST, _LONGEST_NAME = 200, 20, 6, 200
_LONGEST_ERROR = 1024 * 1024  # bytes of an error's body that are read for its message
_RETRYABLE = frozenset({408, 425})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def decompress(body: bytes, encoding: str, limit: int) -> bytes:
    """Decompress *body*.

    Args:
        body: The bytes that were received.
        encoding: The ``Content-Encoding`` header.
        limit: Bytes that the result may have; protects from compression bombs.

    Raises:
        ValueError: If the coding is unknown, the body damaged, cut short, or longer than *limit*.
    """
    for coding in reversed([part.strip().lower() for part in encoding.split(",")]):
        if coding in {"", "identity"}:
            continue
        if coding not in {"gzip", "x-gzip", "deflate"}:
            msg = f"unknown content coding {coding[:40]!r}"
            raise ValueError(msg)
        body = _inflate(body, limit)
    if len(body) > limit:
        msg = f"longer than {limit:,} bytes"
        raise ValueError(msg)
    return body


def _inflate(body: bytes, limit: int) -> bytes:
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # 32: gzip or zlib, by its header
    try:
        plain = inflater.decompress(body, limit + 1)
    except zlib.error as error:
        msg = "the compressed body is damaged"
        raise ValueError(msg) from error
    if not inflater.eof and len(plain) <= limit:
        msg = "the compressed body is cut short"
        raise ValueError(msg)
    return plain


def is_intercepted(response: Response) -> bool:
    """Return whether something in front of the server sent *response*, and not the API."""
    if "cf-mitigated" in response.headers:
        return True
    start = response.body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    return bool(response.body) and (_content_type(response) == "text/html" or start == b"<")


def _content_type(response: Response) -> str:
    return response.headers.get("content-type", "").split(";")[0].strip().lower()


def _intercepted(request: Request, response: Response) -> RequestError:
    status = response.status
    if status >= 500 and "cf-mitigated" not in response.headers:  # noqa: PLR2004
        msg = "The server failed: something in front of it answered with an HTML page"
        return ServerError(msg, path=request.target, status=status)
    msg = (
        "Something in front of the server answered with an HTML page: a bot filter, a login page"
        " of this network, or the server's proxy. Open the server's URL in a browser on this"
        " machine to see the page"
    )
    error = InterceptedError(msg, path=request.target, status=status)
    error.retryable = status == 429 or status in _RETRYABLE  # noqa: PLR2004
    return error


def check_success(request: Request, response: Response) -> None:
    """Check that a 2xx response can be the API's own response to *request*.

    Raises:
        DecodeError: For a damaged body, an HTML page, another content type, or no body.
    """
    if response.damage is not None:
        msg = f"The response body cannot be read: {response.damage}"
        raise DecodeError(msg, path=request.target, status=response.status)
    if response.status == 204 and not request.is_read:  # noqa: PLR2004 - nothing to read
        return
    if is_intercepted(response):
        raise _intercepted(request, response)
    kind = _content_type(response)
    if not response.body:
        msg = "The response body is empty; expected JSON"
    elif kind != "application/json" and not kind.endswith("+json"):
        msg = f"Unexpected content type {kind[:60]!r}; expected JSON"
    else:
        return
    raise DecodeError(msg, path=request.target, status=response.status)


def error_of(request: Request, response: Response) -> RequestError:
    """Return the error for a response that is not a success."""
    if is_intercepted(response):
        return _intercepted(request, response)
    detail, fields = _read_message(response.body)
    path, status = request.target, response.status
    said = detail or "; ".join(f"{name}: {' '.join(texts)}" for name, texts in fields.items())
    said = said[:_MESSAGE_LIMIT]
    if status == 400:  # noqa: PLR2004
        message = f"The server refuses a value: {said}" if said else "The server refuses a value"
        return ValidationError(message, path=path, status=status, detail=detail, fields=fields)
    if status == 429:  # noqa: PLR2004
        return _rate_limit_error(request, response, detail)
    kind, text = _KINDS.get(status, (StatusError, f"Unexpected status {status}"))
    if status >= 500:  # noqa: PLR2004
        kind, text = ServerError, "The server failed"
    elif status in _REDIRECTS:
        text = "The server redirects elsewhere; only its own host is followed, and only for reads"
    message = f"{text}: {said}" if said else text
    error = kind(message, path=path, status=status, detail=detail)
    error.retryable = error.retryable or status in _RETRYABLE
    return error


_KINDS: dict[int, tuple[type[StatusError], str]] = {
    401: (AuthenticationError, "The server refuses the credentials"),
    403: (PermissionDeniedError, "This account is not allowed to do this"),
    404: (NotFoundError, "Not found"),
}


def _rate_limit_error(request: Request, response: Response, detail: str | None) -> RateLimitError:
    burst, day = parse_rate_headers(response.headers)
    spent = bool(day) and day[1] == 0
    window = day if spent else burst
    wait = parse_retry_after(response.headers)
    return RateLimitError(
        f"The server's quota is used up: {detail}" if detail else "The server's quota is used up",
        scope="sustained" if spent else "burst",
        retry_after=DEFAULT_RETRY_AFTER if wait < 0 else wait,
        limit=int(window[0]) if window else None,
        path=request.target,
        status=response.status,
        detail=detail,
    )


def _read_message(body: bytes) -> tuple[str | None, dict[str, tuple[str, ...]]]:
    """Return the server's message in an error's body, whatever its shape, bounded in every way."""
    try:
        parsed = cast("Json", msgspec.json.decode(body if len(body) <= _LONGEST_ERROR else b""))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None, {}
    said = parsed.pop("detail", None) if isinstance(parsed, dict) else None
    if _plain(parsed) is not None:
        said, parsed = parsed, {}
    if not isinstance(parsed, dict | list):
        return None, {}
    detail = _plain(said)
    if said and detail is None and isinstance(parsed, dict):
        parsed["detail"] = said
    if isinstance(parsed, list) and not any(isinstance(one, dict) for one in parsed):
        general: dict[str, Json] = {"non_field_errors": parsed} if parsed else {}
        parsed = general
    fields: dict[str, tuple[str, ...]] = {}
    for name, messages in _messages("", parsed, _DEEPEST):
        fields[name] = messages
        if len(fields) == _MOST_FIELDS:
            break
    return detail, fields


def _plain(value: Json) -> str | None:
    """Return the message that *value* is, alone or as the only one of a list."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value[:_MESSAGE_LIMIT] if isinstance(value, str) and value else None


def _messages(prefix: str, value: Json, depth: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the messages below *value* by name; what lies deeper than *depth* is left out.

    A list of objects has one for each row, empty where the row was right.
    """
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        rows: dict[str, Json] = {str(row): one for row, one in enumerate(value) if one}
        value = rows
    if isinstance(value, dict):
        for name, inner in value.items() if depth else ():
            full = f"{prefix}.{name}" if prefix else name
            yield from _messages(full[:_LONGEST_NAME], inner, depth - 1)
    elif isinstance(value, list):
        yield prefix, tuple(_said(message) for message in value[:_MOST_MESSAGES])
    else:
        yield prefix, (_said(value),)


def _said(message: Json) -> str:
    plain = "(nested)" if isinstance(message, dict | list) else str(message)
    return plain[:_MESSAGE_LIMIT]


def redirect_path(request: Request, response: Response, api_root: str) -> str | None:
    """Return the path below *api_root* that a redirect of a read leads to.

    Only the API's own origin and root are followed, since the credentials go along.

    Args:
        request: The request.
        response: Any response.
        api_root: Root of the API as an absolute URL that ends with a slash.

    Returns:
        Path and query below the root, or ``None`` if it is not a redirect to follow.
    """
    location = response.headers.get("location", "")
    if response.status not in _REDIRECTS or not request.is_read or not location:
        return None
    root = urlsplit(api_root)
    try:
        there = urlsplit(location)
        foreign = bool(there.netloc) and (there.scheme or root.scheme, there.netloc) != root[:2]
    except ValueError:
        return None
    if foreign or (there.scheme and not there.netloc) or not there.path.startswith(root.path):
        return None
    below = there.path[len(root.path) :]
    onward = f"{below}?{there.query}" if there.query else below
    if {".", ".."} & set(below.split("/")) or not onward.isascii() or not onward.isprintable():
        return None
    return None if " " in onward else onward
