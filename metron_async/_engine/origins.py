"""Remembers for every object that was handed out where it came from, and nothing longer.

Objects are known by identity: equal Structs are equal wherever they came from. An entry goes when
its object does, so a client that runs for months does not grow.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metron_async.types import Origin

__all__ = ["Origins"]


class Origins:
    """A map from live objects, by identity, to their origins."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[object], Origin]] = {}

    def remember(self, value: object, origin: Origin) -> None:
        """Note that *value* came from *origin*."""
        known, key = self._known, id(value)

        def gone(reference: weakref.ref[object]) -> None:
            entry = known.get(key)
            if entry is not None and entry[0] is reference:
                del known[key]

        known[key] = (weakref.ref(value, gone), origin)

    def of(self, value: object) -> Origin | None:
        """Return the origin of *value*, or ``None`` if this client did not hand it out."""
        entry = self._known.get(id(value))
        return entry[1] if entry is not None and entry[0]() is value else None

    def __len__(self) -> int:
        return len(self._known)
