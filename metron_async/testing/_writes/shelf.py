"""Writes of every account: its collection, pull list and wish list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metron_async.testing._reads.collection import own_item
from metron_async.testing._reads.shelf_rows import item_detail, pull_row, wish_detail
from metron_async.testing._server import messages as m
from metron_async.testing._server.servertime import iso
from metron_async.testing._writes.forms import read_one
from metron_async.testing._writes.schemas import SCHEMAS
from metron_async.testing._writes.validation import checked
from metron_async.testing.records import Item, Pull, Read, Wish

if TYPE_CHECKING:
    from metron_async.testing._server.endpoints import Call, Handler

__all__ = ["shelf_writes"]


def _sent(call: Call, kind: str) -> dict[str, Any]:
    """Return the values that were sent.

    Raises:
        HttpError: A 400 with messages by field.
    """
    return checked(kind, read_one(call.request, SCHEMAS[kind].accepts), call.state.catalogue)


def _new_item(call: Call, issue: int, **values: Any) -> Item:
    now = call.state.clock.moment()
    item = Item(
        id=call.state.numbers.take("item"), issue=issue, modified=now, created_on=now, **values
    )
    call.account.shelf.items[item.id] = item
    return item


def _item_of(call: Call, issue: int) -> Item | None:
    items = call.account.shelf.items.values()
    return next((item for item in items if item.issue == issue), None)


def add(call: Call) -> m.Reply:
    """Add an issue to the collection; an item that exists is not changed."""
    values = _sent(call, "collection.add")
    issue = values.pop("issue_id")
    item = _item_of(call, issue)
    if item is not None:
        return m.Reply(200, item_detail(call, item))
    values.pop("purchase_price_currency", None)
    grade = values.pop("grade", None)
    item = _new_item(call, issue, grade=None if grade is None else float(grade), **values)
    return m.Reply(201, item_detail(call, item))


def scrobble(call: Call) -> m.Reply:
    """Record that an issue was read, which does not move the item's ``modified``."""
    values = _sent(call, "scrobble")
    now = call.state.clock.moment()
    item = _item_of(call, values["issue_id"])
    created = item is None
    if item is None:
        item = _new_item(call, values["issue_id"])
    read = values.get("date_read") or now
    item.reads.append(Read(id=call.state.numbers.take("read"), read_date=read, created_on=now))
    item.is_read = True
    item.date_read = max(one.read_date for one in item.reads)
    if values.get("rating") is not None:
        item.rating = values["rating"]
    body = {
        "id": item.id,
        "issue": call.state.render.short_issue(item.issue),
        "is_read": True,
        "date_read": iso(item.date_read),
        "rating": item.rating,
        "modified": iso(item.modified),
        "created": created,
    }
    return m.Reply(201 if created else 200, body)


def rate(call: Call) -> m.Reply:
    """Set or clear the rating of an item."""
    item = own_item(call)
    values = _sent(call, "collection.rate")
    if "rating" in values:
        item.rating = values["rating"]
    item.modified = call.state.clock.moment()
    body = {"id": item.id, "rating": item.rating, "modified": iso(item.modified)}
    return m.Reply(200, body)


def remove(call: Call) -> m.Reply:
    """Remove an item."""
    del call.account.shelf.items[own_item(call).id]
    return m.Reply(204)


# -- pull list ------------------------------------------------------------------------------------


def pull(call: Call) -> m.Reply:
    """Add a series to the pull list."""
    series = _sent(call, "pull_list.add")["series_id"]
    if series not in call.state.catalogue.tables.series:
        raise m.error(404, f"Series with id {series} not found.")
    shelf = call.account.shelf
    known = next((one for one in shelf.pulls.values() if one.series == series), None)
    if known is not None:
        return m.Reply(200, pull_row(call, known))
    now = call.state.clock.moment()
    made = Pull(id=call.state.numbers.take("pull"), series=series, added_on=now)
    shelf.pulls[made.id] = made
    call.account.shelf.use_pull_list(call.state.numbers.take, call.state.clock.moment())
    return m.Reply(201, pull_row(call, made))


def unpull(call: Call) -> m.Reply:
    """Remove a series, which the path names by its own id."""
    pulls, series = call.account.shelf.pulls, call.id()
    known = next((one for one in pulls.values() if one.series == series), None)
    if known is None:
        message = "Series not found in pull list."
        raise m.error(404, message)
    del pulls[known.id]
    call.account.shelf.use_pull_list(call.state.numbers.take, call.state.clock.moment())
    return m.Reply(204)


# -- wish list ------------------------------------------------------------------------------------


def _wish(call: Call) -> Wish:
    wish = call.account.shelf.wishes.get(call.id())
    if wish is None:
        kind = "wish_list_item"
        raise m.not_found(kind)
    return wish


def want(call: Call) -> m.Reply:
    """Add an issue to the wish list; a wish that exists is not changed."""
    values = _sent(call, "wish_list.add")
    issue = values.pop("issue_id")
    wishes = call.account.shelf.wishes
    known = next((one for one in wishes.values() if one.issue == issue), None)
    if known is not None:
        return m.Reply(200, wish_detail(call, known))
    now = call.state.clock.moment()
    grade = values.pop("desired_grade", None)
    wish = Wish(
        id=call.state.numbers.take("wish"),
        issue=issue,
        added_on=now,
        modified=now,
        desired_grade=None if grade is None else float(grade),
        **values,
    )
    wishes[wish.id] = wish
    call.account.shelf.use_wish_list(call.state.numbers.take, call.state.clock.moment())
    return m.Reply(201, wish_detail(call, wish))


def acquire(call: Call) -> m.Reply:
    """Fulfill a wish: its issue joins the collection, with the desired grade."""
    wish = _wish(call)
    values = _sent(call, "wish_list.acquire")
    values.pop("purchase_price_currency", None)
    item = _item_of(call, wish.issue)
    created = item is None
    if item is None:
        item = _new_item(call, wish.issue, grade=wish.desired_grade, **values)
    wish.status = "Acquired"
    wish.modified = call.state.clock.moment()
    call.account.shelf.use_wish_list(call.state.numbers.take, call.state.clock.moment())
    body = {
        "wish_list_item_id": wish.id,
        "collection_item_id": item.id,
        "created": created,
        "status": wish.status,
    }
    return m.Reply(200, body)


def unwant(call: Call) -> m.Reply:
    """Remove a wish."""
    del call.account.shelf.wishes[_wish(call).id]
    call.account.shelf.use_wish_list(call.state.numbers.take, call.state.clock.moment())
    return m.Reply(204)


def shelf_writes() -> dict[tuple[str, ...], dict[str, Handler]]:
    """Return the handlers of every account's writes, by path and method."""
    return {
        ("collection", "add"): {"POST": add},
        ("collection", "scrobble"): {"POST": scrobble},
        ("collection", "*"): {"PUT": rate, "PATCH": rate, "DELETE": remove},
        ("pull_list", "series", "add"): {"POST": pull},
        ("pull_list", "series", "*", "remove"): {"DELETE": unpull},
        ("wish_list", "items", "add"): {"POST": want},
        ("wish_list", "items", "*", "acquire"): {"POST": acquire},
        ("wish_list", "items", "*", "remove"): {"DELETE": unwant},
    }
