"""Characters: ``metron.characters``."""

from typing import Unpack

from metron_async.filters import CharacterFilters
from metron_async.lists.details import DetailedList
from metron_async.models import Character, CharacterInput, CharacterSummary, CharacterWritten
from metron_async.resources.base import Detailed, IssueLists, listing
from metron_async.resources.writable import Writable

__all__ = ["CharactersResource"]


class CharactersResource(
    Detailed[Character, CharacterSummary], IssueLists, Writable[CharacterInput, CharacterWritten]
):
    """Characters: ``metron.characters``."""

    _path = "character"

    @listing(CharacterFilters)
    def iter(
        self, **filters: Unpack[CharacterFilters]
    ) -> DetailedList[CharacterSummary, Character]:
        """Return the characters that match :class:`~metron_async.filters.CharacterFilters`."""
        return self._list(CharacterFilters, filters)
