"""Makes the request of one flight, or takes what another process has made of it.

Where the response will be kept in a cache that other processes read, they can wait for it. It is
settled when it is there: as kept, as a 404, or as one that could not be used.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from metron_async._engine.messages import Answer, Response, decode
from metron_async._engine.protocol import error_of
from metron_async._httpdate import parse_http_date
from metron_async.admission import Shared
from metron_async.cache import Kind
from metron_async.cache.policy import Fetch, Revalidate
from metron_async.cache.vouching import page_as_of
from metron_async.errors import (
    AuthenticationError,
    DecodeError,
    NotFoundError,
    PermissionDeniedError,
)
from metron_async.types import Origin, Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async._engine.in_flight import InFlight
    from metron_async._engine.parts import Parts
    from metron_async.cache import Entry
    from metron_async.types import CallOptions

__all__ = ["exchange", "send", "share"]

T = TypeVar("T")

_PAUSES = (0.03, 0.06, 0.12, 0.24)  # seconds
_WRITTEN = 0.5  # seconds within which a response is in the cache
_UNUSABLE, _OK, _NOT_MODIFIED = 0, 200, 304
_IN_CACHE = frozenset({_OK, _NOT_MODIFIED})


def share(
    parts: Parts, flight: InFlight[Any], key: str, began: float, options: CallOptions
) -> None:
    """Let *flight* share its response with the same requests of other processes.

    A call takes whatever was received after it began, whatever its options; and what was received
    shortly before, if that is fresh for it: the process that has it may still be writing it.
    """
    responses = parts.responses
    flight.key = responses.shared_key(key, flight.request)
    if not flight.key:
        return
    flight.since = began
    flight.fresh = min(_WRITTEN, responses.fresh_for(flight.request, options, began))
    if flight.current is not None:
        flight.fresh = _WRITTEN
    passed = asyncio.get_running_loop().time() - began
    flight.kept_since = responses.wall() - passed - flight.fresh

    async def look() -> bool:
        return await responses.kept_since(key, flight.kept_since) is not None

    flight.look = look


async def exchange(
    parts: Parts,
    flight: InFlight[Any],
    decoder: Callable[[bytes], T],
    key: str,
    decision: Fetch | Revalidate,
) -> Answer[T] | None:
    """Make the request of *flight*, and decode and cache its response."""
    outcome: int | None = None
    try:
        response = await send(parts, flight)
        if isinstance(response, Shared):
            answer = await _received(parts, flight, decoder, key, response.status)
            return answer or await exchange(parts, flight, decoder, key, decision)
        sent_at = _sent_at(parts, flight)
        if response.status == _NOT_MODIFIED:
            answer = await _confirmed(parts, flight, decoder, decision, sent_at)
            outcome = _NOT_MODIFIED
            return answer
        value = decode(flight.request, decoder, response.body)
        if not flight.mocked and await parts.responses.keep(
            flight.request, key, response, sent_at, value
        ):
            outcome = _OK
    except NotFoundError as error:
        outcome = error.status
        received = flight.sent and not flight.mocked
        if received and flight.request.kind is Kind.DETAIL and error.detail is not None:
            missing = Response(404, {}, msgspec.json.encode({"detail": error.detail}))
            await parts.responses.keep(flight.request, key, missing, _sent_at(parts, flight), None)
        raise
    except DecodeError:
        outcome = _UNUSABLE
        raise
    finally:
        parts.sender.conclude(flight, outcome)
    headers = response.headers
    origin = Origin(
        source=Source.NETWORK,
        x_cache=headers.get("x-cache"),
        last_modified=headers.get("last-modified"),
    )
    as_of = page_as_of(date=headers.get("date"), x_cache=headers.get("x-cache"), sent_at=sent_at)
    return Answer(value, origin, as_of, parse_http_date(headers.get("date")) is not None)


async def send(parts: Parts, flight: InFlight[Any]) -> Response | Shared:
    """Send the request of *flight*; a denial drops the account's cached private data.

    A write can be denied for want of a right that reading does not need.

    Raises:
        MetronError: What the last attempt ended in.
    """
    try:
        return await parts.sender.send(flight)
    except (AuthenticationError, PermissionDeniedError) as error:
        denied = flight.request.is_read or isinstance(error, AuthenticationError)
        if denied and not flight.mocked:
            await parts.responses.forget_private()
        raise


async def _received(
    parts: Parts, flight: InFlight[Any], decoder: Callable[[bytes], T], key: str, status: int
) -> Answer[T] | None:
    """Return the response that another process has received, or ``None`` if it is gone already.

    Raises:
        NotFoundError: If it was a 404.
        DecodeError: If it could not be used.
    """
    request, responses = flight.request, parts.responses
    responses.stats.coalesced += 1
    entry = await _entry_of(parts, flight, key, status)
    if entry is not None:
        if status in _IN_CACHE:
            return responses.answer(request, decoder, entry, Source.CACHE)
        raise error_of(request, Response(status, {}, entry.body))
    if status == _UNUSABLE:
        msg = "Unexpected response format, received by another process with the same request"
        raise DecodeError(msg, path=request.target)
    if status not in _IN_CACHE:
        raise error_of(request, Response(status, {}, b""))
    if flight.fresh:  # it was an older one: take what is received from now on
        flight.fresh, flight.since = 0.0, asyncio.get_running_loop().time()
        flight.kept_since = responses.wall()
    else:  # it was dropped meanwhile: ask alone
        flight.key, flight.look = "", None
    return None


async def _entry_of(parts: Parts, flight: InFlight[Any], key: str, status: int) -> Entry | None:
    """Return what the other process has kept, which it may collect for a moment before it writes.

    Until then there may be an older entry, which will do only if the server has confirmed it.
    """
    responses, confirmed = parts.responses, status == _NOT_MODIFIED
    at_once = responses.written_at_once
    for pause in _PAUSES if status else ():
        entry = await responses.kept_since(key, -math.inf)
        if entry is not None and entry.status == (_OK if confirmed else status):
            if flight.current is not None:
                will_do = flight.current(entry)
            else:
                will_do = at_once or confirmed or entry.stored_at >= flight.kept_since
            if will_do:
                return entry
        if at_once:
            break
        await asyncio.sleep(pause)
    return None


def _sent_at(parts: Parts, flight: InFlight[Any]) -> float:
    """Return the wall-clock time at which *flight* was last handed to the network."""
    return parts.responses.wall() - (asyncio.get_running_loop().time() - flight.sent_at)


async def _confirmed(
    parts: Parts,
    flight: InFlight[Any],
    decoder: Callable[[bytes], T],
    decision: Fetch | Revalidate,
    sent_at: float,
) -> Answer[T] | None:
    """Return the entry that a 304 confirms, or ``None`` for a caller's own condition."""
    request, responses = flight.request, parts.responses
    if isinstance(decision, Fetch):
        if request.since is not None:
            return None
        msg = "Unexpected response: 304 'not modified' to a request without a condition"
        raise DecodeError(msg, path=request.target, status=_NOT_MODIFIED)
    entry = msgspec.structs.replace(decision.entry, checked_at=sent_at)
    try:
        answer = responses.answer(request, decoder, entry, Source.NOT_MODIFIED)
    except DecodeError:  # kept by a version with other models
        await responses.cache.delete([entry.key])
        parts.sender.conclude(flight, None)
        flight.request = msgspec.structs.replace(request, since=None)
        return await exchange(parts, flight, decoder, entry.key, Fetch())
    await responses.cache.touch([entry.key], sent_at)
    return answer
