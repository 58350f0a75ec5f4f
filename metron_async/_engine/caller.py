"""One call of the API, from a resource's request to a decoded response.

::

    call -> fresh in the cache? -------------------------------------> response
         -> the same GET in flight? -> join it ----------------------> response
         -> launch a request: attempts (sender) -> decode -> cache --> response
         -> it failed, but a stale entry may stand in ---------------> response

Writes are not shared or repeated; see :mod:`~metron_async._engine.writes`.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from metron_async._engine.exchange import exchange, share
from metron_async._engine.messages import (
    Answer,
    checked_target,
    decoder_for,
)
from metron_async._engine.vouching import vouched_for
from metron_async._engine.writes import write
from metron_async.cache.policy import Fetch, Revalidate, Serve, Unavailable
from metron_async.errors import (
    CacheError,
    DecodeError,
    MetronError,
)
from metron_async.telemetry import observed
from metron_async.types import NOT_MODIFIED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from metron_async._engine.core import Core
    from metron_async._engine.in_flight import InFlight
    from metron_async._engine.messages import Request, Stale
    from metron_async._engine.parts import Parts
    from metron_async.cache import Entry
    from metron_async.cache.policy import Decision
    from metron_async.types import Added, CallOptions, NotModified

__all__ = ["Caller"]

T = TypeVar("T")

_LOOK = 0.3  # seconds that a look into the cache may take, also for a call that does not wait


class Caller:
    """Makes calls with one set of options.

    Args:
        core: What all views of a client share.
        options: How calls of this view behave.
    """

    __slots__ = ("core", "options")

    def __init__(self, core: Core, options: CallOptions) -> None:
        self.core: Core = core
        self.options: CallOptions = options

    def with_options(self, **options: Any) -> Caller:
        """Return a caller on the same core whose calls behave differently."""
        return Caller(self.core, msgspec.structs.replace(self.options, **options))

    def refreshed(self) -> Caller:
        """Return a caller that asks the server, or this one if it is offline."""
        return self if self.options.offline else self.with_options(refresh=True)

    async def get(
        self, request: Request, kind: type[T], current: Callable[[Entry], bool] | None = None
    ) -> T:
        """Return the object that *request* asks for, and record its origin."""
        return self._recorded(await self.fetch(request, kind, current))

    @observed
    async def fetch(
        self, request: Request, kind: type[T], current: Callable[[Entry], bool] | None = None
    ) -> Answer[T]:
        """Return the response to a GET, decoded, from where it costs the least.

        Args:
            request: The GET.
            kind: Type of the response.
            current: Returns whether a cached response is known to be current, whatever the
                options say.

        Raises:
            UsageError: If the filters are too long to be sent.
            CacheError: If the call is ``offline`` and the response is not cached.
            MetronError: If the request failed and no stale entry may stand in.
        """
        parts, decoder, options = await self._begin(request), decoder_for(kind), self.options
        began = asyncio.get_running_loop().time()
        key = ""
        decision: Decision = Fetch()
        with contextlib.suppress(TimeoutError):  # a cache that hangs has nothing
            async with asyncio.timeout_at(self._patience(began)):
                await parts.responses.ready()
                key = parts.responses.key_of(request)
                decision = await self._consult(parts, request, key, current)
        key = key or parts.responses.key_of(request)
        if isinstance(decision, Serve):
            try:
                return parts.responses.serve(request, decoder, decision)
            except DecodeError:  # kept by a version with other models
                await parts.responses.cache.delete([key])
                decision = Unavailable() if options.offline else Fetch()
        if isinstance(decision, Unavailable):
            raise _unavailable(request)
        try:
            answer: Answer[T] = await self._join(
                parts, request, decoder, key, decision, began=began, current=current
            )
        except MetronError as error:
            entry = decision.fallback if isinstance(decision, Fetch) else decision.entry
            stale = parts.responses.stand_in(request, decoder, entry, error, options)
            if stale is None:
                raise
            return stale
        return answer

    @observed
    async def get_if_modified(self, request: Request, kind: type[T]) -> T | NotModified:
        """Send a GET with the caller's own ``If-Modified-Since``, without the cache.

        Raises:
            CacheError: If the call is ``offline``: only the server knows what has changed.
            MetronError: If the request failed.
        """
        parts = await self._begin(request)
        await parts.responses.ready()
        if self.options.offline:
            raise _unavailable(request)
        # Never shared with a revalidation of the cache, which turns a 304 into what it confirms.
        place = (parts.responses.key_of(request), f"caller's {request.since}")
        flight, _ = self._launched(parts, request, decoder_for(kind), Fetch(), place)
        answer = await parts.in_flight.join(flight, self.options, place)
        return NOT_MODIFIED if answer is None else self._recorded(answer)

    @observed
    async def write(
        self,
        request: Request,
        kind: type[T] | None,
        stale: Callable[[T | None], Iterable[Stale]],
    ) -> Added[T]:
        """Send a write whose response is a *kind*, or (``None``) has no body.

        Args:
            request: The write.
            kind: Type of the response.
            stale: Returns what the write made stale, given the response if there is one.
        """
        parts = await self._begin(request)
        await parts.responses.ready()
        decoder: Callable[[bytes], Any] = _nothing if kind is None else decoder_for(kind)
        return await write(parts, request, decoder, self.options, stale)

    async def forget(self, requests: Iterable[Request]) -> None:
        """Drop the responses to *requests* from the cache, which together turned out to be wrong.

        Offline nothing better can be fetched, so nothing is dropped.
        """
        responses = (await self.core.ready()).responses
        if responses.enabled and not self.options.offline:
            await responses.cache.delete([responses.key_of(request) for request in requests])

    async def known(
        self, rows: Mapping[int, tuple[Request, datetime]], kind: type[T], as_of: float
    ) -> dict[int, T]:
        """Return the cached objects that the rows of a list show to be current, by id.

        Args:
            rows: For each id the request for its detail, and ``modified`` of its row.
            kind: Type of the details.
            as_of: Wall-clock seconds at which the rows were current.
        """
        responses = (await self.core.ready()).responses
        if not responses.enabled or self.options.refresh or not rows:
            return {}
        answers = await vouched_for(responses, rows, decoder_for(kind), as_of)
        self.core.stats.vouched += len(answers)
        return {number: self._recorded(answer) for number, answer in answers.items()}

    async def _begin(self, request: Request) -> Parts:
        checked_target(request)
        parts = await self.core.ready()
        self.core.stats.calls += 1
        return parts

    def _patience(self, began: float) -> float | None:
        """Return the loop time until which the cache is waited for, ``None`` for as long as it is.

        Args:
            began: When the call began.
        """
        options = self.options
        ends = [] if options.max_wait is None else [max(options.max_wait / 2, _LOOK)]
        ends += [] if options.timeout is None else [options.timeout]
        return began + min(ends) if ends and not options.offline else None

    def _recorded(self, answer: Answer[T]) -> T:
        self.core.origins.remember(answer.value, answer.origin)
        return answer.value

    async def _consult(
        self,
        parts: Parts,
        request: Request,
        key: str,
        current: Callable[[Entry], bool] | None,
    ) -> Decision:
        while True:
            done = parts.in_flight.done
            decision = await parts.responses.look_up(request, key, self.options)
            if current is not None and isinstance(decision, Fetch) and parts.responses.enabled:
                entry = await parts.responses.kept_since(key, -math.inf)
                if entry is not None and current(entry):
                    return Serve(entry, 0.0)
            # A request that ended while the file was read may have stored what was not there.
            done_meanwhile = done != parts.in_flight.done
            if not (isinstance(decision, Fetch) and done_meanwhile) or self.options.refresh:
                return decision

    async def _join(
        self,
        parts: Parts,
        request: Request,
        decoder: Callable[[bytes], T],
        key: str,
        decision: Fetch | Revalidate,
        *,
        began: float,
        current: Callable[[Entry], bool] | None,
    ) -> Answer[T]:
        place: tuple[str, str | None] = (key, None)
        if isinstance(decision, Revalidate) and parts.in_flight.find(place) is None:
            place = (key, decision.if_modified_since)
        flight, launched = self._launched(parts, request, decoder, decision, place)
        if launched:
            flight.current = current
            share(parts, flight, key, began, self.options)
        answer: Answer[T] = await parts.in_flight.join(flight, self.options, place, began)
        return answer

    def _launched(
        self,
        parts: Parts,
        request: Request,
        decoder: Callable[[bytes], T],
        decision: Fetch | Revalidate,
        place: tuple[str, str | None],
    ) -> tuple[InFlight[Any], bool]:
        """Return the request in flight at *place*, and whether it was launched here."""
        flight = parts.in_flight.find(place)
        if flight is not None:
            self.core.stats.coalesced += 1
            return flight, False
        if isinstance(decision, Revalidate):
            request = request.conditional_on(decision.if_modified_since)

        async def body(flight: InFlight[Answer[T] | None]) -> Answer[T] | None:
            return await exchange(parts, flight, decoder, place[0], decision)

        return parts.in_flight.launch(request, self.options, body, place), True


def _unavailable(request: Request) -> CacheError:
    msg = "The response is not cached, and the call is offline. Call without offline=True"
    return CacheError(msg, path=request.target)


def _nothing(_: bytes) -> None:
    """Stand in for a decoder where there is nothing to decode."""
