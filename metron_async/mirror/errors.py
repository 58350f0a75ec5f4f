"""Errors of a mirror's file."""

from metron_async.errors import MetronError

__all__ = ["MirrorBusyError", "MirrorError", "MirrorFileError"]


class MirrorError(MetronError):
    """Base of the errors that concern the mirror's own file."""


class MirrorFileError(MirrorError):
    """The file is not a mirror, was made by another version, or cannot be read or written.

    A file that is not a mirror is not modified.
    """


class MirrorBusyError(MirrorError):
    """Another process or task is updating the same selection."""

    retryable = True
