"""The fake server on a socket: a Starlette application, run by uvicorn in the caller's loop.

A web framework cannot lose a connection on purpose. So the protocol keeps the transports of all
connections, and the application closes them where a fault or the firewall says so.
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
"""Seconds that requests in flight get at the end."""

Address = tuple[str, int]


class _Connections:
    """The open connections of one server, by the client's address."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.open: dict[Address, tuple[asyncio.Transport, asyncio.Event]] = {}
        self.running: set[asyncio.Task[Delivery]] = set()

    def made(self, transport: asyncio.Transport) -> None:
        """Note a new connection; one from a banned address is closed at once."""
        peer: Address = transport.get_extra_info("peername")
        self.open[peer] = (transport, asyncio.Event())
        # asyncio does this for sockets that it made itself. Without it, headers and body, which
        # are written apart, wait 40 ms for each other.
        connected: socket.socket = transport.get_extra_info("socket")
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        now = self.wire.core.clock.steady()
        if self.wire.bans_enabled and self.wire.firewall.banned(peer[0], now) is not None:
            transport.abort()

    def lost(self, peer: Address) -> None:
        """Note that a connection is gone."""
        _, event = self.open.pop(peer)
        event.set()

    async def close(self, peer: Address) -> None:
        """Close a connection once what was written is sent, and wait until it is gone."""
        if peer in self.open:
            transport, event = self.open[peer]
            transport.close()
            await event.wait()


class _Door:
    """The application's only endpoint: hands requests to the wire."""

    def __init__(self, wire: Wire, connections: _Connections | None) -> None:
        self._wire = wire
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
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
        """Run *exchange* to its end, and note when the client leaves before that."""
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
            # It is cancelled when the whole server stops.
            return Delivery(None, "closed") if running.cancelled() else running.result()
        finally:
            running.cancel()
            leaving.cancel()
            await asyncio.gather(running, leaving, return_exceptions=True)

    async def _close(self, scope: Scope) -> None:
        if self._connections is None:
            # Under somebody else's server all that can be done is to fail.
            msg = "the connection is lost, as a test wanted it"
            raise ConnectionResetError(msg)
        await self._connections.close((scope["client"][0], scope["client"][1]))


async def _body(receive: Receive) -> bytes | None:
    """Return the body in full, or ``None`` when the client left while sending it."""
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
    """Return uvicorn's protocol, which also tells *connections* who comes and goes."""

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
    """A server that leaves the process's signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Capture none."""
        yield

    def install_signal_handlers(self) -> None:
        """Install none (older versions of uvicorn ask here)."""


@contextlib.asynccontextmanager
async def serve(wire: Wire, host: str, port: int) -> AsyncGenerator[str]:
    """Run the server while the context lasts; gives its URL.

    Raises:
        OSError: The address cannot be listened on.
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
