"""The quota: full use of what the account allows, and never a 429.

:class:`Limiter` grants slots; what it knows of an account lives in a store: :class:`MemoryStore`,
``SQLiteStore`` or ``RedisStore``. The theory is at the top of :mod:`metron_async.quota.window`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from .account import apply
from .headers import (
    Observation,
    RateReading,
    WindowReading,
    parse_rate_headers,
    parse_retry_after,
)
from .lanes import Claim, Ticket
from .limiter import Limiter
from .outlook import Estimate, QuotaState, WindowState, check_wait
from .state import Command, Priority, Reply, Rules, State, WindowRules, fresh_state
from .store import DEFAULT_RULES, MemoryStore, QuotaStore

if TYPE_CHECKING:
    from .redis_store import RedisStore
    from .sqlite import FallbackStore, SQLiteStore, default_store

__all__ = [
    "DEFAULT_RULES",
    "Claim",
    "Command",
    "Estimate",
    "FallbackStore",
    "Limiter",
    "MemoryStore",
    "Observation",
    "Priority",
    "QuotaState",
    "QuotaStore",
    "RateReading",
    "RedisStore",
    "Reply",
    "Rules",
    "SQLiteStore",
    "State",
    "Ticket",
    "WindowReading",
    "WindowRules",
    "WindowState",
    "apply",
    "check_wait",
    "default_store",
    "fresh_state",
    "parse_rate_headers",
    "parse_retry_after",
]

# What is not needed is not loaded: redis may not even be installed.
_LAZY = {
    "FallbackStore": "sqlite",
    "RedisStore": "redis_store",
    "SQLiteStore": "sqlite",
    "default_store": "sqlite",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
