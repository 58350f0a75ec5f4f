"""Schemas of the models for pydantic, which FastAPI uses for responses.

Only pydantic imports this module, through the hooks of :class:`~metron_async.models.Record`. Keys
are the attribute names, as in ``to_dict()``. pydantic validates dictionaries field by field, and
they become Structs; Structs are accepted as they are.
"""

import ast
import inspect
import re
import textwrap
from functools import cache
from itertools import pairwise
from typing import Any

import msgspec
from pydantic_core import PydanticSerializationUnexpectedValue, core_schema

__all__ = ["aware_datetime", "core_schema_of", "json_schema_of"]

_ROLE = re.compile(r":\w+:`~?(?:[\w.]+\.)?(\w+)`")


def core_schema_of(model: Any, handler: Any) -> Any:
    """Return what pydantic needs to validate and serialize a model.

    Args:
        model: The Struct class.
        handler: pydantic's ``GetCoreSchemaHandler``, which makes the schemas of the fields.
    """
    fields = core_schema.typed_dict_schema(
        {
            field.name: core_schema.typed_dict_field(
                handler.generate_schema(field.type), required=field.required
            )
            for field in msgspec.structs.fields(model)
        }
    )

    def serialize(record: Any, inner: Any) -> Any:
        if not isinstance(record, model):  # another member of a union
            raise PydanticSerializationUnexpectedValue(model.__name__)
        return inner(msgspec.structs.asdict(record))

    made = core_schema.no_info_after_validator_function(lambda values: model(**values), fields)
    return core_schema.json_or_python_schema(
        json_schema=made,
        python_schema=core_schema.union_schema(
            [core_schema.is_instance_schema(model), made], mode="left_to_right"
        ),
        serialization=core_schema.wrap_serializer_function_ser_schema(serialize, schema=fields),
        ref=f"{model.__module__}.{model.__qualname__}:{id(model)}",
    )


def json_schema_of(model: Any, schema: Any, handler: Any) -> Any:
    """Return the JSON schema of a model, with the docstrings of its class and fields.

    Args:
        model: The Struct class.
        schema: Its core schema.
        handler: pydantic's ``GetJsonSchemaHandler``.
    """
    made = handler(schema)
    shown = handler.resolve_ref_schema(made)
    shown["title"] = model.__name__
    shown["description"] = _plain(model.__doc__)
    if handler.mode == "serialization":  # fields with defaults are returned, too
        shown["required"] = list(shown["properties"])
    for name, text in _field_docs(model).items():
        shown["properties"][name]["description"] = text
    return made


def aware_datetime() -> Any:
    """Return the core schema of a datetime that must have an offset."""
    return core_schema.datetime_schema(tz_constraint="aware")


@cache
def _field_docs(model: type) -> dict[str, str]:
    """Return the docstrings below the fields, where the source is available."""
    found: dict[str, str] = {}
    for part in reversed(model.__mro__):
        try:
            source = inspect.getsource(part)
        except (OSError, TypeError):  # a frozen program has no source, C types have none
            continue
        (definition,) = ast.parse(textwrap.dedent(source)).body
        for field, below in pairwise(getattr(definition, "body", ())):
            if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
                found[ast.unparse(field.target)] = _plain(ast.literal_eval(below.value))
    return found


def _plain(text: str | None) -> str:
    return _ROLE.sub(r"`\1`", " ".join((text or "").split())).replace("``", "`")
