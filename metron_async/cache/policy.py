"""Cache policy: which entries may be served, and what to do otherwise. Pure: no clock, no I/O.

The decisions of one call, in order::

    entry, now, options ─▶ decide() ─▶ Serve        give the bytes to the caller
                                    ├▶ Revalidate   ask with If-Modified-Since; 304 costs as much
                                    │               as 200, but the entry then counts from now
                                    ├▶ Fetch        ask without a condition
                                    └▶ Unavailable  offline, and nothing is there
    a response          ─▶ storable()               whether to keep it
    a failure           ─▶ may_serve_stale()        whether a stale entry stands in

Two times limit the use of an entry. ``checked_at`` is when it was last known to be current (by its
fetch, a 304, or a row in a list). It is fresh for ``fresh_for`` seconds from then. ``stored_at`` is
when the body was received. After ``max_age`` seconds only a fetch without a condition is valid,
since a 304 and a list do not cover the names of *other* objects embedded in the body. A stamp in
the future shows that a clock was wrong, so the entry counts as never checked.

A condition is not always safe. ``Last-Modified`` has whole seconds only. If an object is changed
twice in one second, and fetched in between, a 304 would confirm the first state from then on. So an
entry fetched in the same second as its own ``Last-Modified`` is never revalidated with a condition
(RFC 9110, 8.8.2.2). Neither is an entry whose body has another time in ``modified`` than its
header, nor a collection item, because a re-read changes neither time.
"""

from __future__ import annotations

import enum
import math
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
"""Seconds for which an entry is served without a request, per kind."""

NEVER_CONDITIONAL = frozenset({"collection"})
_OK, _NOT_FOUND = 200, 404
_LARGEST_ID = 2**63 - 1  # a caller may pass a larger one, but SQLite cannot store it


class Failure(enum.Enum):
    """Why a request failed."""

    SERVER = "server"  # 5xx, or a body that cannot be read
    TRANSPORT = "transport"  # no connection, an incomplete response, a timeout
    QUOTA = "quota"  # the quota is used up, or the server returned 429
    BLOCKED = "blocked"  # blocked locally to avoid a ban
    REFUSED = "refused"  # 400, 401, 403, 404: a valid response, which a stale entry must not hide


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Cache options of one call.

    Attributes:
        fresh_for: Seconds for which an entry is fresh, instead of the policy's.
        refresh: Fetch again without a condition, whatever is cached.
        offline: Send nothing, and serve the cached entry, however old.
        stale_if_error: Let a stale entry stand in when the server fails or the quota is used up.
    """

    fresh_for: float | None = None
    refresh: bool = False
    offline: bool = False
    stale_if_error: bool = True


class Serve(msgspec.Struct, frozen=True):
    """Serve the entry; *age* is in seconds, and *stale* is true if it is not fresh."""

    entry: Entry
    age: float
    stale: bool = False


class Revalidate(msgspec.Struct, frozen=True):
    """Send a request with ``If-Modified-Since``; after a 304 the entry is fresh again."""

    entry: Entry
    if_modified_since: str


class Fetch(msgspec.Struct, frozen=True):
    """Send a request without a condition; *fallback* is the cached entry, if any."""

    fallback: Entry | None = None


class Unavailable(msgspec.Struct, frozen=True):
    """Nothing is cached, and nothing may be sent."""


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


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How long entries are fresh, and which responses are kept.

    Attributes:
        freshness: Seconds by kind, by resource, or by both, over :data:`DEFAULT_FRESHNESS`.
        max_age: Seconds after which an entry is fetched again, without a condition.
        max_stale: Seconds after which an entry does not stand in for a failing server.
        not_found_for: Seconds for which a 404 is remembered.
        keep_private: Also keep collection, pull list, wish list and reading lists.
        keep_empty_lists: Also keep lists without rows.
        version: Entries of any other version of the package are not used.
    """

    freshness: Mapping[FreshnessKey, float] = msgspec.field(default_factory=_no_freshness)
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
                msg = f"{name} must be a number of seconds, 0 or more, got {seconds!r}"
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
            entry: Entry under the call's key, or ``None``.
            now: Wall-clock time in seconds.
            options: Cache options of the call.
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
        """Return whether *entry* may stand in for a response that failed."""
        if entry is None or entry.version != self.version or entry.status != _OK:
            return False
        if failure is Failure.REFUSED or options.refresh or not options.stale_if_error:
            return False
        age = age_of(entry.stored_at, now)
        return age is not None and age < self.max_stale

    def storable(self, *, kind: Kind, status: int, decoded: bool, empty: bool = False) -> bool:
        """Return whether a response is kept.

        Args:
            kind: Kind of the response.
            status: Its HTTP status. Only 200 and 404 describe the object.
            decoded: Whether the body was decoded. A body that does not decode is not the API's.
            empty: Whether it is a list without rows.
        """
        if kind is Kind.PRIVATE and not self.keep_private:
            return False
        if status == _NOT_FOUND:
            return kind is not Kind.PRIVATE and self.not_found_for > 0
        return status == _OK and decoded and (self.keep_empty_lists or not empty)

    def keeps(self, entry: Entry) -> bool:
        """Return whether a store may keep *entry*."""
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
        """Return the seconds since *entry* was checked, or ``None`` if it must be fetched again."""
        stored = age_of(entry.stored_at, now)
        if stored is None or stored >= self.max_age:
            return None
        checked = age_of(entry.checked_at, now)
        return stored if checked is None else min(stored, checked)

    def _condition(self, entry: Entry, now: float) -> str | None:
        """Return the value for ``If-Modified-Since``, or ``None`` if a condition is not safe."""
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
