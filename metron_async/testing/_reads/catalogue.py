"""Reads of the catalogue: lists, details, and the lists below a detail."""

# ruff: noqa: EM101 - these messages go into responses

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metron_async.testing._data.arithmetic import mix
from metron_async.testing._reads.paging import SHORT_PAGE, paginate
from metron_async.testing._server import messages as m
from metron_async.testing._server.endpoints import Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from metron_async.testing._server.endpoints import Call, Handler

__all__ = ["EDITABLE", "find", "read_endpoints", "shaken"]

EDITABLE = (
    "arc",
    "character",
    "creator",
    "imprint",
    "issue",
    "publisher",
    "series",
    "team",
    "universe",
)
_BY_NAME_ONLY = ("arc", "character", "creator")


def find(call: Call, kind: str) -> Any:
    """Return the record that the path names.

    Raises:
        HttpError: A 404.
    """
    record = call.state.catalogue.get(kind, call.id())
    if record is None:
        raise m.not_found(kind)
    return record


def shaken(call: Call, records: list[Any], rank: Callable[[Any], Any]) -> list[Any]:
    """Return *records* with those of equal rank in another order for each page.

    The real server's orders are not total. Of two rows with the same name, either may come first
    on each page, so that one is listed twice and the other never.
    """
    if not call.state.settings.unstable:
        return records
    page = sum(call.request.params.get("page", "1").encode())
    return sorted(records, key=lambda record: (rank(record), mix(page, record.id)))


def listing(kind: str) -> Handler:
    """Return the handler of the list of *kind*."""

    def respond(call: Call) -> m.Reply:
        records = call.state.selection.listed(kind, call.request.params)
        if kind in _BY_NAME_ONLY:
            records = shaken(call, records, lambda record: record.name)
        return paginate(call, records, lambda page: call.state.render.rows(kind, page))

    return respond


def detail(kind: str) -> Handler:
    """Return the handler of one object of *kind*."""

    def respond(call: Call) -> m.Reply:
        record = find(call, kind)
        body = call.state.render.detail(kind, record, call.origin)
        return m.Reply(200, body, modified=record.modified)

    return respond


def _parent(call: Call, kind: str) -> Any:
    """Return the object above a list; the query filters this object, not the list."""
    record = find(call, kind)
    if not call.state.selection.select(kind, [record], call.request.params):
        raise m.not_found(kind)
    return record


def issue_list(kind: str) -> Handler:
    """Return the handler of the issues of one object of *kind*."""

    def respond(call: Call) -> m.Reply:
        record = _parent(call, kind)
        catalogue = call.state.catalogue
        if kind == "series":
            issues = catalogue.issues_of_series(record.id)
        else:
            issues = catalogue.issues_related(f"{kind}s", record.id)
        reply = paginate(call, issues, lambda page: call.state.render.rows("issue", page))
        reply.modified = record.modified
        return reply

    return respond


def series_list(call: Call) -> m.Reply:
    """Respond with the series of a publisher."""
    publisher = _parent(call, "publisher")
    found = [s for s in call.state.catalogue.ordered("series") if s.publisher == publisher.id]
    return paginate(call, found, lambda page: call.state.render.rows("series", page))


# -- reading lists -----------------------------------------------------------------------------


def _readable(call: Call) -> Any:
    record = find(call, "reading_list")
    if record.is_private and record.user != call.account.id:
        raise m.not_found("reading_list")
    return record


def reading_lists(call: Call) -> m.Reply:
    """Respond with the public reading lists and the account's own."""
    found = call.state.selection.listed("reading_list", call.request.params)
    visible = [r for r in found if not r.is_private or r.user == call.account.id]
    render = call.state.render
    return paginate(call, visible, lambda page: render.rows("reading_list", page), SHORT_PAGE)


def reading_list(call: Call) -> m.Reply:
    """Respond with one reading list."""
    record = _readable(call)
    body = call.state.render.detail("reading_list", record, call.origin)
    return m.Reply(200, body, modified=record.modified)


def reading_list_items(call: Call) -> m.Reply:
    """Respond with the issues of a reading list, in their order."""
    issues = call.state.catalogue.tables.issue
    items = [item for item in _readable(call).items if item.issue in issues]

    def rows(page: Sequence[Any]) -> list[Any]:
        short = call.state.render.short_issue
        return [
            {
                "id": item.id,
                "issue": short(item.issue, external=True),
                "order": item.order,
                "issue_type": item.issue_type,
            }
            for item in page
        ]

    return paginate(call, items, rows, SHORT_PAGE)


def read_endpoints() -> list[Endpoint]:
    """Return the endpoints that read the catalogue."""
    found: list[Endpoint] = []
    for kind in EDITABLE:
        found.append(Endpoint((kind,), {"GET": listing(kind)}, guarded=True, cache="list"))
        found.append(Endpoint((kind, "*"), {"GET": detail(kind)}, guarded=True, cache="detail"))
    for kind in ("arc", "character", "series", "team"):
        path = (kind, "*", "issue_list")
        found.append(Endpoint(path, {"GET": issue_list(kind)}, guarded=True, cache="detail"))
    path = ("publisher", "*", "series_list")
    found.append(Endpoint(path, {"GET": series_list}, guarded=True, cache="list"))
    found.extend(
        Endpoint((kind,), {"GET": listing(kind)}, guarded=True) for kind in ("role", "series_type")
    )
    found.append(Endpoint(("reading_list",), {"GET": reading_lists}))
    found.append(Endpoint(("reading_list", "*"), {"GET": reading_list}))
    found.append(Endpoint(("reading_list", "*", "items"), {"GET": reading_list_items}))
    return found
