"""Interface of a cache, and what all caches share."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeAlias

import msgspec

from metron_async.cache.keys import account_name
from metron_async.cache.policy import Fetch, Options, Policy, Revalidate
from metron_async.errors import ClosedError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Mapping

    from metron_async.cache.entry import Entry, Kind
    from metron_async.cache.policy import Decision, FreshnessKey

__all__ = ["Age", "Cache", "CacheStats", "LoopGuard", "consult"]

Age: TypeAlias = float | timedelta
"""Duration: seconds, or a timedelta."""

_DEFAULT_OPTIONS = Options()


class CacheStats(msgspec.Struct):
    """Counts since the cache was made.

    Attributes:
        memory_hits: Entries found in memory.
        disk_hits: Entries found in the file.
        misses: Keys under which nothing usable was found.
        stored: Entries stored.
        evicted: Entries dropped to stay within the size limit.
        damaged: Entries that were found damaged, and dropped.
        recovered: Times that a whole file was set aside and a new one was created.
        errors: Failures to read or write the file. None of them makes a call fail.
    """

    memory_hits: int = 0
    disk_hits: int = 0
    misses: int = 0
    stored: int = 0
    evicted: int = 0
    damaged: int = 0
    recovered: int = 0
    errors: int = 0


class Cache(Protocol):
    """Protocol of a cache, for implementations of your own.

    A failure of the store must not raise. A cache that cannot read returns nothing, and a cache
    that cannot write drops the entry.
    """

    @property
    def policy(self) -> Policy:
        """Rules: which responses are kept, and for how long they are fresh."""
        ...

    @property
    def stats(self) -> CacheStats:
        """Counts since the cache was made."""
        ...

    async def account(self, identity: str) -> str:
        """Return the name under which the entries of *identity* are kept: a keyed hash."""
        ...

    async def get(self, key: str, *, reload: bool = False) -> Entry | None:
        """Return the entry under *key*; with *reload*, look past what is only in memory."""
        ...

    async def get_many(self, keys: Iterable[str], *, reload: bool = False) -> dict[str, Entry]:
        """Return the entries that exist under *keys*, in one round trip."""
        ...

    async def put(self, entries: Iterable[Entry]) -> None:
        """Keep *entries*, in place of those under their keys."""
        ...

    async def touch(self, keys: Iterable[str], checked_at: float) -> None:
        """Record that the entries under *keys* were current at *checked_at*."""
        ...

    async def delete(self, keys: Iterable[str]) -> None:
        """Drop the entries under *keys*."""
        ...

    async def invalidate(
        self,
        account: str,
        *,
        resource: str | None = None,
        object_id: int | None = None,
        kinds: Iterable[Kind] | None = None,
        now: float | None = None,
    ) -> None:
        """Drop what a write may have made stale, including responses still in flight.

        Args:
            account: Account of the entries.
            resource: Only those of this resource.
            object_id: Only those of this object.
            kinds: Only those of these kinds.
            now: Wall-clock seconds; the system's clock if not given.
        """
        ...

    async def purge(
        self,
        resource: str | None = None,
        older_than: Age | None = None,
        *,
        now: float | None = None,
    ) -> int:
        """Drop entries of every account, and return how many.

        Args:
            resource: Only those of this resource.
            older_than: Only those whose body is older than this.
            now: Wall-clock seconds; the system's clock if not given.
        """
        ...

    async def clear(self) -> None:
        """Drop everything."""
        ...

    async def aclose(self) -> None:
        """Write what is not written yet, and close the file."""
        ...


async def consult(
    cache: Cache, key: str, now: float, options: Options = _DEFAULT_OPTIONS
) -> Decision:
    """Look *key* up, and decide what to do.

    Another process may have renewed the entry meanwhile. So before a request is sent, the cache
    reads past its memory: a read costs microseconds, a request costs quota.

    Args:
        cache: The cache.
        key: Key from :func:`~metron_async.cache.keys.make_key`.
        now: Wall-clock seconds.
        options: Cache options of the call.
    """
    decision = cache.policy.decide(await cache.get(key), now, options)
    if _is_worth_a_second_look(decision, options):
        decision = cache.policy.decide(await cache.get(key, reload=True), now, options)
    return decision


def _is_worth_a_second_look(decision: Decision, options: Options) -> bool:
    if options.refresh:
        return False
    # A plain miss was already looked for everywhere.
    return isinstance(decision, Revalidate) or (
        isinstance(decision, Fetch) and decision.fallback is not None
    )


class BaseCache:
    """The options that every cache takes, and what follows from them: its policy and its counts."""

    shared: ClassVar[bool] = False
    """Whether other processes find what is kept here."""
    deferred: ClassVar[bool] = False
    """Whether they find it only some time after it was put."""
    renamed: int = 0
    """How often the names of all accounts have changed, since the secret behind them was lost."""

    def __init__(
        self,
        freshness: Mapping[FreshnessKey, float] | None,
        max_age: float | None,
        keep_private: bool,
        keep_empty_lists: bool,
    ) -> None:
        default = Policy()
        self._policy = Policy(
            freshness=dict(freshness or {}),
            max_age=default.max_age if max_age is None else max_age,
            keep_private=keep_private,
            keep_empty_lists=keep_empty_lists,
        )
        self._stats = CacheStats()
        self._identities: dict[str, str] = {}

    def _name(self, secret: bytes, identity: str) -> str:
        """Return the present name of an account.

        Args:
            secret: The key of the names.
            identity: Its identity, or a name that it had before.
        """
        identity = self._identities.get(identity, identity)
        name = account_name(secret, identity)
        self._identities[name] = identity
        return name

    def _note_renaming(self, renamed: bool) -> None:
        """Count whether all accounts have got other names."""
        self.renamed += renamed

    def _present(self, secret: bytes, name: str) -> str:
        """Return the name that the account with this *name* has now."""
        return self._name(secret, name) if name in self._identities else name

    @property
    def policy(self) -> Policy:
        """What may be kept, and for how long it is fresh."""
        return self._policy

    @property
    def stats(self) -> CacheStats:
        """Counts since the cache was made."""
        return self._stats


def wall_clock(now: float | None) -> float:
    """Return *now*, or the current time if it is ``None``."""
    return time.time() if now is None else now


def born_before(older_than: Age | None, now: float | None) -> float:
    """Return the stamp before which entries are older than *older_than*."""
    if older_than is None:
        return float("inf")
    if isinstance(older_than, timedelta):
        older_than = older_than.total_seconds()
    return wall_clock(now) - older_than


class LoopGuard:
    """Binds an object to the event loop and the process that first use it."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pid = 0
        self.closed = False

    def check(self, loop: asyncio.AbstractEventLoop) -> None:
        """Bind to *loop*, or check that it is the bound one.

        Raises:
            ClosedError: After closing, from another loop, or after a fork.
        """
        if loop is self._loop and os.getpid() == self._pid and not self.closed:
            return
        if self.closed:
            msg = f"This {self._what} is closed"
        elif self._loop is None:
            self._loop, self._pid = loop, os.getpid()
            return
        elif os.getpid() != self._pid:
            msg = f"This {self._what} was opened before a fork. Create one in each process"
        else:
            msg = f"This {self._what} belongs to another event loop. Create one for each loop"
        raise ClosedError(msg)
