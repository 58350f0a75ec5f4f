"""The fake server as a transport: no socket, no thread, and so at home on a virtual-time loop."""

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
"""Seconds that a caller without a timeout waits for a server that never answers."""


class _CutStream(httpx.AsyncByteStream):
    """A body that breaks off."""

    def __init__(self, body: bytes, cut: int) -> None:
        self._body = body
        self._cut = cut

    async def __aiter__(self) -> AsyncIterator[bytes]:
        await asyncio.sleep(0)
        yield self._body[: self._cut]
        msg = "peer closed connection without sending complete message body"
        raise httpx.RemoteProtocolError(msg)


class FakeTransport(httpx.AsyncBaseTransport):
    """Carries requests to a fake server in the same process.

    Args:
        wire: What lies between.
        client: Address that requests seem to come from: bans are per address.
    """

    def __init__(self, wire: Wire, client: str) -> None:
        self._wire = wire
        self._client = client
        self._running: set[asyncio.Task[Delivery]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry *request* to the server, and its answer back."""
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
            # Not even a fast server answers without the client's loop going round once.
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                exchange.leave()
                exchange.arrive()
                raise
            delivery = exchange.arrive()
            exchange.finish()
            return delivery
        # The server's side is a task of its own: it goes on when the client leaves.
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
            msg = "the server did not answer in time"
            raise httpx.ReadTimeout(msg)
        return task.result()

    async def _lose(self, how: str | None, connect: float | None) -> None:
        if how == "banned":
            await asyncio.sleep(_FOREVER if connect is None else connect)
            msg = "the connection was not answered"
            raise httpx.ConnectTimeout(msg)
        if how == "connect":
            msg = "connection refused"
            raise httpx.ConnectError(msg)
        msg = "server disconnected without sending a response"
        raise httpx.RemoteProtocolError(msg)

    async def aclose(self) -> None:
        """Forget what is still on its way."""
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
