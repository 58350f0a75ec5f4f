"""First use of a client: what takes time is loaded and opened in threads."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from importlib import import_module
from typing import TYPE_CHECKING, Any

from metron_async._noise import hide_noise

if TYPE_CHECKING:
    from metron_async._engine.build import Blueprint
    from metron_async._engine.parts import Parts
    from metron_async.types import Stats

__all__ = ["open_client"]

_EARLY = ("httpx", "httpcore", "anyio._backends._asyncio", "metron_async.resources.issues")
"""Modules that the first call loads otherwise, while it holds the event loop."""


async def open_client(blueprint: Blueprint, stats: Stats, shared: Parts | None) -> Parts:
    """Open the parts of a client, on the running loop.

    Args:
        blueprint: The checked arguments of the client.
        stats: Counters for the parts to keep.
        shared: The parts of the client whose connections, storage and cache are shared.
    """
    hide_noise()
    blueprint.settle_places(None if shared is None else shared.places)
    # If it is cancelled meanwhile, no connection has been opened.
    steps: list[Any] = [_opening_module(), _prepare(blueprint)]
    results: list[Any] = await asyncio.gather(*steps, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    opening, names = results
    parts: Parts = await opening.open_parts(blueprint, stats, names, shared)
    return parts


async def _prepare(blueprint: Blueprint) -> tuple[str, str]:
    """Open the files of storage and cache, one after the other, to need few threads.

    Returns:
        The names under which the cache keeps the account's responses, and private ones. They
        differ, since private data need proof of the credentials.
    """
    places, credentials = blueprint.places, blueprint.credentials
    prepare, cache = getattr(places.storage, "prepare", None), places.cache
    if prepare is not None:
        await prepare()
    if cache is None:
        return "", ""
    account = await cache.account(credentials.cache_name)
    if not cache.policy.keep_private:
        return account, account
    return account, await cache.account(await credentials.proof())


async def _opening_module() -> Any:
    """Return the module that opens connections. It is loaded in a thread."""
    if _load_opening.cache_info().currsize:
        return _load_opening()
    return await asyncio.to_thread(_load_opening)


@functools.cache
def _load_opening() -> Any:
    for name in _EARLY:
        with contextlib.suppress(ImportError):
            import_module(name)
    from metron_async._engine import opening  # a statement, which programs that freeze others see

    return opening
