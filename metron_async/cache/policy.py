"""What may be served from the cache, and what to do otherwise. Pure: no clock, no I/O.

The questions, in the order in which one call asks them::

    entry, now, options ─▶ decide() ─▶ Serve        give the bytes to the caller
                                    ├▶ Revalidate   ask with If-Modified-Since; 304 costs as much
                                    │               as 200, but the entry then counts from now
                                    ├▶ Fetch        ask without a condition
                                    └▶ Unavailable  offline, and nothing is there
    the answer          ─▶ storable()               keep it?
    no answer           ─▶ may_serve_stale()        better old than nothing?

Three times bound an entry. ``checked_at`` tells when somebody last vouched for it (the fetch, a
304, a row in a list): fresh for ``fresh_for`` from there. ``stored_at`` tells when the body came:
after ``max_age`` only a fetch without a condition will do, since a 304 and a list tell nothing
about the names of *other* objects embedded in it. And a stamp from the future tells nothing at
all: somebody's clock was wrong, so the entry is as good as never vouched for.

When a condition is honest. ``Last-Modified`` has whole seconds only. Had the object been changed
twice in one second, and fetched in between, then a 304 would confirm the first state for ever; so
an entry fetched in the very second of its own ``Last-Modified`` is never asked for with a
condition (RFC 9110, 8.8.2.2). Neither is one whose body names another moment in ``modified`` than
its header does, nor a collection item, whose re-reads move neither.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from metron_async._httpdate import parse_http_date
from metron_async._version import __version__
from metron_async.cache.entry import CLOCK_TOLERANCE, Entry, Kind
from metron_async.cache.vouching import instant
from metron_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "DEFAULT_FRESHNESS",
    "Decision",
    "Failure",
    "Fetch",
    "FreshnessKey",
    "Options",
    "Policy",
    "Revalidate",
    "Serve",
    "Unavailable",
    "age_of",
]

FreshnessKey: TypeAlias = Kind | str | tuple[str, Kind]
"""A kind, a resource, or both; the most precise one wins."""

DEFAULT_FRESHNESS: dict[Kind, float] = {
    Kind.DETAIL: 24 * 3600.0,
    Kind.ISSUE_LIST: 3600.0,
    Kind.LIST: 120.0,
    Kind.PRIVATE: 0.0,
}
"""Seconds for which an entry is served without asking, per kind."""

NEVER_CONDITIONAL = frozenset({"collection"})
_OK, _NOT_FOUND = 200, 404
_LARGEST_ID = 2**63 - 1  # anybody may ask for a larger one, but no database has it


class Failure(enum.Enum):
    """Why no answer could be had."""

    SERVER = "server"  # 5xx, or a body that cannot be read
    TRANSPORT = "transport"  # no connection, half an answer, a timeout
    QUOTA = "quota"  # the window is spent, or the server said 429
    BLOCKED = "blocked"  # the ban guard refuses
    REFUSED = "refused"  # 400, 401, 403, 404: this is the answer, and no failure to hide


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What one call asks of the cache.

    Attributes:
        fresh_for: Seconds for which an entry will do, instead of the policy's own.
        refresh: Fetch anew, whatever is there, and without a condition.
        offline: Send nothing: serve what is there, however old.
        stale_if_error: Let an old entry stand in when the server fails or the quota is spent.
    """

    fresh_for: float | None = None
    refresh: bool = False
    offline: bool = False
    stale_if_error: bool = True


class Serve(msgspec.Struct, frozen=True):
    """Give the entry to the caller; *age* is in seconds, *stale* if it should not be trusted."""

    entry: Entry
    age: float
    stale: bool = False


class Revalidate(msgspec.Struct, frozen=True):
    """Ask with ``If-Modified-Since``; on 304 the entry counts from now."""

    entry: Entry
    if_modified_since: str


class Fetch(msgspec.Struct, frozen=True):
    """Ask without a condition; *fallback* is what is there already, if anything."""

    fallback: Entry | None = None


class Unavailable(msgspec.Struct, frozen=True):
    """Nothing is there, and nothing may be sent."""


Decision: TypeAlias = Serve | Revalidate | Fetch | Unavailable

_DEFAULT_OPTIONS = Options()


def age_of(stamp: float, now: float) -> float | None:
    """Return the seconds since *stamp*, or ``None`` if it cannot be trusted."""
    age = now - stamp
    if not age >= -CLOCK_TOLERANCE:  # also catches NaN
        return None
    return max(0.0, age)


def _no_freshness() -> dict[FreshnessKey, float]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How long entries are good for, and which answers are kept.

    Attributes:
        freshness: Seconds by kind, by resource, or by both, over :data:`DEFAULT_FRESHNESS`.
        max_age: Seconds after which an entry is fetched anew, without a condition.
        max_stale: Seconds after which it does not even stand in for a failing server.
        not_found_for: Seconds for which a 404 is remembered.
        keep_private: Also keep collection, pull list, wish list and reading lists.
        keep_empty_lists: Also keep lists without rows.
        version: Entries of any other version of the package are not used.
    """

    freshness: Mapping[FreshnessKey, float] = field(default_factory=_no_freshness)
    max_age: float = 7 * 86_400.0
    max_stale: float = 30 * 86_400.0
    not_found_for: float = 300.0
    keep_private: bool = False
    keep_empty_lists: bool = False
    version: str = __version__

    def __post_init__(self) -> None:
        for name, seconds in (
            ("max_age", self.max_age),
            ("max_stale", self.max_stale),
            ("not_found_for", self.not_found_for),
            *((f"freshness[{key!r}]", seconds) for key, seconds in self.freshness.items()),
        ):
            if math.isnan(seconds) or seconds < 0:
                msg = f"{name} must be a number of seconds from 0 up, not {seconds!r}"
                raise ConfigurationError(msg)

    def fresh_for(self, resource: str, kind: Kind) -> float:
        """Return for how many seconds an entry of that resource and kind is fresh."""
        for key in ((resource, kind), resource, kind):
            if key in self.freshness:
                return self.freshness[key]
        return DEFAULT_FRESHNESS[kind]

    def decide(
        self, entry: Entry | None, now: float, options: Options = _DEFAULT_OPTIONS
    ) -> Decision:
        """Decide what one call does with what is in the cache.

        Args:
            entry: What was found under the call's key.
            now: Wall-clock time in seconds.
            options: What the call asks for.
        """
        if entry is None or entry.version != self.version:
            return Unavailable() if options.offline else Fetch()
        age = self._vouched_age(entry, now)
        fresh = age is not None and age < self._limit(entry, options)
        if options.offline:
            if entry.status == _NOT_FOUND and not fresh:
                return Unavailable()  # it may well exist by now
            return Serve(entry, math.inf if age is None else age, stale=not fresh)
        if options.refresh:
            return Fetch(entry)
        if fresh and age is not None:
            return Serve(entry, age)
        condition = self._condition(entry, now)
        return Fetch(entry) if condition is None else Revalidate(entry, condition)

    def may_serve_stale(
        self,
        entry: Entry | None,
        now: float,
        failure: Failure,
        options: Options = _DEFAULT_OPTIONS,
    ) -> bool:
        """Tell whether *entry* may stand in for an answer that could not be had."""
        if entry is None or entry.version != self.version or entry.status != _OK:
            return False
        if failure is Failure.REFUSED or options.refresh or not options.stale_if_error:
            return False
        age = age_of(entry.stored_at, now)
        return age is not None and age < self.max_stale

    def storable(self, *, kind: Kind, status: int, decoded: bool, empty: bool = False) -> bool:
        """Tell whether an answer is kept.

        Args:
            kind: What sort of answer it is.
            status: Its HTTP status. Only 200 and 404 say something about the object.
            decoded: Whether the body was understood; what is not, was not from the server.
            empty: Whether it is a list without rows.
        """
        if kind is Kind.PRIVATE and not self.keep_private:
            return False
        if status == _NOT_FOUND:
            return kind is not Kind.PRIVATE and self.not_found_for > 0
        return status == _OK and decoded and (self.keep_empty_lists or not empty)

    def keeps(self, entry: Entry) -> bool:
        """Tell whether a store may keep *entry*: its last line of defence."""
        if entry.kind is Kind.PRIVATE and not self.keep_private:
            return False
        if entry.object_id is not None and abs(entry.object_id) > _LARGEST_ID:
            return False
        return entry.status in (_OK, _NOT_FOUND)

    def _limit(self, entry: Entry, options: Options) -> float:
        limit = self.fresh_for(entry.resource, entry.kind)
        if options.fresh_for is not None:
            limit = options.fresh_for
        return limit if entry.status == _OK else min(limit, self.not_found_for)

    def _vouched_age(self, entry: Entry, now: float) -> float | None:
        """Return the seconds since somebody vouched for *entry*, or ``None`` if nobody may."""
        stored = age_of(entry.stored_at, now)
        if stored is None or stored >= self.max_age:
            return None
        checked = age_of(entry.checked_at, now)
        return stored if checked is None else min(stored, checked)

    def _condition(self, entry: Entry, now: float) -> str | None:
        """Return the value for ``If-Modified-Since``, or ``None`` where a 304 might mislead."""
        stored = age_of(entry.stored_at, now)
        if stored is None or stored >= self.max_age or entry.status != _OK:
            return None
        if entry.resource in NEVER_CONDITIONAL or entry.kind is Kind.LIST:
            return None
        changed = parse_http_date(entry.last_modified)
        if changed is None:
            return None
        answered = parse_http_date(entry.date)
        if answered is not None and answered <= changed:
            return None
        named = instant(entry.modified)
        if named is not None and math.floor(named) != changed:
            return None
        return entry.last_modified
