"""The command ``cache``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metron_async.cli.output import counted, print_json, print_line
from metron_async.errors import CacheError, UsageError

if TYPE_CHECKING:
    import argparse

    from metron_async.cache import Cache
    from metron_async.client import AsyncMetron

__all__ = ["cache", "cache_facts", "size_text"]


async def cache(metron: AsyncMetron, options: argparse.Namespace) -> int:
    """Show the cache's size, or remove entries of all accounts."""
    store = metron.cache
    if store is None:
        msg = "The demo has no cache"
        raise CacheError(msg)
    facts = await cache_facts(store)
    if options.action == "clear":
        await store.clear()
        facts = {**facts, "removed": facts["entries"]}
    elif options.action == "purge":
        facts = {**facts, "removed": await _purge(store, options)}
    if options.json:
        print_json(facts)
    elif options.action == "info":
        print_line(
            f"{facts['place']}: {counted(facts['entries'], 'entries')}, {size_text(facts['bytes'])}"
        )
    else:
        print_line(f"{facts['place']}: {counted(facts['removed'], 'entries')} removed")
    return 0


async def _purge(store: Cache, options: argparse.Namespace) -> int:
    if options.resource is None and options.older_than is None:
        msg = "purge needs --older-than DAYS or --resource NAME; `cache clear` removes everything"
        raise UsageError(msg)
    return await store.purge(options.resource, options.older_than)


async def cache_facts(store: Cache) -> dict[str, Any]:
    """Return where a cache is, and its size."""
    measure = getattr(store, "size", None)
    entries, size = (0, 0) if measure is None else await measure()
    place = getattr(store, "path", None) or type(store).__name__
    return {"place": str(place), "entries": entries, "bytes": size}


def size_text(size: int) -> str:
    """Return a number of bytes with its unit."""
    value = float(size)
    for unit in ("bytes", "KB", "MB"):
        if value < 1000:  # noqa: PLR2004 - the next unit
            return f"{value:,.0f} {unit}" if unit == "bytes" else f"{value:,.1f} {unit}"
        value /= 1000
    return f"{value:,.1f} GB"
