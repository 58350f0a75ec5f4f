"""Characters: ``metron.characters``."""

from typing import Unpack

from metron_async.filters import CharacterFilters
from metron_async.models import Character, CharacterSummary
from metron_async.pagination import Paginator
from metron_async.resources.base import IssueLists, Listable, Retrievable

__all__ = ["Characters"]


class Characters(Retrievable[Character], Listable[CharacterSummary], IssueLists):
    """Characters: ``metron.characters``."""

    path = "character"
    model = Character
    row = CharacterSummary

    def iter(self, **filters: Unpack[CharacterFilters]) -> Paginator[CharacterSummary]:
        """Iterate the characters that match :class:`~metron_async.filters.CharacterFilters`."""
        return self._list(CharacterFilters, filters)
