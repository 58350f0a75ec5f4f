"""The quota: full use of what the account allows, and never a 429.

:class:`Limiter` grants slots; what it knows of an account lives in a store: :class:`MemoryStore`,
``SQLiteStore`` or ``RedisStore``. The theory is at the top of :mod:`metron_async.quota.window`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from metron_async._lazy import listed, load

if TYPE_CHECKING:
    from metron_async.quota.account import *
    from metron_async.quota.headers import *
    from metron_async.quota.lanes import *
    from metron_async.quota.limiter import *
    from metron_async.quota.outlook import *
    from metron_async.quota.redis_store import *
    from metron_async.quota.sqlite import *
    from metron_async.quota.state import *
    from metron_async.quota.store import *

__all__ = [
    "DEFAULT_RULES",
    "Claim",
    "Command",
    "Estimate",
    "FallbackStore",
    "Limiter",
    "MemoryStore",
    "Observation",
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

_HOMES = (
    "metron_async.quota.state",
    "metron_async.quota.headers",
    "metron_async.quota.outlook",
    "metron_async.quota.account",
    "metron_async.quota.lanes",
    "metron_async.quota.store",
    "metron_async.quota.limiter",
    "metron_async.quota.sqlite",
    "metron_async.quota.redis_store",
)


def __getattr__(name: str) -> object:
    return load(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return listed(__name__)
