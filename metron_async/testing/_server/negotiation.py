"""Content negotiation: JSON, or HTML for a browser, or a 406."""

from __future__ import annotations

import functools
import html
from typing import TYPE_CHECKING

from metron_async.testing._server.messages import Reply, error, page

if TYPE_CHECKING:
    from metron_async.testing._server.messages import Request

__all__ = ["as_html", "wants_html"]

_OFFERED = ("application/json", "text/html")


@functools.lru_cache(maxsize=64)
def _negotiated(accept: str) -> str | None:
    """Return the media type for an ``Accept`` header: the most specific range wins.

    Of ranges that are equally specific, JSON wins. Quality values are ignored.
    """
    ranges = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    for offered in _OFFERED:
        if offered in ranges:
            return offered
    for offered in _OFFERED:
        if f"{offered.partition('/')[0]}/*" in ranges:
            return offered
    return _OFFERED[0] if "*/*" in ranges else None


def wants_html(request: Request) -> bool:
    """Return whether the response is rendered as HTML.

    Raises:
        HttpError: A 406. It precedes authentication, so it costs no quota.
    """
    negotiated = _negotiated(request.headers.get("accept") or "*/*")
    if negotiated is None:
        raise error(406, "Could not satisfy the request Accept header.")
    return negotiated == _OFFERED[1]


def as_html(reply: Reply) -> None:
    """Replace the JSON body of *reply* by a page that shows it."""
    shown = page("Metron API", f"<pre>{html.escape(reply.content().decode())}</pre>")
    reply.body = shown
    reply.headers["content-type"] = "text/html; charset=utf-8"
