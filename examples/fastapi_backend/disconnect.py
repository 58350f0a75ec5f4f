"""Work that ends when nobody is there any more to see its result."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from starlette.requests import Request

T = TypeVar("T")


class BrowserLeftError(Exception):
    """The browser closed its connection before the answer was there."""


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Do *work* for as long as the browser waits.

    A server such as uvicorn lets a handler run on when the browser has left. That would be a waste
    here: a call that is still in the queue takes a slot of the quota when its turn comes. So the
    work is cancelled, and a queued call leaves the queue. A request that was sent already is not
    lost: the client lets it run to its end, and keeps the answer for the next one who asks.

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
