"""Roles of creators, such as writer or penciller: ``metron.roles``."""

from typing import Unpack

from metron_async.filters import RoleFilters
from metron_async.lists.pagination import RowList
from metron_async.models import Role
from metron_async.resources.base import Listable, listing

__all__ = ["RolesResource"]


class RolesResource(Listable[Role]):
    """Roles of creators, such as writer or penciller: ``metron.roles``."""

    _path = "role"

    @listing(RoleFilters)
    def iter(self, **filters: Unpack[RoleFilters]) -> RowList[Role]:
        """Return the roles that match :class:`~metron_async.filters.RoleFilters`."""
        return self._list(RoleFilters, filters)
