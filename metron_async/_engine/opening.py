"""Opens the parts of a client, at its first use.

This module loads httpx, which takes a while. So it is itself loaded in a thread.
"""

from __future__ import annotations

import asyncio
import time
import weakref
from typing import TYPE_CHECKING

from metron_async._engine.credentials import scoped_key
from metron_async._engine.environment import is_container
from metron_async._engine.parts import Parts
from metron_async._engine.response_cache import ResponseCache
from metron_async._engine.sender import Sender
from metron_async._engine.single_flight import SingleFlight
from metron_async._engine.transport import Transport
from metron_async.admission import Controller

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async._engine.build import Blueprint
    from metron_async.types import Stats

__all__ = ["open_parts"]

_SAME_CLOCK = 1.0  # seconds by which two readings of one clock can lie apart


async def open_parts(
    blueprint: Blueprint, stats: Stats, names: tuple[str, str], shared: Parts | None
) -> Parts:
    """Return the opened parts of a client.

    Args:
        blueprint: The checked arguments of the client.
        stats: Counters for the parts to keep.
        names: Names under which the cache keeps the account's responses, and its private ones.
        shared: The parts of the client whose connections are shared.
    """
    transport, places = await _connect(blueprint, shared), blueprint.places
    controller = Controller(
        places.storage,
        account=blueprint.account,
        address=blueprint.address,
        credentials=scoped_key(blueprint.origin, blueprint.credentials.guard_name),
        max_in_flight=blueprint.max_in_flight,
        new_container=places.remote and is_container(),
    )
    account, proof = names
    return Parts(
        places=places,
        transport=transport,
        controller=controller,
        in_flight=SingleFlight(controller, stats),
        sender=Sender(transport, controller, stats, blueprint.api_root, real=not places.mocked),
        responses=ResponseCache(
            places.cache,
            account=account,
            proof=proof,
            api_root=blueprint.api_root,
            wall=_wall_clock(),
            stats=stats,
        ),
    )


async def _connect(blueprint: Blueprint, shared: Parts | None) -> Transport:
    """Return the transport of the client, on the connections of *shared* if that is given."""
    if shared is not None:
        return shared.transport.with_credentials(blueprint.credentials)

    def connect() -> Transport:
        return Transport(
            **blueprint.http,
            api_root=blueprint.api_root,
            credentials=blueprint.credentials,
            agent=blueprint.agent,
        )

    certificates = blueprint.api_root.startswith("https:") and not blueprint.is_given
    return await asyncio.to_thread(connect) if certificates else connect()


_offsets: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, float]
_offsets = weakref.WeakKeyDictionary()


def _wall_clock() -> Callable[[], float]:
    """Return the wall clock, or on a loop with virtual time one that moves with it."""
    loop = asyncio.get_running_loop()
    if abs(loop.time() - time.monotonic()) < _SAME_CLOCK:
        return time.time  # it also counts the hours that the machine was asleep
    offset = _offsets.setdefault(loop, time.time() - loop.time())  # one for all its clients
    return lambda: loop.time() + offset
