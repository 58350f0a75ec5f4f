"""Cache in Redis, shared by all hosts that use it.

No copy is kept in a process's memory, so a drop reaches every host with the reply to the drop. A
lookup costs one round trip, also for a hundred keys. The server bounds the size: a script evicts
what was not used for longest, and every entry expires.

A failure of the server is a miss; see :mod:`~metron_async.cache.redis_connection`.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from metron_async.cache import redis_scripts as scripts
from metron_async.cache.base import Age, BaseCache, born_before, wall_clock
from metron_async.cache.entry import LATE_ARRIVAL, Entry, Kind, Selector
from metron_async.cache.keys import PENDING, account_name
from metron_async.cache.memory import MEGABYTE
from metron_async.cache.redis_connection import RedisConnection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from redis.asyncio import Redis

    from metron_async.cache.policy import FreshnessKey

__all__ = ["RedisCache"]

_PREFIX = f"metron_async:cache-{scripts.LAYOUT}:"
_SECRET = f"{_PREFIX}secret"
_EVICT_TO = 0.9  # of the limit, so that not every put evicts
_SECRET_BYTES = 32
_USES_KEPT = 16  # lookups whose uses are recorded here before they are on the server


class RedisCache(BaseCache):
    """Cache in a Redis or Valkey server (no cluster), shared by all hosts that reach it.

    Response bodies are stored in plain text. Use a server that only your programs can read.

    Args:
        server: URL, ``redis://`` or ``rediss://``; or a ``redis.asyncio.Redis`` that does not
            decode responses. A client that is passed in is not closed.
        max_bytes: Size limit in bytes. The least recently used entries are evicted first.
        freshness: Seconds by kind, resource, or both, over the defaults.
        max_age: Seconds after which an entry is fetched again, without a condition.
        keep_private: Also keep collection, pull list, wish list and reading lists.
        keep_empty_lists: Also keep lists without rows.

    Raises:
        ConfigurationError: If the extra ``redis`` is not installed, or an option is invalid.

    Example:
        >>> cache = RedisCache("redis://localhost:6379/0", max_bytes=64 << 20)
    """

    shared = True

    def __init__(
        self,
        server: Redis | str,
        *,
        max_bytes: int = 256 * MEGABYTE,
        freshness: Mapping[FreshnessKey, float] | None = None,
        max_age: float | None = None,
        keep_private: bool = False,
        keep_empty_lists: bool = False,
    ) -> None:
        super().__init__(freshness, max_age, keep_private, keep_empty_lists)
        self._max_bytes = max_bytes
        self._secret: bytes | None = None
        self._used: dict[str, float] = {}
        self._lookups = 0
        self._connection = RedisConnection(server, self._stats, self._forget_all)
        self._client = self._connection.client
        self._put = self._client.register_script(scripts.PUT)
        self._remove = self._client.register_script(scripts.REMOVE)
        self._drop = self._client.register_script(scripts.DROP)
        self._touch = self._client.register_script(scripts.TOUCH)

    def __repr__(self) -> str:
        return "RedisCache(...)"  # the URL may hold a password

    async def account(self, identity: str) -> str:
        """Return the name under which the entries of *identity* are kept: a keyed hash.

        While the server cannot be reached, its secret is not known. Nothing is kept under the name
        that is returned then. It starts with :data:`~metron_async.cache.keys.PENDING`, and may be
        passed here in place of the identity, to get the real name later.
        """
        pending = identity in self._identities
        if self._secret is None:
            await self._connection.attempt(self._confirm_secret, default=False)
        if self._secret is not None:
            return self._name(self._secret, identity)
        if pending:
            return identity
        alias = PENDING + account_name(secrets.token_bytes(_SECRET_BYTES), identity)
        self._identities[alias] = identity
        return alias

    async def get(self, key: str, *, reload: bool = False) -> Entry | None:
        """Return the entry under *key*."""
        if self._lookups >= _USES_KEPT:
            return (await self.get_many([key], reload=reload)).get(key)
        self._note_use([key])
        name = f"{_PREFIX}entry:{key}"  # one command takes half the time of a pipeline
        sealed = await self._connection.attempt(lambda: self._client.get(name), default=None)
        damaged: list[str] = []
        entry = self._opened(key, sealed, damaged)
        await self.delete(damaged)
        return entry

    async def get_many(self, keys: Iterable[str], *, reload: bool = False) -> dict[str, Entry]:  # noqa: ARG002
        """Return the entries that exist under *keys*, in one round trip."""
        wanted = list(dict.fromkeys(keys))
        if not wanted:
            return {}
        self._note_use(wanted)

        async def read() -> Any:
            pipe = self._client.pipeline(transaction=False)
            pipe.mget([f"{_PREFIX}entry:{key}" for key in wanted])
            if self._used:  # another operation may have saved them meanwhile
                self._save_uses(pipe)
            found = (await pipe.execute(raise_on_error=False))[0]  # a full server refuses the uses
            if isinstance(found, Exception):
                raise found
            return found

        rows: list[Any] = await self._connection.attempt(read, default=[None] * len(wanted))
        damaged: list[str] = []
        entries = [self._opened(key, row, damaged) for key, row in zip(wanted, rows, strict=True)]
        await self.delete(damaged)
        return {entry.key: entry for entry in entries if entry is not None}

    def _opened(self, key: str, sealed: bytes | None, damaged: list[str]) -> Entry | None:
        """Return what was found, if it can be used; add *key* to *damaged* if it is."""
        entry = None if sealed is None else scripts.open_entry(key, sealed)
        if sealed is not None and entry is None:
            self._stats.damaged += 1
            damaged.append(key)
        policy = self._policy
        usable = entry is not None and entry.version == policy.version and policy.keeps(entry)
        self._stats.disk_hits += usable
        self._stats.misses += not usable
        return entry if usable else None

    def _note_use(self, keys: list[str]) -> None:
        """Note that *keys* are used, which is saved with a later lookup."""
        self._used |= dict.fromkeys(keys, wall_clock(None))
        self._lookups += 1

    def _save_uses(self, client: Any) -> Any:
        """Record on the server which entries were used, so that others are evicted first."""
        used, self._used, self._lookups = self._used, {}, 0
        return client.zadd(f"{_PREFIX}used", used, xx=True)

    async def put(self, entries: Iterable[Entry]) -> None:
        """Keep *entries*, in place of those under their keys."""
        kept = [
            entry
            for entry in entries
            if self._policy.keeps(entry) and not entry.account.startswith(PENDING)
        ]
        if not kept:
            return
        expiry = int(min(self._policy.max_stale, 10 * 365 * 86_400.0) * 1000)
        arguments: list[Any] = [self._max_bytes, int(self._max_bytes * _EVICT_TO), max(1, expiry)]
        arguments.append(LATE_ARRIVAL)
        for entry in kept:
            arguments += [entry.key, scripts.seal(entry), repr(entry.asked_at)]
            arguments += [entry.account, entry.size]
            arguments += [scripts.member_of(entry), repr(wall_clock(None))]
            arguments += [repr(entry.stored_at), scripts.times_of(entry)]

        async def put() -> Any:
            if not await self._confirm_secret():
                return 0, 0  # under names that the other hosts do not know
            if self._used:
                await self._save_uses(self._client)
            return await self._put(keys=[_PREFIX], args=arguments)

        stored, evicted = await self._connection.attempt(put, default=(0, 0))
        self._stats.stored += stored
        self._stats.evicted += evicted

    async def touch(self, keys: Iterable[str], checked_at: float) -> None:
        """Record that the entries under *keys* were current at *checked_at*."""
        arguments = [scripts.stamp_of(checked_at), *keys]
        if len(arguments) > 1:
            await self._connection.attempt(
                lambda: self._touch(keys=[_PREFIX], args=arguments), default=None
            )

    async def delete(self, keys: Iterable[str]) -> None:
        """Drop the entries under *keys*."""
        arguments = list(keys)
        if arguments:
            await self._connection.insist(lambda: self._remove(keys=[_PREFIX], args=arguments))

    async def invalidate(
        self,
        account: str,
        *,
        resource: str | None = None,
        object_id: int | None = None,
        kinds: Iterable[Kind] | None = None,
        now: float | None = None,
    ) -> None:
        """Drop what a write may have made stale, late responses included, on every host.

        Args:
            account: Account of the entries.
            resource: Only those of this resource.
            object_id: Only those of this object.
            kinds: Only those of these kinds.
            now: Wall-clock seconds; the system's clock if not given.
        """
        at = wall_clock(now)
        named = None if kinds is None else frozenset(kinds)

        async def drop() -> None:
            await self._confirm_secret()
            selector = Selector(
                account=self._present(self._secret or b"", account),
                resource=resource,
                object_id=object_id,
                kinds=named,
            )
            only = "" if named is None else f" {' '.join(kind.value for kind in named)} "
            head: list[Any] = [
                selector.account,
                repr(at),
                int(LATE_ARRIVAL),
                *scripts.range_of(selector),
            ]
            filters = ["" if object_id is None else object_id, only]
            fields = scripts.drop_fields(selector)
            await self._drop(keys=[_PREFIX], args=[*head, *filters, *fields])

        await self._connection.insist(drop)

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
        limit = born_before(older_than, now)
        removed = 0
        async with self._connection.reported():
            batch: list[str] = []
            async for key, about in self._client.hscan_iter(f"{_PREFIX}about", count=500):
                _, stored_at, _, member = about.decode().split(" ", 3)
                if resource in (None, member.partition(":")[0]) and float(stored_at) < limit:
                    batch.append(key)
            for start in range(0, len(batch), 500):
                removed += await self._remove(keys=[_PREFIX], args=batch[start : start + 500])
        return removed

    async def clear(self) -> None:
        """Drop everything of every account."""
        await self._connection.insist(self._forget_all)

    async def size(self) -> tuple[int, int]:
        """Return how many entries the cache holds, and their bytes."""

        async def read() -> tuple[int, int]:
            pipe = self._client.pipeline(transaction=False)
            pipe.hlen(f"{_PREFIX}about")
            pipe.get(f"{_PREFIX}bytes")
            count, total = await pipe.execute()
            return int(count), int(total or 0)

        return await self._connection.attempt(read, default=(0, 0))

    async def aclose(self) -> None:
        """Close the connections, unless the client was passed in. Safe to call twice."""
        await self._connection.aclose()

    async def _forget_all(self) -> None:
        async for name in self._client.scan_iter(f"{_PREFIX}*", count=500):
            if name != _SECRET.encode():
                await self._client.unlink(name)

    async def _confirm_secret(self) -> bool:
        """Return whether this host's secret is the server's.

        A server that was emptied gets it again. If another host was first, its secret is taken,
        and the accounts get other names.
        """
        known, found = self._secret, await self._client.get(_SECRET)
        if found is None:
            offered = known or secrets.token_bytes(_SECRET_BYTES)
            await self._client.set(_SECRET, offered, nx=True)
            found = await self._client.get(_SECRET)
        self._secret, same = found, known in {None, found}
        self._note_renaming(not same)
        return same
