"""State of a walk through a list, a page of it, and what follows its end. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["Arrived", "Change", "Kind", "Outcome", "Walk"]

Kind = Literal["full", "check", "changes"]
Change = tuple[int, float]
"""Id of a row, and its ``modified`` in Unix seconds."""


class Walk(msgspec.Struct, frozen=True, kw_only=True):
    """How far a walk has come."""

    kind: Kind
    """``"full"`` for the whole list, ``"changes"`` for the rows changed since, ``"check"`` for the
    first page of the whole list, which shows its count."""
    generation: int
    """Mark that rows seen by this walk carry in the file."""
    since: float | None = None
    """For changes: only rows changed after this server time, in Unix seconds."""
    expected: int = 0
    """Rows of the whole list, as an earlier check counted them."""
    purge: bool = False
    """Whether rows that a full walk did not see are to be removed."""
    page: int = 1
    """Number of the page to request next."""
    page_size: int = 0
    """Rows on a page, known from the first; 0 where there is only one."""
    count: int = -1
    """Rows of the list by the last page; negative before the first page."""
    began: float | None = None
    """Server time of the first page."""
    seen_at: float | None = None
    """Server time of the last page."""
    fetched: int = 0
    """Pages requested so far, steps back and repetitions included."""
    attempt: int = 1
    """Number of this walk through the list, from 1."""
    cached: bool = False
    """Whether a page came from the server's cache."""
    ended: bool = False
    """Whether the last page, or the last one before a proof, has been stored."""
    turned: tuple[int, int] | None = None
    """Page, and its count, that last caused a step back."""
    at_end: bool = False
    """Whether the last page of the list has been stored."""
    traced: bool = True
    """Whether ``modified_gt`` selects the rows that were added or have moved."""
    dated: bool = True
    """Whether all responses had a ``Date``."""
    proven: int = 0
    """Pages whose seams are proven."""
    proven_count: int = 0
    """Rows of the list at the last proof."""
    stride: int = 0
    """Pages until the next proof; 0 for one at the end."""
    edited_after: float | None = None
    """Server time since which edits are not accounted for by a proof."""
    accounted: tuple[Change, ...] = ()
    """Latest edits that the last proof accounted for."""
    doubtful: bool = False
    """Whether the count rose, or a step back was not made, since the last proof."""
    fell: bool = False
    """Whether the count fell since the last proof."""
    recent: tuple[Change, ...] = ()
    """Rows on its pages that were edited since the last proof."""
    digest: int = 0
    """Digest of the pages of this attempt."""
    digest_before: int | None = None
    """Digest of the attempt before."""
    proves: Walk | None = None
    """For changes: the walk whose proof they are."""
    edits: tuple[Change, ...] = ()
    """For a proof: edits since the walk that it proves began, or since the last proof."""


class Arrived(msgspec.Struct, frozen=True):
    """What a walk needs to know about a page."""

    rows: tuple[Change, ...]
    """Ids of the rows, and their ``modified`` (0.0 where rows have none)."""
    count: int
    """Rows of the whole list."""
    has_next: bool
    """Whether there is a further page."""
    as_of: float
    """Server time, in Unix seconds, for which the page is correct."""
    cached: bool = False
    """Whether it came from the server's cache."""
    dated: bool = True
    """Whether the response had a ``Date``."""


class Outcome(msgspec.Struct, frozen=True):
    """What follows the end of a walk."""

    next: Walk | None
    """The walk to make next, or ``None`` at the end of the run."""
    watermark: float | None = None
    """The new watermark, or ``None`` if it stays."""
    purge_before: int | None = None
    """Remove rows marked by earlier generations, or ``None``."""
    missing: int = 0
    """Rows that were counted and not seen."""
    repeats: bool = False
    """Whether ``next`` walks the same pages again."""
    proven: bool = True
    """Whether all seams between pages are proven."""
