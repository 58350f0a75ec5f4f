"""The installation's secret, the key of the hashes that name accounts.

Without it, user names cannot be found from the names in the file, even by guessing. It is stored
beside the cache, readable by its owner only. Several processes may create it at the same time. Each
writes a secret of its own to a temporary file. The first that links its file to the final name
wins, and the others read that one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import stat
from typing import TYPE_CHECKING

from metron_async.storage.files import identity_of, make_directory

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SECRET_BYTES", "Secret", "load_secret"]

SECRET_BYTES = 32
_ATTEMPTS = 5
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)


class Secret:
    """The secret at *path*, as this process knows it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._identity = (0, 0)
        self.value: bytes = b""  # until it is loaded

    @property
    def is_in_place(self) -> bool:
        """Whether its file is the one that was read."""
        return identity_of(self._path) == self._identity

    async def load(self) -> bool:
        """Read it in a thread, and return whether another one was known.

        Raises:
            OSError: If it can neither be read nor created.
        """
        known = self.value
        self._identity = identity_of(self._path)  # before: it may be replaced while it is read
        self.value = await asyncio.to_thread(load_secret, self._path, known)
        if self._identity == (0, 0):  # it was created
            self._identity = identity_of(self._path)
        return known not in {b"", self.value}

    def keep_in_memory(self) -> None:
        """Make one up: entries of other runs are not found, but accounts are still kept apart."""
        self.value = secrets.token_bytes(SECRET_BYTES)


def load_secret(path: Path, present: bytes = b"") -> bytes:
    """Return the secret at *path*, created on first use.

    A secret that is damaged, or that other users could read or write, is replaced. The entries
    under the old names are then never found again, and are evicted in time.

    Args:
        path: Its file.
        present: The secret of this process, if any, which is written again if the file is gone.

    Raises:
        OSError: If it can neither be read nor created, is a link, or belongs to another user.
    """
    make_directory(path.parent)
    for _ in range(_ATTEMPTS):
        found = _read(path)
        if found is not None:
            return found
        _offer(path, present or secrets.token_bytes(SECRET_BYTES))
    msg = f"{path} cannot be created"
    raise OSError(msg)


def _read(path: Path) -> bytes | None:
    try:
        handle = os.open(path, os.O_RDONLY | _NO_FOLLOW)
    except FileNotFoundError:
        return None
    with os.fdopen(handle, "rb") as file:
        about = os.fstat(file.fileno())
        text = file.read(SECRET_BYTES + 1)
    if os.name == "posix" and about.st_uid != os.geteuid():
        msg = f"{path} belongs to another user"
        raise PermissionError(msg)
    exposed = os.name == "posix" and stat.S_IMODE(about.st_mode) & 0o077
    if exposed or len(text) != SECRET_BYTES:
        # Another process may have replaced it already; at worst both replace it again.
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        return None
    return text


def _offer(path: Path, secret: bytes) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(8)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links: not atomic, but complete
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
