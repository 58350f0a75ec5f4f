"""What is asked of the decision, and what it replies: plain values."""

from __future__ import annotations

import enum
import math
from typing import TypeAlias

import msgspec

from metron_async.admission.state import BURST, SUSTAINED, Lease, Scope

__all__ = [
    "Acquire",
    "Cause",
    "Command",
    "Peek",
    "Refusal",
    "Renew",
    "Reply",
    "Reset",
    "Retry",
    "Settle",
    "WindowStatus",
]


class Cause(enum.Enum):
    """Why a request is not sent now."""

    WINDOW = "the {window} quota is used up"
    REJECTED = "the server answered 429"
    PAUSE = "too many 429s today: requests pause, since the server warns accounts at 100 a day"
    FLIGHT = "as many requests are in flight as the account may have"
    PRIORITY = "a request of a higher priority is waiting"
    PACE = "requests are spaced, to leave room for a higher priority or for other clients"
    ROOM = "as many requests are in flight as are safe for one address"
    PROBE = "another request is trying the credentials"
    MISSING = "too many objects that do not exist were requested"
    FIREWALL = "too many {what} from this address"
    LOST = "the responses to too many requests from this address were lost"
    REFUSED = "the server has refused these credentials (401)"
    UNPROVEN = "401s from this address hold up all credentials that are not proven"
    HELD = "another process is requesting the same"

    @property
    def final(self) -> bool:
        """Whether no caller waits for it to end."""
        return self in {Cause.FIREWALL, Cause.LOST, Cause.REFUSED, Cause.UNPROVEN}

    @property
    def guard(self) -> bool:
        """Whether it is about the firewall, and not about the quota."""
        return self.final or self in {Cause.ROOM, Cause.PROBE, Cause.MISSING}


class Refusal(msgspec.Struct, frozen=True):
    """A request is not sent now.

    Attributes:
        cause: Why.
        wait: Lower bound in seconds of the wait; 0 if only requests in flight are in the way.
        scope: The window that causes the wait.
        limit: Requests that this window allows.
        what: What the firewall counted, in words.
        denied: Whether the server denied access before (401, 403).
        free: Requests that may be sent before the minute's window is full.
        later: Lower bound in seconds of the wait of the request after these.
    """

    cause: Cause
    wait: float = 0.0
    scope: Scope = BURST
    limit: int = 1
    what: str = ""
    denied: bool = False
    free: int = 0
    later: float = 0.0

    @property
    def detail(self) -> str:
        """The cause in words."""
        window = "day's" if self.scope == SUSTAINED else "minute's"
        return self.cause.value.format(window=window, what=self.what)

    def bound(self, ahead: int, period: float) -> float:
        """Return the lower bound in seconds of the wait of a request after *ahead* others."""
        rounds = (ahead - self.free) // max(1, self.limit)
        if rounds < 0 or self.scope == SUSTAINED:
            return self.wait
        return max(self.wait, self.later + rounds * period)


class Acquire(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for a slot.

    Attributes:
        lease: Random number that names the lease. Asking again with the same is harmless.
        priority: The lane.
        credentials: Keyed hash of the credentials.
        may_404: Whether the request may ask for an object that does not exist.
        late: Whether it has waited long at the head of its lane.
        last: Whether no other request of its process waits.
        max_in_flight: Requests of the account that may be in flight at a time.
        key: Key of the response, where its holder keeps it for others.
        waited: Seconds since the call began, whose responses are recent enough for it.
        fresh: Seconds before that in which a response that others have cached will do as well.
        epoch: Identity of the address's list when this process last saw it.
        recent: Failures that this process has seen, with the seconds since then. They are
            entered again where the list was lost.
        intercepted: Whether something in front of the API sent the last 401 among these.
        flying: Leases of this process's requests in flight, which are entered again as well.
    """

    lease: int
    priority: int
    credentials: str = ""
    may_404: bool = False
    late: bool = False
    last: bool = True
    max_in_flight: int = 8
    key: str = ""
    waited: float = 0.0
    fresh: float = 0.0
    epoch: bytes = b""
    recent: tuple[tuple[int, float], ...] = ()
    intercepted: bool = False
    flying: tuple[Lease, ...] = ()


class Settle(msgspec.Struct, frozen=True, kw_only=True):
    """Report what became of a request, or that it was never sent.

    Attributes:
        lease: Its lease.
        credentials: Keyed hash of its credentials.
        counted: Whether the server may have counted it.
        throttled: Whether the response was a 429.
        proves: Whether the response shows that the credentials work.
        retry_after: Seconds that the 429 asked to wait; negative if it did not say.
        jitter: Seconds to wait beyond that.
        burst: ``(limit, remaining, reset_in)`` of the minute's window, ``reset_in`` negative if
            unknown. Empty if there was no reading.
        sustained: The same of the day's window.
        date: The server's time, or 0 if unknown.
        failures: What the firewall counts: statuses, or a sum of flags for a lost response.
        answered: Whether any response came.
        outcome: What others may take from the response with the lease's key: its status, or 0
            if it could not be used. ``None`` if they may take nothing.
        intercepted: Whether something in front of the API sent the response.
        age: Seconds since the response was received.
    """

    lease: Lease
    credentials: str = ""
    counted: bool = True
    throttled: bool = False
    proves: bool = False
    retry_after: float = -1.0
    jitter: float = 0.0
    burst: tuple[float, ...] = ()
    sustained: tuple[float, ...] = ()
    date: float = 0.0
    failures: tuple[int, ...] = ()
    answered: bool = True
    outcome: int | None = None
    intercepted: bool = False
    age: float = 0.0


class Renew(msgspec.Struct, frozen=True):
    """Keep the leases of requests that are still in flight."""

    leases: tuple[Lease, ...]


class Peek(msgspec.Struct, frozen=True):
    """Ask for the state of the quota."""


class Reset(msgspec.Struct, frozen=True):
    """Forget limits, a spent day, and pauses."""


class Retry(msgspec.Struct, frozen=True):
    """Forget that the server refused the credentials."""

    credentials: str


Command: TypeAlias = Acquire | Settle | Renew | Peek | Reset | Retry


class WindowStatus(msgspec.Struct, frozen=True):
    """One window of one account.

    Attributes:
        limit: Requests the window allows.
        used: Requests it holds: our own, those in flight, and foreign ones.
        resets_in: Seconds until the oldest leaves; 0 if it is empty.
        known: Whether the server gave the limit, or it is a first guess.
    """

    limit: int
    used: int
    resets_in: float
    known: bool


class Reply(msgspec.Struct, kw_only=True):
    """The reply to any command.

    Attributes:
        changed: Whether the state must be saved.
        lease: The lease of a granted request.
        renewed: The renewed leases.
        refusal: Why nothing was granted.
        outcome: Status of the response with the key that was asked for, which another process
            has received.
        windows: Both windows, where the command is about the quota's state.
        in_flight: Requests of the account in flight.
        wait: Seconds until a request may be sent at the earliest, where windows are given.
        rejected: 429s of the day.
        proven: Whether the credentials are proven.
        fresh: Whether the storage had no state.
        epoch: Identity of the address's stored list, which changes when it was lost.
        timeouts: Connect timeouts in a row.
        streak: The status of which there lately were too many, or ``None``.
        ban_left: Seconds until a ban for it would end.
    """

    changed: bool = True
    lease: Lease | None = None
    renewed: tuple[Lease, ...] = ()
    refusal: Refusal | None = None
    outcome: int | None = None
    windows: tuple[WindowStatus, ...] = ()
    in_flight: int = 0
    wait: float = 0.0
    rejected: int = 0
    proven: bool = False
    fresh: bool = False
    epoch: bytes = b""
    timeouts: int = 0
    streak: int | None = None
    ban_left: float = -math.inf
