"""What differs from system to system: marks of tests, and the handles of this process."""

from __future__ import annotations

import contextlib
import gc
import os
import stat
from pathlib import Path

import pytest

needs_posix = pytest.mark.skipif(
    os.name != "posix", reason="needs POSIX signals, forks, permissions, or deleting open files"
)


def _descriptors() -> dict[int, os.stat_result]:
    gc.collect()
    found = {}
    for entry in Path("/dev/fd").iterdir() if os.name == "posix" else ():
        with contextlib.suppress(OSError):  # the one that listed them, or one just closed
            found[int(entry.name)] = os.fstat(int(entry.name))
    return found


def open_files() -> set[tuple[int, int]]:
    """Return the open descriptors, each with the number of what it refers to; none on Windows."""
    return {(number, found.st_ino) for number, found in _descriptors().items()}


def open_sockets() -> set[tuple[int, int]]:
    """Return those of them that are sockets."""
    found = _descriptors().items()
    return {(number, one.st_ino) for number, one in found if stat.S_ISSOCK(one.st_mode)}
