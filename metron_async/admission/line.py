"""Accounts of one process that wait for the same: for room at their network address.

A thousand accounts that all look at the storage while they wait would keep it busy with looks. Only
the first in line looks. When it was granted its slot, or has left, the next one does.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from metron_async.admission.commands import Cause

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Line", "Place", "line_for"]

_OF_ADDRESS = (Cause.ROOM, Cause.PROBE)

_lines: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[object, Line]] = WeakKeyDictionary()


def line_for(storage: object, address: str, cause: Cause) -> Line:
    """Return the line of those that wait in this event loop because of *cause*."""
    lines = _lines.setdefault(asyncio.get_running_loop(), {})
    return lines.setdefault((id(storage), address, cause), Line())


class Line:
    """Those that wait, by the function that lets them look."""

    def __init__(self) -> None:
        self._waiting: dict[Callable[[], None], None] = {}

    def join(self, look: Callable[[], None]) -> bool:
        """Stand in line, and return whether nobody is before."""
        self._waiting[look] = None
        return self.is_first(look)

    def is_first(self, look: Callable[[], None]) -> bool:
        """Return whether nobody is before."""
        return next(iter(self._waiting), look) == look

    def leave(self, look: Callable[[], None]) -> None:
        """Leave the line, and let the next one look if this was the first."""
        first = self.is_first(look)
        self._waiting.pop(look, None)
        if first:
            self.let_look()

    def let_look(self) -> None:
        """Let the first one look, as something may have changed."""
        first = next(iter(self._waiting), None)
        if first is not None:
            first()


class Place:
    """The place of one account, in one of the lines or in none.

    Args:
        look: Lets the account look at the storage.
        find: Returns the line for a cause.
    """

    def __init__(self, look: Callable[[], None], find: Callable[[Cause], Line]) -> None:
        self._look = look
        self._find = find
        self._line: Line | None = None

    def take(self, cause: Cause | None) -> bool:
        """Stand in the line for *cause*, if it has one, and return whether another is before."""
        line = self._find(cause) if cause in _OF_ADDRESS else None
        if line is not self._line:
            self.leave()
            self._line = line
        return line is not None and not line.join(self._look)

    def leave(self) -> None:
        """Stand in no line."""
        line, self._line = self._line, None
        if line is not None:
            line.leave(self._look)

    @property
    def is_behind(self) -> bool:
        """Whether another account looks for this one too."""
        return self._line is not None and not self._line.is_first(self._look)

    def let_look(self) -> None:
        """Let the first of each line look, after a request of this process has ended."""
        for cause in _OF_ADDRESS:
            self._find(cause).let_look()
