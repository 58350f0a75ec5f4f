"""A local SQLite mirror of chosen lists: :class:`Mirror`.

How it works, and why it misses nothing, is told at the top of :mod:`metron_async.sync.plan`.
"""

from metron_async.sync.errors import MirrorBusyError, MirrorError, MirrorFileError
from metron_async.sync.events import (
    Deleted,
    DetailFailed,
    DetailsStored,
    Event,
    Finished,
    PageStored,
    Repeating,
    Report,
    Started,
    Waiting,
)
from metron_async.sync.forecast import Plan
from metron_async.sync.mirror import Mirror
from metron_async.sync.selection import Selection
from metron_async.sync.sources import SOURCES

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
    "Selection",
    "Started",
    "Waiting",
]
