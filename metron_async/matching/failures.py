"""Which failures are one query's, and which end a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metron_async.errors import (
    AuthenticationError,
    BlockedError,
    ClosedError,
    MetronError,
    PermissionDeniedError,
    RateLimitError,
)
from metron_async.matching.decide import Match

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from metron_async.matching.query import IssueQuery

__all__ = ["concerns_run", "examined"]

_OF_RUN = (
    AuthenticationError,
    BlockedError,
    ClosedError,
    PermissionDeniedError,
    RateLimitError,
)


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
