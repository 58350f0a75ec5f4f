"""Errors of a mirror's file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metron_async.errors import MetronError

if TYPE_CHECKING:
    from pathlib import Path
    from sqlite3 import Error

__all__ = ["MirrorBusyError", "MirrorError", "MirrorFileError", "mirror_error"]


class MirrorError(MetronError):
    """Base of the errors that concern the mirror's own file."""


class MirrorFileError(MirrorError):
    """The file is not a mirror, was made by another version, or cannot be read or written.

    A file that is not a mirror is not modified.
    """


class MirrorBusyError(MirrorError):
    """Another process or task is updating the same selection."""

    retryable = True


def mirror_error(path: Path, error: Error) -> MirrorError:
    """Return the error of the mirror at *path* for one of SQLite."""
    text = str(error)
    kind = MirrorBusyError if "locked" in text or "busy" in text else MirrorFileError
    return kind(f"{path}: {text}")
