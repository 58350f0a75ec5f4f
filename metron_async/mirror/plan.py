"""State of a walk through a list, advanced by each page. Pure: no clock, no file, no server.

A mirror must not lose a row. Five things could cause that.

**Rows shift between pages.** Pages are requested by number, and the list is edited meanwhile. When
a row on an earlier page is deleted, every later row moves up by one, and the first row of the next
page moves to the page before, unread. The ``count`` of the next page is then lower, so the walk
steps back by as many rows. A deletion can hide behind an addition, and an edit can move a row to a
place that was read before. Both leave a trace: the added or edited row has a new ``modified``. So
a walk of several pages is followed by its *proof*, a walk of the changes since the walk began. If
there are none and the count never fell, all seams between pages are proven. (A row that is added
and deleted again leaves no trace but a fall, or itself on a page that was read, and can hide
another deletion.) If ``n`` rows have
changed or fell away, the walk resumes ``n`` rows before the last proven page, and proofs follow in
shorter intervals, which grow again while they succeed. A single page is one state of the list, and
needs no proof. A proof of several pages, a list without a filter for changes, and responses without
a ``Date`` are proven by a second walk that shows the same pages.

**The order is not total.** Two pages can repeat one row and lose another although nothing was
edited. At the end of a walk the rows that it has seen are counted in the file and compared with
the server's count. If they are fewer, the list is walked again, and rows seen by either walk
count. If they are still fewer after several walks, the watermark is not moved, so that the next
run tries again.

**Changes fall between two runs.** The watermark, from which the next run requests changes, is the
server time of the *first* page of the last proof, and the next run begins some minutes before it.
A list can come from a cache that is two minutes old, ``Date`` is cut to seconds, and rows become
visible when their transaction ends.

**A clock is wrong.** A watermark after the ``Date`` of a later page proves nothing, so the whole
list is walked. Without a ``Date`` the newest ``modified`` of the list limits the watermark.

**Rows appear without a trace.** When a series is moved to another publisher, its issues join that
publisher's list without being changed themselves. So a run that requests changes first requests
the first page of the whole list. If its count is above the number of rows in the mirror after the
changes, the list is walked completely.

Deletions leave no trace. They show in a proven walk of the whole list, as rows that it did not see.

The state is stored with each page, in the same transaction as the rows. A process that is killed
therefore loses at most the one page that was about to be stored.
"""

from __future__ import annotations

import math
import zlib

import msgspec

from metron_async.mirror.walk import Arrived, Change, Outcome, Walk

__all__ = [
    "ATTEMPTS",
    "LONG_GAP",
    "OVERLAP",
    "after_end",
    "after_page",
    "after_shrinking",
    "next_walk",
    "pages_left",
]

OVERLAP = 300.0
"""Seconds before the watermark from which changes are requested."""

LONG_GAP = 600.0
"""Seconds between two pages beyond which edits in between are counted before going on."""

ATTEMPTS = 3
"""Walks through a list that is short of rows, until the run reports them as missing."""

_LATENCY = 1.0  # seconds between `modified` and the time at which an edit becomes visible
_SPARE_PAGES = 30  # pages that proofs may cost beyond ATTEMPTS times the pages of the list


def next_walk(
    stopped: Walk | None,
    *,
    generation: int,
    watermark: float | None,
    by_change: bool,
    traced: bool = True,
    full: bool = False,
    purge: bool = False,
) -> Walk:
    """Return the walk with which a run begins: the interrupted one, or a new one.

    Args:
        stopped: The interrupted walk, or ``None``.
        generation: A mark that no row carries yet.
        watermark: Server time up to which all changes are stored, or ``None``.
        by_change: Whether ``modified_gt`` selects all rows that have changed.
        traced: Whether it selects at least those that were added or have moved.
        full: Whether to walk the whole list.
        purge: Whether to remove rows that the server no longer lists, which takes a full walk.
    """
    if not by_change:
        full = purge = True
    full = full or purge
    if stopped is not None and (_root(stopped).kind == "full" or not full):
        return _purging(stopped) if purge else stopped
    if full or watermark is None:
        return Walk(kind="full", generation=generation, purge=purge, traced=traced)
    return Walk(kind="check", generation=generation, since=watermark - OVERLAP)


def after_page(walk: Walk, arrived: Arrived) -> Walk:
    """Return the state of *walk* after the page that it requested has been stored."""
    fetched = walk.fetched + 1
    seen_at = arrived.as_of if walk.seen_at is None else walk.seen_at
    if walk.page > 1 and arrived.as_of - seen_at > LONG_GAP:
        if walk.traced:  # prove the pages so far, which also counts the edits of the gap
            return msgspec.structs.replace(walk, fetched=fetched, ended=True)
        again = _from_first_page(walk)
        return msgspec.structs.replace(again, fetched=fetched, attempt=walk.attempt)
    count = max(0, arrived.count)
    edited_after = arrived.as_of if walk.edited_after is None else walk.edited_after
    moved = msgspec.structs.replace(
        walk,
        page=walk.page + 1,
        page_size=len(arrived.rows) if walk.page == 1 and arrived.has_next else walk.page_size,
        count=count,
        began=arrived.as_of if walk.began is None else walk.began,
        seen_at=arrived.as_of,
        fetched=fetched,
        cached=walk.cached or arrived.cached,
        dated=walk.dated and arrived.dated,
        edited_after=min(edited_after, arrived.as_of),
        proven=min(walk.proven, walk.page - 1),
        digest=zlib.crc32(repr((walk.page, arrived.rows)).encode(), walk.digest),
        doubtful=walk.doubtful or 0 <= walk.count < count,
        fell=walk.fell or count < walk.count,
        recent=walk.recent + _edited(arrived, edited_after) if walk.proves is None else (),
        edits=walk.edits + _edited(arrived, walk.proves.edited_after or 0.0) if walk.proves else (),
    )
    back = _page_before(walk, walk.page, max(0, walk.count - count))
    turned = (walk.page, arrived.count)
    if back < walk.page:
        if walk.turned != turned:
            return msgspec.structs.replace(moved, page=back, turned=turned)
        # A page that the server keeps in its cache would cause the same step back without end.
        moved = msgspec.structs.replace(moved, doubtful=True)
    if walk.kind == "check" or not arrived.has_next or _runs_away(moved):
        return msgspec.structs.replace(moved, ended=True, at_end=True)
    pause = bool(walk.stride) and walk.page >= walk.proven + walk.stride
    return msgspec.structs.replace(moved, ended=pause)


def after_shrinking(walk: Walk) -> Walk:
    """Return the state of *walk* after the server has returned 404 for a page.

    The list has become so much shorter that the page before may have changed, too.
    """
    turned = (walk.page, -1)
    fetched = walk.fetched + 1
    if walk.page > 1 and walk.turned != turned:
        return msgspec.structs.replace(walk, page=walk.page - 1, fetched=fetched, turned=turned)
    return msgspec.structs.replace(walk, fetched=fetched, ended=True, at_end=True, doubtful=True)


def after_end(
    walk: Walk, *, mark: int, seen: int, tracked: int, newest: float | None = None
) -> Outcome:
    """Return what follows a walk that has ended.

    Args:
        walk: The walk.
        mark: A mark that no row carries yet.
        seen: Rows in the file that carry its mark, or a later one.
        tracked: All rows of the selection in the file.
        newest: Newest ``modified`` of the selection in the file, in Unix seconds.
    """
    if walk.kind == "check" and walk.page_size:
        return _after_check(walk, mark)
    missing = max(0, walk.count - seen) if walk.at_end else 0
    if missing:
        return _repeated(walk, missing=missing)
    if not walk.at_end or (walk.page_size and walk.proven < walk.page - 1):
        if walk.traced and walk.dated and walk.proves is None:
            return Outcome(_proof_of(walk, mark))
        if walk.doubtful or walk.digest != walk.digest_before:
            return _repeated(walk)
    if walk.proves is not None:
        return _after_proof(walk.proves, walk)
    return _finished(walk, mark=mark, seen=seen, tracked=tracked, newest=newest)


def pages_left(walk: Walk) -> int:
    """Return how many pages are still to be requested, as far as is known."""
    if walk.at_end:
        return 0
    if walk.kind == "check" or walk.count < 0 or not walk.page_size:
        return 1
    return max(1, math.ceil(walk.count / walk.page_size) - walk.page + 1)


def _after_check(walk: Walk, mark: int) -> Outcome:
    """Return what follows a check that shows the first of several pages."""
    if walk.since is not None and walk.since + OVERLAP > (walk.began or 0.0) + _LATENCY:
        return Outcome(Walk(kind="full", generation=mark))  # the watermark is in the future
    return Outcome(Walk(kind="changes", generation=mark, since=walk.since, expected=walk.count))


def _proof_of(walk: Walk, mark: int) -> Walk:
    """Return the walk that proves the seams between the pages of *walk*."""
    since = (walk.edited_after or 0.0) - OVERLAP
    return Walk(kind="changes", generation=mark, since=since, proves=walk)


def _after_proof(walk: Walk, proof: Walk) -> Outcome:
    """Return the state of *walk* after its proof."""
    began, last = proof.began or 0.0, walk.page - 1
    edits = [edit for edit in proof.edits if edit not in walk.accounted]
    # A `Date` is cut to seconds, so an edit of the next second may have been before the page.
    early = [edit for edit in edits if edit[1] <= (walk.seen_at or 0.0) + 1 + _LATENCY]
    listed = {number for number, _ in proof.edits}
    # What was edited and is not listed any more was deleted, and can hide another deletion.
    gone = sum(number not in listed for number, _ in walk.recent)
    quiet = not early and not walk.doubtful and not walk.fell and not gone
    if quiet:
        page = walk.page if walk.at_end else _page_before(walk, walk.page, len(edits))
    elif walk.doubtful and not edits and not gone:
        page = 1
    else:
        slipped = len(edits) + gone + max(0, walk.proven_count - walk.count)
        page = _page_before(walk, walk.proven + 1, slipped)
    fetched = walk.fetched + proof.fetched
    if not quiet and fetched > ATTEMPTS * last + _SPARE_PAGES:
        return Outcome(None, proven=False)
    resumed = msgspec.structs.replace(
        walk,
        page=page,
        proven=page - 1,
        proven_count=walk.count,
        stride=walk.stride * 2 if quiet else max(1, walk.stride // 2),
        ended=quiet and walk.at_end,
        at_end=quiet and walk.at_end,
        began=began,
        seen_at=proof.seen_at,
        edited_after=began,
        accounted=tuple(edit for edit in proof.edits if edit[1] > began - _LATENCY),
        doubtful=False,
        fell=False,
        recent=(),
        turned=None,
        cached=False,
        dated=walk.dated and proof.dated,
        fetched=fetched,
    )
    return Outcome(resumed, repeats=not quiet)


def _repeated(walk: Walk, *, missing: int = 0) -> Outcome:
    """Return the outcome of a walk that is made again, up to a number of times."""
    if walk.attempt >= ATTEMPTS:
        return Outcome(None, missing=missing, proven=False)
    return Outcome(_from_first_page(walk), missing=missing, repeats=True)


def _finished(walk: Walk, *, mark: int, seen: int, tracked: int, newest: float | None) -> Outcome:
    """Return the outcome of a proven walk."""
    if walk.kind == "changes" and tracked < walk.expected:  # rows that appeared without a trace
        full = Walk(kind="full", generation=mark)
        return Outcome(full, missing=walk.expected - tracked, repeats=True)
    surplus = walk.purge and seen > walk.count
    if surplus and walk.attempt < 2 * ATTEMPTS:
        # Some of the rows that it saw have been deleted since. Only a new mark shows which.
        again = msgspec.structs.replace(_from_first_page(walk), generation=mark)
        return Outcome(again, repeats=True)
    watermark = walk.began or 0.0
    if not walk.dated:
        # The clock of this machine may be ahead. The newest row is not newer than the server's.
        duration = (walk.seen_at or 0.0) - watermark
        watermark = min(watermark, (newest or 0.0) - duration)
    purge = walk.generation if walk.purge else None
    return Outcome(None, watermark=watermark, purge_before=purge, proven=not surplus)


def _from_first_page(walk: Walk) -> Walk:
    """Return the same walk from its first page. Rows that were seen so far still count."""
    return Walk(
        kind=walk.kind,
        generation=walk.generation,
        since=walk.since,
        expected=walk.expected,
        purge=walk.purge,
        traced=walk.traced,
        began=walk.began,
        fetched=walk.fetched,
        attempt=walk.attempt + 1,
        dated=walk.dated,
        digest_before=walk.digest,
        proves=walk.proves,
    )


def _root(walk: Walk) -> Walk:
    """Return the walk that is proven in the end."""
    return walk.proves or walk


def _purging(walk: Walk) -> Walk:
    """Return the same walk with the removal of rows that it does not see."""
    if walk.proves is not None:
        return msgspec.structs.replace(walk, proves=_purging(walk.proves))
    return msgspec.structs.replace(walk, purge=True)


def _edited(arrived: Arrived, since: float) -> tuple[Change, ...]:
    """Return the rows of a page that were edited since that server time."""
    return tuple(row for row in arrived.rows if row[1] >= since - _LATENCY)


def _page_before(walk: Walk, page: int, rows: int) -> int:
    """Return the page to resume at when *rows* may have moved to pages before *page*."""
    if not rows or page == 1 or not walk.page_size:
        return page
    unread = (page - 1) * walk.page_size
    return max(0, unread - rows) // walk.page_size + 1


def _runs_away(walk: Walk) -> bool:
    """Return whether there are further pages although all counted rows have been passed."""
    return walk.page_size > 0 and (walk.page - 3) * walk.page_size > walk.count
