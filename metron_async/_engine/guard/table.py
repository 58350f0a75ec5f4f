"""What the server's firewall counts, when it bans, and where this package stops before that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = [
    "FORBIDDEN",
    "HUNG_UP",
    "LATCH",
    "LEASE",
    "LIMITS",
    "MISSING",
    "PROOF",
    "REFUSED",
    "RENEW",
    "THROTTLED",
    "Limit",
    "possibly_banned",
]

REFUSED: Final = 401
FORBIDDEN: Final = 403
MISSING: Final = 404
THROTTLED: Final = 429
HUNG_UP: Final = 499
"""Not a status that a client ever sees: the proxy's note that the client hung up first."""

LATCH: Final = 600.0
"""Seconds after a 401 before the same credentials may be tried again."""

PROOF: Final = 900.0
"""Seconds for which a success vouches for the credentials, without trying one call first."""

LEASE: Final = 10.0
"""Seconds after which a guard that no longer reports is taken for dead."""

RENEW: Final = 5.0
"""Seconds after which a guard that is in use reports."""

_MARGIN: Final = 5.0
"""Seconds added to each window: the proxy notes a hang-up later than we do, and clocks drift."""

_SUSPICIOUS: Final = 3
"""Connect timeouts in a row, after a streak, that look like a ban."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One row of the firewall's table, and our own limit.

    Attributes:
        banned_at: Count at which the firewall bans.
        ours: Count at which nothing more is sent.
        window: Seconds for which an event is counted here, the margin included.
        ban: Seconds for which the firewall bans.
        what: The event, in words.
    """

    banned_at: int
    ours: int
    window: float
    ban: float
    what: str


_MINUTE, _HOUR, _DAY = 60.0, 3_600.0, 86_400.0

LIMITS: Final = {
    REFUSED: Limit(
        3, 2, 5 * _MINUTE + _MARGIN, _DAY, "tries of credentials that were refused (401) or lost"
    ),
    FORBIDDEN: Limit(10, 5, 5 * _MINUTE + _MARGIN, _DAY, "forbidden requests (403)"),
    MISSING: Limit(20, 10, 2 * _MINUTE + _MARGIN, _HOUR, "objects that do not exist (404)"),
    THROTTLED: Limit(30, 10, _MINUTE + _MARGIN, _HOUR, "requests over the quota (429)"),
    HUNG_UP: Limit(20, 10, _MINUTE + _MARGIN, _HOUR, "requests given up before their answer"),
}


def possibly_banned(timeouts: int, status: int | None, left: float) -> str | None:
    """Say that the address may be banned, if a run of connect timeouts looks like it.

    A banned address gets no answer at all, so this is a guess: connections time out one after
    another, and shortly before the machine did a lot of what the firewall bans for.

    Args:
        timeouts: Connect timeouts in a row, of the whole machine.
        status: What was done a lot, as a key of :data:`LIMITS`, or ``None``.
        left: Seconds until a ban for it would end.

    Returns:
        A sentence for the error's text, or ``None``.
    """
    if status is None or timeouts < _SUSPICIOUS or left <= 0:
        return None
    span = f"{left / _HOUR:.0f} hours" if left >= 2 * _HOUR else f"{left / _MINUTE:.0f} minutes"
    return (
        f"The server's firewall may have banned this address: {timeouts} connections in a row "
        f"timed out, after many {LIMITS[status].what}. Such a ban would end in about {span}; "
        "trying again before then does not help."
    )
