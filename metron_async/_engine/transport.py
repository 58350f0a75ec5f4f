"""One attempt over HTTP: a request goes out, a response or a classified failure comes back.

This module and ``client`` alone know httpx. It decides nothing but which failures mean that
nothing was sent; whether to try again is decided elsewhere.

Requests are built directly, not through the client, so that a client that was handed in adds
neither its cookies nor its headers, nor its credentials. Redirects are never followed here.
"""

from __future__ import annotations

import logging
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, TypeAlias

import httpx

from metron_async._engine.messages import Multipart, Response
from metron_async._engine.protocol import decompress
from metron_async.errors import (
    ClosedError,
    ConfigurationError,
    DecodeError,
    RequestTimeoutError,
    TransportError,
)

if TYPE_CHECKING:
    from metron_async._engine.messages import Request

__all__ = ["MAX_BODY", "Transport", "leads_elsewhere", "quieten_loggers"]

MAX_BODY = 32 * 1024 * 1024
"""Bytes that a body may have; the largest real one, a full page, has about 60,000."""

_TOO_LONG = f"longer than {MAX_BODY:,} bytes"
_CONNECT_TIMEOUT = 10.0
_READ_TIMEOUT = 65.0  # above the 60 s after which the server's proxy gives up itself
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


HTTPClient: TypeAlias = httpx.AsyncClient
HTTPTransport: TypeAlias = httpx.AsyncBaseTransport


class Transport:
    """Sends single attempts with an :class:`httpx.AsyncClient`.

    Args:
        client: The client to send with.
        owned: Whether to close it at the end.
        api_root: Absolute URL of the API, ending with a slash.
        authorization: Value of the ``Authorization`` header.
        agent: Value of the ``User-Agent`` header.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        owned: bool,
        api_root: str,
        authorization: str,
        agent: str,
    ) -> None:
        self._client = client
        self._owned = owned
        self._root = httpx.URL(api_root)
        self._root_path = self._root.raw_path
        self._headers = [
            (b"Host", self._root.netloc),
            (b"Authorization", authorization.encode()),
            (b"User-Agent", agent.encode()),
            (b"Accept", b"application/json"),
            # Some texts are localized, and the server's own cache does not know the language.
            (b"Accept-Language", b"en"),
            (b"Accept-Encoding", b"gzip"),
        ]
        timeout = httpx.Timeout(
            connect=_CONNECT_TIMEOUT, read=_READ_TIMEOUT, write=_READ_TIMEOUT, pool=None
        )
        self._extensions = {"timeout": timeout.as_dict()}

    @classmethod
    def opened(
        cls,
        client: httpx.AsyncClient | None,
        transport: httpx.AsyncBaseTransport | None,
        *,
        api_root: str,
        authorization: str,
        agent: str,
    ) -> Transport:
        """Return a transport on *client*, or on a new client over *transport*."""
        owned = client is None
        if client is None:
            refusing = DefaultCookiePolicy(allowed_domains=[])
            # Plain http is for this machine only. A proxy that the environment names would get
            # the credentials to read; through one for https goes a tunnel that it cannot see into.
            client = httpx.AsyncClient(
                transport=transport,
                cookies=CookieJar(policy=refusing),
                trust_env=not api_root.startswith("http:"),
            )
        return cls(client, owned=owned, api_root=api_root, authorization=authorization, agent=agent)

    async def aclose(self) -> None:
        """Close the connections, unless the client was handed in."""
        if self._owned:
            await self._client.aclose()

    def __repr__(self) -> str:
        return f"Transport({self._root})"

    async def send(self, request: Request) -> Response:
        """Send *request* once.

        Raises:
            TransportError: If the connection failed; ``outcome_unknown`` tells whether the
                server may have seen the request.
        """
        if self._client.is_closed:
            msg = "The http_client was closed"
            raise ClosedError(msg, path=request.target)
        built = self._build(request)
        try:
            response = await self._client.send(
                built, stream=True, auth=None, follow_redirects=False
            )
            self._drop_cookies(response)
            try:
                body, damage = await self._read(response)
            finally:
                await response.aclose()
        except httpx.DecodingError as error:  # of a transport without a wire
            msg = f"The body cannot be read: {error}"
            raise DecodeError(msg, path=request.target) from error
        except (httpx.InvalidURL, UnicodeError) as error:
            # httpx looks where a redirect leads, though it was told not to follow any.
            msg = "The server redirects to what is no URL"
            raise DecodeError(msg, path=request.target) from error
        except httpx.TimeoutException as error:
            raise self._timeout(request, error) from error
        except httpx.TransportError as error:
            raise self._failure(request, error) from error
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in response.headers.raw
        }
        return Response(response.status_code, headers, body, damage)

    def _build(self, request: Request) -> httpx.Request:
        url = self._root.copy_with(raw_path=self._root_path + request.target.encode("ascii"))
        headers = self._headers
        if request.since is not None:
            headers = [*headers, (b"If-Modified-Since", request.since.encode("ascii"))]
        sent: dict[str, Any] = {}
        if isinstance(request.body, Multipart):
            sent = _parts(request.body)
        elif request.body is not None:
            headers = [*headers, (b"Content-Type", request.body.content_type.encode("ascii"))]
            sent["content"] = request.body.content
        elif not request.is_read:
            sent["content"] = b""
        return httpx.Request(
            request.method, url, headers=headers, extensions=self._extensions, **sent
        )

    async def _read(self, response: httpx.Response) -> tuple[bytes, str | None]:
        """Read the body, bounded on the wire and after decompression; tell what is wrong."""
        if response.is_stream_consumed:  # a transport without a wire brings it complete
            whole = response.content
            return (whole, None) if len(whole) <= MAX_BODY else (b"", _TOO_LONG)
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.aiter_raw():
            size += len(chunk)
            if size > MAX_BODY:
                return b"", _TOO_LONG
            chunks.append(chunk)
        encoding = response.headers.get("content-encoding", "")
        try:
            return decompress(b"".join(chunks), encoding, MAX_BODY), None
        except ValueError as error:
            return b"", str(error)

    def _drop_cookies(self, response: httpx.Response) -> None:
        """Forget the cookies that a client which was handed in took from *response*.

        Cookies are never kept or sent. A client of our own takes none in the first place.
        """
        if "set-cookie" not in response.headers:
            return
        kept = self._client.cookies.jar
        for cookie in response.cookies.jar:
            if (cookie.domain, cookie.path, cookie.name) in {
                (other.domain, other.path, other.name) for other in kept
            }:
                kept.clear(cookie.domain, cookie.path, cookie.name)

    def _timeout(self, request: Request, error: httpx.TimeoutException) -> RequestTimeoutError:
        unsent = isinstance(error, _UNSENT)
        what = "connect" if isinstance(error, httpx.ConnectTimeout) else "get an answer"
        return RequestTimeoutError(
            f"Could not {what} in time", path=request.target, outcome_unknown=not unsent
        )

    def _failure(self, request: Request, error: httpx.TransportError) -> TransportError:
        unsent = isinstance(error, _UNSENT)
        server = self._root.netloc.decode("ascii")
        what = f"Could not connect to {server}" if unsent else "The connection failed"
        said = str(error) or type(error).__name__
        return TransportError(f"{what}: {said}", path=request.target, outcome_unknown=not unsent)


def _parts(body: Multipart) -> dict[str, Any]:
    """Return *body* as httpx's own multipart encoder takes it."""
    data: dict[str, list[str]] = {}
    for name, text in body.fields:
        data.setdefault(name, []).append(text)
    image = body.image
    return {"data": data, "files": {"image": (image.name, image.content, image.content_type)}}


def leads_elsewhere(
    transport: httpx.AsyncBaseTransport | None, client: httpx.AsyncClient | None
) -> bool:
    """Tell whether what was handed in may lead to something else than the real server.

    Raises:
        ConfigurationError: If both were handed in, or one is not what it should be.
    """
    if transport is not None and client is not None:
        msg = "Give either a transport or an http_client, not both"
        raise ConfigurationError(msg)
    if client is not None:
        if not isinstance(client, httpx.AsyncClient):
            msg = f"http_client must be an httpx.AsyncClient, got {type(client).__name__}"
            raise ConfigurationError(msg)
        transport = getattr(client, "_transport", None)
    if transport is not None and not isinstance(transport, httpx.AsyncBaseTransport):
        msg = f"transport must be an httpx.AsyncBaseTransport, got {type(transport).__name__}"
        raise ConfigurationError(msg)
    return transport is not None and not isinstance(transport, httpx.AsyncHTTPTransport)


def quieten_loggers() -> None:
    """Keep httpx from logging URLs, and aiosqlite from logging statements and bodies.

    Only loggers whose level nobody has set are touched.
    """
    for name, level in (("httpx", logging.WARNING), ("httpcore", logging.WARNING)):
        _raise_level(name, level)
    _raise_level("aiosqlite", logging.INFO)


def _raise_level(name: str, level: int) -> None:
    logger = logging.getLogger(name)
    if logger.level == logging.NOTSET:
        logger.setLevel(level)
