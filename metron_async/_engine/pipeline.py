"""The way of one call, from a resource's request to a decoded answer.

::

    call -> fresh in the cache? ----------------------------------> answer
         -> the same GET already under way? -> join it -----------> answer
         -> launch a flight: tries (sender) -> decode -> store ---> answer
         -> it failed, but a stale entry may stand in ------------> answer

Writes go another way, see :mod:`~metron_async._engine.writes`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from metron_async._engine.decoding import decode
from metron_async._engine.messages import Answer, Response
from metron_async._engine.writes import Writer
from metron_async.cache import Kind
from metron_async.cache.policy import Fetch, Revalidate, Serve, Unavailable
from metron_async.cache.vouching import page_as_of
from metron_async.errors import CacheError, DecodeError, MetronError, NotFoundError
from metron_async.types import Origin, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from metron_async._engine.messages import Request, Stale
    from metron_async._engine.response_cache import Shelf
    from metron_async._engine.sender import Sender
    from metron_async._engine.single_flight import Flight, Flights
    from metron_async.cache.policy import Decision
    from metron_async.types import Added, CallOptions, Stats

__all__ = ["Pipeline"]

T = TypeVar("T")

_NOT_MODIFIED = 304


class Pipeline:
    """Answers calls from the cache, from flights under way, or by new ones.

    Args:
        sender: Makes requests.
        flights: The requests under way.
        shelf: The answers that are kept.
        stats: Counters to keep.
    """

    def __init__(self, sender: Sender, flights: Flights, shelf: Shelf, stats: Stats) -> None:
        self.shelf = shelf
        self.stats = stats
        self._sender = sender
        self._flights = flights
        self._writer = Writer(sender, flights, shelf)
        self._landed = 0

    async def read(
        self, request: Request, decoder: Callable[[bytes], T], options: CallOptions
    ) -> Answer[T]:
        """Answer a GET from wherever that is cheapest.

        Raises:
            CacheError: If the call is ``offline`` and nothing is there.
            MetronError: If the request failed and nothing may stand in for its answer.
        """
        self.stats.calls += 1
        key = self.shelf.key_of(request)
        decision = await self._consult(request, key, options)
        if isinstance(decision, Serve):
            try:
                return self.shelf.serve(request, decoder, decision)
            except DecodeError:  # kept by a build whose models were different
                await self.shelf.cache.delete([key])
                decision = Unavailable() if options.offline else Fetch()
        if isinstance(decision, Unavailable):
            raise _unavailable(request)
        return await self._fly(request, decoder, options, key, decision)

    async def read_if_modified(
        self, request: Request, decoder: Callable[[bytes], T], options: CallOptions
    ) -> Answer[T] | None:
        """Send a GET with its own condition; ``None`` if nothing has changed.

        Raises:
            CacheError: If the call is ``offline``: what has changed only the server knows.
            MetronError: If the request failed.
        """
        self.stats.calls += 1
        if options.offline:
            raise _unavailable(request)
        key = self.shelf.key_of(request)
        # Never shared with a revalidation of the cache, which turns a 304 into what it confirms.
        place = (key, f"caller's {request.since}")
        flight: Flight[Any] | None = self._flights.find(place)
        if flight is None:
            flight = self._launch(request, decoder, options, Fetch(), place)
        else:
            self.stats.coalesced += 1
        return await self._flights.ride(flight, options, place)

    async def write(
        self,
        request: Request,
        decoder: Callable[[bytes], T],
        options: CallOptions,
        stale: Callable[[T | None], Iterable[Stale]],
    ) -> Added[T]:
        """Send a write; see :meth:`metron_async._engine.writes.Writer.write`."""
        self.stats.calls += 1
        return await self._writer.write(request, decoder, options, stale)

    async def _consult(self, request: Request, key: str, options: CallOptions) -> Decision:
        while True:
            landed = self._landed
            decision = await self.shelf.look_up(request, key, options)
            # Where a flight landed while the file was being read, what was not there may be now.
            if not isinstance(decision, Fetch) or landed == self._landed or options.refresh:
                return decision

    async def _fly(
        self,
        request: Request,
        decoder: Callable[[bytes], T],
        options: CallOptions,
        key: str,
        decision: Fetch | Revalidate,
    ) -> Answer[T]:
        place: tuple[str, str | None] = (key, None)
        flight: Flight[Any] | None = self._flights.find(place)
        if flight is None and isinstance(decision, Revalidate):
            place = (key, decision.if_modified_since)
            flight = self._flights.find(place)
        if flight is None:
            flight = self._launch(request, decoder, options, decision, place)
        else:
            self.stats.coalesced += 1
        try:
            answer: Answer[T] = await self._flights.ride(flight, options, place)
        except MetronError as error:
            entry = decision.fallback if isinstance(decision, Fetch) else decision.entry
            stale = self.shelf.stand_in(request, decoder, entry, error, options)
            if stale is None:
                raise
            return stale
        return answer

    def _launch(
        self,
        request: Request,
        decoder: Callable[[bytes], T],
        options: CallOptions,
        decision: Fetch | Revalidate,
        place: tuple[str, str | None],
    ) -> Flight[Any]:
        if isinstance(decision, Revalidate):
            request = request.conditional_on(decision.if_modified_since)

        async def fly(flight: Flight[Answer[T] | None]) -> Answer[T] | None:
            try:
                return await self._fetch(flight, decoder, place[0], decision)
            finally:
                self._landed += 1

        return self._flights.launch(request, options, fly, place)

    async def _fetch(
        self,
        flight: Flight[Any],
        decoder: Callable[[bytes], T],
        key: str,
        decision: Fetch | Revalidate,
    ) -> Answer[T] | None:
        """Make the request of *flight*, decode what comes, and keep it."""
        request = flight.request
        try:
            response = await self._sender.send(flight)
        except NotFoundError as error:
            if request.kind is Kind.DETAIL:
                body = msgspec.json.encode({"detail": error.detail})
                missing = Response(404, {}, body)
                await self.shelf.keep(request, key, missing, self._sent_at(flight), None)
            raise
        sent_at = self._sent_at(flight)
        if response.status == _NOT_MODIFIED:
            return await self._confirmed(flight, decoder, decision, sent_at)
        value = decode(request, decoder, response.body)
        await self.shelf.keep(request, key, response, sent_at, value)
        headers = response.headers
        origin = Origin(
            source=Source.NETWORK,
            x_cache=headers.get("x-cache"),
            last_modified=headers.get("last-modified"),
        )
        as_of = page_as_of(
            date=headers.get("date"), x_cache=headers.get("x-cache"), sent_at=sent_at
        )
        return Answer(value, origin, as_of)

    def _sent_at(self, flight: Flight[Any]) -> float:
        """Return the wall-clock time at which *flight* was last handed to the network."""
        return self.shelf.wall() - (asyncio.get_running_loop().time() - flight.departed)

    async def _confirmed(
        self,
        flight: Flight[Any],
        decoder: Callable[[bytes], T],
        decision: Fetch | Revalidate,
        sent_at: float,
    ) -> Answer[T] | None:
        """Answer a 304: with the entry that it confirms, or with ``None`` to who asked for it."""
        request = flight.request
        if isinstance(decision, Fetch):
            if request.since is not None:
                return None
            msg = "The server says 'not modified' to a request without a condition"
            raise DecodeError(msg, path=request.target, status=_NOT_MODIFIED)
        entry = msgspec.structs.replace(decision.entry, checked_at=sent_at)
        try:
            answer = self.shelf.answer(request, decoder, entry, Source.NOT_MODIFIED)
        except DecodeError:  # kept by a build whose models were different
            await self.shelf.cache.delete([entry.key])
            flight.request = msgspec.structs.replace(request, since=None)
            return await self._fetch(flight, decoder, entry.key, Fetch())
        await self.shelf.cache.touch([entry.key], sent_at)
        return answer


def _unavailable(request: Request) -> CacheError:
    return CacheError("Not in the cache, and the call is offline", path=request.target)
