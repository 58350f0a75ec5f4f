"""The quota: full use of what the account allows, and never a 429.

:class:`Limiter` grants slots; what it knows of an account lives in a store: :class:`MemoryStore`,
``SQLiteStore`` or ``RedisStore``. The theory is at the top of :mod:`metron_async.quota.window`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metron_async.lazy import load

if TYPE_CHECKING:
    from metron_async.quota.account import apply
    from metron_async.quota.headers import (
        Observation,
        RateReading,
        WindowReading,
        parse_rate_headers,
        parse_retry_after,
    )
    from metron_async.quota.lanes import Claim, Ticket
    from metron_async.quota.limiter import Limiter
    from metron_async.quota.outlook import Estimate, QuotaState, WindowState, check_wait
    from metron_async.quota.redis_store import RedisStore
    from metron_async.quota.sqlite import FallbackStore, SQLiteStore, default_store
    from metron_async.quota.state import (
        Command,
        Priority,
        Reply,
        Rules,
        State,
        WindowRules,
        fresh_state,
    )
    from metron_async.quota.store import DEFAULT_RULES, MemoryStore, QuotaStore

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

_HOMES = {
    "metron_async.quota.account": ("apply",),
    "metron_async.quota.headers": (
        "Observation",
        "RateReading",
        "WindowReading",
        "parse_rate_headers",
        "parse_retry_after",
    ),
    "metron_async.quota.lanes": (
        "Claim",
        "Ticket",
    ),
    "metron_async.quota.limiter": ("Limiter",),
    "metron_async.quota.outlook": (
        "Estimate",
        "QuotaState",
        "WindowState",
        "check_wait",
    ),
    "metron_async.quota.state": (
        "Command",
        "Priority",
        "Reply",
        "Rules",
        "State",
        "WindowRules",
        "fresh_state",
    ),
    "metron_async.quota.store": (
        "DEFAULT_RULES",
        "MemoryStore",
        "QuotaStore",
    ),
    "metron_async.quota.redis_store": ("RedisStore",),
    "metron_async.quota.sqlite": (
        "FallbackStore",
        "SQLiteStore",
        "default_store",
    ),
}


def __getattr__(name: str) -> object:
    return load(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
