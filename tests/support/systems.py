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


def open_files() -> set[tuple[int, int]]:
    """Return the open descriptors, each with the number of what it refers to; none on Windows."""
    gc.collect()
    found = set()
    for entry in Path("/dev/fd").iterdir() if os.name == "posix" else ():
        with contextlib.suppress(OSError):  # the descriptor that listed them
            found.add((int(entry.name), os.fstat(int(entry.name)).st_ino))
    return found


def open_sockets() -> set[tuple[int, int]]:
    """Return those of them that are sockets."""
    return {pair for pair in open_files() if stat.S_ISSOCK(os.fstat(pair[0]).st_mode)}
