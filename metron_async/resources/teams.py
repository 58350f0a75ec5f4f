"""Teams of characters: ``metron.teams``."""

from typing import Unpack

from metron_async.filters import TeamFilters
from metron_async.lists.details import DetailedList
from metron_async.models import Team, TeamInput, TeamSummary, TeamWritten
from metron_async.resources.base import Detailed, IssueLists, listing
from metron_async.resources.writable import Writable

__all__ = ["TeamsResource"]


class TeamsResource(Detailed[Team, TeamSummary], IssueLists, Writable[TeamInput, TeamWritten]):
    """Teams of characters: ``metron.teams``."""

    _path = "team"

    @listing(TeamFilters)
    def iter(self, **filters: Unpack[TeamFilters]) -> DetailedList[TeamSummary, Team]:
        """Return the teams that match :class:`~metron_async.filters.TeamFilters`."""
        return self._list(TeamFilters, filters)
