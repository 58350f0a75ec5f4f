"""Compares the schema of a server with the committed one, and names every difference.

Usage: ``python tests/support/drift.py URL_OR_FILE``, or ``nox -s drift -- URL_OR_FILE``. The schema
is read as JSON. The exit code is 0 if both are the same, 1 if they differ, and 2 if the
server's schema cannot be read.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.openapi import Schema

OURS = Path(__file__).parents[1] / "data" / "openapi.json"
LIMITS = ("minimum", "maximum", "minLength", "maxLength", "pattern")


class Fact(NamedTuple):
    """One thing that a schema states.

    Attributes:
        kind: ``"operation"``, ``"filter"``, ``"field"``, ``"choice"``, ``"request"`` or
            ``"response"``.
        name: The place at which it is stated.
    """

    kind: str
    name: str


class Difference(NamedTuple):
    """A fact of which two schemas differ.

    Attributes:
        change: ``"new"``, ``"gone"`` or ``"changed"``.
        fact: The fact.
        ours: Its type in the committed schema.
        theirs: Its type in the other one.
    """

    change: str
    fact: Fact
    ours: str = ""
    theirs: str = ""

    def __str__(self) -> str:
        types = " -> ".join(part for part in (self.ours, self.theirs) if part)
        return f"{self.change} {self.fact.kind}: {self.fact.name}" + (f" ({types})" * bool(types))


def type_of(schema: dict[str, Any]) -> str:
    """Return the type of a value in words, with its limits; choices are facts of their own."""
    parts = schema.get("oneOf") or schema.get("anyOf") or schema.get("allOf")
    if "$ref" in schema:
        kind = schema["$ref"].rsplit("/", 1)[-1]
    elif parts:
        kind = " or ".join(type_of(part) for part in parts)
    elif schema.get("type") == "array":
        kind = f"array of {type_of(schema.get('items', {}))}"
    else:
        stated = schema.get("type", "anything")
        kind = " or ".join(stated) if isinstance(stated, list) else stated
        kind = f"{kind} {schema.get('format', '')}".rstrip()
    limits = [f"{name} {schema[name]}" for name in LIMITS if name in schema]
    marks = [name for name in ("nullable", "readOnly", "writeOnly") if schema.get(name)]
    return ", ".join([kind, *limits, *marks])


def facts(document: dict[str, Any]) -> dict[Fact, str]:
    """Return everything that a schema states, with its type."""
    schema, found = Schema(document), dict[Fact, str]()
    for (method, path), operation in schema.operations().items():
        name = f"{method.upper()} {path}"
        found[Fact("operation", name)] = ""
        for parameter in operation["parameters"]:
            where = f"{name} {parameter['in']} {parameter['name']}"
            found |= stated("filter", where, parameter.get("schema", {}), parameter.get("required"))
        for media, content in operation.get("requestBody", {}).get("content", {}).items():
            found[Fact("request", f"{name} {media}")] = type_of(content.get("schema", {}))
        for status, response in operation["responses"].items():
            for media, content in response.get("content", {"no content": {}}).items():
                where = f"{name} {status} {media}"
                found[Fact("response", where)] = type_of(content.get("schema", {}))
    for name, component in schema.components.items():
        found |= choices(name, component)
        for field, prop in component.get("properties", {}).items():
            required = field in component.get("required", ())
            found |= stated("field", f"{name}.{field}", prop, required)
    return found


def stated(kind: str, name: str, schema: dict[str, Any], required: bool | None) -> dict[Fact, str]:
    """Return the fact of a field or a filter, and those of its choices."""
    shown = type_of(schema) + (", required" if required else "")
    return {Fact(kind, name): shown} | choices(name, schema)


def choices(name: str, schema: dict[str, Any]) -> dict[Fact, str]:
    """Return the choices of a closed set that is written out here."""
    values = schema.get("enum", schema.get("items", {}).get("enum", ()))
    return {Fact("choice", f"{name} = {json.dumps(value)}"): "" for value in values}


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> list[Difference]:
    """Return how *theirs* differs from *ours*, sorted by place."""
    before, after = facts(ours), facts(theirs)
    found = [Difference("gone", fact, before[fact]) for fact in before.keys() - after.keys()]
    found += [Difference("new", fact, theirs=after[fact]) for fact in after.keys() - before.keys()]
    found += [
        Difference("changed", fact, before[fact], after[fact])
        for fact in before.keys() & after.keys()
        if before[fact] != after[fact]
    ]
    return sorted(found, key=lambda difference: (difference.fact, difference.change))


def load(source: str) -> dict[str, Any]:
    """Return the schema at a URL or in a file.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not an OpenAPI schema in JSON.
    """
    if source.startswith(("http://", "https://")):
        headers = {
            "Accept": "application/vnd.oai.openapi+json, application/json",
            "User-Agent": "metron-async-drift/1 (schema check of the Python client)",
        }
        request = urllib.request.Request(source, headers=headers)  # noqa: S310 - http(s) only
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            body = response.read()
    else:
        body = Path(source).read_bytes()
    document = json.loads(body)
    if not isinstance(document, dict) or "paths" not in document:
        msg = "expected an OpenAPI schema, got JSON without paths"
        raise ValueError(msg)
    return document


def main(arguments: list[str]) -> int:
    """Print the differences, and return the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: drift.py URL_OR_FILE\n")
        return 2
    try:
        theirs = load(arguments[0])
    except (OSError, ValueError) as error:
        sys.stderr.write(f"error: cannot read a schema from {arguments[0]}: {error}\n")
        return 2
    found = differences(json.loads(OURS.read_bytes()), theirs)
    lines = [*map(str, found), f"{len(found)} differences" if found else "no difference"]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
