"""Which failures are one query's, and which end a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metron_async.errors import (
    AuthenticationError,
    BlockedError,
    CacheError,
    ClosedError,
    ConfigurationError,
    MetronError,
    PermissionDeniedError,
    QuotaStoreError,
    RateLimitError,
    ServerError,
    TransportError,
)
from metron_async.matching.decide import Match

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from metron_async.matching.query import IssueQuery

__all__ = ["Failures", "examined"]

_OF_RUN = (
    AuthenticationError,
    BlockedError,
    CacheError,
    ClosedError,
    ConfigurationError,
    PermissionDeniedError,
    QuotaStoreError,
    RateLimitError,
)
_OF_SERVER = (ServerError, TransportError)
_IN_A_ROW = 5


def concerns_run(error: MetronError) -> bool:
    """Return whether an error is not about one query, so that the next one would fail too."""
    return isinstance(error, _OF_RUN)


async def examined(query: IssueQuery, search: Awaitable[Match]) -> Match:
    """Return the match of *query*, or one with the error that its search ended in.

    Raises:
        MetronError: If the error ends the run.
    """
    try:
        return await search
    except MetronError as error:
        if concerns_run(error):
            raise
        return Match(query=query, why=str(error), error=error)


class Failures:
    """Counts failures in a row: a server that is down fails every query."""

    def __init__(self) -> None:
        self._in_a_row = 0

    def note(self, error: MetronError | None) -> None:
        """Take in how a search ended, ``None`` for a success.

        Raises:
            MetronError: The error, if it ends the run.
        """
        if error is None:
            self._in_a_row = 0
            return
        self._in_a_row += isinstance(error, _OF_SERVER)
        if concerns_run(error) or self._in_a_row >= _IN_A_ROW:
            raise error
