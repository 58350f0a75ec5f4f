"""The reads of what accounts own: collection, pull list, wish list. Only their owner sees them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from metron_async.testing import messages as m
from metron_async.testing import vocabulary as v
from metron_async.testing.catalogue import issue_order
from metron_async.testing.core import Endpoint
from metron_async.testing.newyork import iso
from metron_async.testing.paging import paginate
from metron_async.testing.rows import day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metron_async.testing.accounts import Item, Pull, Wish
    from metron_async.testing.core import Call
    from metron_async.testing.rows import Json

__all__ = ["item_detail", "pull_row", "shelf_endpoints", "wish_detail"]


# -- how they look -----------------------------------------------------------------------------------


def item_row(call: Call, item: Item) -> Json:
    """Return the row of a collection item."""
    render = call.core.render
    return {
        "id": item.id,
        "user": render.user(call.account.id),
        "issue": render.short_issue(item.issue),
        "quantity": item.quantity,
        "book_format": v.BOOK_FORMATS[item.book_format],
        "grade": item.grade,
        "grading_company": v.GRADING_COMPANIES[item.grading_company],
        "purchase_date": day(item.purchase_date),
        "is_read": item.is_read,
        "read_dates": [
            {"id": read.id, "read_date": iso(read.read_date), "created_on": iso(read.created_on)}
            for read in item.reads
        ],
        "read_count": len(item.reads),
        "rating": item.rating,
        "modified": iso(item.modified),
    }


def item_detail(call: Call, item: Item) -> Json:
    """Return a collection item in full."""
    return item_row(call, item) | {
        "purchase_price": item.purchase_price,
        "purchase_store": item.purchase_store,
        "storage_location": item.storage_location,
        "notes": item.notes,
        "date_read": None if item.date_read is None else iso(item.date_read),
        "resource_url": f"{call.origin}/collection/{item.id}/",
        "created_on": iso(item.created_on),
    }


def pull_row(call: Call, pull: Pull) -> Json:
    """Return a series of the pull list."""
    series = call.core.catalogue.tables.series[pull.series]
    return {
        "id": pull.id,
        "series": call.core.render.short_series(series),
        "added_on": iso(pull.added_on),
    }


def wish_row(call: Call, wish: Wish) -> Json:
    """Return the row of a wish."""
    return {
        "id": wish.id,
        "issue": call.core.render.short_issue(wish.issue),
        "status": wish.status,
        "priority": wish.priority,
        "desired_grade": wish.desired_grade,
        "modified": iso(wish.modified),
    }


def wish_detail(call: Call, wish: Wish) -> Json:
    """Return a wish in full."""
    return wish_row(call, wish) | {
        "max_price": wish.max_price,
        "max_price_currency": wish.max_price_currency,
        "notes": wish.notes,
        "added_on": iso(wish.added_on),
    }


# -- collection --------------------------------------------------------------------------------------


def _owned(call: Call) -> list[Item]:
    """Return one's items, leaving out those whose issue is gone, in the order of the list."""
    issues, series = call.core.catalogue.tables.issue, call.core.catalogue.tables.series
    found = [item for item in call.account.shelf.items.values() if item.issue in issues]

    def order(item: Item) -> tuple[Any, ...]:
        issue = issues[item.issue]
        return series[issue.series].sort_name, issue.series, *issue_order(issue)

    return sorted(found, key=order)


def own_item(call: Call) -> Item:
    """Return the item that the path names.

    Raises:
        HttpError: There is none, or it is somebody else's (404).
    """
    item = call.account.shelf.items.get(call.id())
    if item is None:
        raise m.not_found("collection")
    return item


def collection(call: Call) -> m.Reply:
    """Answer one's collection."""
    found = call.core.select("collection", _owned(call), call.request.params)
    return paginate(
        call.request, call.origin, found, lambda page: [item_row(call, item) for item in page]
    )


def collection_item(call: Call) -> m.Reply:
    """Answer one item of one's collection."""
    item = own_item(call)
    return m.Reply(200, item_detail(call, item), modified=item.modified)


def stats(call: Call) -> m.Reply:
    """Answer the sums of one's collection."""
    items = list(call.account.shelf.items.values())
    read = sum(item.is_read for item in items)
    value = sum((Decimal(i.purchase_price) for i in items if i.purchase_price), Decimal("0.00"))
    formats = Counter(item.book_format for item in items)
    body = {
        "total_items": len(items),
        "total_quantity": sum(item.quantity for item in items),
        "total_value": str(value),
        "read_count": read,
        "unread_count": len(items) - read,
        "by_format": [
            {"book_format": code, "count": formats[code]}
            for code in v.BOOK_FORMATS
            if formats[code]
        ],
    }
    return m.Reply(200, body)


def missing_series(call: Call) -> m.Reply:
    """Answer the series of which one owns some issues, but not all; the most gaps come first."""
    catalogue = call.core.catalogue
    owned = Counter(catalogue.tables.issue[item.issue].series for item in _owned(call))
    rows: list[Json] = []
    for rid, count in owned.items():
        series, total = catalogue.tables.series[rid], len(catalogue.issues_of_series(rid))
        if count < total:
            rows.append(
                {
                    "id": rid,
                    "name": series.name,
                    "sort_name": series.sort_name,
                    "year_began": series.year_began,
                    "year_end": series.year_end,
                    "publisher": call.core.render.named("publisher", series.publisher),
                    "series_type": call.core.render.named("series_type", series.series_type),
                    "total_issues": total,
                    "owned_issues": count,
                    "missing_count": total - count,
                    "completion_percentage": round(100 * count / total, 1),
                }
            )
    rows.sort(key=lambda row: (-row["missing_count"], row["sort_name"], row["id"]))
    return paginate(call.request, call.origin, rows, list)


def missing_issues(call: Call) -> m.Reply:
    """Answer the issues of a series that one does not own; of an unknown series, none."""
    owned = {item.issue for item in call.account.shelf.items.values()}
    series = call.core.catalogue.issues_of_series(call.id())
    found = [issue for issue in series if issue.id not in owned]

    def rows(page: Sequence[Any]) -> list[Json]:
        short = [call.core.render.short_issue(issue.id) for issue in page]
        return [{k: value for k, value in row.items() if k != "modified"} for row in short]

    return paginate(call.request, call.origin, found, rows)


# -- pull list and wish list -------------------------------------------------------------------------


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
    series = call.core.catalogue.tables.series
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
        raise m.HttpError(m.html(500, "Server Error (500)")) from None
    bounded = bool(params.get("store_date_after") or params.get("store_date_before"))
    found: list[Any] = []
    for pull in _pulled(call):
        for issue in call.core.catalogue.issues_of_series(pull.series):
            store = issue.store_date
            if (store is None and not bounded) or (store and after <= store <= before):
                found.append(issue)
    found.sort(key=lambda issue: (issue.store_date or dt.date.max, issue.id))

    def rows(page: Sequence[Any]) -> list[Json]:
        full = call.core.render.rows("issue", page)
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
    issues = call.core.catalogue.tables.issue
    found = [wish for wish in call.account.shelf.wishes.values() if wish.issue in issues]
    found.sort(key=lambda wish: wish.priority)
    return paginate(
        call.request, call.origin, found, lambda page: [wish_row(call, wish) for wish in page]
    )


def shelf_endpoints() -> list[Endpoint]:
    """Return the addresses of all reads of what accounts own."""
    return [
        Endpoint(("collection",), {"GET": collection}),
        Endpoint(("collection", "stats"), {"GET": stats}),
        Endpoint(("collection", "missing_series"), {"GET": missing_series}),
        Endpoint(("collection", "missing_issues", "*"), {"GET": missing_issues}),
        Endpoint(("pull_list",), {"GET": pull_list}),
        Endpoint(("pull_list", "series"), {"GET": pull_series}),
        Endpoint(("pull_list", "issues"), {"GET": pull_issues}),
        Endpoint(("wish_list",), {"GET": wish_list}),
        Endpoint(("wish_list", "items"), {"GET": wish_items}),
        # What is variable comes last, since "stats" would be an id too.
        Endpoint(("collection", "*"), {"GET": collection_item}),
        Endpoint(("pull_list", "*"), {"GET": pull_list_detail}),
        Endpoint(("wish_list", "*"), {"GET": wish_list_detail}),
    ]
