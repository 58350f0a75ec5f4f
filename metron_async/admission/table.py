"""What the server's firewall counts, when it bans, and where this package stops before that."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = [
    "FLIGHT",
    "FORBIDDEN",
    "HUNG_UP",
    "LIMITS",
    "LOST",
    "MAY_404",
    "MISSING",
    "PROBE",
    "PROOF",
    "REFUSED",
    "REFUSED_FOR",
    "THROTTLED",
    "TIMED_OUT",
    "Limit",
    "possibly_banned",
]

REFUSED: Final = 401
FORBIDDEN: Final = 403
MISSING: Final = 404
THROTTLED: Final = 429
HUNG_UP: Final = 499
"""Not a status that a client ever sees: the proxy's note that the client hung up first."""

TIMED_OUT: Final = 16
"""A connection that could not be made in time."""

FLIGHT: Final = 1
"""A request in flight, with the time at which its lease expires."""

MAY_404: Final = 2
"""Flag of a request that may ask for an object that does not exist."""

PROBE: Final = 4
"""Flag of a request with credentials that are not proven."""

LOST: Final = 8
"""Flag of a request whose lease expired, or whose response was lost."""

REFUSED_FOR: Final = 600.0
"""Seconds after a 401 before the same credentials may be sent again."""

PROOF: Final = 900.0
"""Seconds for which a success proves the credentials."""

_MARGIN: Final = 5.0
"""Seconds added to each window: the proxy notes a hang-up later than we do, and clocks drift."""

_SUSPICIOUS: Final = 3
"""Connect timeouts in a row, after many failures, that look like a ban."""


class Limit(NamedTuple):
    """One row of the firewall's table, and our own limit.

    Attributes:
        banned_at: Number of events at which the firewall bans.
        ours: Number at which nothing more is sent.
        window: Seconds for which an event is counted here, the margin included.
        ban: Seconds for which the firewall bans.
        what: The events, in words.
    """

    banned_at: int
    ours: int
    window: float
    ban: float
    what: str


_MINUTE, _HOUR, _DAY = 60.0, 3_600.0, 86_400.0

LIMITS: Final = {
    REFUSED: Limit(3, 2, 5 * _MINUTE + _MARGIN, _DAY, "requests with refused credentials (401)"),
    FORBIDDEN: Limit(10, 5, 5 * _MINUTE + _MARGIN, _DAY, "forbidden requests (403)"),
    MISSING: Limit(20, 10, 2 * _MINUTE + _MARGIN, _HOUR, "objects that do not exist (404)"),
    THROTTLED: Limit(30, 10, _MINUTE + _MARGIN, _HOUR, "requests over the quota (429)"),
    HUNG_UP: Limit(20, 10, _MINUTE + _MARGIN, _HOUR, "requests given up before their response"),
}


def possibly_banned(timeouts: int, status: int | None, left: float) -> str | None:
    """Return a sentence that says that the address may be banned, if it looks like it.

    A banned address gets no response at all, so this is a guess: connections time out one after
    another, and shortly before, the address did a lot of what the firewall bans for.

    Args:
        timeouts: Connect timeouts in a row, of all processes at this address.
        status: What was done a lot, as a key of :data:`LIMITS`, or ``None``.
        left: Seconds until a ban for it would end.
    """
    if status is None or timeouts < _SUSPICIOUS or left <= 0:
        return None
    span = f"{left / _HOUR:.0f} hours" if left >= 2 * _HOUR else f"{left / _MINUTE:.0f} minutes"
    return (
        f"The server's firewall may have banned this address: {timeouts} connections in a row "
        f"timed out, after many {LIMITS[status].what}. Such a ban would end in about {span}. "
        "Retrying before then does not help"
    )
