"""The network between client and server: latency, proxy, firewall, faults, and the log.

An exchange has four steps. The request travels to the server. On arrival the server decides, in
one step, so that its throttle is exact. A fault may delay it. The response travels back. A client
that disconnects before the response is logged as a 499, and the server handles its request all
the same.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections import deque
from random import Random
from typing import TYPE_CHECKING, TypeAlias

from metron_async.testing._server.messages import Reply, Request, html
from metron_async.testing.bans import Firewall, denied_agent
from metron_async.testing.faults import Fault, Faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async.testing._server.core import Core

__all__ = ["Delivery", "Exchange", "Latency", "LoggedRequest", "Wire"]

Latency: TypeAlias = "float | tuple[float, float] | Callable[[], float | tuple[float, float]]"
"""Seconds of a round trip: a number, a range, or a callable for each (perhaps there and back)."""


@dataclasses.dataclass(slots=True)
class LoggedRequest:
    """One request in the log.

    Attributes:
        method: HTTP method.
        path: Path.
        params: The query; the last value of a repeated name.
        headers: Headers, names in lower case.
        account: Name of the user, or ``None`` if the request was not authenticated.
        status: Status of the response; 499 if the client disconnected before, 0 if the connection
            was lost.
        time: When it arrived, in the server's steady seconds.
        client: Address of the client.
        body: Body, as sent.
    """

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    account: str | None
    status: int
    time: float
    client: str
    body: bytes = b""


@dataclasses.dataclass(slots=True)
class Delivery:
    """Result of an exchange for the client.

    Attributes:
        reply: The response, or ``None`` if the connection is lost without one.
        lost: How it is lost: ``"connect"`` while connecting, ``"closed"`` later, ``"banned"`` if
            the server stays silent.
        cut: Bytes of the body after which the connection is lost.
    """

    reply: Reply | None
    lost: str | None = None
    cut: int | None = None


class Exchange:
    """One request in flight."""

    def __init__(self, wire: Wire, request: Request) -> None:
        self.wire = wire
        self.request = request
        self.fault: Fault | None = wire.faults.take(request)
        self.asked: LoggedRequest | None = None
        self.left: bool = False
        self.done: bool = False
        self.up: float
        self.down: float
        self.up, self.down = wire.travel()

    @property
    def instant(self) -> bool:
        """Whether it takes no time."""
        slow = self.fault is not None and self.fault.seconds > 0
        return not (slow or self.up or self.down)

    async def run(self) -> Delivery:
        """Carry the request to the server, and the response back."""
        if self.up:
            await asyncio.sleep(self.up)
        delivery = self.arrive()
        thinking = self.fault.seconds if self.fault is not None else 0.0
        if thinking or self.down:
            await asyncio.sleep(thinking + self.down)
        self.finish()
        return delivery

    def arrive(self) -> Delivery:
        """Let the proxy and the server handle the request."""
        wire, request, fault = self.wire, self.request, self.fault
        now = wire.core.clock.steady()
        self.asked = asked = LoggedRequest(
            request.method,
            request.path,
            request.params,
            dict(request.headers),
            None,
            0,
            now,
            request.client,
            request.body,
        )
        wire.log.append(asked)
        if self.left:
            asked.status = 499
        lost = wire.turned_away(request, now)
        if lost is not None:
            return Delivery(None, lost)
        if fault is not None and fault.drop in {"connect", "before"}:
            return Delivery(None, "connect" if fault.drop == "connect" else "closed")
        reply = self._reply()
        if not self.left:
            asked.status = reply.status
        asked.account = reply.account.username if reply.account is not None else None
        if reply.status == 429:  # noqa: PLR2004
            wire.throttled += 1
        if fault is not None and fault.drop == "after":
            asked.status = 0
            return Delivery(None, "closed")
        cut = fault.cut(reply.content()) if fault is not None and fault.cut is not None else None
        return Delivery(reply, cut=cut)

    def _reply(self) -> Reply:
        wire, request, fault = self.wire, self.request, self.fault
        if wire.deny_agents and denied_agent(request.headers.get("user-agent", "")):
            return html(200, "Access denied")
        if fault is None:
            return wire.core.handle(request)
        if fault.instead is not None:
            return fault.instead(request)
        asked = fault.prepare(request) if fault.prepare is not None else request
        reply = wire.core.handle(asked)
        return fault.change(request, reply) if fault.change is not None else reply

    def finish(self) -> None:
        """Record that the response was delivered."""
        self.done = True
        if self.asked is not None and not self.left:
            self.wire.count(self.request.client, str(self.asked.status))

    def leave(self) -> None:
        """Record that the client disconnected before the response."""
        if self.done or self.left:
            return
        self.left = True
        if self.asked is not None:
            self.asked.status = 499
        self.wire.count(self.request.client, "499")


class Wire:
    """The network between the clients and one server."""

    def __init__(self, core: Core, *, seed: int, keep_requests: int | None, bans: bool) -> None:
        self.core = core
        self.faults: Faults = Faults()
        self.firewall: Firewall = Firewall()
        self.bans_enabled = bans
        self.deny_agents = True
        self.latency: Latency = 0.0
        self.log: deque[LoggedRequest] = deque(maxlen=keep_requests)
        self.throttled = 0
        self._random = Random(seed)  # noqa: S311 - tests want the same latencies every time

    def travel(self) -> tuple[float, float]:
        """Return the seconds that the next request takes to the server and its response back."""
        latency = self.latency
        if callable(latency):
            found = latency()
            if isinstance(found, tuple):
                return found
            latency = found
        if isinstance(latency, tuple):
            latency = self._random.uniform(*latency)
        if not latency:
            return 0.0, 0.0
        up = latency * self._random.random()
        return up, latency - up

    def turned_away(self, request: Request, now: float) -> str | None:
        """Return how the firewall or the proxy ends the connection, or ``None``."""
        if not self.bans_enabled:
            return None
        agent = request.headers.get("user-agent", "")
        if self.firewall.banned(request.client, now) is not None:
            return "banned"
        if "SpinnerRack" in agent:
            return "closed"
        if agent.startswith("comictagger") and self.count(request.client, "comictagger"):
            return "banned"
        if not agent and self.count(request.client, "no user agent"):
            return "banned"
        return None

    def count(self, client: str, event: str) -> bool:
        """Count an event for the firewall, and return whether it brings a ban."""
        if not self.bans_enabled:
            return False
        return self.firewall.count(client, event, self.core.clock.steady()) is not None
