"""Encoding of the inputs of writes, as JSON or as a form.

The server accepts some resources as JSON and all of them as forms, and the two clear differently.
JSON has ``null`` and ``[]``. A form has only ``""``, and nothing for an empty list. A form is
derived from the JSON, and refused where it cannot express it. An image requires a form; without
one, JSON is preferred.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, NoReturn, cast, get_args
from urllib.parse import urlencode

import msgspec
from msgspec import UNSET

from metron_async._values import InvalidValueError
from metron_async.errors import UsageError
from metron_async.models._images import check_text
from metron_async.models._rules import Image, Money, Rule
from metron_async.models.inputs import Input

__all__ = ["Action", "FormFields", "JsonFields", "check_input", "encode_form", "encode_input"]

Action = Literal["create", "update", "replace"]

MAX_FIELDS = 1_000
"""Form fields that the server accepts in one request."""


class JsonFields(msgspec.Struct, frozen=True):
    """Fields of a JSON object."""

    fields: Mapping[str, Any]
    """Values by the server's names; only what JSON can hold."""


class FormFields(msgspec.Struct, frozen=True):
    """Fields of a form, which is multipart if there is an image."""

    fields: tuple[tuple[str, str], ...]
    """Pairs of the server's name and string; a list repeats its name."""
    image: Image | None = None
    """The image to send as the part ``image``, or ``None``."""


def check_input(value: Input, action: Action) -> None:
    """Check an input against the known limits of the server, without sending anything.

    Args:
        value: The input.
        action: ``"create"``, ``"update"`` (PATCH) or ``"replace"`` (PUT).

    Raises:
        UsageError: A value is beyond a limit, a required field is missing, an update changes
            nothing, or the whole is too large. The message names the field and the limit.
    """
    encode_input(value, action)


def encode_input(value: Input, action: Action) -> JsonFields | FormFields:
    """Encode an input in a format that the server accepts, JSON if possible.

    Args:
        value: The input.
        action: ``"create"``, ``"update"`` (PATCH) or ``"replace"`` (PUT).

    Returns:
        The fields of a JSON object, or those of a form.

    Raises:
        UsageError: As for :func:`check_input`; also where a form would have to clear a list.
    """
    encoded = _encode(value, action)
    if not value.takes_json or encoded.get("image") is not None:
        return _form(value, encoded, action)
    check_text(len(msgspec.json.encode(encoded)))
    return JsonFields(encoded)


def encode_form(value: Input, action: Action) -> FormFields:
    """Encode an input as a form, which the server accepts for every resource.

    Args:
        value: The input.
        action: ``"create"``, ``"update"`` (PATCH) or ``"replace"`` (PUT).

    Returns:
        The fields of the form, and the image.

    Raises:
        UsageError: As for :func:`check_input`; also where the form would have to clear a list.
    """
    return _form(value, _encode(value, action), action)


def _encode(value: Input, action: Action) -> dict[str, Any]:
    """Return all fields that are set, by the server's names; the image stays as it is."""
    encoded: dict[str, Any] = {}
    missing: list[str] = []
    for name, encode_name, rule in rules_of(type(value)):
        given = getattr(value, name)
        if given is UNSET:
            if action != "update" and name in value.required:
                missing.append(name)
            continue
        try:
            sent = rule.encode(given)
        except InvalidValueError as error:
            _refuse(value, f".{name}: {error}")
        if isinstance(rule, Money) and rule.currency == "beside" and isinstance(sent, dict):
            encoded[encode_name] = sent["amount"]
            encoded[f"{encode_name}_currency"] = sent["currency"]
        else:
            encoded[encode_name] = sent
    if missing:
        _refuse(value, f": {action} requires {', '.join(missing)}")
    if action == "update" and not encoded:
        _refuse(value, ": no field is set, so nothing would be updated")
    return encoded


def _form(value: Input, encoded: dict[str, Any], action: Action) -> FormFields:
    pairs: list[tuple[str, str]] = []
    image: Image | None = None
    for name, sent in encoded.items():
        if name == "image" and sent is not None:
            image = sent
        elif sent == [] and action != "create":  # a new object starts with empty lists
            reason = "the server cannot clear a list in a form"
            if value.takes_json:
                _refuse(value, f".{name}: {reason}. Send the image in a separate update")
            _refuse(value, f".{name}: {reason}, and accepts this as a form only")
        elif isinstance(sent, list):
            pairs += [(name, _text(item)) for item in cast("list[object]", sent)]
        else:
            pairs.append((name, _text(sent)))
    if len(pairs) > MAX_FIELDS:
        _refuse(
            value,
            f": a form of {len(pairs):,} fields, of which the server accepts at most"
            f" {MAX_FIELDS:,}. Each item of a list is a field; shorten the lists",
        )
    multipart = sum(len(name) + len(text.encode()) + 2 for name, text in pairs)
    check_text(multipart if image is not None else len(urlencode(pairs)))
    return FormFields(tuple(pairs), image)


def _refuse(value: Input, problem: str) -> NoReturn:
    message = f"{type(value).__name__}{problem}"
    raise UsageError(message) from None


def _text(sent: object) -> str:
    if sent is None:
        return ""
    if isinstance(sent, str):
        return sent
    # A form contains numbers, booleans and the object of a price as JSON writes them.
    return json.dumps(sent)


@cache
def rules_of(kind: type[Input]) -> tuple[tuple[str, str, Rule], ...]:
    """Return the name, the server's name, and the rule of every field of an input."""
    return tuple(
        (info.name, info.encode_name, get_args(info.type)[1])
        for info in msgspec.structs.fields(kind)
    )
