"""The mirror's own thread: SQLite may wait for a disk, the event loop may not."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import sqlite3
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from metron_async.mirror.errors import MirrorBusyError, MirrorFileError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Worker"]

P = ParamSpec("P")
T = TypeVar("T")


class Worker:
    """Runs functions one after another, in one thread.

    A caller that is cancelled leaves the function running to its end: it is one transaction, so
    the file is never left halfway.

    Args:
        path: The file that is worked on, for messages.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._executor = concurrent.futures.ThreadPoolExecutor(1, "metron-mirror")

    async def run(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run *function* in the thread and return its result.

        Raises:
            MirrorBusyError: If another process holds the file for too long.
            MirrorFileError: If the file cannot be read or written.
        """
        call = functools.partial(function, *args, **kwargs)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, call)
        except sqlite3.Error as error:
            text = str(error)
            kind = MirrorBusyError if "locked" in text or "busy" in text else MirrorFileError
            msg = f"{self._path}: {text}"
            raise kind(msg) from error

    def stop(self) -> None:
        """End the thread when it has done what it was given."""
        self._executor.shutdown(wait=False)
