"""Lets a client or transport of httpx2, the successor of httpx, send our requests.

Requests, responses and errors are translated, so the rest of the package knows httpx only. httpx2
is never imported here: an object of it can only be passed in if the program has done so.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

import httpx

from metron_async.errors import ClosedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator

__all__ = ["Httpx2Transport", "adapted"]

_IN_PROCESS = frozenset({"MockTransport", "ASGITransport", "WSGITransport"})


def adapted(transport: Any, http_client: Any) -> tuple[Any, Any]:
    """Return the constructor's ``transport`` and ``http_client`` as objects of httpx."""
    httpx2: Any = sys.modules.get("httpx2")
    if httpx2 is not None and isinstance(transport, httpx2.AsyncBaseTransport):
        transport = Httpx2Transport(httpx2, transport)
    if httpx2 is not None and isinstance(http_client, httpx2.AsyncClient) and transport is None:
        transport, http_client = Httpx2Transport(httpx2, None, http_client), None
    return transport, http_client


class Httpx2Transport(httpx.AsyncBaseTransport):
    """A transport of httpx that sends with httpx2. What was passed in is not closed.

    Args:
        httpx2: The module.
        transport: A transport of it, or ``None`` to send with *client*.
        client: A client of it.
    """

    def __init__(self, httpx2: Any, transport: Any, client: Any = None) -> None:
        self._httpx2 = httpx2
        self._inner = transport
        self._client = client

    def is_in_process(self, url: str) -> bool:
        """Return whether requests to *url* do not leave this process."""
        inner = self._inner
        if self._client is not None:
            find: Any = getattr(self._client, "_transport_for_url", None)  # private: no other way
            inner = find(self._httpx2.URL(url)) if find is not None else None
        return type(inner).__name__ in _IN_PROCESS

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* with httpx2.

        Raises:
            httpx.HTTPError: The counterpart of what httpx2 has raised.
            ClosedError: If the client of httpx2 is closed.
        """
        if self._client is not None and self._client.is_closed:
            msg = "The http_client is closed. Pass one that stays open as long as this client"
            raise ClosedError(msg)
        sent = self._httpx2.Request(
            request.method,
            self._httpx2.URL(str(request.url)).copy_with(raw_path=request.url.raw_path),
            headers=request.headers.raw,
            content=await request.aread(),
            extensions=request.extensions,
        )
        with _translated(self._httpx2):
            if self._client is None:
                found = await self._inner.handle_async_request(sent)
            else:
                found = await self._client.send(
                    sent, stream=True, auth=None, follow_redirects=False
                )
        return httpx.Response(
            found.status_code,
            headers=found.headers.raw,
            stream=_Body(self._httpx2, found),
            extensions=found.extensions,
        )


class _Body(httpx.AsyncByteStream):
    """The raw body of a response of httpx2."""

    def __init__(self, httpx2: Any, response: Any) -> None:
        self._httpx2 = httpx2
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _translated(self._httpx2):
            async for chunk in self._response.stream:
                yield chunk

    async def aclose(self) -> None:
        await self._response.aclose()


@contextlib.contextmanager
def _translated(httpx2: Any) -> Generator[None]:
    """Raise the errors of httpx2 as those of httpx with the same name."""
    try:
        yield
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        counterpart: Any = getattr(httpx, type(error).__name__, httpx.TransportError)
        raise counterpart(str(error)) from error
