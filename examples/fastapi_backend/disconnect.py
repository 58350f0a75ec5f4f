"""Work that is cancelled when the browser disconnects."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from starlette.requests import Request

T = TypeVar("T")


class BrowserLeftError(Exception):
    """The browser closed its connection before the response was ready."""


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Run *work* while the browser is connected, and return its result.

    A server such as uvicorn lets a handler continue when the browser has disconnected. Here that
    wastes quota, because a queued call takes a slot when its turn comes. So the work is cancelled,
    and a queued call leaves the queue. A request that was sent is not lost: the client completes it
    and caches the response for the next call.

    Raises:
        BrowserLeftError: If the browser has closed its connection.
    """
    working = asyncio.create_task(work)
    watching = asyncio.create_task(_left(request))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise BrowserLeftError
    finally:
        working.cancel()
        watching.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)


async def _left(request: Request) -> None:
    """Return when the browser has closed its connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
