"""Common base of pull list and wish list, of which each account has one at most."""

from __future__ import annotations

from typing import TypeVar, overload

from metron_async.models import PageBody
from metron_async.resources.base import Retrievable
from metron_async.resources.writable import Personal
from metron_async.types import Row

__all__ = ["AccountList"]

D = TypeVar("D", bound=Row)


class AccountList(Retrievable[D], Personal):
    """A list of which each account has one at most. The server creates it on first use."""

    @overload
    async def get(self, id: int, /) -> D: ...
    @overload
    async def get(self, id: None = None, /) -> D | None: ...
    async def get(self, id: int | None = None, /) -> D | None:
        """Fetch the account's list.

        Args:
            id: Metron's id of the list. Not needed, since there is only one.

        Returns:
            The list, or ``None`` for an account that has never used it.

        Raises:
            NotFoundError: If *id* is not that of the account's own list.
        """
        if id is not None:
            return await super().get(id)
        response = await self._caller.fetch(self._request(), PageBody[self._model])  # type: ignore[name-defined]
        if not response.value.results:
            return None
        found: D = response.value.results[0]
        self._caller.core.origins.remember(found, response.origin)
        return found
