"""The quota: full use of what the account allows, and never a 429.

:class:`Limiter` grants slots; what it knows of an account lives in a store: :class:`MemoryStore`,
``SQLiteStore`` or ``RedisStore``. The theory is at the top of :mod:`metron_async.quota.window`.
"""

from __future__ import annotations

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
from .store import MemoryStore, QuotaStore

__all__ = [
    "Claim",
    "Command",
    "Estimate",
    "Limiter",
    "MemoryStore",
    "Observation",
    "Priority",
    "QuotaState",
    "QuotaStore",
    "RateReading",
    "Reply",
    "Rules",
    "State",
    "Ticket",
    "WindowReading",
    "WindowRules",
    "WindowState",
    "apply",
    "check_wait",
    "fresh_state",
    "parse_rate_headers",
    "parse_retry_after",
]
