"""What a page of a list knows about the details in the cache, asked for all its rows at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from metron_async.cache import Source, Verdict, vouch
from metron_async.errors import DecodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from metron_async.engine.messages import Answer, Request
    from metron_async.engine.pipeline import Pipeline

__all__ = ["vouched_for"]

T = TypeVar("T")

_SOURCES = {Verdict.CURRENT: Source.LIST, Verdict.NEWER: Source.CACHE}


async def vouched_for(
    pipeline: Pipeline,
    rows: Mapping[int, tuple[Request, datetime]],
    decoder: Callable[[bytes], T],
    as_of: float,
) -> dict[int, Answer[T]]:
    """Return the cached details that a page shows to be current, by id.

    Args:
        pipeline: Whose cache to look into.
        rows: For each id the request for its detail, and ``modified`` of its row.
        decoder: Decodes a detail.
        as_of: Wall-clock seconds for which the page speaks.
    """
    cache, now = pipeline.cache, pipeline.wall()
    ids = {pipeline.key_of(request): number for number, (request, _) in rows.items()}
    found = await cache.get_many(ids)
    answers: dict[int, Answer[T]] = {}
    confirmed: list[str] = []
    for key, entry in found.items():
        request, modified = rows[ids[key]]
        if entry.version != cache.policy.version:
            continue
        verdict = vouch(entry, modified, as_of, now=now, max_age=cache.policy.max_age)
        source = _SOURCES.get(verdict)
        if source is None:
            continue
        try:
            answers[ids[key]] = pipeline.answer(request, decoder, entry, source)
        except DecodeError:
            continue  # kept by a build whose models were different: fetched anew
        if verdict is Verdict.CURRENT:
            confirmed.append(key)
    if confirmed:
        await cache.touch(confirmed, as_of)
    pipeline.stats.vouched += len(answers)
    return answers
