"""Storage in a file that all processes of one user share."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from metron_async.storage.base import PATIENCE, Binding, States, announce, logger
from metron_async.storage.clock import MachineClock
from metron_async.storage.files import OPEN_ERRORS, default_directory
from metron_async.storage.memory import MemoryStorage
from metron_async.storage.statefile import StateFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from metron_async.storage.base import Decided, Loaded

__all__ = ["SQLiteStorage"]

T = TypeVar("T")

_NAME = "state.sqlite3"
_RETRY = 30.0  # seconds until a file that failed is tried again
_SHORT = 0.25  # seconds to wait for a locked file that failed before

_memories: dict[Path, MemoryStorage] = {}  # for all storages of this process


class SQLiteStorage:
    """Storage in a directory that all processes of one machine share.

    Where the directory cannot be used, a private one below the system's directory for temporary
    files is used, and where that fails too, the memory of this process. One warning says so. The
    directory is tried again every 30 seconds.

    Args:
        directory: Directory of the file, created if missing. Default: the user's cache directory.

    Example:
        >>> storage = SQLiteStorage("/var/lib/comics")
        >>> await storage.transact("account", "address", decide)  # doctest: +SKIP
    """

    def __init__(self, directory: Path | str | None = None) -> None:
        self._clock = MachineClock()
        self._states = States()
        self._binding = Binding(self._rebind)
        self._warned = False
        self._problem: BaseException | None = None
        self.directory: Path | None = None if directory is None else Path(directory).absolute()
        """Directory of the file, ``None`` if the user has none."""
        try:
            self.directory = self.directory or default_directory()
        except OSError as error:
            self._problem = error
        self._files: list[StateFile] = []
        if self.directory is not None:
            self._files.append(StateFile(self.directory / _NAME, self._clock))
        if (fallback := _temporary_path(self.directory)) is not None:
            # Each file has a clock of its own: in a file that other processes use, only its own
            # clock tells how old a failure is.
            clock = MachineClock(begin=self._clock.now)
            self._files.append(StateFile(fallback, clock, check_directory=True))
        self._memory = _memories.setdefault(self.directory or Path(), MemoryStorage())

    def __repr__(self) -> str:
        return f"SQLiteStorage({str(self.directory)!r})"

    async def transact(
        self, account: str, address: str, decide: Callable[[Loaded], Decided[T]]
    ) -> T:
        """Load two states, decide, and save: see :meth:`Storage.transact`."""
        loop = asyncio.get_running_loop()
        token = self._binding.enter(loop)
        try:
            for file in self._files:
                if file.retry_at and file.retry_at > loop.time():
                    continue
                timeout = _SHORT if file.retry_at else PATIENCE
                try:
                    reply = await file.transact(account, address, decide, self._states, timeout)
                except OPEN_ERRORS as error:
                    self._problem = error
                    file.retry_at = loop.time() + _RETRY
                    logger.debug("State file %s cannot be used: %s", file.path, error)
                else:
                    file.retry_at = 0.0
                    if file is not self._files[0] or self.directory is None:
                        self._warn(f"{file.path} is used instead")
                    return reply
            self._warn("it is kept in memory and not shared with other processes")
            now = self._clock.now()
            return self._memory.transact_at(now, account, address, decide, self._states)
        finally:
            self._binding.leave(token)

    async def prepare(self) -> None:
        """Open the file now; if that fails, the first transaction deals with it."""
        token = self._binding.enter(asyncio.get_running_loop())
        try:
            with contextlib.suppress(*OPEN_ERRORS):
                await self._files[0].open()
        finally:
            self._binding.leave(token)

    async def aclose(self) -> None:
        """Close the file. The next transaction opens it again."""
        token = self._binding.enter(asyncio.get_running_loop())
        try:
            for file in self._files:
                await file.aclose()
        finally:
            self._binding.leave(token)

    def _rebind(self, forked: bool) -> None:
        for file in self._files:
            file.forget_loop()
            if forked:
                file.forget_parent()

    def _warn(self, substitute: str) -> None:
        if not self._warned:
            self._warned = True
            place = self.directory or "The cache directory"
            announce(f"{place} cannot hold the shared state, {substitute}: {self._problem}")


def _temporary_path(directory: Path | None) -> Path | None:
    """Return where the state goes if *directory* fails, private to the user."""
    user = os.getuid() if hasattr(os, "getuid") else ""
    number = zlib.crc32(str(directory).encode())
    try:
        return Path(tempfile.gettempdir(), f"metron_async-{user}", f"state-{number:08x}.sqlite3")
    except OSError:
        return None
