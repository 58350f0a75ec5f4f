"""A local SQLite mirror of chosen lists: :class:`Mirror`.

How it works, and why it loses no row, is explained at the top of :mod:`metron_async.mirror.plan`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metron_async._lazy import lazy

if TYPE_CHECKING:
    from metron_async.mirror.errors import *
    from metron_async.mirror.events import *
    from metron_async.mirror.forecast import *
    from metron_async.mirror.mirror import *
    from metron_async.mirror.selection import *
    from metron_async.mirror.sources import *

__all__ = [
    "SOURCES",
    "Deleted",
    "DetailFailed",
    "DetailsStored",
    "Event",
    "Finished",
    "Mirror",
    "MirrorBusyError",
    "MirrorError",
    "MirrorFileError",
    "PageStored",
    "Plan",
    "Repeating",
    "Report",
    "RowSkipped",
    "Selection",
    "Started",
    "Waiting",
]

_HOMES = (
    "metron_async.mirror.errors",
    "metron_async.mirror.events",
    "metron_async.mirror.sources",
    "metron_async.mirror.selection",
    "metron_async.mirror.forecast",
    "metron_async.mirror.mirror",
)

if not TYPE_CHECKING:  # a misspelled name is an error to type checkers
    __getattr__, __dir__ = lazy(__name__, _HOMES)
