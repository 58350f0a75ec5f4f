"""List revalidation: cached details that the rows of a page show to be current."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import msgspec

from metron_async.cache.vouching import Verdict, vouch
from metron_async.errors import DecodeError
from metron_async.types import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from metron_async._engine.messages import Answer, Request
    from metron_async._engine.response_cache import ResponseCache
    from metron_async.cache import Entry

__all__ = ["shown_by", "vouched_for"]

T = TypeVar("T")

_SOURCES = {Verdict.CURRENT: Source.LIST, Verdict.NEWER: Source.CACHE}


def shown_by(modified: datetime, as_of: float) -> Callable[[Entry], bool]:
    """Return whether an entry that was just received has the state that a row shows, or a later.

    Args:
        modified: ``modified`` of the row.
        as_of: Wall-clock seconds at which the page was current.
    """

    def current(entry: Entry) -> bool:
        verdict = vouch(entry, modified, as_of, now=entry.stored_at, max_age=math.inf)
        return verdict in _SOURCES

    return current


async def vouched_for(
    responses: ResponseCache,
    rows: Mapping[int, tuple[Request, datetime]],
    decoder: Callable[[bytes], T],
    as_of: float,
) -> dict[int, Answer[T]]:
    """Return the cached details that a page shows to be current, by id.

    Args:
        responses: The cached responses.
        rows: For each id the request for its detail, and ``modified`` of its row.
        decoder: Decodes a detail.
        as_of: Wall-clock seconds at which the page was current.
    """
    cache, now = responses.cache, responses.wall()
    ids = {responses.key_of(request): number for number, (request, _) in rows.items()}
    answers: dict[int, Answer[T]] = {}
    confirmed: list[str] = []

    def judge(found: Mapping[str, Entry]) -> None:
        for key, entry in found.items():
            request, modified = rows[ids[key]]
            if entry.version != cache.policy.version:
                continue
            verdict = vouch(entry, modified, as_of, now=now, max_age=cache.policy.max_age)
            if verdict is Verdict.CURRENT:
                entry = msgspec.structs.replace(entry, checked_at=max(entry.checked_at, as_of))  # noqa: PLW2901
            source = _SOURCES.get(verdict)
            if source is None:
                continue
            try:
                answers[ids[key]] = responses.answer(request, decoder, entry, source)
            except DecodeError:
                continue  # kept by a version with other models: fetched again
            if verdict is Verdict.CURRENT:
                confirmed.append(key)

    judge(await cache.get_many(ids))
    missing = [key for key, number in ids.items() if number not in answers]
    if missing:  # before requests are spent: another process may have fetched them already
        judge(await cache.get_many(missing, reload=True))
    if confirmed:
        await cache.touch(confirmed, as_of)
    return answers
