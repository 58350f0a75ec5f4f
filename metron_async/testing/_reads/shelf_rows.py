"""Collection items, followed series and wishes as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metron_async.testing._data import vocabularies as v
from metron_async.testing._reads.rows import day, picked
from metron_async.testing._server.servertime import iso

if TYPE_CHECKING:
    from metron_async.testing._reads.rows import Json
    from metron_async.testing._server.endpoints import Call
    from metron_async.testing.records import Item, Pull, Wish

__all__ = ["item_detail", "item_row", "pull_row", "wish_detail", "wish_row"]


def item_row(call: Call, item: Item) -> Json:
    """Return the row of a collection item."""
    render = call.state.render
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
    """Return the detail of a collection item."""
    own = picked(item, "purchase_price", "purchase_store", "storage_location", "notes")
    return (item_row(call, item) | own) | {
        "date_read": None if item.date_read is None else iso(item.date_read),
        "resource_url": f"{call.origin}/collection/{item.id}/",
        "created_on": iso(item.created_on),
    }


def pull_row(call: Call, pull: Pull) -> Json:
    """Return a series of the pull list."""
    series = call.state.catalogue.tables.series[pull.series]
    return {
        "id": pull.id,
        "series": call.state.render.short_series(series),
        "added_on": iso(pull.added_on),
    }


def wish_row(call: Call, wish: Wish) -> Json:
    """Return the row of a wish."""
    issue = call.state.render.short_issue(wish.issue)
    own = picked(wish, "id", "status", "priority", "desired_grade")
    return own | {"issue": issue, "modified": iso(wish.modified)}


def wish_detail(call: Call, wish: Wish) -> Json:
    """Return the detail of a wish."""
    own = picked(wish, "max_price", "max_price_currency", "notes")
    return wish_row(call, wish) | own | {"added_on": iso(wish.added_on)}
