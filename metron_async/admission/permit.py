"""A granted request, and how it ended."""

from __future__ import annotations

import enum
import random
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import msgspec

from metron_async._httpdate import parse_http_date
from metron_async.admission.commands import Settle
from metron_async.admission.headers import parse_rate_headers, parse_retry_after
from metron_async.admission.table import (
    FLIGHT,
    FORBIDDEN,
    HUNG_UP,
    LIMITS,
    LOST,
    PROBE,
    REFUSED,
    THROTTLED,
    TIMED_OUT,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metron_async.admission.state import Lease

__all__ = ["EndKind", "Granted", "Permit", "RequestEnd", "Shared", "settlement"]

_UNCOUNTED = frozenset({REFUSED, FORBIDDEN})
_NOT_MODIFIED = 304
_HOLD = 170.0  # seconds: fewer than three refusals in five minutes, however a program restarts


class Permit(msgspec.Struct, eq=False):
    """Leave to send one request: send it, then settle or release the permit.

    Attributes:
        lease: Its lease in the storage.
        granted_at: Loop time of the grant.
        first: Whether it is the first of a new container: see :meth:`hold`.
    """

    lease: Lease
    granted_at: float
    first: bool

    def hold(self, status: int) -> float:
        """Return the seconds for which the error for *status* is to be held back.

        A program in a container without a disk that restarts when it fails would otherwise have
        its address banned for a day: three 401s in five minutes do. So the first 401 of a new
        container is logged at once, and raised later. Callers with a ``max_wait`` or a
        ``timeout`` do not hold it back.
        """
        return _HOLD if self.first and status == REFUSED else 0.0


class Shared(NamedTuple):
    """Another process has made the same request: no permit is needed.

    Attributes:
        status: Status of the response: 200 if it is in the cache, 304 if what the cache has was
            confirmed, or 0 if it could not be used.
    """

    status: int


class Held(NamedTuple):
    """Another process is making the same request."""


Granted: TypeAlias = Permit | Shared | Held


class EndKind(enum.Enum):
    """How a request ended."""

    ANSWERED = "answered"
    CONNECT_TIMEOUT = "connect_timeout"
    """No connection could be made in time, so nothing was sent."""
    CLOSED = "closed"
    """It was sent, and its connection closed by a timeout, a cancellation, or closing."""
    LOST = "lost"
    """It was sent, and the connection broke, or the response was not valid HTTP."""


class RequestEnd(msgspec.Struct, frozen=True):
    """How a request that was sent, or whose connection timed out, ended.

    Attributes:
        kind: How it ended.
        status: Status of the response, or ``None``.
        headers: Headers of the response by lower-case name.
        error: What went wrong, which later refusals because of it have as their cause.
        outcome: What other processes that want the same response may take from this one: 200 if
            it is in the cache, 304 if what is there was confirmed, the status of a failure, 0 if
            the response could not be used, or ``None`` if they have to ask themselves.
        intercepted: Whether something in front of the API sent the response, such as a page in
            HTML. Its 401 says nothing about the credentials; the firewall may still count it.
        received: Loop time at which the response was received; by default when this is reported.
    """

    kind: EndKind
    status: int | None = None
    headers: Mapping[str, str] | None = None
    error: BaseException | None = None
    outcome: int | None = None
    intercepted: bool = False
    received: float | None = None

    @classmethod
    def answered(
        cls,
        status: int,
        headers: Mapping[str, str],
        outcome: int | None = None,
        *,
        intercepted: bool = False,
    ) -> RequestEnd:
        """Return the end of a request with a response."""
        return cls(EndKind.ANSWERED, status, headers, outcome=outcome, intercepted=intercepted)


def settlement(permit: Permit, end: RequestEnd, credentials: str) -> Settle:
    """Return the command that reports *end*."""
    status, headers = end.status or 0, end.headers or {}
    burst, sustained = parse_rate_headers(headers)
    throttled = status == THROTTLED
    return Settle(
        lease=permit.lease,
        credentials=credentials,
        counted=status not in _UNCOUNTED and end.kind is not EndKind.CONNECT_TIMEOUT,
        throttled=throttled,
        proves=200 <= status < 300 or status == _NOT_MODIFIED,  # noqa: PLR2004
        retry_after=parse_retry_after(headers),
        jitter=random.uniform(0.05, 1.0) if throttled else 0.0,  # noqa: S311
        burst=burst,
        sustained=sustained,
        date=(parse_http_date(headers.get("date")) or 0.0) if burst or sustained else 0.0,
        failures=_failures(permit, end),
        answered=end.kind is EndKind.ANSWERED,
        outcome=end.outcome,
        intercepted=end.intercepted,
    )


def _failures(permit: Permit, end: RequestEnd) -> tuple[int, ...]:
    """Return what the firewall may count."""
    if end.kind is EndKind.CONNECT_TIMEOUT:
        return (TIMED_OUT,)
    if end.kind is EndKind.ANSWERED:
        return (end.status,) if end.status in LIMITS and end.status != HUNG_UP else ()
    if permit.lease.kind & PROBE:
        return (FLIGHT | PROBE | LOST,)
    return (HUNG_UP,) if end.kind is EndKind.CLOSED else ()
