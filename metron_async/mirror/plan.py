"""The walk through a list, as a state that every page moves on. Pure: no clock, no file, no server.

What a mirror must not do is to lose a row. Four things could make it do so.

**Rows shift between pages.** A page is asked for by number, and the list is edited meanwhile. When
a row on a page that was read is deleted, every later row moves up by one, and the first row of the
next page slips onto the page before, unread. (When one is added, a row is read twice, which does no
harm.) The server's ``count`` on the next page is then lower than it was, and so the walk steps
back by as many rows before it goes on. Where a long time lies between two pages, since the day's
quota was used up or the program killed, deletions may hide behind additions. Then the server is
asked how many rows have changed since, and the walk steps back by that many as well: each row by
which the list can have moved up is a deletion, of which there are no more than the drop of the
count plus the additions, or an edit that put a row behind the reader.

**The order is not total.** Two pages can repeat one row and lose another although nobody edited
anything. At the end of a walk the rows that it has seen are counted, in the file, and compared with
the server's count. If they are fewer, the list is walked again, and what both walks have seen
counts together. If they are still fewer after several walks, the watermark stays where it is, so
the next run tries again.

**Changes fall between two runs.** The watermark, from which the next run asks for changes, is the
moment for which the *first* page of a walk speaks, in the server's own clock, and the next run
begins some minutes before it: a list can come from a cache that is two minutes old, clocks are cut
to seconds, and what a transaction writes is seen only when it ends. A row that was edited during a
walk of several pages is picked up by a walk of the changes right after it.

**Rows come without a trace.** When a series is moved to another publisher, its issues join that
publisher's list without being changed themselves. So a run that asks for changes also asks for
the first page of the whole list, *before* that: if the server counts more rows than the mirror
then has, the list is walked in full.

Deletions leave no trace either. They show only in a walk of the whole list, as rows that it has
not met.

The state is stored with each page, in the same transaction as its rows. A process that is killed
therefore loses at most the one page that it was about to store.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

import msgspec

__all__ = [
    "ATTEMPTS",
    "LONG_GAP",
    "OVERLAP",
    "Arrived",
    "Kind",
    "Outcome",
    "Walk",
    "after_end",
    "after_page",
    "after_shrinking",
    "gap_is_long",
    "next_walk",
    "pages_left",
]

Kind = Literal["full", "check", "changes"]

OVERLAP = 300.0
"""Seconds before the watermark from which changes are asked for."""

LONG_GAP = 600.0
"""Seconds between two pages beyond which additions may hide deletions."""

ATTEMPTS = 3
"""Walks through a list that comes short, until the run gives up on completeness."""


class Walk(msgspec.Struct, frozen=True, kw_only=True):
    """How far a walk has come.

    Attributes:
        kind: ``"full"`` for the whole list, ``"changes"`` for what changed since, ``"check"``
            for the first page of the whole list, which tells its count.
        generation: Mark that rows seen by this walk carry in the file.
        since: For changes: only rows changed after this moment, in seconds of the server's clock.
        expected: Rows of the whole list, as a check or a full walk has counted them before.
        purge: Whether rows that a full walk did not meet are to be removed.
        page: Number of the page to fetch next.
        page_size: Rows on a page, as learned from the first; 0 where there is only one.
        count: Rows of the list, as last told; negative before the first page.
        began: Moment for which the first page spoke.
        seen_at: Moment for which the last page spoke.
        fetched: Pages fetched so far, steps back and repetitions included.
        attempt: Which walk through the list this is.
        cached: Whether a page came out of the server's cache.
        ended: Whether the last page has been stored.
        turned: Page, and the count on it, that last made the walk step back.
    """

    kind: Kind
    generation: int
    since: float | None = None
    expected: int = 0
    purge: bool = False
    page: int = 1
    page_size: int = 0
    count: int = -1
    began: float | None = None
    seen_at: float | None = None
    fetched: int = 0
    attempt: int = 1
    cached: bool = False
    ended: bool = False
    turned: tuple[int, int] | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Arrived:
    """What matters of a page that was fetched.

    Attributes:
        rows: Rows on it.
        count: Rows of the whole list.
        has_next: Whether there is a further page.
        as_of: Moment for which it speaks, in seconds of the server's clock.
        cached: Whether it came out of the server's cache.
    """

    rows: int
    count: int
    has_next: bool
    as_of: float
    cached: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What follows the end of a walk.

    Attributes:
        next: The walk to make now, or ``None`` if the mirror is up to date, or as near to it as
            can be.
        watermark: The new watermark, or ``None`` if it stays.
        purge_before: Rows marked by earlier generations are to be removed; ``None``: none.
        missing: Rows that were counted and not seen.
        repeats: Whether ``next`` walks the same list again.
    """

    next: Walk | None
    watermark: float | None = None
    purge_before: int | None = None
    missing: int = 0
    repeats: bool = False


def next_walk(
    stopped: Walk | None,
    *,
    generation: int,
    watermark: float | None,
    by_change: bool,
    full: bool = False,
    purge: bool = False,
) -> Walk:
    """Return the walk with which a run begins: one that was broken off, or a new one.

    Args:
        stopped: The walk that was broken off, or ``None``.
        generation: A mark that no row carries yet.
        watermark: Moment up to which all changes are known, or ``None``.
        by_change: Whether the list can be asked for changes.
        full: Whether the whole list is to be walked.
        purge: Whether what the server no longer lists is to be removed; takes a full walk.
    """
    if not by_change:
        full = purge = True
    full = full or purge
    if stopped is not None and (stopped.kind == "full" or not full):
        return msgspec.structs.replace(stopped, purge=stopped.purge or purge)
    if full or watermark is None:
        return Walk(kind="full", generation=generation, purge=purge)
    return Walk(kind="check", generation=generation, since=watermark - OVERLAP)


def gap_is_long(walk: Walk, arrived: Arrived) -> bool:
    """Tell whether so much time lies before this page that its count alone proves nothing."""
    return walk.seen_at is not None and walk.page > 1 and arrived.as_of - walk.seen_at > LONG_GAP


def after_page(walk: Walk, arrived: Arrived, changed: int = 0) -> Walk:
    """Return the walk as it stands when the page it was at has been stored.

    Args:
        walk: The walk before.
        arrived: The page.
        changed: Rows changed since the page before, where :func:`gap_is_long`.
    """
    first = walk.page == 1
    size = arrived.rows if first and arrived.has_next else walk.page_size
    began = arrived.as_of if walk.began is None else walk.began
    moved = msgspec.structs.replace(
        walk,
        page=walk.page + 1,
        page_size=size,
        count=max(0, arrived.count),
        began=began,
        seen_at=arrived.as_of,
        fetched=walk.fetched + 1,
        cached=walk.cached or arrived.cached,
    )
    slipped = max(0, walk.count - arrived.count) + changed
    back = _page_before(walk, slipped)
    turned = (walk.page, arrived.count)
    # A page that the server keeps in its cache would make the walk step back again and again.
    if back < walk.page and walk.turned != turned:
        return msgspec.structs.replace(moved, page=back, turned=turned)
    if walk.kind == "check" or not arrived.has_next or _runs_away(moved):
        return msgspec.structs.replace(moved, ended=True)
    return moved


def after_shrinking(walk: Walk) -> Walk:
    """Return the walk when the page it was at is no longer there.

    The list has become so much shorter that the page before may have changed, too.
    """
    turned = (walk.page, -1)
    if walk.page > 1 and walk.turned != turned:
        return msgspec.structs.replace(
            walk, page=walk.page - 1, fetched=walk.fetched + 1, turned=turned
        )
    return msgspec.structs.replace(walk, fetched=walk.fetched + 1, ended=True)


def after_end(walk: Walk, *, seen: int, tracked: int, by_change: bool) -> Outcome:
    """Return what follows a walk that has ended.

    Args:
        walk: The walk.
        seen: Rows in the file that carry its mark, or a later one.
        tracked: All rows of the selection in the file.
        by_change: Whether the list can be asked for changes.
    """
    if walk.kind == "check" and walk.page_size:
        # A mark of its own: what the check has seen says nothing about the changes.
        mark = walk.generation + 1
        return Outcome(Walk(kind="changes", generation=mark, since=walk.since, expected=walk.count))
    missing = max(0, walk.count - seen)
    if missing and walk.attempt >= ATTEMPTS:
        return Outcome(None, missing=missing)
    if missing:
        return Outcome(_again(walk), missing=missing, repeats=True)
    if walk.kind == "changes" and tracked < walk.expected:  # rows that came without a trace
        full = Walk(kind="full", generation=walk.generation + 1)
        return Outcome(full, missing=walk.expected - tracked, repeats=True)
    if walk.kind == "full":
        return _after_all(walk, surplus=seen - walk.count, by_change=by_change)
    return Outcome(None, watermark=walk.began)


def pages_left(walk: Walk) -> int:
    """Return how many pages are still to be fetched, as far as is known."""
    if walk.ended:
        return 0
    if walk.kind == "check" or walk.count < 0 or not walk.page_size:
        return 1
    return max(1, math.ceil(walk.count / walk.page_size) - walk.page + 1)


def _after_all(walk: Walk, *, surplus: int, by_change: bool) -> Outcome:
    """Return what follows a walk of the whole list that has missed nothing."""
    if walk.purge and surplus > 0 and walk.attempt < ATTEMPTS:
        # Some of what it saw has gone since; only a new mark can tell which.
        anew = msgspec.structs.replace(_again(walk), generation=walk.generation + 1)
        return Outcome(anew, repeats=True)
    purge = walk.generation if walk.purge else None
    if not by_change or walk.fetched == 1:  # one page is a state of the list by itself
        return Outcome(None, watermark=walk.began, purge_before=purge)
    since = (walk.began or 0.0) - OVERLAP
    changes = Walk(kind="changes", generation=walk.generation + 1, since=since)
    return Outcome(changes, purge_before=purge)


def _again(walk: Walk) -> Walk:
    """Return the same walk from its first page; what was seen so far still counts."""
    return msgspec.structs.replace(
        walk, page=1, count=-1, ended=False, cached=False, turned=None, attempt=walk.attempt + 1
    )


def _page_before(walk: Walk, rows: int) -> int:
    """Return the page on which to go on when so many rows may have slipped past the reader."""
    if not rows or walk.page == 1 or not walk.page_size:
        return walk.page
    unread = (walk.page - 1) * walk.page_size
    return max(0, unread - rows) // walk.page_size + 1


def _runs_away(walk: Walk) -> bool:
    """Tell whether the server leads on although all rows it counts have been passed."""
    return walk.page_size > 0 and (walk.page - 3) * walk.page_size > walk.count
