"""List revalidation: a page of a list vouches for cached details. Pure: no clock, no I/O.

A row in a resource's own list has the same ``modified`` as the detail. So one page, for one
request, shows for up to 100 cached details whether they are current. The page shows the state at
some time, and an estimate of that time must not be too late:

- The page was made after its request was sent, so it shows at least the state of that time. If its
  own ``Date`` is earlier, a proxy had cached the page, and ``Date`` counts.
- With ``X-Cache: HIT`` the server had cached the page, for up to two minutes.

Rows of an ``issue_list`` may come from a cache that is a day old. They vouch for nothing, and must
not be passed to this module.
"""

from __future__ import annotations

import enum
from datetime import datetime
from typing import TYPE_CHECKING

from metron_async._httpdate import parse_http_date
from metron_async.cache.entry import CLOCK_TOLERANCE

if TYPE_CHECKING:
    from metron_async.cache.entry import Entry

__all__ = ["Verdict", "instant", "page_as_of", "vouch"]

SERVER_KEEPS_LISTS_FOR = 120.0  # seconds
_FOUND = 200


class Verdict(enum.Enum):
    """State of a cached detail according to a row."""

    CURRENT = "current"  # it was current as of the page: touch it
    NEWER = "newer"  # it was changed and fetched after the page was made: use it as it is
    CHANGED = "changed"  # the object has changed: fetch it
    EXPIRED = "expired"  # the entry is too old, or has no valid time to compare: fetch it


def instant(value: str | datetime | None) -> float | None:
    """Return the Unix time of an ISO 8601 string or an aware datetime, or ``None``."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        if moment is None or moment.tzinfo is None:
            return None
        return moment.timestamp()
    except (ValueError, OverflowError):
        return None


def page_as_of(*, date: str | None, x_cache: str | None, sent_at: float) -> float:
    """Return the time whose state a list page shows.

    Args:
        date: The page's ``Date`` header.
        x_cache: Its ``X-Cache`` header; any value but ``MISS`` counts as a hit.
        sent_at: Wall-clock seconds at which the page's request was sent.
    """
    answered = parse_http_date(date)
    as_of = sent_at if answered is None else min(sent_at, answered)
    if x_cache is not None and x_cache.strip().upper() != "MISS":
        as_of -= SERVER_KEEPS_LISTS_FOR
    return as_of


def vouch(
    entry: Entry,
    row_modified: str | datetime | None,
    as_of: float,
    *,
    now: float,
    max_age: float,
) -> Verdict:
    """Judge a cached detail by its row in the resource's own list.

    On :attr:`Verdict.CURRENT` the entry counts from *as_of*: pass that to the cache's ``touch``.

    Args:
        entry: The cached detail.
        row_modified: ``modified`` of the row.
        as_of: From :func:`page_as_of`.
        now: Wall-clock seconds.
        max_age: The policy's. A row does not vouch for an older entry.
    """
    mine, theirs = instant(entry.modified), instant(row_modified)
    if entry.status != _FOUND:
        return Verdict.CHANGED  # remembered as missing, and here it is
    age = now - entry.stored_at
    if mine is None or theirs is None or not -CLOCK_TOLERANCE <= age < max_age:
        return Verdict.EXPIRED
    if mine == theirs:
        return Verdict.CURRENT
    # An older row shows nothing new if the change came after the page was made. If the page is
    # newer than the change, time went backwards (a restored backup), and the row is right.
    return Verdict.NEWER if mine > theirs and mine > as_of else Verdict.CHANGED
