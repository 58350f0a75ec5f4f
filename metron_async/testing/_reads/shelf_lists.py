"""Reads of an account's pull list and wish list, which exist from their first use on."""

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


def _row(call: Call, kind: str) -> Json | None:
    """Return the account's list of *kind* as JSON, or ``None`` before its first use."""
    shelf, parts = call.account.shelf, f"{call.origin}/api/{kind}/"
    if kind == "pull_list":
        rid, modified = shelf.pull_id, shelf.pull_modified
        own = {"series_count": len(shelf.pulls), "series_url": f"{parts}series/"}
    else:
        rid, modified = shelf.wish_id, shelf.wish_modified
        own = {"item_count": len(shelf.wishes), "items_url": f"{parts}items/"}
    if rid is None or modified is None:
        return None
    return {"id": rid, **own, "modified": iso(modified)}


def _listed(call: Call, kind: str) -> m.Reply:
    row = _row(call, kind)
    return paginate(call, [] if row is None else [row], list)


def _detail(call: Call, kind: str, modified: dt.datetime | None) -> m.Reply:
    row = _row(call, kind)
    if row is None or row["id"] != call.id():
        raise m.not_found(kind)
    return m.Reply(200, row, modified=modified)


def pull_list(call: Call) -> m.Reply:
    """Respond with a list of the account's only pull list."""
    return _listed(call, "pull_list")


def pull_list_detail(call: Call) -> m.Reply:
    """Respond with the account's pull list."""
    return _detail(call, "pull_list", call.account.shelf.pull_modified)


def wish_list(call: Call) -> m.Reply:
    """Respond with a list of the account's only wish list."""
    return _listed(call, "wish_list")


def wish_list_detail(call: Call) -> m.Reply:
    """Respond with the account's wish list."""
    return _detail(call, "wish_list", call.account.shelf.wish_modified)


def _pulled(call: Call) -> list[Pull]:
    series = call.state.catalogue.tables.series
    found = [pull for pull in call.account.shelf.pulls.values() if pull.series in series]
    return sorted(found, key=lambda pull: (series[pull.series].sort_name, pull.id))


def pull_series(call: Call) -> m.Reply:
    """Respond with the series of the account's pull list."""
    return paginate(call, _pulled(call), lambda page: [pull_row(call, pull) for pull in page])


def pull_issues(call: Call) -> m.Reply:
    """Respond with the issues of the account's pull list; a malformed date is a 500."""
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

    return paginate(call, found, rows)


def wish_items(call: Call) -> m.Reply:
    """Respond with the account's wishes, the most urgent first."""
    issues = call.state.catalogue.tables.issue
    found = [wish for wish in call.account.shelf.wishes.values() if wish.issue in issues]
    found.sort(key=lambda wish: wish.priority)
    found = shaken(call, found, lambda wish: wish.priority)
    return paginate(call, found, lambda page: [wish_row(call, wish) for wish in page])
