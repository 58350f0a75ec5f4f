"""The fake server as an httpx transport, without sockets and threads, for virtual time too."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx

from metron_async.testing._server.messages import Request
from metron_async.testing._server.wire import Delivery, Exchange

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from metron_async.testing._server.messages import Reply
    from metron_async.testing._server.wire import Wire

__all__ = ["FakeTransport"]

_FOREVER = 3600.0
"""Seconds after which a connection without a timeout fails when the server is silent."""


class _CutStream(httpx.AsyncByteStream):
    """Body that ends early."""

    def __init__(self, body: bytes, cut: int) -> None:
        self._body = body
        self._cut = cut

    async def __aiter__(self) -> AsyncIterator[bytes]:
        await asyncio.sleep(0)
        yield self._body[: self._cut]
        msg = "peer closed connection without sending complete message body"
        raise httpx.RemoteProtocolError(msg)


class FakeTransport(httpx.AsyncBaseTransport):
    """Transport to a fake server in the same process.

    Args:
        wire: The network in front of the server.
        client: Address of the client; bans are per address.
    """

    def __init__(self, wire: Wire, client: str) -> None:
        self._wire = wire
        self._client = client
        self._running: set[asyncio.Task[Delivery]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send *request* to the server, and return its response."""
        body = await request.aread()
        url = request.url
        exchange = Exchange(
            self._wire,
            Request(
                method=request.method,
                path=url.path,
                query=url.query.decode("ascii"),
                headers={k.lower(): value for k, value in request.headers.items()},
                body=body,
                client=self._client,
                origin=f"{url.scheme}://{url.netloc.decode('ascii')}",
            ),
        )
        timeouts: dict[str, float | None] = request.extensions.get("timeout", {})
        delivery = await self._run(exchange, timeouts.get("read"))
        if delivery.reply is None:
            await self._lose(delivery.lost, timeouts.get("connect"))
            raise AssertionError  # pragma: no cover - _lose always raises
        return _response(delivery.reply, delivery.cut)

    async def _run(self, exchange: Exchange, timeout: float | None) -> Delivery:  # noqa: ASYNC109
        if exchange.instant:
            # The response of a real server takes at least one cycle of the event loop.
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                exchange.leave()
                exchange.arrive()
                raise
            delivery = exchange.arrive()
            exchange.finish()
            return delivery
        # The server runs in a task of its own, which continues when the client disconnects.
        task = asyncio.get_running_loop().create_task(exchange.run())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            done, _ = await asyncio.wait({task}, timeout=timeout)
        except asyncio.CancelledError:
            exchange.leave()
            raise
        if not done:
            exchange.leave()
            msg = "The server did not respond in time"
            raise httpx.ReadTimeout(msg)
        return task.result()

    async def _lose(self, how: str | None, connect: float | None) -> None:
        if how == "banned":
            await asyncio.sleep(_FOREVER if connect is None else connect)
            msg = "The connection timed out"
            raise httpx.ConnectTimeout(msg)
        if how == "connect":
            msg = "Connection refused"
            raise httpx.ConnectError(msg)
        msg = "Server disconnected without sending a response."
        raise httpx.RemoteProtocolError(msg)

    async def aclose(self) -> None:
        """Cancel all requests in flight."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _response(reply: Reply, cut: int | None) -> httpx.Response:
    content = reply.content()
    headers = list(reply.headers.items())
    if cut is not None:
        headers.append(("content-length", str(len(content))))
        return httpx.Response(reply.status, headers=headers, stream=_CutStream(content, cut))
    if reply.body is None:
        return httpx.Response(reply.status, headers=headers)
    return httpx.Response(reply.status, headers=headers, content=content)
