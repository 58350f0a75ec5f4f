"""The editors' writes below an issue: credits and variant covers. Both move its ``modified``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from metron_async.testing._server import messages as m
from metron_async.testing._server.servertime import iso
from metron_async.testing._writes.forms import Input, read_input, read_one
from metron_async.testing._writes.schemas import SCHEMAS
from metron_async.testing._writes.uploads import stored
from metron_async.testing._writes.validation import check, checked

if TYPE_CHECKING:
    from metron_async.testing import records as r
    from metron_async.testing._reads.rows import Json
    from metron_async.testing._server.endpoints import Call, Handler

_INDEXED = re.compile(r"\[([0-9]+)\](.*)")

__all__ = ["create_credits", "create_variant", "update_variant"]


def create_credits(call: Call) -> m.Reply:
    """Respond to a POST of an array of credits: all are created, or none."""
    catalogue = call.state.catalogue
    rows = _rows(read_input(call.request, SCHEMAS["credit"].accepts))
    checked_rows: list[dict[str, Any]] = []
    errors: dict[str, Any] = {}
    seen: set[tuple[int, int]] = set()
    for position, row in enumerate(rows):
        values, wrong = check("credit", row, catalogue)
        pair = (values.get("issue", 0), values.get("creator", 0))
        if not wrong and (pair in seen or _credited(call, *pair)):
            message = "The fields issue, creator must make a unique set."
            errors[str(position)] = {"non_field_errors": [message]}
        elif wrong:
            errors[str(position)] = wrong
        seen.add(pair)
        checked_rows.append(values)
    if errors:
        raise m.invalid(errors)
    return m.Reply(201, [_make_credit(call, values) for values in checked_rows])


def _rows(sent: Input | list[Input]) -> list[Input]:
    """Return the rows of an array, which a form writes as ``[0]issue=1&[0]creator=2``.

    Raises:
        HttpError: A 400, for a single object in place of the array.
    """
    if isinstance(sent, list):
        return sent
    if not sent.form:
        message = 'Expected a list of items but got type "dict".'
        raise m.invalid({"non_field_errors": [message]})
    rows: dict[int, dict[str, Any]] = {}
    for name, value in sent.values.items():
        found = _INDEXED.fullmatch(name)
        if found is not None:
            rows.setdefault(int(found[1]), {})[found[2]] = value
    return [Input(form=True, values=rows[position]) for position in sorted(rows)]


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
    return {
        "id": variant.id,
        "image": variant.image,
        "name": variant.name,
        "price_currency": variant.currency,
        "price": variant.price,
        "sku": variant.sku,
        "upc": variant.upc,
        "issue": variant.issue,
    }


def _variant_attributes(call: Call, values: dict[str, Any]) -> dict[str, Any]:
    found = dict(values)
    if "image" in found:
        found["image"] = stored(call, "variants", found["image"])
    if "price" in found:
        found["price"], currency = found["price"]
        found["currency"] = currency or "USD"
    return found


def create_variant(call: Call) -> m.Reply:
    """Answer a POST of a variant cover."""
    catalogue = call.state.catalogue
    values = checked("variant", read_one(call.request, SCHEMAS["variant"].accepts), catalogue)
    attributes = _variant_attributes(call, values)
    variant = catalogue.add_variant(attributes, call.state.clock.moment())
    return m.Reply(201, _variant_body(variant))


def update_variant(*, partial: bool) -> Handler:
    """Return what answers a PATCH (*partial*) or PUT of a variant cover."""

    def answer(call: Call) -> m.Reply:
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

    return answer
