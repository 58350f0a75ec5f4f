"""One attempt over HTTP: sends a request, and returns a response or raises a classified failure.

This module, ``network`` and ``client`` alone import httpx. It classifies which failures mean that
nothing was sent; whether to try again is decided elsewhere.

Requests are built directly, not through the client, so that a client that was passed in adds
neither its cookies nor its headers, nor its credentials. Redirects are never followed here.
"""

from __future__ import annotations

import asyncio
import copy
import ssl
from typing import TYPE_CHECKING, Any

import httpx

from metron_async._engine.messages import Multipart, Response
from metron_async._engine.network import open_client
from metron_async._engine.protocol import decompress
from metron_async._noise import own_request
from metron_async.errors import (
    ClosedError,
    ConfigurationError,
    DecodeError,
    MetronError,
    RequestTimeoutError,
    TransportError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

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
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


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
            TransportError: If the connection failed; ``outcome_unknown`` is set if the server
                may have received the request.
        """
        if self._client.is_closed:
            msg = "The http_client is closed. Pass one that stays open as long as this client"
            raise ClosedError(msg, path=request.target)
        deadline = asyncio.timeout(_whole_timeout(request))
        try:
            async with deadline:
                return await self._exchange(self._build(request))
        except httpx.DecodingError as error:  # of a transport that decodes by itself
            failure: MetronError = DecodeError(
                f"The response body cannot be read: {error}", path=request.target
            )
            raise failure from _without_frames(error)
        except (httpx.InvalidURL, UnicodeError) as error:
            # httpx looks where a redirect leads, although it does not follow it.
            failure = DecodeError("The server redirects to an invalid URL", path=request.target)
            raise failure from _without_frames(error)
        except httpx.TimeoutException as error:
            raise self._timeout(request, error) from _without_frames(error)
        except TimeoutError as error:
            if not deadline.expired():
                raise self._failure(request, error) from _without_frames(error)
            msg = f"The response was not complete within {_whole_timeout(request):.0f} s"
            raise RequestTimeoutError(msg, path=request.target, outcome_unknown=True) from None
        except (httpx.TransportError, OSError) as error:
            raise self._failure(request, error) from _without_frames(error)

    async def _exchange(self, built: httpx.Request) -> Response:
        response = await self._client.send(built, stream=True, auth=None, follow_redirects=False)
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

    def _timeout(self, request: Request, error: httpx.TimeoutException) -> RequestTimeoutError:
        unsent = isinstance(error, _UNSENT)
        what = "Could not connect" if isinstance(error, httpx.ConnectTimeout) else "No response"
        return RequestTimeoutError(
            f"{what} in time: {self._server}", path=request.target, outcome_unknown=not unsent
        )

    def _failure(self, request: Request, error: Exception) -> TransportError:
        unsent = isinstance(error, _UNSENT)
        said = str(error) or type(error).__name__
        if isinstance(error, httpx.ProxyError):
            what = f"The proxy refused to connect to {self._server}"
            hint = ". Check the proxy settings (HTTPS_PROXY, ALL_PROXY, NO_PROXY)"
        elif any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _chain(error)):
            what = f"The certificate of {self._server} is not trusted"
            hint = ". If the server's own authority issued it, set SSL_CERT_FILE"
        else:
            what, hint = f"The connection to {self._server} failed", ""
            if unsent:
                what = f"Could not connect to {self._server}"
        failure = TransportError(
            f"{what}: {said}{hint}", path=request.target, outcome_unknown=not unsent
        )
        # A proxy's 4xx and an untrusted certificate stay as they are until somebody acts.
        failure.retryable = not hint or said.startswith("5")
        return failure

    @property
    def _server(self) -> str:
        return self._root.netloc.decode("ascii")


def _whole_timeout(request: Request) -> float:
    """Return the seconds that one attempt may take: a server can send a byte a second."""
    size = request.body.size if request.body is not None else 0
    return _WHOLE_TIMEOUT + size / _SLOWEST_UPLOAD


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Return *error* and what caused it."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


def _without_frames(error: Exception) -> Exception:
    """Return *error* without the frames of httpx, which hold the request's headers."""
    for found in _chain(error):
        found.__traceback__ = None
    return error


def _parts(body: Multipart) -> dict[str, Any]:
    """Return *body* as httpx's own multipart encoder takes it."""
    data: dict[str, list[str]] = {}
    for name, text in body.fields:
        data.setdefault(name, []).append(text)
    image = body.image
    return {"data": data, "files": {"image": (image.name, image.content, image.content_type)}}
