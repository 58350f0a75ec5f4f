"""Turn the input of a write into what is sent, or say what is wrong with it.

The server takes some resources as JSON and all of them as forms, and the two clear differently:
JSON has ``null`` and ``[]``, a form has only ``""``, and nothing at all for "an empty list". What
is sent in a form is therefore derived from what would be sent as JSON, and refused where that
cannot be said. An image needs a form; without one, JSON is preferred where it is taken.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, cast, get_args

import msgspec
from msgspec import UNSET

from metron_async._values import Refused
from metron_async.errors import UsageError
from metron_async.models.inputs import Input
from metron_async.models.writable import Image, Money, Rule

__all__ = ["Action", "FormFields", "JsonFields", "check_input", "encode_form", "encode_input"]

Action = Literal["create", "update", "replace"]


class JsonFields(msgspec.Struct, frozen=True):
    """What goes into a JSON object.

    Attributes:
        fields: Values by the server's names; only what JSON can hold.
    """

    fields: Mapping[str, Any]


class FormFields(msgspec.Struct, frozen=True):
    """What goes into a form; into a multipart one if there is an image.

    Attributes:
        fields: Pairs of the server's name and text; a list repeats its name.
        image: The image to send as the part ``image``, or ``None``.
    """

    fields: tuple[tuple[str, str], ...]
    image: Image | None = None


def check_input(value: Input, action: Action) -> None:
    """Check an input against the known limits of the server, without sending anything.

    Args:
        value: What is to be written.
        action: How: ``"create"``, ``"update"`` (PATCH) or ``"replace"`` (PUT).

    Raises:
        UsageError: A value is beyond a limit, a required field is missing, or an update changes
            nothing. The message names the field and the limit.
    """
    encode_input(value, action)


def encode_input(value: Input, action: Action) -> JsonFields | FormFields:
    """Encode an input in the form that the server takes, JSON if possible.

    Args:
        value: What is to be written.
        action: How: ``"create"``, ``"update"`` (PATCH) or ``"replace"`` (PUT).

    Returns:
        The fields of a JSON object, or those of a form.

    Raises:
        UsageError: As for :func:`check_input`; also where a form would have to clear a list.
    """
    encoded = _encode(value, action)
    has_image = encoded.get("image") is not None
    if value.takes_json and not has_image:
        return JsonFields(encoded)
    return _form(encoded, action)


def encode_form(value: Input, action: Action) -> FormFields:
    """Encode an input as a form, which the server takes for every resource.

    Args:
        value: What is to be written.
        action: How: ``"create"``, ``"update"`` (PATCH) or ``"replace"`` (PUT).

    Returns:
        The fields of the form, and the image.

    Raises:
        UsageError: As for :func:`check_input`; also where the form would have to clear a list.
    """
    return _form(_encode(value, action), action)


def _encode(value: Input, action: Action) -> dict[str, Any]:
    """Encode all fields that are set, by the server's names; the image stays as it is."""
    encoded: dict[str, Any] = {}
    missing: list[str] = []
    for name, encode_name, rule in rules_of(type(value)):
        given = getattr(value, name)
        if given is UNSET:
            if action != "update" and name in value.required:
                missing.append(name)
            continue
        try:
            told = rule.encode(given)
        except Refused as refused:
            message = f"{type(value).__name__}.{name}: {refused}"
            raise UsageError(message) from None
        if isinstance(rule, Money) and rule.currency == "beside" and isinstance(told, dict):
            encoded[encode_name] = told["amount"]
            encoded[f"{encode_name}_currency"] = told["currency"]
        else:
            encoded[encode_name] = told
    if missing:
        message = f"{type(value).__name__}: to {action}, it needs {', '.join(missing)}"
        raise UsageError(message)
    if action == "update" and not encoded:
        message = f"{type(value).__name__}: no field is set, so nothing would be updated"
        raise UsageError(message)
    return encoded


def _form(encoded: dict[str, Any], action: Action) -> FormFields:
    pairs: list[tuple[str, str]] = []
    image: Image | None = None
    for name, told in encoded.items():
        if name == "image" and told is not None:
            image = told
        elif told == [] and action == "create":
            continue  # it starts out empty anyway
        elif told == []:
            message = (
                f"{name}: the server cannot clear a list in a form, and takes this as a form only"
            )
            raise UsageError(message)
        elif isinstance(told, list):
            pairs += [(name, _text(item)) for item in cast("list[object]", told)]
        else:
            pairs.append((name, _text(told)))
    return FormFields(tuple(pairs), image)


def _text(told: object) -> str:
    if told is None:
        return ""
    if isinstance(told, str):
        return told
    # Numbers, truth values and the object of a price are written in a form as JSON writes them.
    return json.dumps(told)


@cache
def rules_of(kind: type[Input]) -> tuple[tuple[str, str, Rule], ...]:
    """Name, the server's name, and rule of every field of an input."""
    return tuple(
        (info.name, info.encode_name, get_args(info.type)[1])
        for info in msgspec.structs.fields(kind)
    )
