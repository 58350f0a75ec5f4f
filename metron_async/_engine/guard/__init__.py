"""The ban guard: refuses locally, well before the server's firewall bans the address.

The engine asks for a :class:`Pass` before it sends, and tells the :class:`Outcome` after::

    pass_ = await guard.admit(may_404=True, max_wait=None, enter=False)   # refuses, spaces 404s
    ...                                                                   # queue for the quota
    await guard.enter(pass_)                                              # right before sending
    ...                                                                   # send
    await guard.observe(pass_, Outcome.answered(200))                     # or guard.abandon(pass_)

:mod:`.table` holds the numbers, :mod:`.rules` decides, :mod:`.guard` waits and asks a store.
:class:`SQLiteGuardStore` is the store that the processes of a user share; it is imported on first
use only.

**How far the counting reaches.** The firewall counts per address. The file lies in the user's own
cache directory, so what is shared is everything this user runs on this machine. Users of one
machine do not see each other's counts: a file that all of them can write would let anyone block,
or blind, everybody else's client. Most of our limits are half of the firewall's, which leaves room
for a second user; for refused credentials (two of three) it does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metron_async._engine.guard.guard import Guard
from metron_async._engine.guard.outcome import Ending, Outcome, Pass
from metron_async._engine.guard.store import GuardStore, MemoryGuardStore
from metron_async._engine.guard.table import possibly_banned
from metron_async._lazy import listed, load

if TYPE_CHECKING:
    from metron_async._engine.guard.sqlite import SQLiteGuardStore

__all__ = [
    "Ending",
    "Guard",
    "GuardStore",
    "MemoryGuardStore",
    "Outcome",
    "Pass",
    "SQLiteGuardStore",
    "possibly_banned",
]

_HOMES = ("metron_async._engine.guard.sqlite",)


def __getattr__(name: str) -> object:
    return load(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return listed(__name__)
