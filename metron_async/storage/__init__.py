"""Storages: where the state that clients, processes and hosts share is kept.

A storage loads two states, calls a pure decision, and saves what it returns, atomically:

- :class:`SQLiteStorage` in a directory of this machine
- :class:`MemoryStorage` in this process
- :class:`RedisStorage` for several hosts
- any object with the methods of :class:`Storage`
"""

from typing import TYPE_CHECKING

from metron_async._lazy import lazy

if TYPE_CHECKING:
    from metron_async.storage.base import *
    from metron_async.storage.memory import *
    from metron_async.storage.redis import *
    from metron_async.storage.sqlite import *

__all__ = ["Decided", "Loaded", "MemoryStorage", "RedisStorage", "SQLiteStorage", "Storage"]

_HOMES = (
    "metron_async.storage.base",
    "metron_async.storage.memory",
    "metron_async.storage.sqlite",
    "metron_async.storage.redis",
)

if not TYPE_CHECKING:  # a misspelled name is an error to type checkers
    __getattr__, __dir__ = lazy(__name__, _HOMES)
