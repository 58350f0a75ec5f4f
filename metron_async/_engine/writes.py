"""Writes: sent once, not shared, and followed by invalidating the cache.

A read may be joined, repeated, and served from the cache; a write may not. Reading an issue adds
a read date each time that it is reported, so a scrobble that is sent twice has happened twice.

- **Not shared.** Two equal calls are two writes, each a request of its own.
- **Once.** A write is sent again only when it certainly had no effect: nothing was sent, or the
  throttle rejected it (see :mod:`~metron_async._engine.retry`). After any other failure its
  outcome is unknown, and the error says so, also that of a caller whose ``timeout`` ran out.
- **The cache is invalidated** as soon as the write has ended in any way that may have changed
  something, whether or not a caller is still waiting. Reads that were sent before that moment may
  bring the state before it: the cache does not keep them, and later calls do not join them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar, cast

from metron_async._engine.exchange import send
from metron_async._engine.messages import decode
from metron_async._engine.retry import is_outcome_unknown
from metron_async.errors import CacheError, ClosedError, MetronError, NotFoundError
from metron_async.types import Added

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from metron_async._engine.in_flight import InFlight
    from metron_async._engine.messages import Request, Response, Stale
    from metron_async._engine.parts import Parts
    from metron_async.types import CallOptions

__all__ = ["write"]

T = TypeVar("T")

_CREATED = 201


async def write(
    parts: Parts,
    request: Request,
    decoder: Callable[[bytes], T],
    options: CallOptions,
    stale: Callable[[T | None], Iterable[Stale]],
) -> Added[T]:
    """Send a write, and drop from the cache what it made stale.

    Args:
        parts: The parts of the client.
        request: The write.
        decoder: Decodes the response.
        options: How the call may behave.
        stale: Returns what the write made stale, given the response, or ``None`` without one.

    Raises:
        MetronError: What the write ended in; ``outcome_unknown`` is set if it may have been
            carried out.
    """
    if options.offline:
        msg = "A write cannot be made offline. Call without offline=True"
        raise CacheError(msg, path=request.target)

    async def body(flight: InFlight[Added[T]]) -> Added[T]:
        return await _send(parts, flight, decoder, stale)

    flight: InFlight[Any] = parts.in_flight.launch(request, options, body)
    try:
        added: Added[T] = await parts.in_flight.join(flight, options, None)
    except MetronError as error:
        closed = isinstance(error, ClosedError) and flight.sent
        if closed or is_outcome_unknown(error):
            error.doubt_outcome()
            # The task drops it again when it is done. A caller that gave up before that will look
            # at what happened, and must not see the state before the write.
            await _drop(parts, stale(None))
        raise
    return added


async def _send(
    parts: Parts,
    flight: InFlight[Any],
    decoder: Callable[[bytes], T],
    stale: Callable[[T | None], Iterable[Stale]],
) -> Added[T]:
    value: T | None = None
    harmless = False
    try:
        response = cast("Response", await send(parts, flight))  # a write is not shared
        value = decoded = decode(flight.request, decoder, response.body)
    except MetronError as error:
        # An object that is missing now was there when it was cached.
        harmless = not (is_outcome_unknown(error) or isinstance(error, NotFoundError))
        raise
    finally:
        # Also when the task is cancelled after it was sent, by a client that is closed.
        if flight.sent and not harmless:
            await _drop(parts, stale(value))
    return Added(decoded, response.status == _CREATED)


async def _drop(parts: Parts, stale: Iterable[Stale]) -> None:
    """Drop what is *stale* from this account's cache, responses in flight included."""
    dropped, responses = tuple(stale), parts.responses
    parts.in_flight.unlist(lambda request: any(one.covers(request) for one in dropped))
    if not responses.enabled:
        return
    now, responses.dropped_at = responses.wall(), asyncio.get_running_loop().time()
    await asyncio.gather(
        *(
            responses.cache.invalidate(
                responses.account,
                resource=one.resource,
                object_id=one.object_id,
                kinds=(one.kind,),
                now=now,
            )
            for one in dropped
        )
    )
