"""Reads of an account's collection, and the endpoints of everything that an account owns."""

# ruff: noqa: EM101 - these messages go into responses

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from metron_async.testing._data import vocabularies as v
from metron_async.testing._data.catalogue import issue_order
from metron_async.testing._reads import shelf_lists as lists
from metron_async.testing._reads.paging import paginate
from metron_async.testing._reads.shelf_rows import item_detail, item_row
from metron_async.testing._server import messages as m
from metron_async.testing._server.endpoints import Endpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metron_async.testing._reads.rows import Json
    from metron_async.testing._server.endpoints import Call
    from metron_async.testing.records import Item

__all__ = ["own_item", "shelf_endpoints"]


def _owned(call: Call) -> list[Item]:
    """Return the account's items whose issue still exists, in the order of the list."""
    issues, series = call.state.catalogue.tables.issue, call.state.catalogue.tables.series
    found = [item for item in call.account.shelf.items.values() if item.issue in issues]

    def order(item: Item) -> tuple[Any, ...]:
        issue = issues[item.issue]
        return series[issue.series].sort_name, issue.series, *issue_order(issue)

    return sorted(found, key=order)


def own_item(call: Call) -> Item:
    """Return the account's item that the path names.

    Raises:
        HttpError: A 404, also for an item of another account.
    """
    item = call.account.shelf.items.get(call.id())
    if item is None:
        raise m.not_found("collection")
    return item


def collection(call: Call) -> m.Reply:
    """Respond with the account's collection."""
    found = call.state.selection.select("collection", _owned(call), call.request.params)
    return paginate(call, found, lambda page: [item_row(call, item) for item in page])


def collection_item(call: Call) -> m.Reply:
    """Respond with one item of the account's collection."""
    item = own_item(call)
    return m.Reply(200, item_detail(call, item), modified=item.modified)


def stats(call: Call) -> m.Reply:
    """Respond with the sums of the account's collection."""
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
    """Respond with the series of which the account owns a part, the least complete first."""
    catalogue = call.state.catalogue
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
                    "publisher": call.state.render.named("publisher", series.publisher),
                    "series_type": call.state.render.named("series_type", series.series_type),
                    "total_issues": total,
                    "owned_issues": count,
                    "missing_count": total - count,
                    "completion_percentage": round(100 * count / total, 1),
                }
            )
    rows.sort(key=lambda row: (-row["missing_count"], row["sort_name"], row["id"]))
    return paginate(call, rows, list)


def missing_issues(call: Call) -> m.Reply:
    """Respond with the issues of a series that the account lacks; an unknown series has none."""
    owned = {item.issue for item in call.account.shelf.items.values()}
    series = call.state.catalogue.issues_of_series(call.id())
    found = [issue for issue in series if issue.id not in owned]

    def rows(page: Sequence[Any]) -> list[Json]:
        short = [call.state.render.short_issue(issue.id) for issue in page]
        return [{k: value for k, value in row.items() if k != "modified"} for row in short]

    return paginate(call, found, rows)


def shelf_endpoints() -> list[Endpoint]:
    """Return the endpoints that read what an account owns, follows and wants."""
    reads = {
        ("collection",): collection,
        ("collection", "stats"): stats,
        ("collection", "missing_series"): missing_series,
        ("collection", "missing_issues", "*"): missing_issues,
        ("pull_list",): lists.pull_list,
        ("pull_list", "series"): lists.pull_series,
        ("pull_list", "issues"): lists.pull_issues,
        ("wish_list",): lists.wish_list,
        ("wish_list", "items"): lists.wish_items,
        # Variable parts come last, since "stats" would be an id too.
        ("collection", "*"): collection_item,
        ("pull_list", "*"): lists.pull_list_detail,
        ("wish_list", "*"): lists.wish_list_detail,
    }
    return [Endpoint(path, {"GET": handler}) for path, handler in reads.items()]
