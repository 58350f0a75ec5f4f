"""What can go wrong with the file of a mirror."""

from metron_async.errors import MetronError

__all__ = ["MirrorBusyError", "MirrorError", "MirrorFileError"]


class MirrorError(MetronError):
    """Base of what can go wrong with the mirror's own file."""


class MirrorFileError(MirrorError):
    """The file is no mirror, is from another version, or cannot be read or written.

    It was left as it is.
    """


class MirrorBusyError(MirrorError):
    """Another process, or another task, is bringing the same selection up to date."""

    retryable = True
