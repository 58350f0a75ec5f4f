"""Counters of what a client has done: ``metron.stats``."""

from __future__ import annotations

import dataclasses

__all__ = ["Stats"]


@dataclasses.dataclass(slots=True)
class Stats:
    """What a client has done since it was built.

    Attributes:
        calls: Calls made by the application, a page of a list each.
        requests: Requests sent, retries included: what the quota was charged for.
        hits: Calls answered by the cache without a request.
        not_modified: Requests answered 304.
        vouched: Cached objects that a list's row confirmed, at no request of their own.
        coalesced: Calls that joined a request already under way.
        stale: Calls answered with an outdated entry since the server failed or quota was spent.
        retries: Requests sent again after a failure.
        waits: Times that a call had to wait.
        waited: Seconds that calls have waited for, summed over calls.
        throttled: 429s received.
    """

    calls: int = 0
    requests: int = 0
    hits: int = 0
    not_modified: int = 0
    vouched: int = 0
    coalesced: int = 0
    stale: int = 0
    retries: int = 0
    waits: int = 0
    waited: float = 0.0
    throttled: int = 0
