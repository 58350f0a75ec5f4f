"""Reads an OpenAPI schema: what its operations take and return, and whether a value fits."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
PLAIN = {
    "array": list,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "object": dict,
    "string": str,
}


class Schema:
    """One schema.

    Attributes:
        document: The schema as it was decoded.
        components: Its named schemas.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.components: dict[str, dict[str, Any]] = document.get("components", {}).get(
            "schemas", {}
        )

    def operations(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Return all operations, by method and path."""
        return {
            (method, path): {
                **operation,
                "parameters": [*item.get("parameters", ()), *operation.get("parameters", ())],
            }
            for path, item in self.document["paths"].items()
            for method, operation in item.items()
            if method in METHODS
        }

    def filters(self, method: str, path: str) -> dict[str, dict[str, Any]]:
        """Return the query parameters of an operation, without ``page``."""
        return {
            parameter["name"]: parameter.get("schema", {})
            for parameter in self.operations()[method, path]["parameters"]
            if parameter["in"] == "query" and parameter["name"] != "page"
        }

    def template(self, method: str, path: str) -> str:
        """Return the path of the operation that handles *path*; fixed parts come first."""
        found = [
            known
            for verb, known in self.operations()
            if verb == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), path)
        ]
        return min(found, key=lambda known: known.count("{"))

    def body(self, method: str, path: str) -> dict[str, dict[str, Any]]:
        """Return the writable properties of an operation's request body."""
        content = self.operations()[method, path]["requestBody"]["content"]
        properties = self.resolve(next(iter(content.values()))["schema"])["properties"]
        return {name: prop for name, prop in properties.items() if not prop.get("readOnly")}

    def resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the named schema for a reference, and anything else as it is."""
        if "$ref" in schema:
            return self.components[schema["$ref"].rsplit("/", 1)[-1]]
        return schema

    def choices(self, schema: dict[str, Any]) -> list[Any] | None:
        """Return the values of a closed set, or ``None`` for anything else."""
        schema = self.resolve(schema)
        parts = schema.get("allOf") or schema.get("oneOf")
        if parts is None:
            return schema.get("enum")
        found = [self.choices(part) for part in parts]
        return None if None in found else [value for part in found for value in part or ()]

    # -- values --------------------------------------------------------------------------------

    def problems(self, value: Any, schema: dict[str, Any], where: str = "") -> set[str]:
        """Return the places at which *value* does not fit *schema*."""
        if value is None:
            return set() if self.nullable(schema) else {f"{where}: null"}
        schema = self.resolve(schema)
        if "allOf" in schema or "oneOf" in schema:
            parts = schema.get("allOf") or schema["oneOf"]
            found = [self.problems(value, part, where) for part in parts]
            return set() if set() in found else set().union(*found)
        kind = schema.get("type")
        if kind is not None and not is_of(value, kind):
            return {f"{where}: {type(value).__name__}, not {kind}"}
        if isinstance(value, dict):
            return self.object_problems(value, schema, where)
        if isinstance(value, list):
            parts = [self.problems(item, schema.get("items", {}), f"{where}[]") for item in value]
            return set().union(*parts)
        return set() if fits(value, schema) else {f"{where}: {value!r} is not allowed"}

    def object_problems(
        self, value: dict[str, Any], schema: dict[str, Any], where: str
    ) -> set[str]:
        properties: dict[str, Any] = schema.get("properties", {})
        found = {f"{where}.{name}: missing" for name in properties.keys() - value.keys()}
        found |= {f"{where}.{name}: unknown" for name in value.keys() - properties.keys()}
        for name in properties.keys() & value.keys():
            found |= self.problems(value[name], properties[name], f"{where}.{name}")
        return found

    def nullable(self, schema: dict[str, Any]) -> bool:
        """Return whether ``null`` fits *schema*."""
        parts = [*schema.get("oneOf", ()), *schema.get("allOf", ())]
        if schema.get("nullable") or any(self.nullable(part) for part in parts):
            return True
        if "$ref" in schema:
            return self.nullable(self.resolve(schema))
        return None in schema.get("enum", ()) or "null" in schema.get("type", ())


def is_of(value: Any, kind: str | list[str]) -> bool:
    """Return whether *value* has the JSON type *kind*, or one of several."""
    if isinstance(kind, list):
        return any(is_of(value, one) for one in kind if one != "null")
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, PLAIN[kind])


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Return whether a value is a choice of *schema*, and has its format and limits."""
    if value not in schema.get("enum", [value]):
        return False
    if isinstance(value, str):
        readers = {
            "date": date.fromisoformat,
            "date-time": datetime.fromisoformat,
            "decimal": Decimal,
            "uri": urlsplit,
        }
        try:
            readers.get(schema.get("format", ""), str)(value)
        except (ValueError, InvalidOperation):
            return False
        return len(value) <= schema.get("maxLength", len(value)) and bool(
            re.search(schema.get("pattern", ""), value)
        )
    return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
