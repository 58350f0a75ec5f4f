"""Which failures are one query's; those of the run end it, as in ``fetch_many``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metron_async.errors import MetronError
from metron_async.lists.bulk import stops_run
from metron_async.matching.decide import Match

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from metron_async.matching.query import IssueQuery

__all__ = ["examined"]


async def examined(query: IssueQuery, search: Awaitable[Match]) -> Match:
    """Return the match of *query*, or one with the error that its search ended in.

    Raises:
        MetronError: If the error ends the run.
    """
    try:
        return await search
    except MetronError as error:
        if stops_run(error):
            raise
        return Match(query=query, why=str(error), error=error)
