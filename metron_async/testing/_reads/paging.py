"""Pages of lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metron_async.testing._server.messages import Reply, error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from metron_async.testing._server.endpoints import Call

__all__ = ["PAGE", "SHORT_PAGE", "paginate"]

PAGE = 100
SHORT_PAGE = 50


def page_number(text: str, last: int) -> int:
    """Return the number of the requested page.

    Raises:
        HttpError: A 404, if the list has no such page.
    """
    if text == "last":
        return last
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 1 <= number <= last:
        raise error(404, "Invalid page.")
    return number


def paginate(
    call: Call,
    records: Sequence[Any],
    render: Callable[[Sequence[Any]], list[Any]],
    size: int = PAGE,
) -> Reply:
    """Return the requested page of *records*; only the records of that page are rendered."""
    request, origin = call.request, call.origin
    last = max(1, -(-len(records) // size))
    page = page_number(request.params.get("page", "1"), last)
    body: dict[str, Any] = {
        "count": len(records),
        "next": request.address(origin=origin, page=page + 1) if page < last else None,
        "previous": request.address(origin=origin, page=page - 1) if page > 1 else None,
        "results": render(records[(page - 1) * size : page * size]),
    }
    return Reply(200, body)
