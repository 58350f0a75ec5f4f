"""What lies between client and server: latency, the proxy, the firewall, faults, and the log.

An exchange has four moments. The request travels up; on arrival the server decides, at once and
in one step, so that its throttle is exact; a fault may let it think; the answer travels down.
A client that leaves before the answer has come is seen as a 499, whatever the server decided, and
the server decides all the same: a request on its way cannot be called back.
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

__all__ = ["Asked", "Delivery", "Exchange", "Latency", "Wire"]

Latency: TypeAlias = "float | tuple[float, float] | Callable[[], float | tuple[float, float]]"
"""Seconds of a round trip: fixed, at random between two, or told for each (perhaps up and down)."""


@dataclasses.dataclass(slots=True)
class Asked:
    """One request as the log keeps it.

    Attributes:
        method: HTTP method.
        path: Path.
        params: The query; of a repeated name the last value.
        headers: Headers, names in lower case.
        account: Name of the user, or ``None`` where nobody was logged in.
        status: Status of the answer; 499 when the client left before it, 0 when the connection
            was dropped.
        time: When it reached the server, in the server's steady seconds.
        client: Address it came from.
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
    """What the client gets to see.

    Attributes:
        reply: The answer, or ``None`` when the connection is lost without one.
        lost: How it is lost: ``"connect"`` while connecting, ``"closed"`` later, ``"banned"``
            when nothing ever comes.
        cut: Bytes of the body after which the connection is lost.
    """

    reply: Reply | None
    lost: str | None = None
    cut: int | None = None


class Exchange:
    """One request on its way."""

    def __init__(self, wire: Wire, request: Request) -> None:
        self.wire = wire
        self.request = request
        self.fault: Fault | None = wire.faults.take(request)
        self.asked: Asked | None = None
        self.left: bool = False
        self.done: bool = False
        self.up: float
        self.down: float
        self.up, self.down = wire.travel()

    @property
    def instant(self) -> bool:
        """Whether it takes no time at all."""
        slow = self.fault is not None and self.fault.seconds > 0
        return not (slow or self.up or self.down)

    async def run(self) -> Delivery:
        """Carry the request up, and the answer down."""
        if self.up:
            await asyncio.sleep(self.up)
        delivery = self.arrive()
        thinking = self.fault.seconds if self.fault is not None else 0.0
        if thinking or self.down:
            await asyncio.sleep(thinking + self.down)
        self.finish()
        return delivery

    def arrive(self) -> Delivery:
        """Let the proxy and the server decide."""
        wire, request, fault = self.wire, self.request, self.fault
        now = wire.core.clock.steady()
        self.asked = asked = Asked(
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
        """Note that the answer has been delivered."""
        self.done = True
        if self.asked is not None and not self.left:
            self.wire.count(self.request.client, str(self.asked.status))

    def leave(self) -> None:
        """Note that the client closed the connection before the answer."""
        if self.done or self.left:
            return
        self.left = True
        if self.asked is not None:
            self.asked.status = 499
        self.wire.count(self.request.client, "499")


class Wire:
    """Everything between the clients and one server."""

    def __init__(self, core: Core, *, seed: int, keep_requests: int | None, bans: bool) -> None:
        self.core = core
        self.faults: Faults = Faults()
        self.firewall: Firewall = Firewall()
        self.bans_enabled = bans
        self.deny_agents = True
        self.latency: Latency = 0.0
        self.log: deque[Asked] = deque(maxlen=keep_requests)
        self.throttled = 0
        self._random = Random(seed)  # noqa: S311 - tests want the same latencies every time

    def travel(self) -> tuple[float, float]:
        """Return how long the next request travels up, and its answer down, in seconds."""
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
        """Return how the connection is lost, if the firewall or the proxy does not want it."""
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
        """Count what the firewall sees; return whether it brings a ban."""
        if not self.bans_enabled:
            return False
        return self.firewall.count(client, event, self.core.clock.steady()) is not None
