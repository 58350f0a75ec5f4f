"""The opened parts of one client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from metron_async.errors import AuthenticationError, PermissionDeniedError

if TYPE_CHECKING:
    from metron_async._engine.in_flight import InFlight
    from metron_async._engine.messages import Response
    from metron_async._engine.places import Places
    from metron_async._engine.response_cache import ResponseCache
    from metron_async._engine.sender import Sender
    from metron_async._engine.single_flight import SingleFlight
    from metron_async._engine.transport import Transport
    from metron_async.admission import Controller, Shared

__all__ = ["Parts"]


class Parts(NamedTuple):
    """The opened parts of one client."""

    places: Places
    transport: Transport
    controller: Controller
    in_flight: SingleFlight
    sender: Sender
    responses: ResponseCache

    async def send(self, flight: InFlight[Any]) -> Response | Shared:
        """Send the request of *flight*; a denial drops the account's cached private data.

        A write can be denied for want of a right that reading does not need.

        Raises:
            MetronError: What the last attempt ended in.
        """
        try:
            return await self.sender.send(flight)
        except (AuthenticationError, PermissionDeniedError) as error:
            denied = flight.request.is_read or isinstance(error, AuthenticationError)
            if denied and not flight.mocked:
                await self.responses.forget_private()
            raise
