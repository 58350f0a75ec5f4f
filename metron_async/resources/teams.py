"""Teams of characters: ``metron.teams``."""

from typing import Unpack

from metron_async.filters import TeamFilters
from metron_async.lists.bulk import Details
from metron_async.lists.rows import Paginator
from metron_async.models import Team, TeamInput, TeamSummary, TeamWritten
from metron_async.resources.base import Detailed, IssueLists
from metron_async.resources.writable import Writable

__all__ = ["TeamsResource"]


class TeamsResource(Detailed[Team, TeamSummary], IssueLists, Writable[TeamInput, TeamWritten]):
    """Teams of characters: ``metron.teams``."""

    path = "team"
    model = Team
    row = TeamSummary
    input = TeamInput
    written = TeamWritten

    def iter(self, **filters: Unpack[TeamFilters]) -> Paginator[TeamSummary]:
        """Iterate the teams that match :class:`~metron_async.filters.TeamFilters`."""
        return self._list(TeamFilters, filters)

    def iter_details(
        self, *, concurrency: int = 4, **filters: Unpack[TeamFilters]
    ) -> Details[Team]:
        """Iterate the teams that match :class:`~metron_async.filters.TeamFilters`, in full.

        Args:
            concurrency: Objects fetched at once, where the cache has them not.
            filters: As for :meth:`iter`.
        """
        return self._details(TeamFilters, filters, concurrency)
