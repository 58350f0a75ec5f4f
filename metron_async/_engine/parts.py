"""The opened parts of one client."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from metron_async._engine.places import Places
    from metron_async._engine.response_cache import ResponseCache
    from metron_async._engine.sender import Sender
    from metron_async._engine.single_flight import SingleFlight
    from metron_async._engine.transport import Transport
    from metron_async.admission import Controller

__all__ = ["Parts"]


class Parts(NamedTuple):
    """The opened parts of one client."""

    places: Places
    transport: Transport
    controller: Controller
    in_flight: SingleFlight
    sender: Sender
    responses: ResponseCache
