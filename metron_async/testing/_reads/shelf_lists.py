"""The reads of one's pull list and wish list, which exist from their first use on."""

# ruff: noqa: EM101 - what is raised here are answers, not messages

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from metron_async.testing._reads.catalogue import shaken
from metron_async.testing._reads.paging import paginate
from metron_async.testing._reads.shelf_rows import pull_row, wish_row
from metron_async.testing._server import messages as m
from metron_async.testing._server.servertime import iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metron_async.testing._reads.rows import Json
    from metron_async.testing._server.endpoints import Call
    from metron_async.testing.records import Pull

__all__ = [
    "pull_issues",
    "pull_list",
    "pull_list_detail",
    "pull_series",
    "wish_items",
    "wish_list",
    "wish_list_detail",
]


def _pull_list(call: Call) -> list[Json]:
    shelf = call.account.shelf
    if shelf.pull_id is None or shelf.pull_modified is None:
        return []
    return [
        {
            "id": shelf.pull_id,
            "series_count": len(shelf.pulls),
            "series_url": f"{call.origin}/api/pull_list/series/",
            "modified": iso(shelf.pull_modified),
        }
    ]


def pull_list(call: Call) -> m.Reply:
    """Answer the list of one's pull list, which is empty before its first use."""
    return paginate(call.request, call.origin, _pull_list(call), list)


def pull_list_detail(call: Call) -> m.Reply:
    """Answer one's pull list."""
    found = _pull_list(call)
    if call.id() not in {row["id"] for row in found}:
        raise m.not_found("pull_list")
    return m.Reply(200, found[0], modified=call.account.shelf.pull_modified)


def _pulled(call: Call) -> list[Pull]:
    series = call.state.catalogue.tables.series
    found = [pull for pull in call.account.shelf.pulls.values() if pull.series in series]
    return sorted(found, key=lambda pull: (series[pull.series].sort_name, pull.id))


def pull_series(call: Call) -> m.Reply:
    """Answer the series of one's pull list."""
    return paginate(
        call.request,
        call.origin,
        _pulled(call),
        lambda page: [pull_row(call, pull) for pull in page],
    )


def pull_issues(call: Call) -> m.Reply:
    """Answer the issues of one's pull list; a malformed date is a 500, as on the server."""
    params = call.request.params
    try:
        after = dt.date.fromisoformat(params.get("store_date_after") or "0001-01-01")
        before = dt.date.fromisoformat(params.get("store_date_before") or "9999-12-31")
    except ValueError:
        raise m.server_error() from None
    bounded = bool(params.get("store_date_after") or params.get("store_date_before"))
    found: list[Any] = []
    for pull in _pulled(call):
        for issue in call.state.catalogue.issues_of_series(pull.series):
            store = issue.store_date
            if (store is None and not bounded) or (store and after <= store <= before):
                found.append(issue)
    found.sort(key=lambda issue: (issue.store_date or dt.date.max, issue.id))

    def rows(page: Sequence[Any]) -> list[Json]:
        full = call.state.render.rows("issue", page)
        return [{k: value for k, value in row.items() if k != "cover_hash"} for row in full]

    return paginate(call.request, call.origin, found, rows)


def _wish_list(call: Call) -> list[Json]:
    shelf = call.account.shelf
    if shelf.wish_id is None or shelf.wish_modified is None:
        return []
    return [
        {
            "id": shelf.wish_id,
            "item_count": len(shelf.wishes),
            "items_url": f"{call.origin}/api/wish_list/items/",
            "modified": iso(shelf.wish_modified),
        }
    ]


def wish_list(call: Call) -> m.Reply:
    """Answer the list of one's wish list, which is empty before its first use."""
    return paginate(call.request, call.origin, _wish_list(call), list)


def wish_list_detail(call: Call) -> m.Reply:
    """Answer one's wish list."""
    found = _wish_list(call)
    if call.id() not in {row["id"] for row in found}:
        raise m.not_found("wish_list")
    return m.Reply(200, found[0], modified=call.account.shelf.wish_modified)


def wish_items(call: Call) -> m.Reply:
    """Answer one's wishes, the most urgent first."""
    issues = call.state.catalogue.tables.issue
    found = [wish for wish in call.account.shelf.wishes.values() if wish.issue in issues]
    found.sort(key=lambda wish: wish.priority)
    found = shaken(call, found, lambda wish: wish.priority)
    return paginate(
        call.request, call.origin, found, lambda page: [wish_row(call, wish) for wish in page]
    )
