"""Validation of a write: the values that were sent, or the server's messages by field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metron_async.testing._server import messages as m
from metron_async.testing._writes.fields import MISSING, InvalidError
from metron_async.testing._writes.schemas import SCHEMAS

if TYPE_CHECKING:
    from metron_async.testing._data.catalogue import Catalogue
    from metron_async.testing._writes.fields import Field
    from metron_async.testing._writes.forms import Input
    from metron_async.testing._writes.schemas import Schema

__all__ = ["check", "checked"]


def check(
    kind: str, sent: Input, catalogue: Catalogue, *, partial: bool = False, own: Any = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read the fields of a write.

    Args:
        kind: Name of the schema.
        sent: The fields that were sent.
        catalogue: The objects to which ids refer.
        partial: Whether required fields may be missing, as in a PATCH.
        own: The object that is changed.

    Returns:
        The values by field, and the server's messages by field: one of them is empty.

    Raises:
        HttpError: A 500, for a value that the server does not check and its database refuses.
    """
    schema = SCHEMAS[kind]
    values: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    for name, field in schema.fields.items():
        raw = sent.get_list(name) if field.many else sent.get(name)
        if raw is MISSING:
            if name in schema.required and not partial:
                errors[name] = [_NO_FILE if name == "image" else _REQUIRED]
            continue
        try:
            value = field.read(raw, sent.form)
            _require_known(field, value, catalogue)
            if field.unique is not None and value is not None:
                _require_unique(kind, name, value, catalogue, own)
        except InvalidError as error:
            errors[name] = error.messages
        else:
            if value is not MISSING:
                values[name] = value
    if not errors:
        _require_fit(schema, values)
    return values, errors


def checked(
    kind: str, sent: Input, catalogue: Catalogue, *, partial: bool = False, own: Any = None
) -> dict[str, Any]:
    """Return the values of a write; the arguments are those of ``check``.

    Raises:
        HttpError: A 400 with messages by field, or a 500.
    """
    values, errors = check(kind, sent, catalogue, partial=partial, own=own)
    if errors:
        raise m.invalid(errors)
    return values


_REQUIRED = "This field is required."
_NO_FILE = "No file was submitted."


def _require_known(field: Field, value: Any, catalogue: Catalogue) -> None:
    if field.table is None or value is None:
        return
    table = catalogue.table(field.table)
    for rid in value if field.many else (value,):
        if rid not in table:
            raise InvalidError(field.unknown.format(rid))


def _require_unique(kind: str, name: str, value: Any, catalogue: Catalogue, own: Any) -> None:
    for record in catalogue.table(kind).values():
        if getattr(record, name) == value and record is not own:
            title = SCHEMAS[kind].fields[name].unique
            message = f"{kind} with this {title} already exists."
            raise InvalidError(message)


def _require_fit(schema: Schema, values: dict[str, Any]) -> None:
    for name, value in values.items():
        fits = schema.fields[name].fits
        if fits is not None and not fits(value):
            raise m.server_error()
