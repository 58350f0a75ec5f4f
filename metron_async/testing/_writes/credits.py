"""Writes of editors below an issue: credits and variant covers. Both move its ``modified``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metron_async.testing._reads.rows import picked
from metron_async.testing._server import messages as m
from metron_async.testing._server.servertime import iso
from metron_async.testing._writes.fields import InvalidError
from metron_async.testing._writes.forms import as_input, read_one, read_rows
from metron_async.testing._writes.schemas import SCHEMAS
from metron_async.testing._writes.uploads import stored
from metron_async.testing._writes.validation import check, checked

if TYPE_CHECKING:
    from metron_async.testing import records as r
    from metron_async.testing._reads.rows import Json
    from metron_async.testing._server.endpoints import Call, Handler

__all__ = ["create_credits", "create_variant", "update_variant"]


def create_credits(call: Call) -> m.Reply:
    """Create the credits of an array: all of them, or none."""
    rows: list[dict[str, Any]] = []
    errors: dict[str, Any] = {}
    seen: set[tuple[int, int]] = set()
    for position, row in enumerate(read_rows(call.request, SCHEMAS["credit"].accepts)):
        try:
            values, wrong = check("credit", as_input(row), call.state.catalogue)
            if not wrong:
                _require_new(call, (values["issue"], values["creator"]), seen)
        except InvalidError as error:
            wrong = {"non_field_errors": error.messages}
        else:
            rows.append(values)
        if wrong:
            errors[str(position)] = wrong
    if errors:
        raise m.invalid(errors)
    return m.Reply(201, [_make_credit(call, values) for values in rows])


def _require_new(call: Call, pair: tuple[int, int], seen: set[tuple[int, int]]) -> None:
    if pair in seen or _credited(call, *pair):
        message = "The fields issue, creator must make a unique set."
        raise InvalidError(message)
    seen.add(pair)


def _credited(call: Call, issue: int, creator: int) -> bool:
    known = call.state.catalogue.credits(call.state.catalogue.tables.issue[issue])
    return any(credit.creator == creator for credit in known)


def _make_credit(call: Call, values: dict[str, Any]) -> Json:
    catalogue, now = call.state.catalogue, call.state.clock.moment()
    credit = catalogue.add_credit(values["issue"], values["creator"], values["role"], now)
    return {
        "id": credit.id,
        "modified": iso(now),
        "issue": values["issue"],
        "creator": credit.creator,
        "role": list(credit.roles),
    }


def _variant_body(variant: r.Variant) -> Json:
    own = picked(variant, "id", "image", "name", "price", "sku", "upc", "issue")
    return own | {"price_currency": variant.currency}


def _variant_attributes(call: Call, values: dict[str, Any]) -> dict[str, Any]:
    found = dict(values)
    if "image" in found:
        found["image"] = stored(call, "variants", found["image"])
    if "price" in found:
        found["price"], currency = found["price"]
        found["currency"] = currency or "USD"
    return found


def create_variant(call: Call) -> m.Reply:
    """Create a variant cover."""
    catalogue = call.state.catalogue
    values = checked("variant", read_one(call.request, SCHEMAS["variant"].accepts), catalogue)
    attributes = _variant_attributes(call, values)
    variant = catalogue.add_variant(attributes, call.state.clock.moment())
    return m.Reply(201, _variant_body(variant))


def update_variant(*, partial: bool) -> Handler:
    """Return the handler of a PATCH (*partial*) or PUT of a variant cover."""

    def respond(call: Call) -> m.Reply:
        catalogue = call.state.catalogue
        variant = catalogue.variants.get(call.id())
        if variant is None:
            kind = "variant"
            raise m.not_found(kind)
        sent = read_one(call.request, SCHEMAS["variant"].accepts)
        values = checked("variant", sent, catalogue, partial=partial)
        for name, value in _variant_attributes(call, values).items():
            setattr(variant, name, value)
        catalogue.change("issue", variant.issue, {}, call.state.clock.moment())
        return m.Reply(200, _variant_body(variant))

    return respond
