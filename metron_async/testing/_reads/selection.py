"""Selection of the records of a list: its filters are applied once for all pages."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from metron_async.testing._filters.registry import FilterError, compile_filters, filters_of, keep
from metron_async.testing._server import messages as m

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from metron_async.testing._data.catalogue import Catalogue
    from metron_async.testing._filters.factories import Filters

__all__ = ["Selection"]

_KEPT_LISTS = 32


class Selection:
    """Filter of the records of one catalogue.

    Args:
        catalogue: The records.
        newer: Whether the server behaves like those after August 2026.
    """

    def __init__(self, catalogue: Catalogue, *, newer: bool) -> None:
        self.catalogue = catalogue
        self.newer = newer
        self._filters: dict[str, Filters] = {}
        self._found: OrderedDict[tuple[object, ...], list[Any]] = OrderedDict()

    def filters(self, kind: str) -> Filters:
        """Return the filters of a list."""
        if kind not in self._filters:
            self._filters[kind] = filters_of(kind, newer=self.newer)
        return self._filters[kind]

    def select(self, kind: str, records: Sequence[Any], params: Mapping[str, str]) -> list[Any]:
        """Return the *records* that pass the filters of a query.

        Raises:
            HttpError: A 400 with messages by filter.
        """
        try:
            predicates = compile_filters(self.filters(kind), self.catalogue, params)
        except FilterError as error:
            raise m.invalid(error.messages) from None
        return keep(records, predicates)

    def listed(self, kind: str, params: Mapping[str, str]) -> list[Any]:
        """Return the records of a whole list; the pages of one query share the result."""
        known = self.filters(kind)
        asked = tuple(sorted((k, value) for k, value in params.items() if k in known))
        key = (kind, self.catalogue.version, asked)
        found = self._found.get(key)
        if found is None:
            found = self.select(kind, self.catalogue.ordered(kind), params)
            self._found[key] = found
            if len(self._found) > _KEPT_LISTS:
                self._found.popitem(last=False)
        return found
