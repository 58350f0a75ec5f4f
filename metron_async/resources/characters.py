"""Characters: ``metron.characters``."""

from typing import Unpack

from metron_async.filters import CharacterFilters
from metron_async.lists.bulk import Details
from metron_async.lists.rows import Paginator
from metron_async.models import Character, CharacterInput, CharacterSummary, CharacterWritten
from metron_async.resources.base import Detailed, IssueLists
from metron_async.resources.writable import Writable

__all__ = ["CharactersResource"]


class CharactersResource(
    Detailed[Character, CharacterSummary], IssueLists, Writable[CharacterInput, CharacterWritten]
):
    """Characters: ``metron.characters``."""

    path = "character"
    model = Character
    row = CharacterSummary
    input = CharacterInput
    written = CharacterWritten

    def iter(self, **filters: Unpack[CharacterFilters]) -> Paginator[CharacterSummary]:
        """Iterate the characters that match :class:`~metron_async.filters.CharacterFilters`."""
        return self._list(CharacterFilters, filters)

    def iter_details(
        self, *, concurrency: int = 4, **filters: Unpack[CharacterFilters]
    ) -> Details[Character]:
        """Iterate in full what matches :class:`~metron_async.filters.CharacterFilters`.

        Args:
            concurrency: Objects fetched at once, where the cache has them not.
            filters: As for :meth:`iter`.
        """
        return self._details(CharacterFilters, filters, concurrency)
