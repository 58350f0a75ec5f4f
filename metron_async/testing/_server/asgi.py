"""The fake server on a socket: a Starlette application, run by uvicorn in the caller's loop.

A web framework cannot lose a connection on purpose. So the protocol keeps the transports of all
connections, and the application closes them for a fault or a ban.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any, cast

from metron_async.testing._server.extras import missing
from metron_async.testing._server.messages import Request
from metron_async.testing._server.wire import Delivery, Exchange

try:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.routing import Route
    from uvicorn.protocols.http.h11_impl import H11Protocol
except ImportError as _error:  # pragma: no cover - depends on what is installed
    raise missing(_error) from None

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from starlette.types import Receive, Scope, Send

    from metron_async.testing._server.messages import Reply
    from metron_async.testing._server.wire import Wire

__all__ = ["application", "serve"]

_GRACE = 1
"""Seconds that requests in flight have to finish when the server stops."""

Address = tuple[str, int]


class _Connections:
    """Open connections of one server, by the client's address."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.open: dict[Address, tuple[asyncio.Transport, asyncio.Event]] = {}
        self.running: set[asyncio.Task[Delivery]] = set()

    def made(self, transport: asyncio.Transport) -> None:
        """Record a new connection; close it if its address is banned."""
        peer: Address = transport.get_extra_info("peername")
        self.open[peer] = (transport, asyncio.Event())
        # asyncio sets this on sockets of its own. Without it, the body is sent 40 ms after the
        # headers, since both are written separately.
        connected: socket.socket = transport.get_extra_info("socket")
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        now = self.wire.core.clock.steady()
        if self.wire.bans_enabled and self.wire.firewall.banned(peer[0], now) is not None:
            transport.abort()

    def lost(self, peer: Address) -> None:
        """Record that a connection was lost."""
        _, event = self.open.pop(peer)
        event.set()

    async def close(self, peer: Address) -> None:
        """Close a connection after its data is sent, and wait until it is closed."""
        if peer in self.open:
            transport, event = self.open[peer]
            transport.close()
            await event.wait()


class _Door:
    """The application's only endpoint, which passes requests to the wire."""

    def __init__(self, wire: Wire, connections: _Connections | None) -> None:
        self._wire = wire
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        body = await _body(receive)
        if body is None:
            return
        exchange = Exchange(self._wire, _request(scope, body))
        if exchange.instant:
            delivery = exchange.arrive()
            exchange.finish()
        else:
            delivery = await self._watched(exchange, receive)
        if delivery.reply is None:
            await self._close(scope)
            return
        await _send(delivery.reply, delivery.cut, send)
        if delivery.cut is not None:
            await self._close(scope)

    async def _watched(self, exchange: Exchange, receive: Receive) -> Delivery:
        """Run *exchange*, and record if the client disconnects before its end."""
        loop = asyncio.get_running_loop()
        running = loop.create_task(exchange.run())
        leaving = loop.create_task(cast("Any", receive()))
        if self._connections is not None:
            self._connections.running.add(running)
            running.add_done_callback(self._connections.running.discard)
        try:
            await asyncio.wait({running, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                exchange.leave()
                await asyncio.wait({running})
            # It is cancelled when the server stops.
            return Delivery(None, "closed") if running.cancelled() else running.result()
        finally:
            running.cancel()
            leaving.cancel()
            await asyncio.gather(running, leaving, return_exceptions=True)

    async def _close(self, scope: Scope) -> None:
        if self._connections is None:
            # Another ASGI server owns the connection: an error is the only way to end it.
            msg = "Connection lost on purpose, by a fault or a ban"
            raise ConnectionResetError(msg)
        await self._connections.close((scope["client"][0], scope["client"][1]))


async def _body(receive: Receive) -> bytes | None:
    """Return the complete body, or ``None`` if the client disconnected while sending it."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _request(scope: Scope, body: bytes) -> Request:
    headers = {k.decode("latin-1"): value.decode("latin-1") for k, value in scope["headers"]}
    host = headers.get("host", "localhost")
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("ascii"),
        headers=headers,
        body=body,
        client=scope["client"][0] if scope.get("client") else "127.0.0.1",
        origin=f"{scope['scheme']}://{host}",
    )


async def _send(reply: Reply, cut: int | None, send: Send) -> None:
    content = reply.content()
    headers = [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()
    ]
    if reply.body is not None:
        headers.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    sent = content if cut is None else content[:cut]
    await send({"type": "http.response.body", "body": sent, "more_body": cut is not None})


def application(wire: Wire, connections: _Connections | None = None) -> Starlette:
    """Return the server as a Starlette application."""
    return Starlette(routes=[Route("/{path:path}", cast("Any", _Door(wire, connections)))])


def _protocol(connections: _Connections) -> type[asyncio.Protocol]:
    """Return uvicorn's protocol, which also records its connections in *connections*."""

    class Protocol(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            self.peer: Address = transport.get_extra_info("peername")
            super().connection_made(transport)
            connections.made(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            connections.lost(self.peer)

    return Protocol


class _Server(uvicorn.Server):
    """Server that does not handle signals, which belong to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Capture none."""
        yield

    def install_signal_handlers(self) -> None:
        """Install none; older versions of uvicorn call this."""


@contextlib.asynccontextmanager
async def serve(wire: Wire, host: str, port: int) -> AsyncGenerator[str]:
    """Run the server in a context, and yield its URL.

    Raises:
        OSError: The address is in use, or not permitted.
    """
    listener = socket.create_server((host, port), backlog=512)
    connections = _Connections(wire)
    config = uvicorn.Config(
        application(wire, connections),
        http=cast("Any", _protocol(connections)),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=_GRACE,
    )
    server = _Server(config)
    task = asyncio.get_running_loop().create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            if task.done():
                await task
            await asyncio.sleep(0.001)
        address = listener.getsockname()
        yield f"http://{address[0]}:{address[1]}"
    finally:
        server.should_exit = True
        for transport, _ in list(connections.open.values()):
            transport.abort()
        for running in list(connections.running):
            running.cancel()
        await task
        listener.close()
