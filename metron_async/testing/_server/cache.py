"""The server's own response cache, which ``X-Cache`` reports."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from metron_async.testing._server.messages import Reply, Request

__all__ = ["ResponseCache"]

_KEPT = 10_000


class ResponseCache:
    """Bodies of lists and details.

    A detail is kept under its ``modified``: an edit of the object shows at once, an edit of an
    object whose name it embeds does not.
    """

    def __init__(self) -> None:
        self._bodies: OrderedDict[tuple[object, ...], tuple[float, Any]] = OrderedDict()

    def exchange(
        self, request: Request, reply: Reply, origin: str, *, now: float, max_age: float
    ) -> None:
        """Replace the body of *reply* by a cached one, or keep it; set ``X-Cache``.

        Args:
            request: The request.
            reply: The fresh response.
            origin: Scheme and host of URLs in the body.
            now: The server's steady time in seconds.
            max_age: Seconds for which a body is used; 0 turns the cache off.
        """
        reply.headers["x-cache"] = "MISS"
        if max_age <= 0:
            return
        key = (origin, request.path, tuple(sorted(request.params.items())), reply.modified)
        stored = self._bodies.get(key)
        if stored is not None and now - stored[0] <= max_age:
            reply.body = stored[1]
            reply.headers["x-cache"] = "HIT"
            return
        self._bodies[key] = (now, reply.content())
        self._bodies.move_to_end(key)
        if len(self._bodies) > _KEPT:
            self._bodies.popitem(last=False)
