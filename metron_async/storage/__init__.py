"""Storages: where the state that clients, processes and hosts share is kept.

Pass one of them, or its short form, to ``AsyncMetron(storage=...)``:

- the user's cache directory (default), or another directory: :class:`SQLiteStorage`
- ``":memory:"``, private to the client, or a :class:`MemoryStorage` for several clients
- ``"redis://..."``, for several hosts: :class:`RedisStorage`
- any object with the methods of :class:`Storage`
"""

from typing import TYPE_CHECKING

from metron_async._lazy import load

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


def __getattr__(name: str) -> object:
    return load(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
