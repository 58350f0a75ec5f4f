"""Shows the docstrings below attributes as one list under their class.

A heading for each of a thousand attributes would hide the classes. The list has inherited ones,
too, in the order of the fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import griffe

if TYPE_CHECKING:
    from collections.abc import Iterator


class Attributes(griffe.Extension):
    """Moves the docstrings of attributes into an ``Attributes:`` section of their classes."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Rewrite the docstrings of all classes of the package."""
        classes = list(_classes(pkg))
        described = {id(one): _described(one) for one in classes}
        for one in classes:
            fields = described[id(one)]
            if fields and one.docstring and "Attributes:" not in one.docstring.value:
                items = [f"    {name}: {_indented(text)}" for name, text in fields.items()]
                one.docstring.value += "\n\nAttributes:\n" + "\n".join(items)
        for one in classes:
            for attribute in one.attributes.values():
                attribute.docstring = None


def _classes(module: griffe.Module) -> Iterator[griffe.Class]:
    """Return all classes that are defined in a module or below it."""
    for member in module.members.values():
        if member.is_alias:
            continue
        if isinstance(member, griffe.Class):
            yield member
        elif isinstance(member, griffe.Module):
            yield from _classes(member)


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
