"""Writes of editors: objects of the catalogue, credits and variants.

Responses hold ids where those of reads hold objects. A change moves the object's ``modified``. A
new credit or variant moves the issue's, and an arc, character or team that an issue names for
the first time is moved as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metron_async.testing import records as r
from metron_async.testing._data.catalogue import RELATIONS
from metron_async.testing._reads.catalogue import EDITABLE, find
from metron_async.testing._server import messages as m
from metron_async.testing._writes.credits import create_credits, create_variant, update_variant
from metron_async.testing._writes.forms import read_one
from metron_async.testing._writes.schemas import SCHEMAS
from metron_async.testing._writes.uploads import stored
from metron_async.testing._writes.validation import checked

if TYPE_CHECKING:
    from metron_async.testing._reads.rows import Json
    from metron_async.testing._server.endpoints import Call, Handler

__all__ = ["catalogue_writes"]

_CLASSES: dict[str, type[Any]] = {
    "arc": r.Arc,
    "character": r.Character,
    "creator": r.Creator,
    "imprint": r.Imprint,
    "issue": r.Issue,
    "publisher": r.Publisher,
    "series": r.Series,
    "team": r.Team,
    "universe": r.Universe,
}
_IDS = {
    "character": (("creators", "creator"), ("teams", "team"), ("universes", "universe")),
    "team": (("creators", "creator"), ("universes", "universe")),
}
_HIDDEN = (
    "publisher",
    "imprint",
    "price_currency",
    "cover_hash",
    "average_rating",
    "rating_count",
    "credits",
    "variants",
    "modified",
)


def _attributes(call: Call, kind: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of a record for the fields that were sent."""
    schema, found = SCHEMAS[kind], dict[str, Any]()
    for name, value in values.items():
        if name == "image":
            found[name] = stored(call, kind, value)
        elif name == "price":
            found["price"], found["currency"] = value
        else:
            found[schema.fields[name].attribute or name] = value
    return found


def _require_unique(call: Call, kind: str, found: dict[str, Any], own: Any = None) -> None:
    """Refuse a second object with the same values of the fields that identify its kind."""
    names = SCHEMAS[kind].unique
    if not found.keys() & set(names):
        return
    identity = [found.get(name, getattr(own, name, None)) for name in names]
    for record in call.state.catalogue.table(kind).values():
        if record is not own and [getattr(record, name) for name in names] == identity:
            message = f"The fields {', '.join(names)} must make a unique set."
            raise m.invalid({"non_field_errors": [message]})


def _slug(call: Call, kind: str, record: Any) -> str:
    if kind == "series":
        return r.slug(f"{record.name} {record.year_began}")
    return r.slug(record.name) if kind != "issue" else call.state.render.issue_slug(record)


def _appear(call: Call, found: dict[str, Any], before: dict[str, tuple[int, ...]]) -> None:
    """Move ``modified`` of the objects to which an issue is newly related."""
    catalogue, now = call.state.catalogue, call.state.clock.moment()
    for relation, table in RELATIONS.items():
        if relation == "universes":
            continue
        for rid in set(found.get(relation, ())) - set(before.get(relation, ())):
            catalogue.change(table, rid, {}, now)


def creating(kind: str) -> Handler:
    """Return the handler that creates an object of *kind*."""

    def respond(call: Call) -> m.Reply:
        catalogue = call.state.catalogue
        values = checked(kind, read_one(call.request, SCHEMAS[kind].accepts), catalogue)
        found = _defaults(kind) | _attributes(call, kind, values)
        _require_unique(call, kind, found)
        rid = catalogue.next_id(kind)
        if kind == "issue":
            _appear(call, found, {})
        record = _CLASSES[kind](id=rid, modified=call.state.clock.moment(), **found)
        record.slug = _slug(call, kind, record)
        catalogue.add(kind, record)
        return m.Reply(201, written(call, kind, record))

    return respond


def _defaults(kind: str) -> dict[str, Any]:
    if kind == "issue":
        # Only the relations of generated issues follow from their ids.
        return dict.fromkeys(RELATIONS, ()) | {"credits": ()}
    return {}


def updating(kind: str, *, partial: bool) -> Handler:
    """Return the handler of a PATCH (*partial*) or PUT of an object of *kind*."""

    def respond(call: Call) -> m.Reply:
        record = find(call, kind)
        catalogue = call.state.catalogue
        sent = read_one(call.request, SCHEMAS[kind].accepts)
        values = checked(kind, sent, catalogue, partial=partial, own=record)
        found = _attributes(call, kind, values)
        _require_unique(call, kind, found, record)
        if kind == "issue":
            before = {name: catalogue.related(record, name) for name in RELATIONS}
            _appear(call, found, before)
        catalogue.change(kind, record.id, found, call.state.clock.moment())
        return m.Reply(200, written(call, kind, record))

    return respond


def written(call: Call, kind: str, record: Any) -> Json:
    """Return an object as JSON, as the responses to writes show it."""
    render = call.state.render
    body = render.detail(kind, record, call.origin)
    for name, table in _IDS.get(kind, ()):
        body[name] = [row["id"] for row in render.named_list(table, getattr(record, name))]
    if kind in {"imprint", "universe"}:
        body["publisher"] = record.publisher
    elif kind == "series":
        for name in ("series_type", "status", "publisher", "imprint"):
            body[name] = getattr(record, name)
        body |= {"genres": list(record.genres), "associated": list(record.associated)}
        del body["issue_count"]
    elif kind == "issue":
        body |= {"series": record.series, "rating": record.rating}
        body["reprints"] = list(record.reprints)
        for name in RELATIONS:
            body[name] = [row["id"] for row in body[name]]
        for name in _HIDDEN:
            del body[name]
    return body


def catalogue_writes() -> dict[tuple[str, ...], dict[str, Handler]]:
    """Return the handlers of the editors' writes, by path and method."""
    found: dict[tuple[str, ...], dict[str, Handler]] = {}
    for kind in EDITABLE:
        found[kind,] = {"POST": creating(kind)}
        found[kind, "*"] = {
            "PUT": updating(kind, partial=False),
            "PATCH": updating(kind, partial=True),
        }
    found["credit",] = {"POST": create_credits}
    found["variant",] = {"POST": create_variant}
    found["variant", "*"] = {
        "PUT": update_variant(partial=False),
        "PATCH": update_variant(partial=True),
    }
    return found
