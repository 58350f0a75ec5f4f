"""The files of a cache: its database, and two small ones beside it.

A user may remove them all, or only some, while programs run. Each part is found again then.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from metron_async.cache.file import CacheFile, spawn
from metron_async.cache.invalidation_token import InvalidationToken
from metron_async.cache.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["CacheFiles"]


class CacheFiles:
    """The database at *path*, its token, and its secret.

    Args:
        path: Path of the database.
        on_recovery: Called each time a damaged database was set aside.
        on_replacement: Called when database or token were found to be replaced or deleted.
    """

    def __init__(
        self, path: Path, on_recovery: Callable[[], None], on_replacement: Callable[[], None]
    ) -> None:
        self._on_replacement = on_replacement
        self.database: CacheFile = CacheFile(path, on_recovery, on_replacement)
        self.token: InvalidationToken = InvalidationToken(path.with_name(path.name + ".epoch"))
        self.secret: Secret = Secret(path.with_name(path.name + ".secret"))

    async def open(self) -> OSError | None:
        """Open them all, and return why the secret cannot be kept, if it cannot."""
        failure, opening = None, spawn(self.database.open())
        try:
            await self.secret.load()
        except OSError as error:
            failure = error
            self.secret.keep_in_memory()
        await asyncio.to_thread(self.token.open)
        await opening
        return failure

    async def look_around(self) -> bool:
        """Open again what was replaced or removed, and return whether the secret is another one."""
        if self.token.open():
            self._on_replacement()
        await self.database.check_place()
        if not self.secret.is_in_place:
            with contextlib.suppress(OSError):
                return await self.secret.load()
        return False
