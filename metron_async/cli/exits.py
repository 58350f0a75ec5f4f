"""Exit codes: one for each kind of failure, so that scripts can distinguish them."""

from __future__ import annotations

from metron_async import errors
from metron_async.mirror import MirrorBusyError, MirrorError

__all__ = ["EXITS", "INCOMPLETE", "INTERRUPTED", "exit_code"]

INCOMPLETE = 14
INTERRUPTED = 130

EXITS: tuple[tuple[type[errors.MetronError], int], ...] = (
    (errors.ConfigurationError, 3),
    (errors.UsageError, 2),
    (errors.NotFoundError, 4),
    (errors.AuthenticationError, 5),
    (errors.PermissionDeniedError, 6),
    (errors.ValidationError, 7),
    (errors.RateLimitError, 8),
    (errors.BlockedError, 9),
    (errors.ServerError, 10),
    (errors.RequestTimeoutError, 12),
    (errors.TransportError, 11),
    (errors.IncompleteListError, INCOMPLETE),
    (errors.DecodeError, 13),
    (MirrorBusyError, 16),
    (MirrorError, 15),
    (errors.StorageError, 17),
    (errors.CacheError, 18),
)
"""Errors and their codes; the first match counts. 0 is success, 1 any other failure."""


def exit_code(error: BaseException) -> int:
    """Return the exit code for *error*."""
    return next((code for kind, code in EXITS if isinstance(error, kind)), 1)
