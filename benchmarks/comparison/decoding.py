"""Decoding, and the cache's stores: each in a process of its own, with little else in memory."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pydantic

from benchmarks.components import cache_stores
from benchmarks.components import decoding as alone
from metron_async.models import IssueSummary, PageBody

Ways = dict[str, Callable[[bytes], Any]]


async def decoding() -> dict[str, float]:
    """Return the median microseconds of decoding a page of 100 issues."""
    ways: Ways = {
        "structs": msgspec.json.Decoder(PageBody[IssueSummary]).decode,
        "dicts": msgspec.json.decode,
        "pydantic": pydantic.TypeAdapter(alone.Page).validate_json,
    }
    page = alone.lifelike(alone.recorded_page())
    names = {
        tuple(row["issue"] for row in ways["dicts"](page)["results"]),
        *(
            tuple(row.issue_name for row in ways[way](page).results)
            for way in ("structs", "pydantic")
        ),
    }
    assert len(names) == 1
    taken = alone.time_in_turn(ways, page, 60, 40)
    return {way: seconds * 1e6 for way, seconds in taken.items()}


async def stores() -> list[tuple[str, str]]:
    """Return what the cache's stores take."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        rows = await cache_stores.latencies(Path(directory), 2000)
    return [(row.what, row.value) for row in rows]
