"""The page for those who come from mokkari names all that it has, and only what is here.

What mokkari has is read from the installed package: the public attributes of its Session with
their parameters, every module's public names, and every field of its schemas.
"""

from __future__ import annotations

import enum
import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from typing import Any, NamedTuple

import mokkari
import mokkari.session
import pydantic
import pytest

import metron_async
from metron_async import AsyncMetron, models

PAGE = Path(__file__).parent.parent / "docs" / "migrating-from-mokkari.md"
CODE = re.compile(r"`([^`]+)`")
ARROW = re.compile(r"`([^`]+)` → `([^`]+)`")


class Row(NamedTuple):
    """A row of a table: what mokkari calls it, and the two other cells."""

    name: str
    here: str
    rest: str

    @property
    def parts(self) -> dict[str, str]:
        """Parameters or fields in the last cell, by mokkari's names; renamed by an arrow."""
        renamed = dict(ARROW.findall(self.rest))
        plain = CODE.findall(re.sub(r" → `[^`]+`", "", self.rest))
        return {name: renamed.get(name, name) for name in plain}


def rows_of(heading: str) -> list[Row]:
    """Return the rows of the table under *heading*."""
    text = PAGE.read_text("utf-8")
    section = re.split(rf"^## {heading}$", text, flags=re.MULTILINE)[1].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [Row(CODE.findall(first)[0], here, "".join(rest)) for first, here, *rest in cells]


METHODS = rows_of("Every method")
NAMES = rows_of("Every class and constant")
SCHEMAS = rows_of("Every field")
LACKING = rows_of("Without a counterpart in mokkari")


def modules() -> list[Any]:
    found = pkgutil.walk_packages(mokkari.__path__, "mokkari.")
    return [mokkari, *(importlib.import_module(module.name) for module in found)]


def classes_of(module: Any) -> dict[str, type]:
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isclass(value)
        and value.__module__ == module.__name__
        and not name.startswith("_")
    }


def schemas() -> dict[str, type[pydantic.BaseModel]]:
    return {
        f"{module.__name__.removeprefix('mokkari.')}.{name}": value
        for module in modules()
        for name, value in classes_of(module).items()
        if issubclass(value, pydantic.BaseModel)
    }


def session_attributes() -> dict[str, Any]:
    session = mokkari.session.Session
    return {
        name: value
        for name, value in inspect.getmembers(session)
        if not name.startswith("_")
        and (callable(value) or isinstance(value, property))
        # A type variable of the class is nobody's to call.
        and not type(value).__module__.startswith("typing")
    }


def parameters_of(function: Any) -> set[str]:
    return set(inspect.signature(function).parameters) - {"self"}


def resolve(name: str) -> Any:
    """Return what the page calls *name*, in a client, the models, or the package."""
    name = name.partition("(")[0]
    first, *path = name.split(".")
    found: Any = {
        "metron": AsyncMetron(
            token="t", cache=None, base_url="http://127.0.0.1:1", storage=":memory:"
        ),
        "models": models,
        "metron_async": metron_async,
    }.get(first)
    if found is None:
        found, path = metron_async, [first, *path]
    for part in path:
        if inspect.ismodule(found) and not hasattr(found, part):
            found = importlib.import_module(f"{found.__name__}.{part}")
        else:
            found = getattr(found, part)
    return found


def has_part(here: str, name: str) -> bool:
    """Tell whether what is called *here* takes a parameter, or has a field, of that name."""
    if name[:1] in {'"', "'"} or "." in name:
        return name[:1] in {'"', "'"} or resolve(name) is not None
    found = resolve(here)
    if hasattr(found, "__struct_fields__"):
        return name in found.__struct_fields__
    return name in inspect.signature(found).parameters


def test_the_page_is_for_the_version_that_is_installed() -> None:
    assert mokkari.__version__.startswith("5.")


def test_every_public_attribute_of_the_session_is_there() -> None:
    named = {row.name.removeprefix("Session.") for row in METHODS} - {"Session", "mokkari.api"}
    assert named == set(session_attributes())


@pytest.mark.parametrize("row", METHODS, ids=lambda row: row.name)
def test_every_parameter_is_there(row: Row) -> None:
    function = {"mokkari.api": mokkari.api, "Session": mokkari.session.Session}.get(
        row.name
    ) or session_attributes()[row.name.removeprefix("Session.")]
    if not isinstance(function, property):
        assert parameters_of(function) <= set(row.parts)


@pytest.mark.parametrize("row", METHODS, ids=lambda row: row.name)
def test_every_counterpart_takes_what_the_page_says(row: Row) -> None:
    [here] = CODE.findall(row.here)
    assert resolve(here) is not None
    known = {"mokkari.api": mokkari.api, "Session": mokkari.session.Session}
    function = known.get(row.name) or session_attributes()[row.name.removeprefix("Session.")]
    if isinstance(function, property):
        return
    for name, to in row.parts.items():
        if name not in parameters_of(function) or to == "params" or "→ keywords" in row.rest:
            continue
        if name == "data" and "as keywords" in row.rest:
            continue
        if name == "params":
            assert "no filters" in row.rest
        elif name == "if_modified_since":
            assert to in inspect.signature(resolve(f"{here}_if_modified")).parameters
        else:
            assert has_part(here, to), (row.name, name, to)


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.__name__)
def test_every_public_name_of_every_module_is_there(module: Any) -> None:
    own = {row.name for row in NAMES} | {f"mokkari.{row.name}" for row in SCHEMAS}
    public = set(getattr(module, "__all__", ()))
    if module.__name__ == "mokkari.exceptions":  # which has no __all__
        public = set(classes_of(module))
    assert {f"{module.__name__}.{name}" for name in public} <= own


@pytest.mark.parametrize("row", NAMES, ids=lambda row: row.name)
def test_every_class_has_its_counterpart(row: Row) -> None:
    module, _, name = row.name.rpartition(".")
    theirs = getattr(importlib.import_module(module), name)
    [here] = CODE.findall(row.here)
    ours = resolve(here)
    assert ours is not None
    argument = re.fullmatch(r"\w+\((\w+)=.*\)", here)
    if argument:
        assert argument[1] in inspect.signature(ours).parameters
    if isinstance(theirs, enum.EnumMeta) and "schemas" in module:
        assert {member.value for member in theirs} <= {member.value for member in ours}


def test_every_schema_is_there() -> None:
    assert {row.name for row in SCHEMAS} == set(schemas())


@pytest.mark.parametrize("row", SCHEMAS, ids=lambda row: row.name)
def test_every_field_has_its_counterpart(row: Row) -> None:
    [here] = CODE.findall(row.here)
    assert set(row.parts) == set(schemas()[row.name].model_fields)
    assert [name for name, to in row.parts.items() if not has_part(here, to)] == []


@pytest.mark.parametrize("row", LACKING, ids=lambda row: row.name)
def test_what_mokkari_lacks_is_here(row: Row) -> None:
    for name in [row.name, *CODE.findall(row.here)]:
        assert name == "None" or resolve(name) is not None
