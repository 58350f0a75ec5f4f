"""Shows the members of classes: attributes as one list, methods and keywords with concrete types.

- A heading for each of a thousand attributes would hide the classes. The list has inherited ones,
  too, in the order of the fields.
- ``Retrievable[D].get`` returns ``D``. On the page of the issues it should say ``Issue``.
- A reader of ``**filters: Unpack[IssueFilters]`` looks for the filters.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
import re
from typing import TYPE_CHECKING, Any

import griffe

if TYPE_CHECKING:
    from collections.abc import Iterator

Types = dict[str, Any]  # expressions by the name of the type variable

ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


class Members(griffe.Extension):
    """Rewrites the classes of the package."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """List keywords, copy inherited methods into the namespaces, and list attributes."""
        classes = list(_classes(pkg))
        for one in classes:
            for function in one.functions.values():
                _list_keywords(function)
        for one in classes:
            if one.name.endswith("Resource"):
                _inherit(one)
        _list_attributes(classes)  # last, since it takes their docstrings


def _classes(module: griffe.Module) -> Iterator[griffe.Class]:
    """Return all classes that are defined in a module or below it."""
    for member in module.members.values():
        if member.is_alias:
            continue
        if isinstance(member, griffe.Class):
            yield member
        elif isinstance(member, griffe.Module):
            yield from _classes(member)


def _list_attributes(classes: list[griffe.Class]) -> None:
    """Move the docstrings of attributes into an ``Attributes:`` section of their classes."""
    described = {id(one): _described(one) for one in classes}
    for one in classes:
        fields = described[id(one)]
        if fields and one.docstring and "Attributes:" not in one.docstring.value:
            items = [f"    {name}: {_indented(text)}" for name, text in fields.items()]
            one.docstring.value += "\n\nAttributes:\n" + "\n".join(items)
    for one in classes:
        for attribute in one.attributes.values():
            attribute.docstring = None


def _described(one: griffe.Class) -> dict[str, str]:
    """Return the docstrings of all fields of a class, those of its bases first."""
    found: dict[str, str] = {}
    for part in (*reversed(one.mro()), one):
        for name, attribute in part.attributes.items():
            text = attribute.docstring.value if attribute.docstring else found.get(name, "")
            # What is not annotated is a member of an enum.
            found[name] = text if attribute.annotation else f"`{attribute.value}`: {text}"
    return {name: text for name, text in found.items() if text and not name.startswith("_")}


def _indented(text: str) -> str:
    return "\n        ".join(text.splitlines())


def _inherit(one: griffe.Class) -> None:
    """Give *one* copies of the public methods of its bases, with its own types."""
    types = _type_arguments(one, {})
    for base in one.mro():
        for name, method in base.functions.items():
            if name.startswith("_") or name in one.members or method.is_alias:
                continue
            one.set_member(name, _concrete(method, types))


def _concrete(method: griffe.Function, types: Types) -> griffe.Function:
    """Return a copy of *method* with other types."""
    own = copy.copy(method)
    own.parameters = griffe.Parameters(*[_replaced(each, types) for each in own.parameters])
    own.returns = _replaced(own.returns, types)
    own.overloads = [_concrete(each, types) for each in own.overloads or ()]
    if method.docstring:
        own.docstring = copy.copy(method.docstring)
        own.docstring.parent = own
    return own


def _type_arguments(one: griffe.Class, outer: Types) -> Types:
    """Return what stands for each type variable in the bases of *one*."""
    found: Types = {}
    bases = {base.path: base for base in one.resolved_bases}
    for expression in one.bases:
        base = bases.get(getattr(expression, "canonical_path", ""))
        if not isinstance(base, griffe.Class):
            continue
        own = dict(zip(_parameters(base), _arguments(expression), strict=False))
        own = {name: _replaced(each, outer) for name, each in own.items()}
        found |= own | _type_arguments(base, own)
    return found


def _parameters(base: griffe.Class) -> list[str]:
    """Return the names of the type variables of *base*, in order."""
    generic = [each for each in base.bases if getattr(each, "canonical_name", "") == "Generic"]
    return [str(name) for each in generic or base.bases for name in _arguments(each)]


def _arguments(expression: Any) -> list[Any]:
    if not isinstance(expression, griffe.ExprSubscript):
        return []
    inside = expression.slice
    return list(inside.elements) if isinstance(inside, griffe.ExprTuple) else [inside]


def _replaced(value: Any, types: Types) -> Any:
    """Return *value*, an expression or what has expressions, with type variables replaced."""
    if isinstance(value, griffe.ExprName) and value.name in types:
        return types[value.name]
    if isinstance(value, list | tuple):
        return type(value)(_replaced(each, types) for each in value)
    if isinstance(value, griffe.Parameter):
        value = copy.copy(value)
        value.annotation = _replaced(value.annotation, types)
    elif isinstance(value, griffe.Expr):
        value = copy.copy(value)
        for field in dataclasses.fields(value):
            inner = getattr(value, field.name)
            if isinstance(inner, griffe.Expr | list | tuple):
                setattr(value, field.name, _replaced(inner, types))
    return value


def _list_keywords(function: griffe.Function) -> None:
    """List the keys of ``**keywords: Unpack[Keys]`` in the docstring of *function*."""
    unpacked = [
        argument
        for each in function.parameters
        if each.kind is griffe.ParameterKind.var_keyword
        for argument in _arguments(each.annotation)
    ]
    modules = function.modules_collection
    for argument in unpacked:
        items = [
            f"    {name} ({_plain(kind, modules)}): {_indented(text)}"
            for name, (kind, text) in _keywords(modules[argument.canonical_path]).items()
        ]
        place = function.docstring or function.parent.docstring  # a constructor's is the class's
        if place and items:
            place.value += "\n\nKeyword Args:\n" + "\n".join(items)


def _keywords(keys: griffe.Class) -> dict[str, tuple[Any, str]]:
    """Return the type and the description of each key of a typed dictionary."""
    found: dict[str, tuple[Any, str]] = {}
    for part in (*reversed(keys.mro()), keys):
        _, _, section = (part.docstring.value if part.docstring else "").partition("Attributes:\n")
        texts = {name: inspect.cleandoc(text) for name, text in ATTRIBUTE.findall(section)}
        texts |= _described(part)
        for name, attribute in part.attributes.items():
            found[name] = attribute.annotation, texts.get(name) or found.get(name, ("", ""))[1]
    return found


def _plain(kind: Any, modules: griffe.ModulesCollection) -> Any:
    """Return the type in ``Annotated[type, ...]``, or in an alias of it."""
    if isinstance(kind, griffe.ExprName) and kind.canonical_path.startswith("metron_async."):
        kind = getattr(modules[kind.canonical_path], "value", kind)
    if getattr(kind, "canonical_name", "") == "Annotated":
        return _arguments(kind)[0]
    return kind
