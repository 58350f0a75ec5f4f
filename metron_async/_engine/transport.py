"""One attempt over HTTP: sends a request, and returns a response or raises a classified failure.

This module, ``failures``, ``network`` and ``client`` alone import httpx. Whether to try again is
decided elsewhere.

Requests are built directly, not through the client, so that a client that was passed in adds
neither its cookies nor its headers, nor its credentials. Redirects are never followed here.
"""

from __future__ import annotations

import asyncio
import copy
from typing import TYPE_CHECKING, Any

import httpx

from metron_async._engine.failures import failure_of, without_request
from metron_async._engine.messages import Multipart, Response
from metron_async._engine.network import open_client, proxy_of
from metron_async._engine.protocol import decompress
from metron_async._noise import own_request
from metron_async.errors import (
    ClosedError,
    ConfigurationError,
    MetronError,
    RequestTimeoutError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metron_async._engine.credentials import Credentials
    from metron_async._engine.messages import Request

__all__ = ["MAX_BODY", "Transport"]

MAX_BODY = 32 * 1024 * 1024
"""Bytes that a body may have; the largest real one, a full page, has about 60,000."""

_TOO_LONG = f"longer than {MAX_BODY:,} bytes"
_CONNECT_TIMEOUT = 10.0
_READ_TIMEOUT = 65.0  # above the 60 s after which the server's proxy gives up itself
_WHOLE_TIMEOUT = 120.0  # for an attempt from start to end, and what it sends besides
_SLOWEST_UPLOAD = 32 * 1024  # bytes a second


class Transport:
    """Sends single attempts with an :class:`httpx.AsyncClient`.

    Args:
        transport: What a client of our own sends with; ``None`` for the network.
        http_client: The user's client, which is then used and never closed.
        api_root: Absolute URL of the API, ending with a slash.
        credentials: The credentials.
        agent: Value of the ``User-Agent`` header.

    Raises:
        ConfigurationError: If the connection cannot be set up.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport | None,
        http_client: httpx.AsyncClient | None,
        *,
        api_root: str,
        credentials: Credentials,
        agent: str,
    ) -> None:
        self.owned: bool = http_client is None
        self._root = httpx.URL(api_root)
        try:
            with own_request():
                self._client = http_client or open_client(transport, api_root)
        except MetronError:
            raise
        except Exception as error:
            msg = f"The connection cannot be set up: {type(error).__name__}: {error}"
            raise ConfigurationError(msg) from error
        self._proxy = proxy_of(self._client, api_root)
        self._root_path = self._root.raw_path
        # httpx.Headers hides the credentials in its repr, which a debugger shows of a frame.
        self.headers: httpx.Headers = httpx.Headers(
            [
                ("Host", self._root.netloc.decode("ascii")),
                ("Authorization", credentials.header),
                ("User-Agent", agent),
                ("Accept", "application/json"),
                # Some texts are localized, and the server's own cache ignores the language.
                ("Accept-Language", "en"),
                ("Accept-Encoding", "gzip"),
            ]
        )
        timeout = httpx.Timeout(
            connect=_CONNECT_TIMEOUT, read=_READ_TIMEOUT, write=_READ_TIMEOUT, pool=None
        )
        self._extensions = {"timeout": timeout.as_dict()}

    def with_credentials(self, credentials: Credentials) -> Transport:
        """Return a transport with other credentials, which shares the connections."""
        other = copy.copy(self)
        other.owned = False
        other.headers = self.headers.copy()
        other.headers["Authorization"] = credentials.header
        return other

    async def aclose(self) -> None:
        """Close the connections, unless the client was passed in."""
        if self.owned:
            with own_request():
                await self._client.aclose()

    def __repr__(self) -> str:
        return f"Transport({self._root})"

    async def send(self, request: Request) -> Response:
        """Send *request* once.

        Raises:
            MetronError: If there was no response; ``outcome_unknown`` is set if the server may
                have received the request.
        """
        if self._client.is_closed:
            msg = "The http_client is closed. Pass one that stays open as long as this client"
            raise ClosedError(msg, path=request.target)
        deadline, built = asyncio.timeout(_whole_timeout(request)), self._build(request)
        tunnel = _Tunnel()
        if self._proxy is not None:
            built.extensions["trace"] = tunnel.note
        try:
            async with deadline:
                return await self._exchange(built)
        except MetronError:
            raise
        except Exception as error:  # noqa: BLE001 - hooks and transports raise anything
            if isinstance(error, TimeoutError) and deadline.expired():
                msg = f"The response was not complete within {_whole_timeout(request):.0f} s"
                raise RequestTimeoutError(msg, path=request.target, outcome_unknown=True) from None
            tunneled = self._proxy is None or tunnel.used
            failure = failure_of(error, request, self._server, self._proxy, tunneled=tunneled)
            raise failure from without_request(error)

    async def _exchange(self, built: httpx.Request) -> Response:
        try:
            response = await self._client.send(
                built, stream=True, auth=None, follow_redirects=False
            )
        except httpx.HTTPStatusError as error:  # of a hook, which has closed the response
            response = error.response
        try:
            self._drop_cookies(response)
            body, damage = await self._read(response)
        finally:
            await response.aclose()
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in response.headers.raw
        }
        return Response(response.status_code, headers, body, damage)

    def _build(self, request: Request) -> httpx.Request:
        url = self._root.copy_with(raw_path=self._root_path + request.target.encode("ascii"))
        headers = self.headers.copy()
        if request.since is not None:
            headers["If-Modified-Since"] = request.since
        sent: dict[str, Any] = {}
        if isinstance(request.body, Multipart):
            sent = _parts(request.body)
        elif request.body is not None:
            headers["Content-Type"] = request.body.content_type
            sent["content"] = request.body.content
        elif not request.is_read:
            sent["content"] = b""
        return httpx.Request(
            request.method, url, headers=headers, extensions=self._extensions, **sent
        )

    async def _read(self, response: httpx.Response) -> tuple[bytes, str | None]:
        """Read the body, bounded on the wire and after decompression; return what is wrong."""
        if response.is_stream_consumed:  # a transport without a wire brings it complete
            whole = response.content
            return (whole, None) if len(whole) <= MAX_BODY else (b"", _TOO_LONG)
        if response.is_closed:
            return b"", None
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
        """Forget the cookies that a client that was passed in took from *response*.

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

    @property
    def _server(self) -> str:
        return self._root.netloc.decode("ascii")


def _whole_timeout(request: Request) -> float:
    """Return the seconds that one attempt may take: a server can send a byte a second."""
    size = request.body.size if request.body is not None else 0
    return _WHOLE_TIMEOUT + size / _SLOWEST_UPLOAD


class _Tunnel:
    """Notes whether a request was sent through a proxy's tunnel, and not only the CONNECT."""

    used = False

    async def note(self, event: str, info: Mapping[str, Any]) -> None:
        """Take an event of httpcore's ``trace`` extension."""
        if event.endswith("send_request_headers.started"):
            self.used = self.used or info["request"].method != b"CONNECT"


def _parts(body: Multipart) -> dict[str, Any]:
    """Return *body* as httpx's own multipart encoder takes it."""
    data: dict[str, list[str]] = {}
    for name, text in body.fields:
        data.setdefault(name, []).append(text)
    image = body.image
    return {"data": data, "files": {"image": (image.name, image.content, image.content_type)}}
