"""A local SQLite mirror of chosen lists: :class:`Mirror`.

How it works, and why it loses no row, is explained at the top of :mod:`metron_async.mirror.plan`.
"""

from metron_async.mirror.errors import MirrorBusyError, MirrorError, MirrorFileError
from metron_async.mirror.events import (
    Deleted,
    DetailFailed,
    DetailsStored,
    Event,
    Finished,
    PageStored,
    Repeating,
    Report,
    RowSkipped,
    Started,
    Waiting,
)
from metron_async.mirror.forecast import Plan
from metron_async.mirror.mirror import Mirror
from metron_async.mirror.selection import Selection
from metron_async.mirror.sources import SOURCES

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
