"""Teams of characters: ``metron.teams``."""

from typing import Unpack

from metron_async.filters import TeamFilters
from metron_async.models import Team, TeamSummary
from metron_async.pagination import Paginator
from metron_async.resources.base import IssueLists, Listable, Retrievable

__all__ = ["Teams"]


class Teams(Retrievable[Team], Listable[TeamSummary], IssueLists):
    """Teams of characters: ``metron.teams``."""

    path = "team"
    model = Team
    row = TeamSummary

    def iter(self, **filters: Unpack[TeamFilters]) -> Paginator[TeamSummary]:
        """Iterate the teams that match :class:`~metron_async.filters.TeamFilters`."""
        return self._list(TeamFilters, filters)
