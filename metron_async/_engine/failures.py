"""Attempts without a response: which failure it was, and whether the server may have the request.

An error that is raised never holds the request, whose headers have the credentials.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import httpx

from metron_async.errors import DecodeError, MetronError, RequestTimeoutError, TransportError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from metron_async._engine.messages import Request

__all__ = ["failure_of", "without_request"]

_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


def failure_of(
    error: Exception, request: Request, server: str, proxy: str | None, *, tunneled: bool
) -> MetronError:
    """Return the failure that *error* means.

    Args:
        error: What httpx, the transport, or a hook of the client raised.
        request: The request.
        server: Host and port of the server.
        proxy: Host and port of the proxy in front of it, ``None`` without one.
        tunneled: Whether the request was handed to the proxy's tunnel; true without a proxy.
    """
    path = request.target
    unknown = tunneled and not isinstance(error, _UNSENT)
    through = f" through the proxy {proxy}" if proxy and not unknown else ""
    if isinstance(error, httpx.DecodingError):  # of a transport that decodes by itself
        return DecodeError(f"The response body cannot be read: {error}", path=path)
    if isinstance(error, httpx.InvalidURL | UnicodeError):
        # httpx looks where a redirect leads, although it does not follow it.
        return DecodeError("The server redirects to an invalid URL", path=path)
    if isinstance(error, httpx.TimeoutException):
        connecting = through or isinstance(error, httpx.ConnectTimeout)
        what = "Could not connect" if connecting else "No response"
        msg = f"{what} in time: {server}{through}"
        return RequestTimeoutError(msg, path=path, outcome_unknown=unknown)
    said = str(error) or type(error).__name__
    if isinstance(error, httpx.ProxyError):
        what = f"The proxy refused to connect to {server}"
        hint = ". Check the proxy settings (HTTPS_PROXY, ALL_PROXY, NO_PROXY)"
    elif any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _chain(error)):
        what = f"The certificate of {server} is not trusted"
        hint = ". If the server's own authority issued it, set SSL_CERT_FILE"
    else:
        hint = ""
        what = f"The connection to {server} failed"
        if not unknown:
            what = f"Could not connect to {server}{through}"
    failure = TransportError(f"{what}: {said}{hint}", path=path, outcome_unknown=unknown)
    # A proxy's 4xx and an untrusted certificate stay as they are until somebody acts.
    failure.retryable = not hint or said.startswith("5")
    return failure


def without_request(error: Exception) -> Exception:
    """Return *error* without its request and the frames of httpx, which hold the headers."""
    for found in _chain(error):
        found.__traceback__ = None
        holders = [found, getattr(found, "response", None)]
        for holder in holders if isinstance(found, httpx.HTTPError) else ():
            if holder is not None:
                setattr(holder, "_request", None)  # noqa: B010 - a private name: no other way
    return error


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Return *error*, what caused it, and what it was raised during."""
    found, seen = [error], set[int]()
    while found:
        each = found.pop()
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            found += [it for it in (each.__cause__, each.__context__) if it is not None]
