"""The installation's secret, with which accounts are named.

Without it a name in the file cannot be turned back, not even by trying user names. It lies beside
the cache, readable by its owner only. Several processes may need it for the first time at the same
moment: each writes its own to a temporary file, and the one whose link to the final name succeeds
has made it; the others read that.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SECRET_BYTES", "load_secret"]

SECRET_BYTES = 32
_ATTEMPTS = 5
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)


def load_secret(path: Path) -> bytes:
    """Return the secret at *path*, made on first use.

    One that is damaged, or that others could have written or read, is replaced: the entries under
    the old names are then never found again, and age out.

    Raises:
        OSError: If it can neither be read nor made, or is a link or somebody else's.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for _ in range(_ATTEMPTS):
        found = _read(path)
        if found is not None:
            return found
        _offer(path)
    msg = f"{path} cannot be made"
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
        # Another process may have replaced it already; at worst both start afresh once more.
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        return None
    return text


def _offer(path: Path) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(8)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
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
