"""Writes: sent once, shared with nobody, and told to the cache.

A read may be joined, repeated, and answered from memory; a write may not. To read an issue adds
a read date each time that it is told, so a scrobble that is sent twice has happened twice. Hence:

- **Nobody joins.** Two equal calls are two writes, each in a flight of its own.
- **Once.** A write is sent again only when it certainly had no effect: nothing was sent, or the
  throttle rejected it (see :mod:`~metron_async._engine.retry`). In any other failure its outcome
  is unknown, and the error says so, also that of a caller whose ``timeout`` ran out.
- **The cache is told** as soon as the write has ended in any way that may have changed something,
  whether or not the caller is still there. Reads that were sent before that moment may bring what
  was before: the cache does not keep them, and nobody may join them any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from metron_async._engine.decoding import decode
from metron_async._engine.retry import is_outcome_unknown
from metron_async.errors import CacheError, ClosedError, MetronError, NotFoundError
from metron_async.types import Added

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from metron_async._engine.messages import Request, Stale
    from metron_async._engine.response_cache import Shelf
    from metron_async._engine.sender import Sender
    from metron_async._engine.single_flight import Flight, Flights
    from metron_async.types import CallOptions

__all__ = ["Writer"]

T = TypeVar("T")

_CREATED = 201


class Writer:
    """Makes the writes of a client.

    Args:
        sender: Makes requests.
        flights: The requests under way.
        shelf: The answers that are kept.
    """

    def __init__(self, sender: Sender, flights: Flights, shelf: Shelf) -> None:
        self._sender = sender
        self._flights = flights
        self._shelf = shelf

    async def write(
        self,
        request: Request,
        decoder: Callable[[bytes], T],
        options: CallOptions,
        stale: Callable[[T | None], Iterable[Stale]],
    ) -> Added[T]:
        """Send a write, and drop from the cache what it made stale.

        Args:
            request: The write.
            decoder: Decodes what the server answers.
            options: How the call may behave.
            stale: Says what the write made stale, given the answer, or ``None`` if there is none.

        Raises:
            MetronError: What the write ended in; ``outcome_unknown`` tells whether it may have
                been carried out.
        """
        if options.offline:
            msg = "The call is offline, and a write has to be sent"
            raise CacheError(msg, path=request.target)

        async def fly(flight: Flight[Added[T]]) -> Added[T]:
            return await self._send(flight, decoder, stale)

        flight: Flight[Any] = self._flights.launch(request, options, fly)
        try:
            written: Added[T] = await self._flights.ride(flight, options, None)
        except MetronError as error:
            closed = isinstance(error, ClosedError) and flight.airborne
            if closed or is_outcome_unknown(error):
                error.doubt_outcome()
                # The flight tells the cache when it lands. A caller who gave up before that will
                # look what happened, and shall not be shown what was before.
                await self._drop(stale(None))
            raise
        return written

    async def _send(
        self,
        flight: Flight[Any],
        decoder: Callable[[bytes], T],
        stale: Callable[[T | None], Iterable[Stale]],
    ) -> Added[T]:
        value: T | None = None
        harmless = False
        try:
            response = await self._sender.send(flight)
            value = decoded = decode(flight.request, decoder, response.body)
        except MetronError as error:
            # What is not there any more was there when it was cached.
            harmless = not (is_outcome_unknown(error) or isinstance(error, NotFoundError))
            raise
        finally:
            # Also when the flight is cancelled, by a client that is closed, after it was sent.
            if flight.airborne and not harmless:
                await self._drop(stale(value))
        return Added(decoded, response.status == _CREATED)

    async def _drop(self, stale: Iterable[Stale]) -> None:
        """Drop what is *stale* from this account's cache, answers on their way included."""
        dropped = tuple(stale)
        self._flights.unlist(lambda request: any(one.covers(request) for one in dropped))
        if not self._shelf.is_there:
            return
        now = self._shelf.wall()
        for one in dropped:
            await self._shelf.cache.invalidate(
                self._shelf.account,
                resource=one.resource,
                object_id=one.object_id,
                kinds=(one.kind,),
                now=now,
            )
