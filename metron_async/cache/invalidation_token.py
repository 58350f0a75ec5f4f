"""Token by which processes that share a file see that entries were dropped from it.

Each process keeps recently used entries in memory. It would serve them for hours after another
process has written to the server and dropped them from the file. So a process that drops an entry
writes 16 random bytes, the token, to a small file beside the database. A process that serves from
memory reads the token first (one ``pread``, about a microsecond), and clears its memory when the
token has changed. Random bytes need neither a lock nor an order.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from metron_async.storage.files import make_directory

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["InvalidationToken"]

_SIZE = 16


class InvalidationToken:
    """The token file at *path*. If it cannot be used, the token never changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def open(self) -> bool:
        """Open the file, or open it again if it was replaced, and return whether it was.

        A new one says nothing of what was dropped before.
        """
        known = self._handle
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        try:
            if known is not None and self._is_in_place(known):
                return False
            self.close()
            make_directory(self._path.parent)
            self._handle = os.open(self._path, flags, 0o600)
        except OSError:
            self._handle = None
        return known is not None

    def _is_in_place(self, handle: int) -> bool:
        try:
            return os.path.samestat(self._path.stat(), os.fstat(handle))
        except FileNotFoundError:
            return False

    def read(self) -> bytes:
        """Return the current token."""
        if self._handle is None:
            return b""
        try:
            return _read_at_start(self._handle)
        except OSError:
            return os.urandom(_SIZE)  # unknown: clearing too often is safe

    def renew(self) -> None:
        """Write a new token, for every process."""
        if self._handle is None:
            return
        try:
            _write_at_start(self._handle, os.urandom(_SIZE))
        except OSError:
            self.close()

    def close(self) -> None:
        """Close the file."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


if hasattr(os, "pread"):

    def _read_at_start(handle: int) -> bytes:
        return os.pread(handle, _SIZE, 0)

    def _write_at_start(handle: int, data: bytes) -> None:
        os.pwrite(handle, data, 0)

else:  # pragma: no cover - Windows

    def _read_at_start(handle: int) -> bytes:
        os.lseek(handle, 0, os.SEEK_SET)
        return os.read(handle, _SIZE)

    def _write_at_start(handle: int, data: bytes) -> None:
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, data)
